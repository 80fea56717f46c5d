/** Writes answers: headers, and bytes with the faults and the pace that the answer asks for. */
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiError } from './api-error.ts'
import { deliver, deliverPaced } from './deliver.ts'
import type { HttpErrorAnswer, InsertedFrames, ModelAnswer, ModelTurn } from './model-turn.ts'
import { newResponseKey } from './responses/item-id.ts'
import type { Wire, WireRequest } from './wire.ts'

/** One request on its way: who asked, over which wire, and where the answer goes. */
export interface Exchange {
  readonly wire: Wire
  readonly requestId: string
  readonly reply: ServerResponse
}

/** @throws ApiError when the answer is an error that has no form without streaming */
export async function sendAnswer(answer: ModelAnswer, request: WireRequest, exchange: Exchange): Promise<void> {
  switch (answer.type) {
    case 'http-error':
      return sendHttpError(answer, exchange)
    case 'prepared':
      return sendPrepared(answer, request, exchange.reply)
    case 'turn':
      return sendTurn(answer.turn, request, exchange)
  }
}

async function sendHttpError(answer: HttpErrorAnswer, { wire, requestId, reply }: Exchange): Promise<void> {
  await sleep(answer.delayMs)
  const { status, message, errorType: type, code } = answer
  const body = answer.body ?? JSON.stringify(wire.errorBody({ status, message, type, code, param: null }, requestId))
  reply.writeHead(status, { 'content-type': 'application/json', ...lowerCased(answer.headers) }).end(body)
}

async function sendPrepared(answer: Extract<ModelAnswer, { type: 'prepared' }>, request: WireRequest, reply: ServerResponse): Promise<void> {
  if (!request.isStream) {
    reply.writeHead(200, { 'content-type': 'application/json' }).end(answer.body)
    return
  }
  startStream(reply)
  if (answer.eventsPerSecond !== undefined) return deliverPaced(reply, answer.frames, answer.eventsPerSecond)
  for (const frame of answer.frames) reply.write(frame)
  reply.end()
}

async function sendTurn(turn: ModelTurn, request: WireRequest, { wire, reply }: Exchange): Promise<void> {
  const encoded = request.encode(turn, { responseKey: newResponseKey(), createdAt: Math.floor(Date.now() / 1000) })
  encoded.remember?.()
  if (turn.delivery.delayMs !== undefined) await sleep(turn.delivery.delayMs)
  if (request.isStream) {
    startStream(reply)
    return deliver(reply, withInserts(encoded.frames, turn.delivery.inserts ?? [], wire), turn.delivery)
  }
  const failure = wire.unaryFailure(turn.end)
  if (failure !== undefined) throw failure
  reply.writeHead(200, { 'content-type': 'application/json' })
  await deliver(reply, [turn.unaryBody ?? JSON.stringify(encoded.body)], turn.delivery)
}

function withInserts(frames: readonly string[], inserts: readonly InsertedFrames[], wire: Wire): readonly string[] {
  if (inserts.length === 0) return frames
  const at = (place: number): readonly string[] =>
    inserts.filter((insert) => Math.min(insert.afterEvents, frames.length) === place).map(({ content }) => (content.type === 'raw' ? content.frames : wire.noise(content.kind)))
  return [...frames.flatMap((frame, index) => [...at(index), frame]), ...at(frames.length)]
}

function startStream(reply: ServerResponse): void {
  reply.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  reply.socket?.setNoDelay(true)
}

export function sendRefusal(error: ApiError, { wire, requestId, reply }: Exchange): void {
  sendJson(reply, { status: error.status, body: wire.errorBody(error, requestId), headers: error.headers })
}

export function sendJson(reply: ServerResponse, answer: { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }): void {
  reply.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(JSON.stringify(answer.body))
}

/** So that a script's `Content-Type` replaces ours instead of standing beside it. */
function lowerCased(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
