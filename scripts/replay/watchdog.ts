import { setTimeout } from 'node:timers/promises'

/** How long, in milliseconds, work may take to end after it was told to. */
const GRACE_MS = 500

/** Ends work in which nothing has gone on for too long. */
export class Watchdog {
  readonly #timeoutMs: number
  readonly #controller = new AbortController()
  #lastSign = Date.now()

  /** `timeoutMs`: the longest time in which nothing goes on. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** Aborted when the time is up. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Something went on. */
  alive(): void {
    this.#lastSign = Date.now()
  }

  /** Waits for `work`, or until it stands still; gives whether it did. Never rejects. */
  async watch(work: Promise<unknown>): Promise<boolean> {
    const done = new AbortController()
    const settled = work.then(() => done.abort(), () => done.abort())
    await Promise.race([settled, this.#standstill(done.signal)])
    if (done.signal.aborted) return false
    this.#controller.abort('nothing went on for too long')
    await Promise.race([settled, sleep(GRACE_MS, done.signal)])
    return true
  }

  async #standstill(signal: AbortSignal): Promise<void> {
    let left = this.#timeoutMs
    while (left > 0 && !signal.aborted) {
      await sleep(left, signal)
      left = this.#lastSign + this.#timeoutMs - Date.now()
    }
  }
}

/** Ends early, and without an error, when `signal` is aborted. */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  // Only the abort rejects.
  await setTimeout(ms, undefined, { signal }).catch(() => undefined)
}
