import { AgentBuilder } from '../../agent/agent-builder.ts'
import { ConfigError } from '../../errors.ts'
import { ExtractorBuilder } from '../../extractor/extractor-builder.ts'
import { connect, type ConnectionOptions } from '../../http/connection-options.ts'
import type { HttpClient } from '../../http/http-client.ts'
import type { SchemaLike } from '../../tool/schema.ts'
import type { ChatDialect } from '../openai-compatible/chat-dialect.ts'
import { CompletionsClient } from '../openai-compatible/client.ts'
import { getJson, modelIds, type LookupOptions } from '../get-json.ts'
import { OpenAiEmbeddingModel, type OpenAiEmbeddingOptions } from './embedding-model.ts'
import type { SystemInstructions } from './encode-request.ts'
import { ResponsesCompletionModel } from './responses-completion-model.ts'

export interface ClientOptions extends ConnectionOptions {
  /** Sent as a bearer token; without it no `Authorization` header is sent, as servers on one's own machine want it. */
  readonly apiKey?: string
  /** With the version in it; `https://api.openai.com/v1` unless given. */
  readonly baseUrl?: string
  readonly organization?: string
  readonly project?: string
  readonly systemInstructions?: SystemInstructions
  /** `plain` for servers that want texts as strings and items without a status, as xAI does; `full` unless given. */
  readonly itemForm?: 'full' | 'plain'
  /** Makes every tool strict that does not say otherwise; unless given the service decides. */
  readonly strictTools?: boolean
  /** Whether a message's `phase` goes back with it, as newer models want it; `true` unless given. */
  readonly replayPhase?: boolean
  /**
   * Leaves the conversation with OpenAI: a request names the last response (`previous_response_id`) and holds only what was said since.
   * Needs responses to be stored there, which they are unless `store` says otherwise. `false` unless given.
   */
  readonly serverState?: boolean
}

const DEFAULT_BASE_URL = 'https://api.openai.com/v1'

/** OpenAI, or a server that speaks its Responses API. Holds the connections: keep one and share it. */
export class Client {
  readonly #options: ClientOptions
  readonly #http: HttpClient

  constructor(options: ClientOptions) {
    this.#options = options
    this.#http = connect({ provider: 'openai', baseUrl: options.baseUrl ?? DEFAULT_BASE_URL, headers: headersOf(options) }, options)
  }

  /** From `OPENAI_API_KEY` and `OPENAI_BASE_URL`; the address alone is enough. Throws `ConfigError` without either. */
  static fromEnv(env: Readonly<Record<string, string | undefined>> = process.env, options: ClientOptions = {}): Client {
    const apiKey = env['OPENAI_API_KEY'] || undefined
    const baseUrl = env['OPENAI_BASE_URL'] || undefined
    if (apiKey === undefined && baseUrl === undefined) throw new ConfigError('Set OPENAI_API_KEY, or OPENAI_BASE_URL for a server that needs no key')
    return new Client({ ...(apiKey === undefined ? {} : { apiKey }), ...(baseUrl === undefined ? {} : { baseUrl }), ...options })
  }

  completionModel(id: string): ResponsesCompletionModel {
    const { systemInstructions = 'instructions', itemForm = 'full', strictTools, replayPhase = true, serverState = false } = this.#options
    return new ResponsesCompletionModel({ http: this.#http, model: id, systemInstructions, itemForm, strictTools, replayPhase, serverState })
  }

  agent<Deps = unknown>(id: string): AgentBuilder<Deps> {
    return new AgentBuilder<Deps>(this.completionModel(id))
  }

  /** The same account by Chat Completions, with a dialect for servers that nearly are OpenAI. */
  completionsApi({ dialect }: { readonly dialect?: Partial<ChatDialect> } = {}): CompletionsClient {
    const { systemInstructions: _systemInstructions, itemForm: _itemForm, replayPhase: _replayPhase, serverState: _serverState, ...shared } = this.#options
    return new CompletionsClient({ ...shared, ...(dialect === undefined ? {} : { dialect }) })
  }

  /** Gets data in the form of `schema` out of text. Throws `TypeError` for a schema without a JSON form. */
  extractor<S extends SchemaLike>(id: string, schema: S): ExtractorBuilder<S> {
    return new ExtractorBuilder(this.completionModel(id), schema)
  }

  /** A number asks for vectors of that many coordinates, as `ndims` does. */
  embeddingModel(id: string, options: number | OpenAiEmbeddingOptions = {}): OpenAiEmbeddingModel {
    return new OpenAiEmbeddingModel({ ...(typeof options === 'number' ? { ndims: options } : options), http: this.#http, model: id })
  }

  /** Whether address and key are right. Throws `CompletionError` when they are not: with status 401 for a key that is refused. */
  async verify(options: LookupOptions = {}): Promise<void> {
    await getJson(this.#http, '/models', options)
  }

  /** The ids of the models that the key may use. Throws `CompletionError`. */
  async listModels(options: LookupOptions = {}): Promise<readonly string[]> {
    return modelIds(await getJson(this.#http, '/models', options))
  }
}

function headersOf({ apiKey, organization, project }: ClientOptions): Readonly<Record<string, string>> {
  return {
    ...(apiKey === undefined || apiKey === '' ? {} : { authorization: `Bearer ${apiKey}` }),
    ...(organization === undefined ? {} : { 'openai-organization': organization }),
    ...(project === undefined ? {} : { 'openai-project': project }),
  }
}
