/**
 * Server-sent events on a hijacked reply: raw writes, one per batch of frames. https://html.spec.whatwg.org/multipage/server-sent-events.html
 * A transport fault writes no event: the connection closes and the client resumes from its last id.
 */
import type { FastifyReply } from 'fastify'
import type { ServerResponse } from 'node:http'

export interface SseOptions {
  /** Aborted by whoever wants the stream to end; `sendSse` also ends it when the client goes away. */
  readonly controller: AbortController
  /** Asked at every heartbeat; `false` ends the stream: membership may be lost while it is open. */
  readonly isStillAllowed: () => Promise<boolean>
  readonly heartbeatMs?: number
  /** A client that takes nothing for this long is disconnected, and resumes. */
  readonly slowReaderMs?: number
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
} as const

/** Sends frames until the source ends, the client leaves or the controller aborts. Rejects with what the source threw, after the connection was closed. */
export async function sendSse(reply: FastifyReply, frames: AsyncIterable<string>, options: SseOptions): Promise<void> {
  const { controller, heartbeatMs = 15_000, slowReaderMs = 30_000 } = options
  const response = reply.raw
  const requestId = reply.getHeader('x-request-id')
  reply.hijack()
  response.writeHead(200, { ...HEADERS, ...(typeof requestId === 'string' && { 'x-request-id': requestId }) })
  response.once('close', () => controller.abort())
  // Errors of a broken connection are followed by `close`, which ends the stream.
  response.on('error', () => undefined)
  const heartbeat = setInterval(() => void beat(response, options), heartbeatMs)
  try {
    for await (const batch of frames) {
      if (controller.signal.aborted) break
      if (!response.write(batch) && !(await drained(response, { signal: controller.signal, ms: slowReaderMs }))) break
    }
    // A clean end tells the client that nothing is missing; an aborted stream must not look like one.
    if (controller.signal.aborted) response.destroy()
    else await ended(response)
  } catch (error) {
    response.destroy()
    throw error
  } finally {
    clearInterval(heartbeat)
    controller.abort()
  }
}

async function beat(response: ServerResponse, { isStillAllowed, controller }: SseOptions): Promise<void> {
  try {
    if (!(await isStillAllowed())) controller.abort()
    // A reader that is behind has bytes under way; a comment would only add to them.
    else if (!response.writableNeedDrain && !response.writableEnded && !response.destroyed) response.write(':\n\n')
  } catch {
    // The database could not say; the next beat asks again, and a gone database ends the stream by itself.
  }
}

/** False when the reader stayed away for too long, or left. */
function drained(response: ServerResponse, { signal, ms }: { readonly signal: AbortSignal; readonly ms: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (ok: boolean) => (): void => {
      clearTimeout(timer)
      response.off('drain', onDrain)
      signal.removeEventListener('abort', onAbort)
      if (!ok) response.destroy()
      resolve(ok)
    }
    const onDrain = settle(true)
    const onAbort = settle(false)
    const timer = setTimeout(settle(false), ms)
    response.once('drain', onDrain)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
  })
}

function ended(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('close', resolve)
    response.end(resolve)
  })
}

/** One frame. `data` must be one line, which JSON is. Without an id the client's cursor stays where it is. */
export function sseFrame(frame: { readonly id: number | null; readonly event: string; readonly data: string }): string {
  return `${frame.id === null ? '' : `id: ${frame.id}\n`}event: ${frame.event}\ndata: ${frame.data}\n\n`
}
