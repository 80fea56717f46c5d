/** Model ids of the product -> models of the runtime. */
import { type CompletionModel, type JsonObject, openai } from '@buildscale/rig'
import { AppError } from '../../errors.ts'
import type { ModelCatalog } from './chat-models.ts'
import { RIG_PROVIDER_VARIABLES, type RigProvider, rigProviders, type RigProvidersSettings } from './rig-providers.ts'

/** What the environment says about models. */
export interface RigModelSettings {
  /** `BUILDSCALE_MODEL`. */
  readonly defaultModel: string | undefined
  readonly providers: RigProvidersSettings
  /** Base URL of the offline model, which runs beside the server. */
  readonly offlineUrl: string
}

export interface RigModelListing {
  readonly items: readonly { readonly id: string; readonly provider: string; readonly available: boolean; readonly default: boolean }[]
  readonly offline: boolean
  readonly problems: readonly { readonly provider: string; readonly message: string }[]
}

const OFFLINE_MODEL = 'offline:rules'
/** Models of unknown size are given this many tokens of context. */
const DEFAULT_CONTEXT_WINDOW = 128_000
const CONTEXT_WINDOWS: readonly (readonly [prefix: string, tokens: number])[] = [
  ['gpt-4.1', 1_000_000],
  ['gpt-5', 400_000],
  ['o1', 200_000],
  ['o3', 200_000],
  ['o4', 200_000],
  ['claude-', 200_000],
]

export class RigModels implements ModelCatalog {
  readonly defaultModel: string
  readonly #providers: ReadonlyMap<string, RigProvider>
  readonly #offline: openai.Client

  /** Throws `invalid_request` when `BUILDSCALE_MODEL` names what cannot be used. */
  constructor(settings: RigModelSettings) {
    const providers = rigProviders(settings.providers)
    const first = providers.find(({ defaultModel }) => defaultModel !== undefined)
    this.#providers = new Map(providers.map((provider) => [provider.name, provider]))
    this.#offline = new openai.Client({ baseUrl: settings.offlineUrl })
    this.defaultModel = first === undefined ? OFFLINE_MODEL : `${first.name}:${first.defaultModel}`
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
    if (this.#providers.has(provider)) return full
    throw new AppError('invalid_request', `The model "${name}" cannot be used: ${whyNot(provider)} Available providers: ${[...this.#providers.keys(), 'offline'].join(', ')}.`)
  }

  /** The runtime's model of a resolved id. */
  completionModel(id: string): CompletionModel {
    const { provider, model } = this.#find(id)
    return provider === undefined ? this.#offline.completionModel('offline') : provider.source.completionModel(model)
  }

  /** Parameters that only some models take. */
  additionalParams(id: string): JsonObject {
    const { provider, model } = this.#find(id)
    return provider?.additionalParams(model) ?? {}
  }

  /** Tokens that fit into one request. */
  contextWindow(id: string): number {
    const model = splitOnce(id, ':')[1]?.split('/').at(-1) ?? ''
    return CONTEXT_WINDOWS.find(([prefix]) => model.startsWith(prefix))?.[1] ?? DEFAULT_CONTEXT_WINDOW
  }

  /** USD of one call; null where we do not know the price. The offline model costs nothing. */
  cost(id: string): number | null {
    return id === OFFLINE_MODEL ? 0 : null
  }

  list(): RigModelListing {
    const providers = [...this.#providers.values()]
    const known = [OFFLINE_MODEL, ...providers.flatMap(({ name, models }) => models.map((model) => `${name}:${model}`))]
    const ids = known.includes(this.defaultModel) ? known : [...known, this.defaultModel]
    return {
      items: ids.map((id) => ({ id, provider: splitOnce(id, ':')[0] ?? '', available: true, default: id === this.defaultModel })),
      offline: this.defaultModel === OFFLINE_MODEL,
      problems: providers.flatMap(({ name }) => this.#problemOf(name)),
    }
  }

  #find(id: string): { readonly provider: RigProvider | undefined; readonly model: string } {
    const [name, model = ''] = splitOnce(this.resolve(id), ':')
    return { provider: this.#providers.get(name), model }
  }

  /** A provider whose models only its owner knows is of no use until one is named. */
  #problemOf(name: string): RigModelListing['problems'] {
    if (this.#providers.get(name)?.defaultModel !== undefined || this.defaultModel.startsWith(`${name}:`)) return []
    return [{ provider: name, message: `Name one of its models to use it: ${name}:<model>, in a chat or as BUILDSCALE_MODEL.` }]
  }
}

function whyNot(provider: string): string {
  return isKnown(provider) ? `set ${RIG_PROVIDER_VARIABLES[provider]} and restart.` : `there is no provider "${provider}".`
}

function isKnown(provider: string): provider is keyof RigProvidersSettings {
  return Object.hasOwn(RIG_PROVIDER_VARIABLES, provider)
}

function splitOnce(text: string, separator: string): readonly [string, string] | readonly [string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
}
