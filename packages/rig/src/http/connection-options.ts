import type { RetryPolicy } from '../completion/completion-request.ts'
import { FetchTransport } from './fetch-transport.ts'
import { HttpClient, type HttpClientOptions } from './http-client.ts'
import { NodeTransport } from './node-transport.ts'
import { DEFAULT_RETRY } from './retry.ts'

/** How any client talks to its provider. */
export interface ConnectionOptions {
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** Used instead of `node:http(s)`. */
  readonly fetch?: typeof fetch
  /** The longest silence on a connection, in milliseconds; ten minutes unless given. */
  readonly timeoutMs?: number
  /** The longest silence between the bytes of a streamed answer, in milliseconds; `timeoutMs` unless given. */
  readonly idleTimeoutMs?: number
  /** Two more attempts unless given. */
  readonly retry?: RetryPolicy | false
}

/** What the provider adds: `headers` are its own, those of the connection win. */
export type ProviderAddress = Omit<HttpClientOptions, 'transport' | 'retry' | 'idleTimeoutMs'>

const DEFAULT_TIMEOUT_MS = 600_000

/** Holds the connections: made once per client. */
export function connect(address: ProviderAddress, { headers, fetch, timeoutMs = DEFAULT_TIMEOUT_MS, idleTimeoutMs, retry = DEFAULT_RETRY }: ConnectionOptions): HttpClient {
  return new HttpClient({
    ...address,
    headers: { ...address.headers, ...headers },
    transport: fetch === undefined ? new NodeTransport({ timeoutMs }) : new FetchTransport({ fetch, timeoutMs }),
    retry,
    idleTimeoutMs,
  })
}
