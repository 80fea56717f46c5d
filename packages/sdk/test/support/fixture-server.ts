import { ENDPOINTS, ERROR_STATUS, type ErrorCode } from '@buildscale/protocol'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import type { FixtureChat } from './fixture-chat.ts'
import { FIXTURE_HANDLERS, FixtureError, type FixtureReply } from './fixture-handlers.ts'
import { FixtureWorkspace } from './fixture-workspace.ts'

/** Faults that a test switches on. */
export interface Faults {
  /** Bytes after which the next event stream is cut, by resetting its connection; undefined = never. */
  cutAfter?: (() => number | undefined) | undefined
  /** How the stream ends when `cutAfter` says so: `reset` breaks the connection, `end` closes the body as if it were complete. */
  cutBy?: 'reset' | 'end'
  /** The next event streams send their headers and then nothing at all. */
  silent?: boolean
  /** Answers every request with this error. */
  answer?: ErrorCode | undefined
  /** Extra frames before the first event of each stream, as they are. */
  preamble?: string
}

export const FIXTURE_TOKEN = 'bs_fixture'
const COOKIE = 'buildscale_session=fixture'

/** A small server that follows the protocol over real HTTP: in memory, one user, faults on demand. */
export class FixtureServer {
  readonly workspaces: FixtureWorkspace[] = [new FixtureWorkspace('main')]
  readonly faults: Faults = {}
  readonly requests: { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers'] }[] = []
  /** Event streams that are open now. */
  openStreams = 0
  readonly #http: Server
  readonly #webRoot: string | undefined

  static async start({ webRoot, port = 0 }: { webRoot?: string; port?: number } = {}): Promise<FixtureServer> {
    const server = new FixtureServer(webRoot)
    await new Promise<void>((done) => server.#http.listen(port, '127.0.0.1', done))
    return server
  }

  private constructor(webRoot: string | undefined) {
    this.#webRoot = webRoot
    this.#http = createServer((request, response) => void this.#serve(request, response))
  }

  get main(): FixtureWorkspace {
    const [main] = this.workspaces
    if (main === undefined) throw new Error('The fixture has no workspace')
    return main
  }

  get port(): number {
    const address = this.#http.address()
    if (address === null || typeof address === 'string') throw new Error('The fixture does not listen')
    return (address satisfies AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((done) => this.#http.close(done))
    this.#http.closeAllConnections()
    await closed
  }

  /** Breaks every connection, as a crash does. */
  dropConnections(): void {
    this.#http.closeAllConnections()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      this.requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
      const url = new URL(request.url ?? '/', this.url)
      if (!url.pathname.startsWith('/api/v1/')) return this.#sendPage(url.pathname, response)
      const reply = await this.#handle(request, url)
      if (reply.type === 'events') return this.#stream(request, { response, chat: reply.chat, url })
      const bytes = reply.type === 'bytes' ? reply.bytes : Buffer.from(JSON.stringify(reply.body) ?? '')
      const length = reply.status === 204 ? {} : { 'content-length': bytes.length }
      response.writeHead(reply.status, { 'content-type': reply.type === 'json' ? 'application/json' : reply.mime, ...length, ...reply.headers }).end(bytes)
    } catch (error) {
      const code = error instanceof FixtureError ? error.code : 'internal'
      const body = { error: { code, message: error instanceof Error ? error.message : String(error), request_id: randomUUID() } }
      response.writeHead(ERROR_STATUS[code], { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
  }

  async #handle(request: IncomingMessage, url: URL): Promise<FixtureReply> {
    if (this.faults.answer !== undefined) throw new FixtureError(this.faults.answer, 'The fixture was told to fail')
    const path = url.pathname.slice('/api/v1'.length)
    for (const endpoint of ENDPOINTS) {
      const params = endpoint.method === request.method ? matchPath(endpoint.path, path) : undefined
      const handler = FIXTURE_HANDLERS[endpoint.name]
      if (params === undefined || handler === undefined) continue
      if (endpoint.access !== 'none') checkSignedIn(request)
      const workspace = this.workspaces.find(({ id }) => id === params['w'])
      if (endpoint.access === 'workspace' && workspace === undefined) throw new FixtureError('not_found', 'No such workspace')
      const body = await readBody(request)
      return handler({ server: this, workspace: workspace ?? new FixtureWorkspace('none'), params, query: url.searchParams, body, accept: request.headers.accept })
    }
    throw new FixtureError('not_found', `No route ${request.method} ${path}`)
  }

  #sendPage(pathname: string, response: ServerResponse): void {
    const root = this.#webRoot ?? ''
    const asked = join(root, normalize(pathname))
    const file = extname(asked) !== '' && existsSync(asked) ? asked : join(root, 'index.html')
    const types: Record<string, string> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
    const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream', 'content-security-policy': policy }).end(readFileSync(file))
  }

  #stream(request: IncomingMessage, { response, chat, url }: { response: ServerResponse; chat: FixtureChat; url: URL }): void {
    let cursor = Number(request.headers['last-event-id'] ?? url.searchParams.get('after') ?? 0)
    if (cursor > chat.info.last_seq) throw new FixtureError('cursor_expired', `The last event is ${chat.info.last_seq}`)
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    this.openStreams += 1
    const write = this.#cuttingWriter(response)
    const send = (): void => {
      if (response.writableEnded || response.destroyed) return
      for (const { id, ...event } of chat.events.slice(cursor)) {
        if (!write(`id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)) return
        cursor = id
      }
      if (url.searchParams.get('until') === 'idle' && chat.isIdle) response.end()
    }
    const unsubscribe = chat.onChange(send)
    response.on('close', () => {
      this.openStreams -= 1
      unsubscribe()
    })
    response.flushHeaders()
    if (this.faults.silent === true) return unsubscribe()
    write(`event: session_init\ndata: ${JSON.stringify({ type: 'session_init', data: { chat: chat.info, turn_id: null, last_seq: chat.info.last_seq } })}\n\n`)
    write(`: a comment\n\n${this.faults.preamble ?? ''}`)
    send()
  }

  /** Writes until the fault's number of bytes is reached, then breaks the connection in the middle of whatever it was writing; false from then on. */
  #cuttingWriter(response: ServerResponse): (text: string) => boolean {
    let left = this.faults.cutAfter?.() ?? Infinity
    return (text) => {
      if (left <= 0) return false
      const bytes = Buffer.from(text)
      if (bytes.length < left) {
        left -= bytes.length
        response.write(bytes)
        return true
      }
      const finish = (): void => void (this.faults.cutBy === 'end' ? response.end() : response.socket?.destroySoon())
      response.write(bytes.subarray(0, left), finish)
      left = 0
      return false
    }
  }
}

function checkSignedIn(request: IncomingMessage): void {
  if (request.headers.authorization === `Bearer ${FIXTURE_TOKEN}`) return
  const byCookie = request.headers.cookie?.includes(COOKIE) === true
  if (byCookie && (request.method === 'GET' || request.headers['x-buildscale'] === '1')) return
  throw new FixtureError('unauthenticated', 'Sign in, or send a token')
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, segment] of wanted.entries()) {
    const value = decodeURIComponent(given[index] ?? '')
    if (segment.startsWith(':')) params[segment.slice(1)] = value
    else if (segment !== value) return undefined
  }
  return params
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks)
}


