/** The providers that an environment configures, as the runtime's clients. The only place that names providers. */
import { anthropic, compatible, type EmbeddingModel, type JsonObject, type ModelSource, openai } from '@buildscale/rig'

/** A key, an address, or both. */
export interface RigProviderSettings {
  readonly apiKey: string | undefined
  readonly baseUrl: string | undefined
}

export interface RigProvidersSettings {
  readonly openai: RigProviderSettings | undefined
  readonly anthropic: RigProviderSettings | undefined
  readonly openrouter: RigProviderSettings | undefined
  readonly ollama: RigProviderSettings | undefined
}

/** A client of a provider that has embedding models. */
export interface RigEmbeddingSource {
  embeddingModel(id: string, options: openai.OpenAiEmbeddingOptions): EmbeddingModel
}

export interface RigProvider {
  readonly name: string
  readonly source: ModelSource
  /** Undefined where the provider has no embedding models. */
  readonly embeddings: RigEmbeddingSource | undefined
  /** The models that are offered by name; any other id is passed on to the provider. */
  readonly models: readonly string[]
  /** Undefined where what is installed decides. */
  readonly defaultModel: string | undefined
  /** Parameters that only some models take. */
  additionalParams(model: string): JsonObject
}

/** The variables that configure each provider, for messages. */
export const RIG_PROVIDER_VARIABLES: Readonly<Record<keyof RigProvidersSettings, string>> = {
  openai: 'OPENAI_API_KEY (or OPENAI_BASE_URL for a server of your own)',
  anthropic: 'ANTHROPIC_API_KEY',
  openrouter: 'OPENROUTER_API_KEY',
  ollama: 'OLLAMA_BASE_URL',
}

/** In the order in which the first one gives the default model. */
export function rigProviders(settings: RigProvidersSettings): readonly RigProvider[] {
  return [
    ...(settings.openai === undefined ? [] : [openAiProvider(settings.openai)]),
    ...(settings.anthropic === undefined ? [] : [anthropicProvider(settings.anthropic)]),
    ...(settings.openrouter === undefined ? [] : [openRouterProvider(settings.openrouter)]),
    ...(settings.ollama === undefined ? [] : [ollamaProvider(settings.ollama)]),
  ]
}

function openAiProvider(settings: RigProviderSettings): RigProvider {
  const source = new openai.Client(given(settings))
  return {
    name: 'openai',
    source,
    embeddings: source,
    models: [openai.GPT_4O, openai.GPT_4O_MINI, openai.GPT_4_1, openai.GPT_4_1_MINI, openai.GPT_5, openai.GPT_5_MINI, openai.GPT_5_2, openai.O4_MINI],
    defaultModel: openai.GPT_4O,
    // Nothing is kept at the provider. Servers of one's own may know neither field.
    additionalParams: (model) => (/^(o\d|gpt-5)/.test(model) && settings.baseUrl === undefined ? { reasoning: { summary: 'auto' }, store: false } : {}),
  }
}

function anthropicProvider(settings: RigProviderSettings): RigProvider {
  return {
    name: 'anthropic',
    source: new anthropic.Client({ ...given(settings), promptCaching: true }),
    embeddings: undefined,
    models: [anthropic.CLAUDE_SONNET_4_6, anthropic.CLAUDE_OPUS_4_8, anthropic.CLAUDE_HAIKU_4_5],
    defaultModel: anthropic.CLAUDE_SONNET_4_6,
    additionalParams: (model) => (/^claude-(opus|sonnet)-4-[6-9]/.test(model) ? { thinking: { type: 'adaptive' } } : {}),
  }
}

function openRouterProvider(settings: RigProviderSettings): RigProvider {
  const { apiKey = '', ...address } = given(settings)
  const source = compatible.openRouter({ apiKey, ...address })
  return {
    name: 'openrouter',
    source,
    embeddings: source,
    models: ['openrouter/auto'],
    defaultModel: 'openrouter/auto',
    additionalParams: () => ({}),
  }
}

function ollamaProvider({ apiKey, baseUrl }: RigProviderSettings): RigProvider {
  // Ollama's own variable holds the address of the server, without the path of its compatible interface.
  const address = baseUrl === undefined || /\/v\d+$/.test(baseUrl) ? baseUrl : `${baseUrl}/v1`
  const source = compatible.ollama(given({ apiKey, baseUrl: address }))
  return { name: 'ollama', source, embeddings: source, models: [], defaultModel: undefined, additionalParams: () => ({}) }
}

function given({ apiKey, baseUrl }: RigProviderSettings): { readonly apiKey?: string; readonly baseUrl?: string } {
  return { ...(apiKey !== undefined && { apiKey }), ...(baseUrl !== undefined && { baseUrl }) }
}
