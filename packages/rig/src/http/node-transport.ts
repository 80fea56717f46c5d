import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { urlToHttpOptions } from 'node:url'
import { CompletionError } from '../errors.ts'
import { aborted, type HttpRequest, type HttpResponse, type OnChunk, type RequestBody, type Transport } from './transport.ts'

/**
 * `node:http(s)` with connections that are kept. Built-in `fetch` costs more than a millisecond more per request and a hundred
 * microseconds more per wake-up, which a streamed answer has hundreds of.
 */
export class NodeTransport implements Transport {
  readonly #schemes = new Map<string, Scheme>()
  readonly #timeoutMs: number
  readonly #targets = new Map<string, Target>()

  /** `timeoutMs`: the longest silence on a connection. */
  constructor({ timeoutMs }: { readonly timeoutMs: number }) {
    this.#timeoutMs = timeoutMs
  }

  async send(request: HttpRequest): Promise<HttpResponse> {
    const target = this.#target(request.url)
    try {
      return await this.#attempt(target, request)
    } catch (error) {
      // A kept connection may have been closed by the other side just as we used it: nothing has reached the server yet.
      if (error instanceof StaleConnection && !request.signal.aborted) return this.#attempt(target, request)
      throw error
    }
  }

  /** A client asks few addresses, each many times: taking one apart costs as much as many a delta. */
  #target(address: string): Target {
    const known = this.#targets.get(address)
    if (known !== undefined) return known
    const url = parseUrl(address)
    const { hostname, port, path } = urlToHttpOptions(url)
    const target = { scheme: this.#scheme(url.protocol), host: url.host, options: { hostname, port, path } }
    this.#targets.set(address, target)
    return target
  }

  /**
   * Taken when it is first needed: importing `node:http` costs a program ten megabytes and twenty milliseconds, for an import takes every
   * export of it, and some of these load a whole client of their own.
   */
  #scheme(protocol: string): Scheme {
    const known = this.#schemes.get(protocol)
    if (known !== undefined) return known
    const { Agent, request } = protocol === 'https:' ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http')
    // With the same value at the agent the clock is set once per connection, not once per request.
    const scheme = { request, agent: new Agent({ keepAlive: true, timeout: this.#timeoutMs }) }
    this.#schemes.set(protocol, scheme)
    return scheme
  }

  #attempt({ scheme, host, options }: Target, { method, headers, signal, body }: HttpRequest): Promise<HttpResponse> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>()
    if (signal.aborted) throw aborted(signal)
    const length = body === undefined ? 0 : lengthOf(body)
    let response: NodeResponse | undefined
    const outgoing = opened(host, () => scheme.request({ ...options, method, headers: body === undefined ? headers : { ...headers, 'content-length': String(length) }, agent: scheme.agent, timeout: this.#timeoutMs }, (incoming) => {
      response = new NodeResponse(incoming, outgoing, signal)
      resolve(response)
    }))
    const onAbort = () => outgoing.destroy(aborted(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    outgoing.once('timeout', () => {
      const error = new CompletionError('timeout', `No byte from ${host} for ${this.#timeoutMs} ms`)
      if (response === undefined) outgoing.destroy(error)
      else response.end(error)
    })
    outgoing.on('error', (error) => reject(connectionError(error, outgoing, host)))
    outgoing.once('close', () => {
      signal.removeEventListener('abort', onAbort)
      // A change of protocol is the end of a request without an answer, and without an error either.
      if (response === undefined) reject(new CompletionError('http', `No answer from ${host}: the connection was closed`))
    })
    if (body === undefined) outgoing.end()
    else send(outgoing, body, length)
    return promise
  }
}

/** Headers that cannot be sent are refused before anything is: a key with a line feed at its end, most often. */
function opened(host: string, open: () => ClientRequest): ClientRequest {
  try {
    return open()
  } catch (error) {
    throw new CompletionError('request', `The request to ${host} cannot be sent: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** The longest body, in bytes, that is cheaper to copy than to hand over in pieces. */
const COPIED_BODY = 64 * 1024

/**
 * A short body becomes one text with the head, which Node hands to the system at once; Latin-1 takes bytes for characters as they are, so
 * they come out unchanged. Of a long one the pieces go in one call, without having been in one place in memory.
 */
function send(outgoing: ClientRequest, body: RequestBody, length: number): void {
  if (length <= COPIED_BODY) {
    outgoing.end(body.map(asLatin1).join(''), 'latin1')
    return
  }
  outgoing.cork()
  for (const part of body) outgoing.write(part)
  outgoing.end()
  outgoing.uncork()
}

function asLatin1(part: string | Uint8Array): string {
  const bytes = typeof part === 'string' ? Buffer.from(part) : Buffer.from(part.buffer, part.byteOffset, part.byteLength)
  return bytes.toString('latin1')
}

function lengthOf(body: RequestBody): number {
  let length = 0
  for (const part of body) length += typeof part === 'string' ? Buffer.byteLength(part) : part.byteLength
  return length
}

interface Scheme {
  readonly agent: Agent
  readonly request: (options: RequestOptions, onResponse: (incoming: IncomingMessage) => void) => ClientRequest
}

interface Target {
  readonly scheme: Scheme
  readonly host: string
  readonly options: Pick<RequestOptions, 'hostname' | 'port' | 'path'>
}

/** A reused connection turned out to be closed. */
class StaleConnection extends CompletionError {}

class NodeResponse implements HttpResponse {
  readonly status: number
  readonly #incoming: IncomingMessage
  readonly #outgoing: ClientRequest
  readonly #signal: AbortSignal
  /** Why we ended the exchange: what the connection says about it is no reason. */
  #endedBy: CompletionError | undefined

  constructor(incoming: IncomingMessage, outgoing: ClientRequest, signal: AbortSignal) {
    this.status = incoming.statusCode ?? 0
    this.#incoming = incoming
    this.#outgoing = outgoing
    this.#signal = signal
  }

  get isComplete(): boolean {
    return this.#incoming.complete
  }

  header(name: string): string | undefined {
    const value = this.#incoming.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  headers(): Headers {
    const headers = new Headers()
    for (const [name, values] of Object.entries(this.#incoming.headersDistinct)) for (const value of values ?? []) headers.append(name, value)
    return headers
  }

  discard(): void {
    if (!this.#incoming.complete) this.#outgoing.destroy()
  }

  /** Breaks the exchange off: reading it rejects with `error`. */
  end(error: CompletionError): void {
    this.#endedBy = error
    this.#outgoing.destroy(error)
  }

  read(onChunk: OnChunk): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const incoming = this.#incoming
    const fail = (error: unknown) => {
      reject(this.#signal.aborted ? aborted(this.#signal) : this.#endedBy ?? error)
      this.#outgoing.destroy()
    }
    const encoding = incoming.headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') fail(new CompletionError('response', `The answer is compressed (${encoding}), which was not asked for`))
    incoming.on('data', (chunk: Buffer) => {
      try {
        const wait = onChunk(chunk)
        if (wait !== undefined) this.#pause(wait, fail)
      } catch (error) {
        fail(error)
      }
    })
    incoming.once('end', resolve)
    incoming.once('error', fail)
    incoming.once('close', () => {
      // After a whole answer the connection is back among the kept ones: it must not be touched.
      if (!incoming.complete) fail(new CompletionError('http', 'The connection was closed before the answer had ended'))
    })
    return promise
  }

  /** Until `wait` resolves the silence is ours: the clock of the connection stands still. */
  #pause(wait: Promise<void>, fail: (error: unknown) => void): void {
    const incoming = this.#incoming
    const { socket } = incoming
    const timeoutMs = socket.timeout ?? 0
    incoming.pause()
    // A connection whose answer is complete may be another request's by now.
    if (!incoming.complete) socket.setTimeout(0)
    wait.then(() => {
      if (!incoming.complete) socket.setTimeout(timeoutMs)
      incoming.resume()
    }, fail)
  }
}

function connectionError(error: Error & { readonly code?: string }, outgoing: ClientRequest, host: string): CompletionError {
  if (error instanceof CompletionError) return error
  const isStale = outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
  const Kind = isStale ? StaleConnection : CompletionError
  return new Kind('http', `No connection to ${host}: ${error.code ?? error.message}`, { cause: error })
}

/** Throws `CompletionError` of kind `url`. */
export function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new CompletionError('url', `Not an http(s) address: ${text}`)
}
