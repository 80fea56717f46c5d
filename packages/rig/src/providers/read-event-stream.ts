import type { CompletionSink } from '../completion/completion-stream.ts'
import { CompletionError } from '../errors.ts'
import { SseDecoder } from '../http/sse-decoder.ts'
import type { HttpResponse } from '../http/transport.ts'
import type { DecoderOutput, StreamDecoder } from './wire.ts'

/** How long, in milliseconds, the end of the connection is waited for after the end of the answer: a connection that ended can be used again. */
const LINGER_MS = 250

export interface EventStreamReader {
  readonly sink: CompletionSink
  readonly decoder: (output: DecoderOutput) => StreamDecoder
  /** The longest silence between bytes of the answer, in milliseconds; `undefined` leaves it to the connection's own limit. */
  readonly idleTimeoutMs: number | undefined
}

/** Reads one streamed answer into the sink; resolves when the connection has ended, or soon after the answer has. Throws `CompletionError`. */
export async function readEventStream(response: HttpResponse, { sink, decoder: makeDecoder, idleTimeoutMs }: EventStreamReader): Promise<void> {
  const parts = sink.begin()
  const finished = Promise.withResolvers<void>()
  const decoder = makeDecoder({
    choice: (choice) => parts.accept(choice),
    finish: (final, options) => {
      sink.finish(final, options)
      finished.resolve()
    },
  })
  const sse = new SseDecoder((data) => decoder.push(data))
  const watch = idleTimeoutMs === undefined ? undefined : new StallWatch(idleTimeoutMs)
  const reading = response.read((chunk) => {
    watch?.alive()
    sse.push(chunk)
    if (decoder.isFinished) return undefined
    return watch === undefined ? sink.ready() : watch.paused(sink.ready())
  })
  const ended = (watch === undefined ? reading : Promise.race([reading, watch.stalled])).then(() => {
    sse.end()
    decoder.end()
  }).catch((error: unknown) => {
    if (decoder.isFinished) return
    parts.flushToolCalls()
    throw brokenOff(error)
  })
  const linger = new Linger()
  try {
    await Promise.race([ended, finished.promise.then(() => (response.isComplete ? ended : linger.start()))])
  } finally {
    watch?.end()
    linger.end()
    response.discard()
    reading.catch(() => undefined) // What still comes of the connection is of no interest; `ended` has told how the answer ended.
  }
  if (!decoder.isFinished) throw new CompletionError('truncated_stream', 'The answer ended without its terminal event')
}

/** The bytes of an answer that has begun broke off: that is another thing than no connection. */
function brokenOff(error: unknown): unknown {
  if (error instanceof CompletionError && error.kind !== 'http') return error
  if (error instanceof RangeError) return new CompletionError('response', error.message, { cause: error })
  return new CompletionError('truncated_stream', 'The connection broke off in the middle of the answer', { cause: error })
}

/** Ends an answer that has stopped coming. A consumer that holds the reading back does not count as silence. */
class StallWatch {
  readonly stalled: Promise<never>
  readonly #idleTimeoutMs: number
  readonly #timer: NodeJS.Timeout
  #isPaused = false

  constructor(idleTimeoutMs: number) {
    const { promise, reject } = Promise.withResolvers<never>()
    this.stalled = promise
    this.stalled.catch(() => undefined) // Raced against the reading; when that has won, nobody waits for it any more.
    this.#idleTimeoutMs = idleTimeoutMs
    this.#timer = setTimeout(() => this.#expire(reject), idleTimeoutMs)
  }

  alive(): void {
    this.#timer.refresh()
  }

  /** Passes `ready` on; the time until it resolves is the consumer's. */
  paused(ready: Promise<void> | undefined): Promise<void> | undefined {
    if (ready === undefined) return undefined
    this.#isPaused = true
    return ready.then(() => {
      this.#isPaused = false
      this.alive()
    })
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  #expire(reject: (error: CompletionError) => void): void {
    if (this.#isPaused) return this.alive()
    reject(new CompletionError('timeout', `The answer stopped: no byte for ${this.#idleTimeoutMs} ms`))
  }
}

/** The short wait for a connection to end after its answer has. */
class Linger {
  #timer: NodeJS.Timeout | undefined

  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#timer = setTimeout(resolve, LINGER_MS)
    })
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}
