import { AgentBuilder } from '../../agent/agent-builder.ts'
import { stringAt } from '../../completion/json.ts'
import { ConfigError } from '../../errors.ts'
import { ExtractorBuilder } from '../../extractor/extractor-builder.ts'
import { connect, type ConnectionOptions } from '../../http/connection-options.ts'
import type { HttpClient } from '../../http/http-client.ts'
import { getJson, modelIds, type LookupOptions } from '../get-json.ts'
import type { SchemaLike } from '../../tool/schema.ts'
import { AnthropicCompletionModel } from './anthropic-completion-model.ts'
import type { RequestOptions } from './encode-request.ts'
import { ANTHROPIC_VERSION_2023_06_01 } from './models.ts'
import { checkPromptCaching } from './prompt-caching.ts'

export interface ClientOptions extends RequestOptions, ConnectionOptions {
  /** Sent as `x-api-key`; without it no such header is sent, as servers on one's own machine want it. */
  readonly apiKey?: string
  /** Without the version in it, though one at its end is understood; `https://api.anthropic.com` unless given. */
  readonly baseUrl?: string
  /** The version of the wire; `2023-06-01` unless given. */
  readonly version?: string
  /** Features in trial, by the names that `anthropic-beta` takes. */
  readonly betas?: readonly string[]
}

const DEFAULT_BASE_URL = 'https://api.anthropic.com'

/** Anthropic, or a server that speaks its Messages API. Holds the connections: keep one and share it. */
export class Client {
  readonly #requests: RequestOptions
  readonly #http: HttpClient

  /** Throws `ConfigError` for settings that contradict each other. */
  constructor(options: ClientOptions) {
    const { apiKey, baseUrl = DEFAULT_BASE_URL, version = ANTHROPIC_VERSION_2023_06_01, betas = [] } = options
    checkPromptCaching(options.promptCaching)
    this.#requests = options
    this.#http = connect({
      provider: 'anthropic',
      baseUrl: baseUrl.replace(/\/v1\/?$/, ''),
      headers: {
        ...(apiKey === undefined || apiKey === '' ? {} : { 'x-api-key': apiKey }),
        'anthropic-version': version,
        ...(betas.length === 0 ? {} : { 'anthropic-beta': betas.join(',') }),
      },
      requestIdHeader: 'request-id',
    }, options)
  }

  /** From `ANTHROPIC_API_KEY` and `ANTHROPIC_BASE_URL`; the address alone is enough. Throws `ConfigError` without either. */
  static fromEnv(env: Readonly<Record<string, string | undefined>> = process.env, options: ClientOptions = {}): Client {
    const apiKey = env['ANTHROPIC_API_KEY'] || undefined
    const baseUrl = env['ANTHROPIC_BASE_URL'] || undefined
    if (apiKey === undefined && baseUrl === undefined) throw new ConfigError('Set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL for a server that needs no key')
    return new Client({ ...(apiKey === undefined ? {} : { apiKey }), ...(baseUrl === undefined ? {} : { baseUrl }), ...options })
  }

  completionModel(id: string): AnthropicCompletionModel {
    return new AnthropicCompletionModel({ ...this.#requests, http: this.#http, model: id })
  }

  agent<Deps = unknown>(id: string): AgentBuilder<Deps> {
    return new AgentBuilder<Deps>(this.completionModel(id))
  }

  /** Gets data in the form of `schema` out of text. Throws `TypeError` for a schema without a JSON form. */
  extractor<S extends SchemaLike>(id: string, schema: S): ExtractorBuilder<S> {
    return new ExtractorBuilder(this.completionModel(id), schema)
  }

  /** Whether address and key are right. Throws `CompletionError` when they are not: with status 401 for a key that is refused. */
  async verify(options: LookupOptions = {}): Promise<void> {
    await getJson(this.#http, '/v1/models?limit=1', options)
  }

  /** The ids of the models that the key may use, newest first. Throws `CompletionError`. */
  async listModels(options: LookupOptions = {}): Promise<readonly string[]> {
    const ids: string[] = []
    for (let after = ''; ;) {
      const page = await getJson(this.#http, `/v1/models?limit=1000${after}`, options)
      ids.push(...modelIds(page))
      const last = stringAt(page, 'last_id')
      if (page['has_more'] !== true || last === undefined || after.endsWith(`=${encodeURIComponent(last)}`)) return ids
      after = `&after_id=${encodeURIComponent(last)}`
    }
  }
}
