import type { BlobCollector } from '../services/files/blob-collector.ts'

export interface BlobCleanupDeps {
  readonly blobs: Pick<BlobCollector, 'collect'>
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void }
  /** Time between passes, and before the first. Default: six hours. */
  readonly everyMs?: number
}

/** Collects unreferenced blobs from time to time. */
export class BlobCleanup {
  readonly #deps: BlobCleanupDeps
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(deps: BlobCleanupDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.run(this.#stop.signal).then(() => {
        if (!this.#stop.signal.aborted) this.start()
      })
    }, this.#deps.everyMs ?? 6 * 60 * 60_000)
    this.#timer.unref()
  }

  /** One pass. Never rejects: a pass that fails is reported, and the next one tries again. */
  async run(signal: AbortSignal): Promise<void> {
    const { blobs, log } = this.#deps
    try {
      const collected = await blobs.collect(signal)
      if (collected > 0) log.info({ collected }, 'removed stored bytes that no file version names')
    } catch (error) {
      log.warn({ err: error }, 'unreferenced blobs could not be removed')
    }
  }

  /** Ends the schedule and waits for a pass that is under way. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#stop.abort()
    await this.#running
  }
}
