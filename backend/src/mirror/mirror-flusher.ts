import type { Semaphore } from 'async-mutex'
import type { DbLog } from '../db/db-log.ts'
import type { MirrorStatus } from './mirror-service.ts'
import type { WorkspaceMirror } from './workspace-mirror.ts'

/** Waiting times after failures: doubled each time, up to the last. Milliseconds. */
const FIRST_RETRY_MS = 250
const LAST_RETRY_MS = 10_000
/**
 * A workspace that is being written rests so long after each commit before its files go to disk, and after the last of these at the latest: what comes
 * together is flushed together. What that saves a single write has not been measured.
 */
const REST_MS = 15
const LONGEST_REST_MS = 250

export interface MirrorFlusherOptions {
  readonly workspaceId: string
  readonly mirror: Pick<WorkspaceMirror, 'catchUp' | 'appliedSeq' | 'isReady' | 'notice'>
  /** Bounds how many workspaces are written at once. */
  readonly slots: Semaphore
  readonly log: DbLog
}

interface Waiter {
  readonly seq: number
  wake(): void
}

/** Decides when a workspace's mirror runs: at once when somebody waits for it, a moment after a commit otherwise, later and later while it fails. */
export class MirrorFlusher {
  readonly #options: MirrorFlusherOptions
  readonly #waiters = new Set<Waiter>()
  #wanted = 0
  #running: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #rest: NodeJS.Timeout | undefined
  #lastPutOff = 0
  #failures = 0
  #error: string | null = null
  #failedAt = 0
  #isClosed = false

  constructor(options: MirrorFlusherOptions) {
    this.#options = options
  }

  get appliedSeq(): number {
    return this.#options.mirror.appliedSeq
  }

  /** The journal has reached `seq`. */
  wake(seq: number): void {
    this.#wanted = Math.max(this.#wanted, seq)
    if (this.#running !== undefined || this.#retry !== undefined || this.#isClosed || this.#shows(this.#wanted)) return
    if (this.#waiters.size > 0) this.#begin()
    else this.#later()
  }

  status(): MirrorStatus {
    return { workspaceId: this.#options.workspaceId, appliedSeq: this.appliedSeq, behind: this.#error !== null, error: this.#error, notice: this.#options.mirror.notice }
  }

  /** Resolves when the disk shows `seq`, when `timeoutMs` have passed, or when this closes. Rejects with the signal's reason. */
  async waitFor(seq: number, { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<void> {
    signal?.throwIfAborted()
    if (this.#shows(seq)) return
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const done = (): void => resolve(undefined)
    const waiter = { seq, wake: done }
    const timer = setTimeout(done, timeoutMs)
    this.#waiters.add(waiter)
    signal?.addEventListener('abort', done, { once: true })
    this.wake(seq)
    if (this.#isClosed) done()
    await promise
    clearTimeout(timer)
    this.#waiters.delete(waiter)
    signal?.removeEventListener('abort', done)
    signal?.throwIfAborted()
  }

  /** The disk shows more than before without a run of this: what was taken in from it. */
  shown(): void {
    this.#wakeWaiters()
  }

  /** After a repair: what failed may work now. */
  recovered(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#clearFailure()
    this.#wakeWaiters()
    this.wake(0)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    this.#retry = undefined
    clearTimeout(this.#rest)
    for (const waiter of this.#waiters) waiter.wake()
    await this.#running
  }

  #begin(): void {
    clearTimeout(this.#rest)
    this.#rest = undefined
    this.#running = this.#run()
  }

  #later(): void {
    if (this.#rest === undefined) {
      this.#lastPutOff = Date.now() + LONGEST_REST_MS - REST_MS
      this.#rest = setTimeout(() => this.#begin(), REST_MS).unref()
    } else if (Date.now() < this.#lastPutOff) this.#rest.refresh()
  }

  async #run(): Promise<void> {
    const { slots, mirror } = this.#options
    // The journal is read to its end, so one run is enough for all that was committed before it began.
    const upTo = this.#wanted
    try {
      await slots.runExclusive(() => mirror.catchUp({ isStopped: () => this.#isClosed, onApplied: () => this.#applied() }))
      this.#clearFailure()
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#running = undefined
      if (this.#wanted > upTo) this.wake(0)
    }
  }

  #applied(): void {
    // Before waiters wake: whoever asks for the status then must not read of a failure that is over.
    if (this.appliedSeq > this.#failedAt) this.#clearFailure()
    this.#wakeWaiters()
  }

  #clearFailure(): void {
    this.#failures = 0
    this.#error = null
  }

  #failed(error: unknown): void {
    const { log, workspaceId } = this.#options
    this.#error = describeDiskError(error)
    this.#failedAt = this.appliedSeq
    log.error({ err: error, workspaceId, appliedSeq: this.appliedSeq }, 'the mirror of a workspace could not be brought up to date; it will be tried again')
    if (this.#isClosed) return
    const delay = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures)
    this.#failures += 1
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.wake(0)
    }, delay)
    this.#retry.unref()
  }

  #wakeWaiters(): void {
    for (const waiter of this.#waiters) if (this.#shows(waiter.seq)) waiter.wake()
  }

  #shows(seq: number): boolean {
    return this.#options.mirror.isReady && this.appliedSeq >= seq
  }
}

/** For people, in `/ready` and the doctor: which operation failed on what. */
export function describeDiskError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const reason = 'code' in error ? REASONS[String(error.code)] : undefined
  return reason === undefined ? error.message : `${reason} (${error.message})`
}

/** True for what the operating system said about a file. */
export function isDiskError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error && 'path' in error
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'the server may not write there',
  EPERM: 'the server may not write there',
  EROFS: 'the disk is read-only',
  ENAMETOOLONG: 'this file system takes no name that long',
  EILSEQ: 'this file system does not take that name',
  EINVAL: 'this file system does not take that name',
}
