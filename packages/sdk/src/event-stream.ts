import type { QueryValue } from './api.ts'
import type { Decoded } from './decode-event.ts'
import { SdkError } from './sdk-error.ts'
import { type SseFrame, sseFrames } from './sse-frames.ts'

/** What `onConnection` is told. */
export type ConnectionChange =
  | { readonly type: 'connecting' }
  | { readonly type: 'open' }
  /** The connection broke or could not be made; the next attempt follows by itself. */
  | { readonly type: 'lost'; readonly error: SdkError; readonly retryInMs: number }
  /** The server is newer than this client: an event type that it does not know was left out; `skipped` counts them all. */
  | { readonly type: 'skipped'; readonly event: string; readonly skipped: number }

export interface EventStreamOptions {
  /** Cursor, exclusive: events with greater ids follow. Left out or 0: everything that is kept. */
  readonly after?: number | undefined
  /** Ends the iteration; it then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined
  readonly onConnection?: ((change: ConnectionChange) => void) | undefined
  /** A connection without a byte for this long is taken for dead; 45,000 ms by default. The server sends a comment every 15 s. */
  readonly idleMs?: number | undefined
  /** Bounds of the pause before a new attempt, which doubles from one failure to the next; 100 to 5,000 ms by default. */
  readonly retryMs?: { readonly min: number; readonly max: number } | undefined
  /** Give up, with the last error, when no connection could be made for this long; never by default. */
  readonly maxOutageMs?: number | undefined
}

/** Any event: a stored one has an id, an ephemeral one has none. */
interface StreamEvent {
  readonly id: number | null
}

/** What a stream needs to know of its log. */
export interface EventStreamSource<Event extends StreamEvent> {
  /** Asks for the events; rejects with `SdkError` when the answer is not a stream. */
  open(query: Readonly<Record<string, QueryValue>>, signal: AbortSignal): Promise<Response>
  decode(frame: SseFrame, cursor: number): Decoded<Event>
  /** Asked when a connection ended in good order: true ends the iteration. Left out: a stream that has no end. */
  readonly isComplete?: (cursor: number, signal: AbortSignal) => Promise<boolean>
}

/**
 * The events of one log as one sequence, over as many connections as it takes, one at a time. After any cut it asks again from the last id that it
 * delivered, so that no stored event is missed, repeated or out of order. Each connection also yields its `session_init`.
 * Leaving the loop closes the connection. A server that restarts, stalls or is overloaded is waited for; an answer that would not change throws its
 * `SdkError` (`unauthenticated`, `not_found`, `cursor_expired` …).
 */
export function eventStream<Event extends StreamEvent>(source: EventStreamSource<Event>, options: EventStreamOptions): AsyncGenerator<Event, void, undefined> {
  return new EventStream(source, options).events()
}

const DEFAULT_IDLE_MS = 45_000
const DEFAULT_RETRY_MS = { min: 100, max: 5_000 }

class EventStream<Event extends StreamEvent> {
  readonly #source: EventStreamSource<Event>
  readonly #options: EventStreamOptions
  #cursor: number
  #skipped = 0
  /** Failures since the last frame. */
  #failures = 0
  #lastContactAt = Date.now()

  constructor(source: EventStreamSource<Event>, options: EventStreamOptions) {
    this.#source = source
    this.#options = options
    this.#cursor = options.after ?? 0
  }

  async *events(): AsyncGenerator<Event, void, undefined> {
    for (;;) {
      this.#options.signal?.throwIfAborted()
      const error = yield* this.#connection()
      if (error === undefined) return
      await this.#pause(error)
    }
  }

  /** One connection from its request to its end. Returns why another one is needed, or undefined when the stream is complete. */
  async *#connection(): AsyncGenerator<Event, SdkError | undefined, undefined> {
    const connection = new Connection(this.#options)
    try {
      this.#options.onConnection?.({ type: 'connecting' })
      const response = await connection.within((signal) => this.#source.open({ after: this.#cursor }, signal))
      if (response.body === null) throw new SdkError('invalid_response', 'The event stream has no body', { status: response.status })
      this.#options.onConnection?.({ type: 'open' })
      yield* this.#deliver(sseFrames(response.body, { idleMs: connection.idleMs, onIdle: () => connection.giveUp() }))
      const { isComplete } = this.#source
      const isDone = isComplete !== undefined && (await connection.within((signal) => isComplete(this.#cursor, signal)))
      return isDone ? undefined : new SdkError('unavailable', 'The server closed the event stream')
    } catch (error) {
      return connection.recoverable(error)
    } finally {
      connection.close()
    }
  }

  async *#deliver(frames: ReturnType<typeof sseFrames>): AsyncGenerator<Event, void, undefined> {
    for await (const frame of frames) {
      const decoded = this.#source.decode(frame, this.#cursor)
      this.#failures = 0
      this.#lastContactAt = Date.now()
      if (decoded.type === 'repeated') continue
      const id = decoded.type === 'event' ? decoded.event.id : decoded.id
      if (id !== null) this.#cursor = id
      if (decoded.type === 'event') yield decoded.event
      else this.#options.onConnection?.({ type: 'skipped', event: decoded.name, skipped: ++this.#skipped })
    }
  }

  async #pause(error: SdkError): Promise<void> {
    const { maxOutageMs = Infinity, retryMs = DEFAULT_RETRY_MS, signal, onConnection } = this.#options
    if (Date.now() - this.#lastContactAt > maxOutageMs) throw error
    const retryInMs = Math.max(backoff(this.#failures++, retryMs), Math.min(error.retryAfterMs ?? 0, retryMs.max))
    onConnection?.({ type: 'lost', error, retryInMs })
    await sleep(retryInMs, signal)
  }
}

/** Half of the doubled pause is random, so that clients which were cut together do not come back together. */
function backoff(failures: number, { min, max }: { readonly min: number; readonly max: number }): number {
  const full = Math.min(min * 2 ** Math.min(failures, 30), max)
  return full / 2 + (Math.random() * full) / 2
}

/** Resolves early, not rejecting, when the signal fires: the loop looks at the signal next. */
function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((done) => {
    const finish = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', finish)
      done()
    }
    const timer = setTimeout(finish, ms)
    signal?.addEventListener('abort', finish)
    if (signal?.aborted === true) finish()
  })
}

/** The life of one connection: ended by the caller's signal, by silence, or by leaving the loop. */
class Connection {
  readonly idleMs: number
  readonly #abort = new AbortController()
  readonly #caller: AbortSignal | undefined
  readonly #onCallerAbort = (): void => this.#abort.abort(this.#caller?.reason)

  constructor({ signal, idleMs = DEFAULT_IDLE_MS }: EventStreamOptions) {
    this.idleMs = idleMs
    this.#caller = signal
    signal?.addEventListener('abort', this.#onCallerAbort)
  }

  /** `work` under the same limit of silence that the stream has. */
  async within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.giveUp(), this.idleMs)
    try {
      return await work(this.#abort.signal)
    } finally {
      clearTimeout(timer)
    }
  }

  giveUp(): void {
    this.#abort.abort(new SdkError('unavailable', `Nothing came from the server for ${this.idleMs / 1000} s`))
  }

  /** The error as one that a new connection may mend; throws any other. */
  recoverable(error: unknown): SdkError {
    if (this.#caller?.aborted === true) throw this.#caller.reason
    const reason: unknown = this.#abort.signal.aborted ? this.#abort.signal.reason : error
    if (!(reason instanceof SdkError && reason.isTransient)) throw reason
    return reason
  }

  close(): void {
    this.#caller?.removeEventListener('abort', this.#onCallerAbort)
    this.#abort.abort()
  }
}
