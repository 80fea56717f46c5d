import { CompletionError } from '../errors.ts'
import { parseUrl } from './node-transport.ts'
import { aborted, type HttpRequest, type HttpResponse, type OnChunk, type RequestBody, type Transport } from './transport.ts'

/** A `fetch` of the caller's choice: for proxies, other platforms and tests. */
export class FetchTransport implements Transport {
  readonly #fetch: typeof fetch
  readonly #timeoutMs: number

  /** `timeoutMs`: the longest silence of the other side. */
  constructor(options: { readonly fetch: typeof fetch; readonly timeoutMs: number }) {
    this.#fetch = options.fetch
    this.#timeoutMs = options.timeoutMs
  }

  async send({ method, url, headers, body, signal }: HttpRequest): Promise<HttpResponse> {
    const { host } = parseUrl(url)
    checkHeaders(headers)
    const silence = new Silence(host, this.#timeoutMs)
    try {
      // Another address may not get the key: where a redirection leads is for the caller to decide.
      const linked = AbortSignal.any([signal, silence.signal])
      const response = await this.#fetch(url, { method, headers: { ...headers }, ...(body === undefined ? {} : { body: textOf(body) }), signal: linked, redirect: 'manual' })
      return new FetchResponse(response, signal, silence)
    } catch (error) {
      if (signal.aborted) throw aborted(signal)
      if (silence.signal.aborted) throw silence.signal.reason
      throw new CompletionError('http', `No connection to ${host}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    } finally {
      silence.end()
    }
  }
}

function textOf(body: RequestBody): string {
  const decoder = new TextDecoder()
  return body.map((part) => (typeof part === 'string' ? part : decoder.decode(part, { stream: true }))).join('') + decoder.decode()
}

/** What RFC 9110 permits as the name and the value of a field. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const FIELD_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/

/** `fetch` quotes the value that it refuses, and that may be a key. */
function checkHeaders(headers: HttpRequest['headers']): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!FIELD_NAME.test(name)) throw new CompletionError('request', `The header ${JSON.stringify(name)} cannot be sent: it has no proper name`)
    if (!FIELD_VALUE.test(value)) throw new CompletionError('request', `The header ${name} cannot be sent: its value has a line break, or another character that headers cannot have`)
  }
}

class FetchResponse implements HttpResponse {
  readonly status: number
  readonly #response: Response
  readonly #signal: AbortSignal
  readonly #silence: Silence
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined

  constructor(response: Response, signal: AbortSignal, silence: Silence) {
    this.status = response.status
    this.#response = response
    this.#signal = signal
    this.#silence = silence
  }

  /** Web streams do not tell before they are read to their end. */
  get isComplete(): boolean {
    return false
  }

  header(name: string): string | undefined {
    return this.#response.headers.get(name) ?? undefined
  }

  headers(): Headers {
    return this.#response.headers
  }

  discard(): void {
    this.#reader?.cancel().catch(() => undefined) // What remains of the answer is not wanted, however it ends.
  }

  async read(onChunk: OnChunk): Promise<void> {
    const reader = this.#response.body?.getReader()
    this.#reader = reader
    if (reader === undefined) return
    try {
      for (;;) {
        this.#silence.begin()
        const { done, value } = await reader.read()
        this.#silence.end()
        if (done) return
        await onChunk(value)
      }
    } catch (error) {
      reader.cancel().catch(() => undefined) // The exchange is over either way; what ended it is thrown below.
      if (this.#signal.aborted) throw aborted(this.#signal)
      throw this.#silence.signal.aborted ? this.#silence.signal.reason : error
    } finally {
      this.#silence.end()
    }
  }
}

/** Aborts an exchange on which nothing has happened for too long. */
class Silence {
  readonly #controller = new AbortController()
  readonly #host: string
  readonly #timeoutMs: number
  #timer: NodeJS.Timeout | undefined

  constructor(host: string, timeoutMs: number) {
    this.#host = host
    this.#timeoutMs = timeoutMs
    this.begin()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  begin(): void {
    const error = new CompletionError('timeout', `No byte from ${this.#host} for ${this.#timeoutMs} ms`)
    this.#timer = setTimeout(() => this.#controller.abort(error), this.#timeoutMs)
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}
