/** The embedding models of the runtime, as the search by meaning wants them. */
import { CompletionError, EmbeddingError, type EmbeddingModel, openai } from '@buildscale/rig'
import { ConfigError } from '../../errors.ts'
import { type Embedder, EmbedderError } from '../search/embedder.ts'
import { RIG_PROVIDER_VARIABLES, rigProviders, type RigProvidersSettings } from './rig-providers.ts'

export interface RigEmbedderSettings {
  /** `BUILDSCALE_EMBEDDING_MODEL`. */
  readonly model: string | undefined
  readonly providers: RigProvidersSettings
  /** Base URL of the offline model, which runs beside the server. */
  readonly offlineUrl: string
}

interface RigEmbedderOptions {
  readonly id: string
  readonly model: EmbeddingModel
  readonly isOffline?: boolean
  readonly noise?: number
}

const OFFLINE_MODEL = 'offline:words'
const OFFLINE_DIMENSIONS = 512
/** Texts in one request: servers on one's own machine take fewer than the large services, and none takes long for this many. */
const MAX_TEXTS = 128
/** Bytes of text in one request, about a quarter of that in tokens; OpenAI takes 300,000 tokens. */
const MAX_BYTES = 400_000
/** What refuses a text for what it is, as far as a status can say. */
const REFUSALS: ReadonlySet<number> = new Set([400, 413, 422])

/** Embeds texts in batches through one model. Trying again is the runtime's, choosing a later time the caller's. */
export class RigEmbedder implements Embedder {
  readonly id: string
  readonly isOffline: boolean
  readonly noise: number
  readonly #model: EmbeddingModel

  /** Throws a ConfigError when `BUILDSCALE_EMBEDDING_MODEL` names what cannot be used. */
  static fromSettings(settings: RigEmbedderSettings): RigEmbedder {
    const id = settings.model ?? defaultModel(settings.providers)
    return id === OFFLINE_MODEL ? offlineEmbedder(settings.offlineUrl) : new RigEmbedder({ id, model: embeddingModel(id, settings.providers) })
  }

  constructor({ id, model, isOffline = false, noise = 0 }: RigEmbedderOptions) {
    this.id = id
    this.isOffline = isOffline
    this.noise = noise
    this.#model = model
  }

  async embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]> {
    const vectors: Float32Array[] = []
    for (const batch of batches(texts)) vectors.push(...(await this.#embedBatch(batch, signal)))
    return vectors
  }

  async #embedBatch(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]> {
    try {
      const embeddings = await this.#model.embedTexts(texts, { signal })
      return embeddings.map(({ vec }) => (vec instanceof Float32Array ? vec : Float32Array.from(vec)))
    } catch (error) {
      throw this.#explained(error)
    }
  }

  /** What the caller needs to know: whether these texts are at fault. Nothing of the answer's body is repeated: it may hold what nobody should read. */
  #explained(error: unknown): unknown {
    if (error instanceof EmbeddingError) return new EmbedderError(error.kind === 'request' ? 'refused' : 'unavailable', `${this.id}: ${error.message}.`, { cause: error })
    if (!(error instanceof CompletionError) || error.kind === 'aborted') return error
    const { status } = error
    if (status === undefined) return new EmbedderError('unavailable', `${this.id} cannot be reached.`, { cause: error })
    if (REFUSALS.has(status)) return new EmbedderError('refused', `${this.id} does not take the text (status ${status}).`, { cause: error })
    return new EmbedderError('unavailable', `${this.id} answered with status ${status}${hint(status)}.`, { cause: error })
  }
}

function hint(status: number): string {
  if (status === 401 || status === 403) return ': check the key of the provider'
  if (status === 404) return ': check the model in BUILDSCALE_EMBEDDING_MODEL'
  return status === 429 ? ': too many requests, or the quota is used up' : ''
}

/** A server of one's own at OPENAI_BASE_URL seldom has OpenAI's embedding models, so there the model has to be named. */
function defaultModel({ openai: settings }: RigProvidersSettings): string {
  return settings?.apiKey !== undefined && settings.baseUrl === undefined ? `openai:${openai.TEXT_EMBEDDING_3_SMALL}` : OFFLINE_MODEL
}

/** Words at a hash of places: cosines of texts that share no word scatter around 0 by one over the root of the dimensions. */
function offlineEmbedder(baseUrl: string): RigEmbedder {
  const model = new openai.Client({ baseUrl }).embeddingModel(openai.TEXT_EMBEDDING_3_SMALL, { ndims: OFFLINE_DIMENSIONS, maxDocuments: MAX_TEXTS })
  return new RigEmbedder({ id: OFFLINE_MODEL, model, isOffline: true, noise: 3 / Math.sqrt(OFFLINE_DIMENSIONS) })
}

function embeddingModel(id: string, providers: RigProvidersSettings): EmbeddingModel {
  const colon = id.indexOf(':')
  const [name, model] = [id.slice(0, colon), id.slice(colon + 1)]
  const source = rigProviders(providers).find((provider) => provider.name === name)?.embeddings
  if (source !== undefined) return source.embeddingModel(model, { maxDocuments: MAX_TEXTS })
  throw new ConfigError(`BUILDSCALE_EMBEDDING_MODEL: "${id}" cannot be used: ${whyNot(name)}`)
}

function whyNot(name: string): string {
  if (name === 'offline') return `the offline one is ${OFFLINE_MODEL}.`
  if (name === 'anthropic') return 'Anthropic has no models that make vectors; name one of openai, openrouter or ollama.'
  const variable = Object.entries(RIG_PROVIDER_VARIABLES).find(([provider]) => provider === name)?.[1]
  return variable === undefined ? `there is no provider "${name}".` : `set ${variable} and restart.`
}

function* batches(texts: readonly string[]): Generator<readonly string[]> {
  let batch: string[] = []
  let bytes = 0
  for (const text of texts) {
    const size = Buffer.byteLength(text)
    if (batch.length > 0 && (batch.length === MAX_TEXTS || bytes + size > MAX_BYTES)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(text)
    bytes += size
  }
  if (batch.length > 0) yield batch
}
