import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError } from './api-error.ts'
import { deliver, deliverPaced } from './deliver.ts'
import { parseJson } from './json.ts'
import { isLoadModel, LoadModel } from './load-model.ts'
import { OWN_NAMES } from './model-names.ts'
import type { ModelAnswer, ModelTurn } from './model-turn.ts'
import { answerByRules } from './offline/offline-model.ts'
import { RequestLog, type ReceivedRequest } from './request-log.ts'
import { ResponseMemory } from './response-memory.ts'
import { checkConversation } from './responses/check-conversation.ts'
import { newResponseKey } from './responses/item-id.ts'
import { parseResponsesRequest, type ResponsesRequest } from './responses/request.ts'
import { eventFrame, turnEvents } from './responses/turn-events.ts'
import type { Script } from './script.ts'
import { ScriptedModel } from './scripted-model.ts'
import type { ModelSimMode } from './model-names.ts'

export interface ServerSettings {
  readonly mode: ModelSimMode
  readonly script: Script | undefined
  readonly models: readonly string[] | 'any'
  readonly apiKey: string | undefined
  readonly eventDelayMs: number
}

const MAXIMUM_BODY = 64 * 1024 * 1024

/** The routes. One instance holds what was received and what was handed out. */
export class ModelSimServer {
  readonly #settings: ServerSettings
  readonly #log = new RequestLog()
  readonly #memory = new ResponseMemory()
  readonly #load = new LoadModel()
  readonly #scripted: ScriptedModel | undefined

  constructor(settings: ServerSettings) {
    this.#settings = settings
    this.#scripted = settings.script && new ScriptedModel(settings.script)
  }

  requests(): readonly ReceivedRequest[] {
    return this.#log.list()
  }

  clearRequests(): void {
    this.#log.clear()
  }

  async handle(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    reply.setHeader('x-request-id', `req_${newResponseKey()}`)
    try {
      await this.#route(request, reply)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      sendJson(reply, { status: error.status, body: error.body, headers: error.headers })
    }
  }

  async #route(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const { method = 'GET' } = request
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    if (path === '/__requests') return this.#inspect(method, reply)
    const text = await readText(request)
    this.#log.add({ method, path, headers: loggedHeaders(request), text })
    this.#checkKey(request.headers.authorization)
    if (method === 'POST' && path === '/v1/responses') return this.#respond(text, reply)
    if (method === 'GET' && path === '/v1/models') return sendJson(reply, { status: 200, body: { object: 'list', data: this.#modelNames().map((name) => modelObject(name)) } })
    if (method === 'GET' && path.startsWith('/v1/models/')) return this.#showModel(decodeURIComponent(path.slice('/v1/models/'.length)), reply)
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

  #checkKey(authorization: string | undefined): void {
    const { apiKey } = this.#settings
    if (apiKey === undefined || authorization === `Bearer ${apiKey}`) return
    // OpenAI labels this JSON body as plain text; clients have to cope.
    const headers = { 'content-type': 'text/plain; charset=utf-8' }
    if (authorization === undefined) throw new ApiError("You didn't provide an API key. Send it in an Authorization header using Bearer auth.", { status: 401, headers })
    throw new ApiError('Incorrect API key provided.', { status: 401, code: 'invalid_api_key', headers })
  }

  async #respond(text: string, reply: ServerResponse): Promise<void> {
    const request = parseResponsesRequest(parseJson(text), this.#memory)
    this.#checkModel(request.model)
    checkConversation(request.input, { isStored: request.body['store'] !== false })
    await this.#send(this.#answer(request), { request, reply })
  }

  #answer(request: ResponsesRequest): ModelAnswer {
    const { mode, eventDelayMs } = this.#settings
    if (isLoadModel(request.model)) return this.#load.answer(request)
    const name = OWN_NAMES.find((own) => own === request.model) ?? mode
    switch (name) {
      case 'load':
        return this.#load.answer({ ...request, model: 'load:text:1000' })
      case 'scripted':
        if (this.#scripted === undefined) throw new ApiError('No script was given to this server.', { code: 'script_exhausted' })
        return this.#scripted.answer(request)
      case 'rules':
        return { type: 'turn', turn: { parts: answerByRules(request), end: { type: 'completed' }, delivery: { eventDelayMs } } }
    }
  }

  async #send(answer: ModelAnswer, { request, reply }: { readonly request: ResponsesRequest; readonly reply: ServerResponse }): Promise<void> {
    switch (answer.type) {
      case 'http-error':
        await sleep(answer.delayMs)
        reply.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body)
        return
      case 'prepared':
        if (!request.isStream) return sendJson(reply, { status: 200, body: answer.response })
        startStream(reply)
        if (answer.eventsPerSecond !== undefined) return deliverPaced(reply, answer.frames, answer.eventsPerSecond)
        for (const frame of answer.frames) reply.write(frame)
        reply.end()
        return
      case 'turn':
        return this.#sendTurn(answer.turn, { request, reply })
    }
  }

  async #sendTurn(turn: ModelTurn, { request, reply }: { readonly request: ResponsesRequest; readonly reply: ServerResponse }): Promise<void> {
    const { events, items, response } = turnEvents(request, turn, { responseKey: newResponseKey(), createdAt: Math.floor(Date.now() / 1000) })
    if (request.body['store'] !== false) this.#memory.remember(String(response['id']), { input: request.input, items })
    if (turn.delivery.delayMs !== undefined) await sleep(turn.delivery.delayMs)
    if (request.isStream) {
      startStream(reply)
      return deliver(reply, events.map((event) => eventFrame(event)), turn.delivery)
    }
    if (turn.end.type === 'error') throw new ApiError(turn.end.message, { status: 500, type: 'server_error', code: turn.end.code })
    reply.writeHead(200, { 'content-type': 'application/json' })
    await deliver(reply, [JSON.stringify(response)], turn.delivery)
  }

  #checkModel(name: string): void {
    if (this.#knows(name)) return
    throw new ApiError(`The requested model '${name}' does not exist.`, { param: 'model', code: 'model_not_found' })
  }

  #showModel(name: string, reply: ServerResponse): void {
    if (!this.#knows(name)) throw new ApiError(`The model '${name}' does not exist`, { status: 404, param: 'model', code: 'model_not_found' })
    sendJson(reply, { status: 200, body: modelObject(name) })
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

function modelObject(id: string): Readonly<Record<string, unknown>> {
  return { id, object: 'model', created: 1_700_000_000, owned_by: 'model-sim' }
}

function startStream(reply: ServerResponse): void {
  reply.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  reply.socket?.setNoDelay(true)
}

function sendJson(reply: ServerResponse, answer: { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }): void {
  reply.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(JSON.stringify(answer.body))
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
  const entries = Object.entries(request.headers).map(([name, value]) => [name, name === 'authorization' ? 'Bearer [redacted]' : String(value)] as const)
  return Object.fromEntries(entries)
}
