/** The server of prepared bytes: answers are made once, whoever asks; models are named in prepared-answers.ts. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { answerFrames, parsePlan, type AnswerPlan } from './prepared-answers.ts'

const PIECE_BYTES = 65_536
/** Events of one write of an answer that goes in turns. */
const SLICE_EVENTS = 20
/** All of a thousand connections may be asked for in one moment. */
const BACKLOG = 4096

export interface PreparedServer {
  /** Base URL for clients, `/v1` included. */
  readonly url: string
  close(): Promise<void>
}

/** Starts the server on a free port of 127.0.0.1. */
export async function startPreparedServer(): Promise<PreparedServer> {
  const answers = new PreparedAnswers()
  const server = createServer((request, reply) => void answers.handle(request, reply).catch((error: unknown) => reply.destroy(error instanceof Error ? error : undefined)))
  server.keepAliveTimeout = 75_000
  server.requestTimeout = 0
  return { url: `http://127.0.0.1:${await listen(server)}/v1`, close: () => closeServer(server) }
}

class PreparedAnswers {
  readonly #prepared = new Map<string, readonly Buffer[]>()
  /** By model: the replies that wait for others to come. */
  readonly #waiting = new Map<string, Set<ServerResponse>>()

  async handle(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const { model, hasResults } = readRequest(await readBody(request))
    const plan = parsePlan(model)
    if (plan === undefined) {
      reply.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message: `no model "${model}"`, type: 'invalid_request_error' } }))
      return
    }
    const pieces = this.#pieces(model, { plan, hasResults })
    if (plan.type === 'together') return this.#joinIn(reply, { model, streams: plan.streams, pieces })
    startStream(reply)
    for (const piece of pieces) reply.write(piece)
    reply.end()
  }

  #pieces(model: string, { plan, hasResults }: { readonly plan: AnswerPlan; readonly hasResults: boolean }): readonly Buffer[] {
    const key = `${model} ${hasResults}`
    const known = this.#prepared.get(key)
    if (known !== undefined) return known
    const frames = answerFrames(plan, hasResults)
    const pieces = plan.type === 'together' ? inSlices(frames) : inPieces(Buffer.from(frames.join('')))
    this.#prepared.set(key, pieces)
    return pieces
  }

  /** Nobody gets a byte before all are there, so that all streams are really under way together. Afterwards the connections are closed, so that none is kept. */
  async #joinIn(reply: ServerResponse, { model, streams, pieces }: { readonly model: string; readonly streams: number; readonly pieces: readonly Buffer[] }): Promise<void> {
    const waiting = this.#waiting.get(model) ?? new Set<ServerResponse>()
    this.#waiting.set(model, waiting.add(reply))
    reply.once('close', () => waiting.delete(reply))
    if (waiting.size < streams) return
    this.#waiting.delete(model)
    const replies = [...waiting]
    for (const one of replies) startStream(one, { connection: 'close' })
    for (const piece of pieces) {
      for (const one of replies) one.write(piece)
      await nextTurn()
    }
    for (const one of replies) one.end()
  }
}

function readRequest(body: string): { readonly model: string; readonly hasResults: boolean } {
  const request: unknown = JSON.parse(body)
  if (typeof request !== 'object' || request === null || !('model' in request)) return { model: '', hasResults: false }
  const input: unknown = 'input' in request ? request.input : undefined
  const hasResults = Array.isArray(input) && input.some((item: unknown) => typeof item === 'object' && item !== null && 'type' in item && item.type === 'function_call_output')
  return { model: String(request.model), hasResults }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) if (chunk instanceof Uint8Array) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function startStream(reply: ServerResponse, headers: Readonly<Record<string, string>> = {}): void {
  reply.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', ...headers })
  reply.socket?.setNoDelay(true)
}

function inSlices(frames: readonly string[]): readonly Buffer[] {
  return Array.from({ length: Math.ceil(frames.length / SLICE_EVENTS) }, (_, index) => Buffer.from(frames.slice(index * SLICE_EVENTS, (index + 1) * SLICE_EVENTS).join('')))
}

function inPieces(whole: Buffer): readonly Buffer[] {
  return Array.from({ length: Math.ceil(whole.length / PIECE_BYTES) }, (_, index) => whole.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES))
}

function listen(server: Server): Promise<number> {
  return new Promise((done, failed) => {
    server.once('error', failed)
    server.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG }, () => {
      server.off('error', failed)
      const address = server.address()
      done(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done())
    server.closeAllConnections()
  })
}
