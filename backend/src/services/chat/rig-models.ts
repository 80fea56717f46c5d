/** Model ids of the product -> models of the runtime. The only place that names providers. */
import { type CompletionModel, type JsonObject, openai } from '@buildscale/rig'
import { AppError } from '../../errors.ts'
import type { ModelCatalog } from './chat-models.ts'

/** What the environment says about models. */
export interface RigModelSettings {
  /** `BUILDSCALE_MODEL`. */
  readonly defaultModel: string | undefined
  readonly openai: { readonly apiKey: string | undefined; readonly baseUrl: string | undefined }
  /** Providers with a key that this version cannot use yet, by the variable that names them. */
  readonly unsupported: readonly { readonly provider: string; readonly variable: string }[]
  /** Base URL of the offline model, which runs beside the server. */
  readonly offlineUrl: string
}

export interface RigModelListing {
  readonly items: readonly { readonly id: string; readonly provider: string; readonly available: boolean; readonly default: boolean }[]
  readonly offline: boolean
  readonly problems: readonly { readonly provider: string; readonly message: string }[]
}

const OFFLINE_MODEL = 'offline:rules'
const OPENAI_MODELS = [openai.GPT_4O, openai.GPT_4O_MINI, openai.GPT_4_1, openai.GPT_4_1_MINI, openai.GPT_5, openai.GPT_5_MINI, openai.O4_MINI]
/** Models of unknown size are given this many tokens of context. */
const DEFAULT_CONTEXT_WINDOW = 128_000
const CONTEXT_WINDOWS: readonly (readonly [prefix: string, tokens: number])[] = [
  ['gpt-4.1', 1_000_000],
  ['gpt-5', 400_000],
  ['o1', 200_000],
  ['o3', 200_000],
  ['o4', 200_000],
]

export class RigModels implements ModelCatalog {
  readonly defaultModel: string
  readonly #settings: RigModelSettings
  readonly #openai: openai.Client | undefined
  readonly #offline: openai.Client

  /** Throws `invalid_request` when `BUILDSCALE_MODEL` names what cannot be used. */
  constructor(settings: RigModelSettings) {
    this.#settings = settings
    const { apiKey, baseUrl } = settings.openai
    this.#openai = apiKey === undefined && baseUrl === undefined ? undefined : new openai.Client({ ...(apiKey !== undefined && { apiKey }), ...(baseUrl !== undefined && { baseUrl }) })
    this.#offline = new openai.Client({ baseUrl: settings.offlineUrl })
    this.defaultModel = this.#openai === undefined ? OFFLINE_MODEL : `openai:${openai.GPT_4O}`
    if (settings.defaultModel !== undefined) this.defaultModel = this.resolve(settings.defaultModel)
  }

  resolve(name: string): string {
    const full = name.includes(':') ? name : `${this.defaultModel.split(':')[0] ?? 'offline'}:${name}`
    const [provider = '', model = ''] = splitOnce(full, ':')
    if (model === '') throw new AppError('invalid_request', `The model "${name}" has no name after the provider. Use provider:model, for example ${this.defaultModel}.`)
    if (provider === 'offline') {
      if (full === OFFLINE_MODEL) return full
      throw new AppError('invalid_request', `There is one offline model: ${OFFLINE_MODEL}.`)
    }
    if (provider === 'openai' && this.#openai !== undefined) return full
    throw new AppError('invalid_request', `The model "${name}" cannot be used: ${this.#whyNot(provider)} Available providers: ${this.#providers().join(', ')}.`)
  }

  /** The runtime's model of a resolved id. */
  completionModel(id: string): CompletionModel {
    const [provider, model = ''] = splitOnce(this.resolve(id), ':')
    if (provider === 'openai' && this.#openai !== undefined) return this.#openai.completionModel(model)
    return this.#offline.completionModel('offline')
  }

  /** Parameters that only some models take. Reasoning is asked for where it exists, and nothing is kept at the provider. */
  additionalParams(id: string): JsonObject {
    return /^openai:(o\d|gpt-5)/.test(id) && this.#settings.openai.baseUrl === undefined ? { reasoning: { summary: 'auto' }, store: false } : {}
  }

  /** Tokens that fit into one request. */
  contextWindow(id: string): number {
    const model = splitOnce(id, ':')[1] ?? ''
    return CONTEXT_WINDOWS.find(([prefix]) => model.startsWith(prefix))?.[1] ?? DEFAULT_CONTEXT_WINDOW
  }

  /** USD of one call; null where we do not know the price. The offline model costs nothing. */
  cost(id: string): number | null {
    return id === OFFLINE_MODEL ? 0 : null
  }

  list(): RigModelListing {
    const known = [OFFLINE_MODEL, ...(this.#openai === undefined ? [] : OPENAI_MODELS.map((model) => `openai:${model}`))]
    const ids = known.includes(this.defaultModel) ? known : [...known, this.defaultModel]
    return {
      items: ids.map((id) => ({ id, provider: splitOnce(id, ':')[0] ?? '', available: true, default: id === this.defaultModel })),
      offline: this.defaultModel === OFFLINE_MODEL,
      problems: this.#settings.unsupported.map(({ provider, variable }) => ({ provider, message: `${variable} is set, but this version cannot use ${provider} yet.` })),
    }
  }

  #providers(): readonly string[] {
    return this.#openai === undefined ? ['offline'] : ['openai', 'offline']
  }

  #whyNot(provider: string): string {
    if (provider === 'openai') return 'set OPENAI_API_KEY (or OPENAI_BASE_URL for a server of your own) and restart.'
    return this.#settings.unsupported.some((entry) => entry.provider === provider) ? `this version cannot use ${provider} yet.` : `there is no provider "${provider}".`
  }
}

function splitOnce(text: string, separator: string): readonly [string, string] | readonly [string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
}
