import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { sendSse } from './sse.ts'

export interface LiveStream {
  readonly reply: FastifyReply
  /** The frames, ended by the signal. What rejects before the first one becomes an error answer. */
  readonly open: (signal: AbortSignal) => Promise<AsyncIterable<string>>
  readonly isStillAllowed: () => Promise<boolean>
  /** The server stops. */
  readonly closing: AbortSignal
}

/** An event stream from its first frame until the client leaves, loses its right to read, or the server stops. */
export async function sendLive({ reply, open, isStillAllowed, closing }: LiveStream): Promise<void> {
  const controller = new AbortController()
  const close = (): void => controller.abort()
  closing.addEventListener('abort', close, { once: true })
  if (closing.aborted) close()
  try {
    await sendSse(reply, await open(controller.signal), { controller, isStillAllowed })
  } catch (error) {
    if (!reply.sent && !reply.raw.headersSent) throw error
    // The connection is closed already and the client resumes; what went wrong belongs to the log.
    reply.log.warn({ err: error }, 'an event stream broke off')
  } finally {
    closing.removeEventListener('abort', close)
  }
}

/** `Last-Event-ID` wins over `?after`: a browser that reconnects sends both. */
export function eventCursor(request: FastifyRequest, after: number | undefined): number {
  const header = request.headers['last-event-id']
  if (header === undefined || header === '') return after ?? 0
  if (typeof header !== 'string' || !/^\d{1,15}$/.test(header)) throw new AppError('invalid_request', 'Last-Event-ID must be the id of an event of this stream: a whole number.')
  return Number(header)
}
