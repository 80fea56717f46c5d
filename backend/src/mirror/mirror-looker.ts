import type { Semaphore } from 'async-mutex'
import type { DbLog } from '../db/db-log.ts'
import { QUIET_MS } from './disk-content.ts'
import type { WorkspaceMirror } from './workspace-mirror.ts'

/** When to look at the disk. Milliseconds. */
export interface LookTimes {
  /** Between looks that nothing asked for, while changes on disk are told. */
  readonly everyMs: number
  /** The same while they are not told. */
  readonly pollMs: number
}

export const LOOK_TIMES: LookTimes = { everyMs: 60_000, pollMs: 3_000 }

/** Looks that nothing asked for take at most this share of the time, so that large workspaces are looked through less often. */
const REST_PER_LOOK = 20
/** After a hint the wait is at least a few times what a look takes, but not longer than this. */
const REST_PER_HINT = 4
const LONGEST_WAIT_MS = 10_000
/** Ten looks in a row that found something still going on: it will go on, so there is no hurry. */
const PATIENCE = 10

export interface MirrorLookerOptions {
  readonly workspaceId: string
  readonly mirror: Pick<WorkspaceMirror, 'look' | 'isUnchanged' | 'appliedSeq' | 'isReady'>
  readonly slots: Semaphore
  readonly log: DbLog
  readonly times: LookTimes
  readonly isWatching: () => boolean
  /** The journal has rows that the mirror has to show: those of an import. */
  readonly onImported: () => void
}

/** Decides when the disk of a workspace is looked through: soon after a hint, again while something is going on, and from time to time without one. */
export class MirrorLooker {
  readonly #options: MirrorLookerOptions
  readonly #closing = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #dueAt = Number.POSITIVE_INFINITY
  #isHinted = true
  #running: Promise<void> | undefined
  #lastMs = 0
  #endedAt = 0
  #unsettled = 0

  constructor(options: MirrorLookerOptions) {
    this.#options = options
  }

  /** Something may have changed on disk. Never throws, never waits. */
  hint(): void {
    this.#isHinted = true
    this.#schedule(QUIET_MS + 50)
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the server stops'))
    clearTimeout(this.#timer)
    await this.#running
  }

  /** The earlier of two dates stands; after a costly look both wait. */
  #schedule(inMs: number): void {
    if (this.#closing.signal.aborted) return
    const earliest = this.#endedAt + Math.min(this.#lastMs * REST_PER_HINT, LONGEST_WAIT_MS)
    const at = Math.max(Date.now() + inMs, earliest)
    if (at >= this.#dueAt) return
    clearTimeout(this.#timer)
    this.#dueAt = at
    this.#timer = setTimeout(() => this.#begin(), at - Date.now())
    this.#timer.unref()
  }

  #begin(): void {
    this.#dueAt = Number.POSITIVE_INFINITY
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      this.#next()
    })
  }

  #next(): void {
    const { times, isWatching } = this.#options
    const regular = Math.max(isWatching() ? times.everyMs : times.pollMs, this.#lastMs * REST_PER_LOOK)
    this.#schedule(this.#isHinted && this.#unsettled < PATIENCE ? QUIET_MS + 50 : regular)
  }

  async #run(): Promise<void> {
    const { mirror, log, workspaceId } = this.#options
    const startedAt = performance.now()
    const isHinted = this.#isHinted
    this.#isHinted = false
    try {
      const { signal } = this.#closing
      if (isHinted || !(await mirror.isUnchanged(signal))) await this.#look(signal)
    } catch (error) {
      if (!this.#closing.signal.aborted) log.warn({ err: error, workspaceId }, 'the copy of a workspace on disk could not be looked through; it will be tried again')
    }
    this.#lastMs = performance.now() - startedAt
    this.#endedAt = Date.now()
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { mirror, slots, onImported } = this.#options
    const before = mirror.appliedSeq
    const { isUnsettled } = await slots.runExclusive(() => mirror.look(signal))
    if (mirror.appliedSeq !== before) onImported()
    this.#unsettled = isUnsettled ? this.#unsettled + 1 : 0
    if (isUnsettled) this.#isHinted = true
  }
}
