import type { CallOptions, RetryPolicy } from '../completion/completion-request.ts'
import { isJsonObject, objectAt, stringAt, tryParseJson } from '../completion/json.ts'
import { CompletionError } from '../errors.ts'
import { retryAfterMs } from './retry.ts'
import { readRefusal, type HttpRequest, type HttpResponse, type RequestBody, type Transport } from './transport.ts'

export interface HttpClientOptions {
  readonly baseUrl: string
  readonly headers: Readonly<Record<string, string>>
  readonly transport: Transport
  readonly retry: RetryPolicy | false
  /** Names the provider in errors. */
  readonly provider: string
  /** Added to every address, after `?`. */
  readonly query?: Readonly<Record<string, string>>
  /** The header with the provider's id of the exchange; `x-request-id` unless given. */
  readonly requestIdHeader?: string
  /** The longest silence between the bytes of a streamed answer, in milliseconds. */
  readonly idleTimeoutMs?: number | undefined
}

export interface GetOptions {
  readonly signal: AbortSignal
  readonly headers?: CallOptions['headers']
}

export interface PostOptions extends GetOptions {
  readonly body: RequestBody
  readonly accept: string
}

/** Requests to one provider: its address, its headers, its errors. */
export class HttpClient {
  readonly #options: HttpClientOptions
  readonly #baseUrl: string
  readonly #query: string

  constructor(options: HttpClientOptions) {
    this.#options = options
    // Not `new URL(path, base)`, which would drop the base's own path.
    this.#baseUrl = options.baseUrl.endsWith('/') ? options.baseUrl.slice(0, -1) : options.baseUrl
    const query = new URLSearchParams(options.query).toString()
    this.#query = query === '' ? '' : `?${query}`
  }

  get retry(): RetryPolicy | false {
    return this.#options.retry
  }

  get idleTimeoutMs(): number | undefined {
    return this.#options.idleTimeoutMs
  }

  /** The provider's id of the exchange, when it gave one. */
  requestIdOf(response: HttpResponse): string | undefined {
    return response.header(this.#options.requestIdHeader ?? 'x-request-id')
  }

  /** Sends `body`; an answer that is not a success is read and thrown as `CompletionError` of kind `provider_response`. */
  post(path: string, { body, accept, signal, headers }: PostOptions): Promise<HttpResponse> {
    return this.#send({
      method: 'POST',
      url: this.#url(path),
      headers: { accept, 'content-type': 'application/json', ...this.#options.headers, ...headers },
      body,
      signal,
    })
  }

  /** Asks for what is at `path`; failures are as with `post`. */
  get(path: string, { signal, headers }: GetOptions): Promise<HttpResponse> {
    return this.#send({ method: 'GET', url: this.#url(path), headers: { accept: 'application/json', ...this.#options.headers, ...headers }, signal })
  }

  #url(path: string): string {
    return `${this.#baseUrl}${path}${this.#query}`
  }

  async #send(request: HttpRequest): Promise<HttpResponse> {
    const response = await this.#options.transport.send(request)
    if (response.status >= 200 && response.status < 300) return response
    throw await this.#refusal(response)
  }

  async #refusal(response: HttpResponse): Promise<CompletionError> {
    // Always tried as JSON: OpenAI sends some of its error bodies as text/plain.
    const bodyText = await readRefusal(response)
    const bodyJson = tryParseJson(bodyText)
    const error = isJsonObject(bodyJson) ? (objectAt(bodyJson, 'error') ?? bodyJson) : {}
    const code = stringAt(error, 'code') ?? stringAt(error, 'type')
    const message = stringAt(error, 'message') ?? (bodyText.slice(0, 500) || 'no body')
    const headers = response.headers()
    // Gateways may drop the header and keep the body.
    const providerRequestId = this.requestIdOf(response) ?? (isJsonObject(bodyJson) ? stringAt(bodyJson, 'request_id') : undefined)
    const pause = retryAfterMs(headers, Date.now())
    return new CompletionError('provider_response', `${this.#options.provider} answered ${response.status}: ${code === undefined ? '' : `${code}: `}${message}`, {
      status: response.status,
      bodyText,
      headers,
      provider: this.#options.provider,
      ...(bodyJson === undefined ? {} : { bodyJson }),
      ...(code === undefined ? {} : { code }),
      ...(providerRequestId === undefined ? {} : { providerRequestId }),
      ...(pause === undefined ? {} : { retryAfterMs: pause }),
    })
  }
}
