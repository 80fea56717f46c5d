import type { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { FetchLike, Transport, TransportSendOptions } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js'
import { isJsonObject, tryParseJson } from '../completion/json.ts'
import { watchedBody, type WatchedBody } from './watched-body.ts'

/** A request that waits for its answer. */
interface Waiting {
  readonly id: RequestId
  isCancelled: boolean
  /** What brings the answer, once it is there. */
  stream?: WatchedBody
}

/**
 * The SDK's transport over HTTP, with an end for every request. By itself it reports a stream that broke before it brought its answer as an error
 * of no request in particular, and the request waits for its timeout; and the stream of a cancelled request stays open on both sides for as long
 * as the connection lives. Streams with event ids are left to the SDK, which resumes them.
 */
export class HttpTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: NonNullable<Transport['onmessage']>
  readonly #inner: StreamableHTTPClientTransport
  readonly #waiting = new Map<RequestId, Waiting>()

  /** `open` makes the SDK's transport, which has to use the given `fetch`. */
  constructor(open: (fetch: FetchLike) => StreamableHTTPClientTransport) {
    this.#inner = open((url, init) => this.#fetch(url, init))
    this.#inner.onclose = () => this.onclose?.()
    this.#inner.onerror = (error) => this.onerror?.(error)
    this.#inner.onmessage = (message) => this.#receive(message)
  }

  start(): Promise<void> {
    return this.#inner.start()
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  setProtocolVersion(version: string): void {
    this.#inner.setProtocolVersion(version)
  }

  async send(message: JSONRPCMessage, { resumptionToken, onresumptiontoken }: TransportSendOptions = {}): Promise<void> {
    const id = requestIdOf(message)
    if (id !== undefined) this.#waiting.set(id, { id, isCancelled: false })
    const cancelled = this.#cancelledBy(message)
    if (cancelled !== undefined) cancelled.isCancelled = true
    try {
      await this.#inner.send(message, { ...(resumptionToken === undefined ? {} : { resumptionToken }), ...(onresumptiontoken === undefined ? {} : { onresumptiontoken }) })
    } catch (error) {
      if (id !== undefined) this.#waiting.delete(id)
      throw error
    } finally {
      // The server has been told, or cannot be: nothing more is expected of the stream.
      if (cancelled !== undefined) this.#waiting.delete(cancelled.id)
      cancelled?.stream?.cancel()
    }
  }

  #receive(message: JSONRPCMessage): void {
    if ('method' in message || message.id === undefined) {
      this.onmessage?.(message)
      return
    }
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    // What is not waited for is the end of a stream that had brought its answer, or an answer that came after the cancellation.
    if (waiting?.isCancelled === false) this.onmessage?.(message)
  }

  async #fetch(url: string | URL, init: RequestInit | undefined): Promise<Response> {
    const waiting = this.#waitingFor(init)
    const response = await fetch(url, init)
    if (waiting === undefined || response.body === null || response.headers.get('content-type')?.startsWith('text/event-stream') !== true) return response
    const stream = watchedBody(response.body, { lostAnswer: lostAnswer(waiting.id), signal: init?.signal ?? undefined })
    waiting.stream = stream
    if (waiting.isCancelled) stream.cancel()
    return new Response(stream.body, response)
  }

  #waitingFor(init: RequestInit | undefined): Waiting | undefined {
    if (init?.method !== 'POST' || typeof init.body !== 'string') return undefined
    const message = tryParseJson(init.body)
    const id = isJsonObject(message) && 'method' in message ? message['id'] : undefined
    return typeof id === 'string' || typeof id === 'number' ? this.#waiting.get(id) : undefined
  }

  #cancelledBy(message: JSONRPCMessage): Waiting | undefined {
    if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined
    const id = message.params?.['requestId']
    return typeof id === 'string' || typeof id === 'number' ? this.#waiting.get(id) : undefined
  }
}

function requestIdOf(message: JSONRPCMessage): RequestId | undefined {
  return 'method' in message && 'id' in message ? message.id : undefined
}

/** An event that answers the request with an error, in the words that the SDK uses for a lost connection. */
function lostAnswer(id: RequestId): string {
  return `\n\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32000, message: 'Connection closed before the answer' } })}\n\n`
}
