import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { SdkError } from './sdk-error.ts'

export type SseFrame = EventSourceMessage

export interface SseFramesOptions {
  /** Called with the reason when the other side has sent nothing, comments included, for `idleMs`; must make the pending read fail. */
  readonly onIdle: () => void
  readonly idleMs: number
}

/**
 * The frames of one server-sent event body. Returns when the body ends as HTTP ends a body; rejects with `SdkError` `unavailable` when the connection broke.
 * A frame that the end of the body cuts off is dropped, as the format wants: it comes again after a resume.
 * Wire format: https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function* sseFrames(body: ReadableStream<Uint8Array>, { onIdle, idleMs }: SseFramesOptions): AsyncGenerator<EventSourceMessage, void, undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let frames: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (frame) => frames.push(frame) })
  try {
    for (;;) {
      const chunk = await readWithin(reader, { onIdle, idleMs })
      if (chunk.done) return
      parser.feed(decoder.decode(chunk.value, { stream: true }))
      const ready = frames
      frames = []
      yield* ready
    }
  } finally {
    // Closes the connection when the consumer left early; after an end or a fault there is nothing to close.
    await reader.cancel().catch(() => undefined)
  }
}

/** The clock runs only while we wait for bytes, so that a consumer which takes its time is not mistaken for a dead line. */
async function readWithin(reader: ReadableStreamDefaultReader<Uint8Array>, { onIdle, idleMs }: SseFramesOptions): ReturnType<typeof reader.read> {
  const timer = setTimeout(onIdle, idleMs)
  try {
    return await reader.read()
  } catch (error) {
    throw new SdkError('unavailable', `The event stream broke: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}
