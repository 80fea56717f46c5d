import { anthropic, compatible, openai, type CompletionModel, type EmbeddingModel } from '@buildscale/rig'
import type { ClientSettings, Settings, WireName } from './recorded-request.ts'

/** Makes the model of a run, connected to the server at `origin`. */
export type MakeModel = (settings: Pick<Settings, 'model' | 'client'>, origin: string) => CompletionModel

/** Any key will do; requests are recorded without it. */
const API_KEY = 'replay'

/** What the replay needs of a client. */
interface ReplayClient {
  completionModel(model: string): CompletionModel
  listModels(options: { readonly signal: AbortSignal }): Promise<readonly string[]>
}

/** What the recordings were made with: nothing is sent twice, and no phase goes back. */
const CLIENTS: Readonly<Record<WireName, (client: ClientSettings, baseUrl: string) => ReplayClient>> = {
  responses: openAi,
  chat: (client, baseUrl) => new compatible.CompatibleClient({
    apiKey: API_KEY,
    provider: 'openai',
    baseUrl,
    query: client.query,
    retry: false,
    dialect: { ...compatible.OPENAI_DIALECT, ...client.chat },
  }),
  messages: (client, baseUrl) => {
    const { promptCaching, ...form } = client.messages ?? {}
    const { 'anthropic-version': version, 'anthropic-beta': betas } = client.headers
    return new anthropic.Client({
      apiKey: API_KEY,
      baseUrl,
      retry: false,
      ...form,
      ...(promptCaching === undefined ? {} : { promptCaching }),
      ...(version === undefined ? {} : { version }),
      ...(betas === undefined ? {} : { betas: betas.split(',').map((name) => name.trim()) }),
    })
  },
}

function openAi(client: ClientSettings, baseUrl: string): openai.Client {
  return new openai.Client({
    apiKey: API_KEY,
    baseUrl,
    retry: false,
    replayPhase: false,
    ...(client.responses === undefined ? {} : client.responses),
  })
}

/** The runtime's own client for the wire, connected to the server at `origin`. */
export function makeClient(client: ClientSettings, origin: string): ReplayClient {
  return CLIENTS[client.wire](client, `${origin}${client.basePath}`)
}

/** The runtime's own model for the wire. */
export const makeModel: MakeModel = ({ model, client }, origin) => makeClient(client, origin).completionModel(model)

type EmbeddingSettings = openai.OpenAiEmbeddingOptions & { readonly model: string; readonly client: ClientSettings }

/** The runtime's own model for embeddings. */
export function makeEmbeddingModel({ model, client, ...options }: EmbeddingSettings, origin: string): EmbeddingModel {
  return openAi(client, `${origin}${client.basePath}`).embeddingModel(model, options)
}
