import type { IncomingMessage, ServerResponse } from 'node:http'
import { ApiError } from './api-error.ts'
import { ChatWire } from './chat/wire.ts'
import { EmbeddingsWire } from './embeddings/wire.ts'
import { parseJson, type JsonObject } from './json.ts'
import { isLoadModel, LoadModel } from './load-model.ts'
import { MessagesWire } from './messages/wire.ts'
import { OWN_NAMES, type ModelSimMode } from './model-names.ts'
import type { ModelAnswer } from './model-turn.ts'
import { answerByRules } from './offline/offline-model.ts'
import { RequestLog, type ReceivedRequest } from './request-log.ts'
import { newResponseKey } from './responses/item-id.ts'
import { ResponsesWire } from './responses/wire.ts'
import type { Script } from './script.ts'
import { ScriptedModel } from './scripted-model.ts'
import { sendAnswer, sendJson, sendRefusal, type Exchange } from './send-answer.ts'
import type { Wire, WireRequest } from './wire.ts'

export interface ServerSettings {
  readonly mode: ModelSimMode
  readonly script: Script | undefined
  readonly models: readonly string[] | 'any'
  readonly apiKey: string | undefined
  readonly eventDelayMs: number
}

const MAXIMUM_BODY = 64 * 1024 * 1024
/** Vectors follow from the question alone, so that the answer has nothing to add. */
const EMBEDDED: ModelAnswer = { type: 'turn', turn: { parts: [], end: { type: 'completed' }, delivery: {} } }

/** The routes. One instance holds what was received and what was handed out. */
export class ModelSimServer {
  readonly #settings: ServerSettings
  readonly #log = new RequestLog()
  readonly #wires: ReadonlyMap<string, Wire>
  readonly #messages: Wire
  /** In whose words a path that belongs to no wire is refused. */
  readonly #others: Wire = new ChatWire()
  readonly #load = new LoadModel()
  readonly #scripted: ScriptedModel | undefined

  constructor(settings: ServerSettings) {
    this.#settings = settings
    this.#scripted = settings.script && new ScriptedModel(settings.script)
    this.#messages = new MessagesWire(settings.script)
    this.#wires = new Map<string, Wire>([
      ['/v1/responses', new ResponsesWire()],
      ['/v1/chat/completions', new ChatWire()],
      ['/v1/messages', this.#messages],
      ['/v1/embeddings', new EmbeddingsWire()],
    ])
  }

  requests(): readonly ReceivedRequest[] {
    return this.#log.list()
  }

  clearRequests(): void {
    this.#log.clear()
  }

  async handle(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    const known = this.#wires.get(path)
    const isAnthropic = path.startsWith('/v1/messages/') || request.headers['anthropic-version'] !== undefined
    const wire = known ?? (isAnthropic ? this.#messages : this.#others)
    const exchange = { wire, requestId: `req_${newResponseKey()}`, reply }
    reply.setHeader(exchange.wire.requestIdHeader, exchange.requestId)
    try {
      if (path === '/__requests') this.#inspect(request.method ?? 'GET', reply)
      else await this.#route(request, { ...exchange, path, isWire: known !== undefined })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      sendRefusal(error, exchange)
    }
  }

  async #route(request: IncomingMessage, exchange: Exchange & { readonly path: string; readonly isWire: boolean }): Promise<void> {
    const { method = 'GET', headers } = request
    const { path, isWire, wire, reply } = exchange
    const text = await readText(request)
    this.#log.add({ method, path, headers: loggedHeaders(request), text })
    wire.checkHeaders(headers, this.#settings.apiKey)
    if (method === 'POST' && isWire) return this.#respond(wire.read(parseJson(text)), exchange)
    if (method === 'GET' && path === '/v1/models') return sendJson(reply, { status: 200, body: modelList(this.#modelNames(), wire === this.#messages) })
    if (method === 'GET' && path.startsWith('/v1/models/')) return this.#showModel(decodeURIComponent(path.slice('/v1/models/'.length)), exchange)
    throw new ApiError(`Invalid URL (${method} ${path})`, { status: 404 })
  }

  #inspect(method: string, reply: ServerResponse): void {
    if (method === 'DELETE') {
      this.#log.clear()
      reply.writeHead(204).end()
      return
    }
    if (method !== 'GET') throw new ApiError(`Invalid method for URL (${method} /__requests)`, { status: 405 })
    sendJson(reply, { status: 200, body: this.#log.list() })
  }

  async #respond(request: WireRequest, exchange: Exchange): Promise<void> {
    const { model } = request.question
    if (!this.#knows(model)) throw exchange.wire.unknownModel(model)
    request.check()
    await sendAnswer(this.#answer(request), request, exchange)
  }

  #answer(request: WireRequest): ModelAnswer {
    const { mode } = this.#settings
    const { question } = request
    if (question.wire === 'embeddings') return this.#scripted?.find(question) ?? EMBEDDED
    if (isLoadModel(question.model)) return this.#load.answer(request, question.model)
    const name = OWN_NAMES.find((own) => own === question.model) ?? mode
    switch (name) {
      case 'load':
        return this.#load.answer(request, 'load:text:1000')
      case 'scripted':
        if (this.#scripted === undefined) throw new ApiError('No script was given to this server.', { code: 'script_exhausted' })
        return this.#scripted.answer(question)
      case 'rules':
        return { type: 'turn', turn: { parts: answerByRules(question), end: { type: 'completed' }, delivery: { eventDelayMs: this.#settings.eventDelayMs } } }
    }
  }

  #showModel(name: string, { wire, reply }: Exchange): void {
    if (this.#knows(name)) return sendJson(reply, { status: 200, body: modelObject(name, wire === this.#messages) })
    if (wire === this.#messages) throw wire.unknownModel(name)
    throw new ApiError(`The model '${name}' does not exist`, { status: 404, param: 'model', code: 'model_not_found' })
  }

  #knows(name: string): boolean {
    const { models } = this.#settings
    return models === 'any' || isLoadModel(name) || models.includes(name)
  }

  #modelNames(): readonly string[] {
    const { models } = this.#settings
    return models === 'any' ? OWN_NAMES : models
  }
}

/** Both providers list their models at one address; who asks Anthropic names its version. */
function modelList(names: readonly string[], isAnthropic: boolean): JsonObject {
  const data = names.map((name) => modelObject(name, isAnthropic))
  return isAnthropic ? { data, has_more: false, first_id: names[0] ?? null, last_id: names.at(-1) ?? null } : { object: 'list', data }
}

function modelObject(id: string, isAnthropic: boolean): JsonObject {
  return isAnthropic ? { type: 'model', id, display_name: id, created_at: '2023-11-14T22:13:20Z' } : { id, object: 'model', created: 1_700_000_000, owned_by: 'model-sim' }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    size += bytes.length
    if (size > MAXIMUM_BODY) throw new ApiError(`The request body is larger than ${MAXIMUM_BODY} bytes.`, { status: 413, headers: { connection: 'close' } })
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString()
}

function loggedHeaders(request: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, hiddenKeys[name] ?? String(value)] as const))
}

const hiddenKeys: Readonly<Record<string, string>> = { authorization: 'Bearer [redacted]', 'x-api-key': '[redacted]' }
