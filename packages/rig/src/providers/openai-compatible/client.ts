import { AgentBuilder } from '../../agent/agent-builder.ts'
import type { CallOptions } from '../../completion/completion-request.ts'
import { arrayAt, isJsonArray, isJsonObject, stringAt, tryParseJson } from '../../completion/json.ts'
import { CompletionError, ConfigError } from '../../errors.ts'
import { ExtractorBuilder } from '../../extractor/extractor-builder.ts'
import { connect, type ConnectionOptions } from '../../http/connection-options.ts'
import type { HttpClient } from '../../http/http-client.ts'
import { withRetry } from '../../http/retry.ts'
import { readText } from '../../http/transport.ts'
import type { SchemaLike } from '../../tool/schema.ts'
import { OpenAiEmbeddingModel, type OpenAiEmbeddingOptions } from '../openai/embedding-model.ts'
import { ChatCompletionModel } from './chat-completion-model.ts'
import type { ChatDialect } from './chat-dialect.ts'
import { OPENAI } from './dialects.ts'

/** What every client of Chat Completions can be told. */
export interface ChatConnectionOptions extends ConnectionOptions {
  /** Without it no key is sent, as servers on one's own machine want it. */
  readonly apiKey?: string
  /** Makes every tool strict that does not say otherwise; unless given the server decides. */
  readonly strictTools?: boolean
}

export interface CompatibleClientOptions extends ChatConnectionOptions {
  /** The name of the server in origins and errors. */
  readonly provider: string
  readonly dialect: ChatDialect
  /** With the version in it. */
  readonly baseUrl: string
  /** How the key is sent; as a bearer token unless given. */
  readonly keyHeader?: 'bearer' | 'api-key'
  /** Added to every address. */
  readonly query?: Readonly<Record<string, string>>
  /** The path of requests to a model, below the base address; `/chat/completions` unless given. */
  readonly path?: (model: string) => string
  /** Where the models are listed, below the base address; `/models` unless given, `false` when there is no list. */
  readonly modelsPath?: string | false
  /** What `verify` asks for, below the base address; the models unless given. */
  readonly verifyPath?: string
}

/** A server that speaks Chat Completions in its own way. Holds the connections: keep one and share it. */
export class CompatibleClient {
  readonly #options: CompatibleClientOptions
  readonly #http: HttpClient

  constructor(options: CompatibleClientOptions) {
    this.#options = options
    const { provider, baseUrl, query } = options
    this.#http = connect({ provider, baseUrl, headers: keyHeaders(options), ...(query === undefined ? {} : { query }) }, options)
  }

  completionModel(id: string): ChatCompletionModel {
    const { provider, dialect, strictTools, path } = this.#options
    return new ChatCompletionModel({ http: this.#http, model: id, provider, dialect, strictTools, path })
  }

  agent<Deps = unknown>(id: string): AgentBuilder<Deps> {
    return new AgentBuilder<Deps>(this.completionModel(id))
  }

  /** Gets data in the form of `schema` out of text. Throws `TypeError` for a schema without a JSON form. */
  extractor<S extends SchemaLike>(id: string, schema: S): ExtractorBuilder<S> {
    return new ExtractorBuilder(this.completionModel(id), schema)
  }

  /** For servers that have embeddings: `omit` their encoding where the server does not know the field. */
  embeddingModel(id: string, options: number | OpenAiEmbeddingOptions = {}): OpenAiEmbeddingModel {
    return new OpenAiEmbeddingModel({ ...(typeof options === 'number' ? { ndims: options } : options), http: this.#http, model: id })
  }

  /** Whether the server is there and takes the key. Throws `CompletionError` otherwise: status 401 or 403 for the key. */
  async verify(options: CallOptions = {}): Promise<void> {
    await this.#get(this.#options.verifyPath ?? this.#modelsPath(), options)
  }

  /** The ids of the models that the server offers. Throws `CompletionError`. */
  async listModels(options: CallOptions = {}): Promise<readonly string[]> {
    const answer = tryParseJson(await this.#get(this.#modelsPath(), options))
    // Together answers with the bare list.
    const list = isJsonArray(answer) ? answer : isJsonObject(answer) ? arrayAt(answer, 'data') : undefined
    if (list === undefined) throw new CompletionError('json', 'The list of models is not a JSON list', { provider: this.#options.provider })
    return list.flatMap((entry) => (isJsonObject(entry) ? [stringAt(entry, 'id') ?? ''] : [])).filter((id) => id !== '')
  }

  /** Throws `CompletionError` of kind `request` when there is no list. */
  #modelsPath(): string {
    const { modelsPath = '/models', provider } = this.#options
    if (modelsPath === false) throw new CompletionError('request', `${provider} has no list of models`)
    return modelsPath
  }

  #get(path: string, { signal = new AbortController().signal, headers, retry }: CallOptions): Promise<string> {
    const attempt = async () => readText(await this.#http.get(path, { signal, headers }))
    return withRetry(attempt, { policy: retry ?? this.#http.retry, signal })
  }
}

function keyHeaders({ apiKey, keyHeader = 'bearer' }: CompatibleClientOptions): Readonly<Record<string, string>> {
  if (apiKey === undefined || apiKey === '') return {}
  return keyHeader === 'bearer' ? { authorization: `Bearer ${apiKey}` } : { 'api-key': apiKey }
}

export interface CompletionsClientOptions extends ChatConnectionOptions {
  /** With the version in it; `https://api.openai.com/v1` unless given. */
  readonly baseUrl?: string
  readonly organization?: string
  readonly project?: string
  /** What differs from OpenAI, for a server that nearly is one. */
  readonly dialect?: Partial<ChatDialect>
}

const OPENAI_BASE_URL = 'https://api.openai.com/v1'

/** OpenAI by its older interface, Chat Completions. Holds the connections: keep one and share it. */
export class CompletionsClient extends CompatibleClient {
  constructor({ baseUrl = OPENAI_BASE_URL, organization, project, dialect, headers, ...options }: CompletionsClientOptions = {}) {
    super({
      ...options,
      provider: OPENAI.provider,
      baseUrl,
      dialect: { ...OPENAI.dialect, ...dialect },
      headers: {
        ...(organization === undefined ? {} : { 'openai-organization': organization }),
        ...(project === undefined ? {} : { 'openai-project': project }),
        ...headers,
      },
    })
  }

  /** From `OPENAI_API_KEY` and `OPENAI_BASE_URL`; the address alone is enough. Throws `ConfigError` without either. */
  static fromEnv(env: Readonly<Record<string, string | undefined>> = process.env, options: CompletionsClientOptions = {}): CompletionsClient {
    const apiKey = env[OPENAI.apiKeyVariable] || undefined
    const baseUrl = env[OPENAI.baseUrlVariable] || undefined
    if (apiKey === undefined && baseUrl === undefined) throw new ConfigError('Set OPENAI_API_KEY, or OPENAI_BASE_URL for a server that needs no key')
    return new CompletionsClient({ ...(apiKey === undefined ? {} : { apiKey }), ...(baseUrl === undefined ? {} : { baseUrl }), ...options })
  }
}
