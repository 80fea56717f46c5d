import type { CallOptions } from '../../completion/completion-request.ts'
import { isJsonArray, isJsonObject, numberAt, objectAt, tryParseJson, type Json, type JsonObject } from '../../completion/json.ts'
import { EmbeddingError } from '../../embeddings/embedding-error.ts'
import { onlyEmbedding, type Embedding, type EmbeddingModel, type Vector } from '../../embeddings/embedding-model.ts'
import type { HttpClient } from '../../http/http-client.ts'
import { withRetry } from '../../http/retry.ts'
import { readText, type RequestBody } from '../../http/transport.ts'
import { responseError } from './response-error.ts'

/** How texts are embedded. */
export interface OpenAiEmbeddingOptions {
  /** Asks for vectors of this many coordinates; without it they have the model's own number. */
  readonly ndims?: number | undefined
  /** The most texts in one request, 1 to 2048; 1024 unless given. Other servers permit fewer. */
  readonly maxDocuments?: number | undefined
  /** How the vectors travel; `base64` unless given. `omit` leaves the choice to the server: for those that do not know the field. */
  readonly encodingFormat?: 'base64' | 'float' | 'omit' | undefined
}

export interface OpenAiEmbeddingModelOptions extends OpenAiEmbeddingOptions {
  readonly http: HttpClient
  readonly model: string
}

const DEFAULT_MAX_DOCUMENTS = 1024
const BYTES_PER_FLOAT = 4
/** The one model that refuses `dimensions`, even its own. */
const FIXED_SIZE_MODEL = 'text-embedding-ada-002'

const KNOWN_NDIMS: ReadonlyMap<string, number> = new Map([
  ['text-embedding-3-small', 1536],
  ['text-embedding-3-large', 3072],
  [FIXED_SIZE_MODEL, 1536],
])

/** OpenAI's embeddings (https://platform.openai.com/docs/api-reference/embeddings/create), and servers that speak the same. */
export class OpenAiEmbeddingModel implements EmbeddingModel {
  readonly model: string
  readonly maxDocuments: number
  readonly ndims: number
  readonly #http: HttpClient
  readonly #dimensions: number | undefined
  readonly #encodingFormat: 'base64' | 'float' | 'omit'

  constructor({ http, model, ndims, maxDocuments = DEFAULT_MAX_DOCUMENTS, encodingFormat = 'base64' }: OpenAiEmbeddingModelOptions) {
    this.model = model
    this.maxDocuments = maxDocuments
    this.ndims = ndims ?? KNOWN_NDIMS.get(model) ?? 0
    this.#http = http
    this.#dimensions = model === FIXED_SIZE_MODEL ? undefined : ndims
    this.#encodingFormat = encodingFormat
  }

  /** Throws `CompletionError` when the call fails or is aborted, `EmbeddingError` for texts or answers that make no sense. No text, no call. */
  async embedTexts(texts: readonly string[], options: CallOptions = {}): Promise<readonly Embedding[]> {
    if (texts.length === 0) return []
    this.#check(texts)
    const body = this.#body(texts)
    const signal = options.signal ?? new AbortController().signal
    return withRetry(async () => this.#decode(await this.#answer(body, { signal, options }), texts), { policy: options.retry ?? this.#http.retry, signal })
  }

  async embedText(text: string, options?: CallOptions): Promise<Embedding> {
    return onlyEmbedding(await this.embedTexts([text], options))
  }

  #check(texts: readonly string[]): void {
    if (texts.length > this.maxDocuments) throw new EmbeddingError('request', `${texts.length} texts are more than the ${this.maxDocuments} that one request takes`)
    const empty = texts.indexOf('')
    if (empty !== -1) throw new EmbeddingError('request', `Text ${empty} is empty, which the service refuses`)
  }

  /** Base64 is a quarter of the size of the same numbers as text, and exact. */
  #body(input: readonly string[]): RequestBody {
    const dimensions = this.#dimensions === undefined ? {} : { dimensions: this.#dimensions }
    const encoding = this.#encodingFormat === 'omit' ? {} : { encoding_format: this.#encodingFormat }
    return [Buffer.from(JSON.stringify({ model: this.model, input, ...encoding, ...dimensions }))]
  }

  async #answer(body: RequestBody, { signal, options }: { readonly signal: AbortSignal; readonly options: CallOptions }): Promise<JsonObject> {
    const headers = options.headers === undefined ? {} : { headers: options.headers }
    const response = await this.#http.post('/embeddings', { body, accept: '*/*', signal, ...headers })
    const json = tryParseJson(await readText(response))
    if (!isJsonObject(json)) throw new EmbeddingError('json', 'The answer is not a JSON object')
    if (objectAt(json, 'error') !== undefined) throw responseError(json, this.#http.requestIdOf(response))
    return json
  }

  #decode(json: JsonObject, texts: readonly string[]): readonly Embedding[] {
    const vectors = orderedVectors(json['data'], texts.length)
    const ndims = this.ndims || (vectors[0]?.length ?? 0)
    return vectors.map((vec, index) => {
      if (vec.length !== ndims) throw new EmbeddingError('response', `Embedding ${index} has ${vec.length} coordinates instead of ${ndims}`)
      return { document: texts[index] ?? '', vec }
    })
  }
}

/** The vectors in the order of their texts: an answer says with each which text it is for, and may have any order. */
function orderedVectors(data: Json | undefined, count: number): readonly Vector[] {
  if (!isJsonArray(data)) throw new EmbeddingError('response', 'The answer has no list of embeddings')
  if (data.length !== count) throw new EmbeddingError('response', `Expected ${count} embeddings, got ${data.length}`)
  const vectors = new Map<number, Vector>()
  for (const [position, item] of data.entries()) {
    if (!isJsonObject(item)) throw new EmbeddingError('response', `Embedding ${position} is not an object`)
    vectors.set(numberAt(item, 'index') ?? position, decodeVector(item['embedding'], position))
  }
  return Array.from({ length: count }, (_, index) => {
    const vector = vectors.get(index)
    if (vector === undefined) throw new EmbeddingError('response', `The answer has no embedding for text ${index}`)
    return vector
  })
}

/** Base64 of little-endian 32-bit floats, or numbers from servers that know nothing else. */
function decodeVector(value: Json | undefined, position: number): Vector {
  const vector = typeof value === 'string' ? floatsOf(value) : numbersOf(value)
  if (vector === undefined || vector.length === 0 || !vector.every(Number.isFinite)) throw new EmbeddingError('response', `Embedding ${position} is not a vector`)
  return vector
}

function floatsOf(base64: string): Float32Array | undefined {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length % BYTES_PER_FLOAT !== 0) return undefined
  // Not a view of the bytes: they begin anywhere in a shared buffer, and the machine may have another byte order.
  const floats = new Float32Array(bytes.length / BYTES_PER_FLOAT)
  for (let index = 0; index < floats.length; index++) floats[index] = bytes.readFloatLE(index * BYTES_PER_FLOAT)
  return floats
}

function numbersOf(value: Json | undefined): readonly number[] | undefined {
  if (value === undefined || !isJsonArray(value)) return undefined
  const numbers = value.filter((entry) => typeof entry === 'number')
  return numbers.length === value.length ? numbers : undefined
}
