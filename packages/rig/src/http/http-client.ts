import type { CallOptions, RetryPolicy } from '../completion/completion-request.ts'
import { isJsonObject, objectAt, stringAt, tryParseJson } from '../completion/json.ts'
import { CompletionError } from '../errors.ts'
import { retryAfterMs } from './retry.ts'
import { readText, type HttpResponse, type Transport } from './transport.ts'

export interface HttpClientOptions {
  readonly baseUrl: string
  readonly headers: Readonly<Record<string, string>>
  readonly transport: Transport
  readonly retry: RetryPolicy | false
  /** Names the provider in errors. */
  readonly provider: string
}

export interface PostOptions {
  readonly body: Buffer
  readonly accept: string
  readonly signal: AbortSignal
  readonly headers?: CallOptions['headers']
}

/** Requests to one provider: its address, its headers, its errors. */
export class HttpClient {
  readonly #options: HttpClientOptions
  readonly #baseUrl: string

  constructor(options: HttpClientOptions) {
    this.#options = options
    // Not `new URL(path, base)`, which would drop the base's own path.
    this.#baseUrl = options.baseUrl.endsWith('/') ? options.baseUrl.slice(0, -1) : options.baseUrl
  }

  get retry(): RetryPolicy | false {
    return this.#options.retry
  }

  /** Sends `body`; an answer that is not a success is read and thrown as `CompletionError` of kind `provider_response`. */
  async post(path: string, { body, accept, signal, headers }: PostOptions): Promise<HttpResponse> {
    const response = await this.#options.transport.send({
      method: 'POST',
      url: `${this.#baseUrl}${path}`,
      headers: { accept, 'content-type': 'application/json', ...this.#options.headers, ...headers },
      body,
      signal,
    })
    if (response.status >= 200 && response.status < 300) return response
    throw await this.#refusal(response)
  }

  async #refusal(response: HttpResponse): Promise<CompletionError> {
    // Always tried as JSON: OpenAI sends some of its error bodies as text/plain.
    const bodyText = await readText(response)
    const bodyJson = tryParseJson(bodyText)
    const error = isJsonObject(bodyJson) ? (objectAt(bodyJson, 'error') ?? bodyJson) : {}
    const code = stringAt(error, 'code') ?? stringAt(error, 'type')
    const message = stringAt(error, 'message') ?? (bodyText.slice(0, 500) || 'no body')
    const headers = response.headers()
    const providerRequestId = response.header('x-request-id')
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
