import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import type { Exchange } from './load-recording.ts'

/** A request as it arrived. */
export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  readonly query: readonly (readonly [string, string])[]
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** What the server asks and tells. */
export interface RecordingServerOptions {
  readonly exchanges: readonly Exchange[]
  /** Which exchange the request that has just arrived is; `undefined` for one too many. */
  readonly next: () => number | undefined
  readonly received: (exchange: number | undefined, request: ReceivedRequest) => void
}

/** Sizes of the pieces of an answer, in bytes, over and over: they cut characters, lines and frames in two. */
const FRAGMENTS = [1, 5, 2, 13, 3, 8, 21]
/** Written between two turns of the event loop. */
const FRAGMENTS_PER_TURN = 512
/** Headers that say how the recorded bytes were carried. */
const TRANSPORT_HEADERS = new Set(['content-length', 'transfer-encoding', 'content-encoding', 'connection', 'keep-alive', 'date'])

/** Answers requests on the loopback with what was recorded. */
export class RecordingServer implements AsyncDisposable {
  readonly #options: RecordingServerOptions
  readonly #server: Server

  private constructor(options: RecordingServerOptions) {
    this.#options = options
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
    })
  }

  static async start(options: RecordingServerOptions): Promise<RecordingServer> {
    const started = new RecordingServer(options)
    started.#server.listen(0, '127.0.0.1')
    await once(started.#server, 'listening')
    return started
  }

  get origin(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The server is not listening')
    return `http://127.0.0.1:${address.port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = await readRequest(request)
    const exchange = this.#options.next()
    this.#options.received(exchange, received)
    const recorded = exchange === undefined ? undefined : this.#options.exchanges[exchange]?.answer
    if (recorded === undefined) {
      response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":{"message":"The recording holds no such exchange"}}')
      return
    }
    response.writeHead(recorded.status, Object.fromEntries([...recorded.headers].filter(([name]) => !TRANSPORT_HEADERS.has(name))))
    await writeInFragments(response, Buffer.from(recorded.body))
  }
}

async function readRequest(request: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  const address = new URL(request.url ?? '/', 'http://127.0.0.1')
  return {
    method: request.method ?? '',
    path: address.pathname,
    query: [...address.searchParams].toSorted((left, right) => (left.join('=') < right.join('=') ? -1 : 1)),
    headers: new Map(Object.entries(request.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []))),
    body: Buffer.concat(chunks).toString('utf8'),
  }
}

/** Each piece becomes a chunk of its own on the wire, so that the reader gets it as one. */
async function writeInFragments(response: ServerResponse, bytes: Buffer): Promise<void> {
  let offset = 0
  for (let count = 0; offset < bytes.length; count++) {
    const size = FRAGMENTS[count % FRAGMENTS.length] ?? 1
    response.write(bytes.subarray(offset, offset + size))
    offset += size
    if (count % FRAGMENTS_PER_TURN === FRAGMENTS_PER_TURN - 1) await setImmediate()
    if (response.destroyed) return
  }
  response.end()
}
