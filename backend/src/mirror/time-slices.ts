import { setImmediate } from 'node:timers/promises'

/** How long synchronous work may hold the event loop at a time. */
const SLICE_MS = 4

/** Cuts long synchronous work into short pieces: call `pause` often, it waits only when the time is up. */
export class TimeSlices {
  readonly #signal: AbortSignal | undefined
  #since = performance.now()

  constructor(signal?: AbortSignal) {
    this.#signal = signal
  }

  get isOver(): boolean {
    return performance.now() - this.#since >= SLICE_MS
  }

  /** Rejects with the signal's reason once it is aborted. */
  async pause(): Promise<void> {
    this.#signal?.throwIfAborted()
    if (!this.isOver) return
    await setImmediate()
    this.#since = performance.now()
  }
}
