import type { Chat, SseEvent } from '@buildscale/protocol'
import type { QueryValue } from './api.ts'
import { decodeEvent } from './decode-event.ts'
import { eventStream, type EventStreamOptions } from './event-stream.ts'

export interface ChatEventsOptions extends EventStreamOptions {
  /** `idle`: the iteration ends once everything is delivered and nothing is queued or running. */
  readonly until?: 'idle' | undefined
}

/** What the stream needs of the API. */
export interface ChatStreamSource {
  /** Asks for the events; rejects with `SdkError` when the answer is not a stream. */
  open(query: Readonly<Record<string, QueryValue>>, signal: AbortSignal): Promise<Response>
  getChat(signal: AbortSignal): Promise<Pick<Chat, 'status' | 'last_seq'>>
}

/** The events of one chat, see `eventStream`. */
export function chatStream(source: ChatStreamSource, { until, ...options }: ChatEventsOptions): AsyncGenerator<SseEvent, void, undefined> {
  return eventStream(
    {
      open: (query, signal) => source.open({ ...query, until }, signal),
      decode: decodeEvent,
      ...(until === 'idle' && { isComplete: (cursor, signal) => isComplete(source, { cursor, signal }) }),
    },
    options,
  )
}

/**
 * A clean end may also come from a proxy that hides a cut, or from a server that shuts down in good order. So the chat itself is asked:
 * the stream is complete when nothing runs and nothing was written after what we have.
 */
async function isComplete(source: ChatStreamSource, { cursor, signal }: { readonly cursor: number; readonly signal: AbortSignal }): Promise<boolean> {
  const { status, last_seq } = await source.getChat(signal)
  return (status === 'idle' || status === 'waiting') && last_seq <= cursor
}
