/** Reading a log that only grows, from a cursor on and then live. Replay and live are the same query, so a cut stream continues exactly where it was. */

/** What a reader of a stream gets: stored events in order, and ephemeral ones in between. */
export type StreamItem<Event> = { readonly type: 'stored'; readonly events: readonly Event[] } | ({ readonly type: 'ephemeral' } & EphemeralItem)

/** An event that is passed on to whoever reads right now. */
export interface EphemeralItem {
  readonly event: string
  readonly data: string
}

/** Told when a log has grown, or given an ephemeral event to pass on. */
export interface LogListener {
  woken(): void
  ephemeral(item: EphemeralItem): void
}

export interface LogHead {
  readonly lastSeq: number
  /** More is to be expected without anybody asking for it. */
  readonly busy: boolean
}

export interface GrowingLog<Event extends { readonly seq: number }> {
  /** Undefined when the log is gone. */
  readHead(): Promise<LogHead | undefined>
  /** Events after a seq, in order, at most `limit`. */
  readPage(page: { readonly after: number; readonly limit: number }): Promise<readonly Event[]>
  /** Wakes the listener when the log may have grown; call the answer to end it. One may be lost: the reader also polls. */
  subscribe(listener: LogListener): () => void
}

export interface FollowOptions {
  /** Exclusive cursor; 0 replays everything. */
  readonly after: number
  /** End once everything is delivered and the log is not busy. */
  readonly untilIdle: boolean
  readonly signal: AbortSignal
  /** The safety net for a lost wake-up. Default 1,000. */
  readonly pollMs?: number
}

const PAGE = 500
const POLL_MS = 1_000
/** Ephemeral events beyond this are dropped while a reader is slow: they are outside the resume guarantee. */
const MAX_EPHEMERAL = 100

/** Events after the cursor, then live, until the signal, the end of the log, or idleness. Ends quietly when aborted. */
export async function* followLog<Event extends { readonly seq: number }>(log: GrowingLog<Event>, options: FollowOptions): AsyncGenerator<StreamItem<Event>, void, void> {
  const { signal, untilIdle, pollMs = POLL_MS } = options
  const wake = new WakeUp(signal)
  const unsubscribe = log.subscribe(wake)
  let { after } = options
  try {
    while (!signal.aborted) {
      wake.reset()
      // The head is read before the events: what it counts is then certainly among them.
      const head = await log.readHead()
      if (head === undefined) return
      for await (const events of head.lastSeq > after ? pages(log, after) : []) {
        yield { type: 'stored', events }
        after = events.at(-1)?.seq ?? after
        if (signal.aborted) return
      }
      for (const item of wake.takeEphemeral()) yield { type: 'ephemeral', ...item }
      if (untilIdle && !head.busy && after >= head.lastSeq) return
      await wake.wait(pollMs)
    }
  } finally {
    unsubscribe()
    wake.close()
  }
}

async function* pages<Event extends { readonly seq: number }>(log: GrowingLog<Event>, after: number): AsyncGenerator<readonly Event[], void, void> {
  for (let cursor = after; ; ) {
    const events = await log.readPage({ after: cursor, limit: PAGE })
    const last = events.at(-1)
    if (last === undefined) return
    yield events
    cursor = last.seq
    if (events.length < PAGE) return
  }
}

/** A flag that can be waited for, with the ephemeral events that came meanwhile. */
class WakeUp implements LogListener {
  readonly #signal: AbortSignal
  #awake = false
  #resume: (() => void) | undefined
  #ephemeral: EphemeralItem[] = []

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.woken, { once: true })
  }

  readonly woken = (): void => {
    this.#awake = true
    this.#resume?.()
  }

  ephemeral(item: EphemeralItem): void {
    if (this.#ephemeral.length < MAX_EPHEMERAL) this.#ephemeral.push(item)
    this.woken()
  }

  takeEphemeral(): readonly EphemeralItem[] {
    const taken = this.#ephemeral
    this.#ephemeral = []
    return taken
  }

  reset(): void {
    this.#awake = this.#signal.aborted
  }

  /** Resolves at the next wake-up, or after `ms`. */
  async wait(ms: number): Promise<void> {
    if (this.#awake) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#resume = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#resume = undefined
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.woken)
  }
}
