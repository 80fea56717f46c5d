import { type Endpoint, fillPath } from '@buildscale/protocol'
import { networkError, responseError } from './sdk-error.ts'

/** The `fetch` of the platform, or one that behaves like it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export type QueryValue = string | number | boolean | undefined
export type RequestBody = Uint8Array<ArrayBuffer> | Blob | string | FormData | ReadableStream<Uint8Array>

/** Taken by every method that calls the server. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/** Taken by the methods that create something: the same key within 24 hours gives the first answer again instead of a second effect. */
export interface CreateOptions extends CallOptions {
  readonly idempotencyKey?: string | undefined
}

export interface ApiRequest {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, QueryValue>>
  readonly body?: RequestBody
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal | undefined
}

export interface ApiOptions {
  readonly url: string
  readonly token?: string | undefined
  readonly fetch?: Fetch | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Sends requests of the endpoint table to one server, with one identity. */
export class Api {
  readonly #base: string
  readonly #fetch: Fetch
  readonly #headers: Readonly<Record<string, string>>

  constructor({ url, token, fetch = (address, init) => globalThis.fetch(address, init), headers = {} }: ApiOptions) {
    this.#base = `${url.replace(/\/+$/, '')}/api/v1`
    this.#fetch = fetch
    // Without a token the browser's cookie signs the request; the server wants this header then, which no foreign form can send.
    const identity = token === undefined ? { 'x-buildscale': '1' } : { authorization: `Bearer ${token}` }
    this.#headers = { ...identity, ...headers }
  }

  /**
   * The server's answer, whatever its status. Throws `SdkError` `unavailable` when none came, and the signal's reason after an abort.
   */
  async fetch(endpoint: Pick<Endpoint, 'method' | 'path'>, request: ApiRequest): Promise<Response> {
    const url = `${this.#base}${fillPath(endpoint.path, request.params ?? {})}${queryString(request.query ?? {})}`
    const { body = null, signal } = request
    try {
      return await this.#fetch(url, { method: endpoint.method, headers: { ...this.#headers, ...present(request.headers ?? {}) }, body, signal: signal ?? null, ...streaming(body) })
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      throw networkError(url, error)
    }
  }

  /** The server's answer of success; any other throws its `SdkError`. */
  async send(endpoint: Pick<Endpoint, 'method' | 'path'>, request: ApiRequest): Promise<Response> {
    const response = await this.fetch(endpoint, request)
    if (!response.ok) throw await responseError(response)
    return response
  }
}

/** `fetch` wants to be told that a body is sent while it is made: https://fetch.spec.whatwg.org/#dom-requestinit-duplex */
function streaming(body: RequestBody | null): { readonly duplex?: 'half' } {
  return body instanceof ReadableStream ? { duplex: 'half' } : {}
}

function queryString(query: Readonly<Record<string, QueryValue>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  return search.size === 0 ? '' : `?${search.toString()}`
}

function present(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}
