/** A stream of server-sent events that does not end in silence. */
export interface WatchedBody {
  readonly body: ReadableStream<Uint8Array>
  /** Ends the stream without a word, unless it can be resumed. */
  cancel(): void
}

export interface WatchedBodyOptions {
  /** The text of an event that is added when the stream ends; whoever reads it knows whether the answer had come. */
  readonly lostAnswer: string
  /** The stream may break without a word once this is aborted. */
  readonly signal: AbortSignal | undefined
}

/** Passes `source` on as it is. Streams whose events have ids can be resumed and end as they end. */
export function watchedBody(source: ReadableStream<Uint8Array>, { lostAnswer, signal }: WatchedBodyOptions): WatchedBody {
  const reader = source.getReader()
  const ids = new EventIds()
  let isCancelled = false
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await readChunk(reader)
      if (chunk.type === 'bytes') {
        ids.look(chunk.bytes)
        controller.enqueue(chunk.bytes)
      } else if (chunk.type === 'broken' && (ids.found || signal?.aborted === true)) {
        controller.error(chunk.error)
      } else {
        if (!ids.found && !isCancelled) controller.enqueue(new TextEncoder().encode(lostAnswer))
        controller.close()
      }
    },
    cancel: (reason) => reader.cancel(reason),
  })
  const cancel = () => {
    if (ids.found) return
    isCancelled = true
    reader.cancel().catch(() => undefined) // It broke in the meantime, which is as good.
  }
  return { body, cancel }
}

type Chunk = { readonly type: 'bytes'; readonly bytes: Uint8Array } | { readonly type: 'end' } | { readonly type: 'broken'; readonly error: unknown }

async function readChunk(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Chunk> {
  try {
    const { done, value } = await reader.read()
    return done ? { type: 'end' } : { type: 'bytes', bytes: value }
  } catch (error) {
    return { type: 'broken', error }
  }
}

/** Finds out whether a stream's events have ids. JSON escapes its line breaks, so a line that begins with `id:` is one. */
class EventIds {
  found = false
  /** The last bytes seen: a chunk may end anywhere. A stream begins like a line. */
  #carry = '\n'

  look(bytes: Uint8Array): void {
    if (this.found) return
    const text = this.#carry + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    this.found = /[\r\n]id:/.test(text)
    this.#carry = text.slice(-3)
  }
}
