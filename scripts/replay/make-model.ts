import { anthropic, compatible, openai, type CompletionModel } from '@buildscale/rig'
import type { ClientSettings, Settings, WireName } from './recorded-request.ts'

/** Makes the model of a run, connected to the server at `origin`. */
export type MakeModel = (settings: Pick<Settings, 'model' | 'client'>, origin: string) => CompletionModel

type MakeWireModel = (options: { readonly model: string; readonly client: ClientSettings; readonly baseUrl: string }) => CompletionModel

/** Any key will do; requests are recorded without it. */
const API_KEY = 'replay'

/** What the recordings were made with: nothing is sent twice, and no phase goes back. */
const MODELS: Readonly<Record<WireName, MakeWireModel>> = {
  responses: ({ model, client, baseUrl }) => new openai.Client({
    apiKey: API_KEY,
    baseUrl,
    retry: false,
    replayPhase: false,
    ...(client.responses === undefined ? {} : { systemInstructions: client.responses.systemInstructions }),
  }).completionModel(model),
  chat: ({ model, client, baseUrl }) => new compatible.CompatibleClient({
    apiKey: API_KEY,
    provider: 'openai',
    baseUrl,
    query: client.query,
    retry: false,
    dialect: { ...compatible.OPENAI_DIALECT, ...client.chat },
  }).completionModel(model),
  messages: ({ model, client, baseUrl }) => {
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
    }).completionModel(model)
  },
}

/** The runtime's own model for the wire. */
export const makeModel: MakeModel = ({ model, client }, origin) => MODELS[client.wire]({ model, client, baseUrl: `${origin}${client.basePath}` })
