/** Gives every chunk its vector, in the background. The tables are its queue: whatever has no vector yet is still to be done, after any crash, on any node. */
import type { Db } from '../../../db/db.ts'
import type { DbLog } from '../../../db/db-log.ts'
import {
  claimSpace, findPendingChunks, findUnfinishedWorkspaces, fixDimensions, type NewVector, noteFailure, releaseSpace, storeVectors, type VectorSpace,
} from '../../../repositories/semantic-vector-repository.ts'
import { embedChunks } from './embed-chunks.ts'
import { type Embedder, EmbedderError } from '../embedder.ts'
import { sweepSemanticIndex } from './semantic-sweep.ts'

export interface EmbeddingWorkerDeps {
  readonly db: Db
  readonly embedder: Embedder
  /** Stays the same when the server starts again: it then takes back at once what it was at. */
  readonly nodeId: string
  readonly log: DbLog
  /** Times in milliseconds, for tests. */
  readonly times?: Partial<EmbeddingTimes>
}

interface EmbeddingTimes {
  /** Between two looks for work that nobody told of. */
  readonly pollMs: number
  /** The first pause after a failure; each further one is twice as long. */
  readonly firstPauseMs: number
  readonly longestPauseMs: number
  /** How long a worker that died keeps others from its workspace. Longer than a batch may take. */
  readonly leaseMs: number
  readonly batchMs: number
  readonly sweepMs: number
}

const TIMES: EmbeddingTimes = { pollMs: 30_000, firstPauseMs: 1_000, longestPauseMs: 300_000, leaseMs: 90_000, batchMs: 60_000, sweepMs: 6 * 60 * 60_000 }
/** Chunks that are embedded and stored together: what a crash makes to be embedded again. */
const BATCH = 128
/** Batches of one workspace before the next one has its turn. */
const TURN = 8

export class EmbeddingWorker {
  readonly #deps: EmbeddingWorkerDeps
  readonly #times: EmbeddingTimes
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #wake: () => void = () => undefined
  #isWoken = false
  #failures = 0
  #sweptAt = 0
  #lastError: string | null = null

  constructor(deps: EmbeddingWorkerDeps) {
    this.#deps = deps
    this.#times = { ...TIMES, ...deps.times }
  }

  /** Why nothing can be embedded at the moment. */
  get lastError(): string | null {
    return this.#lastError
  }

  start(): void {
    this.#running = this.#run()
  }

  /** There may be something to do. Never waits. */
  wake(): void {
    this.#isWoken = true
    if (this.#failures === 0) this.#wake()
  }

  /** Ends the batch that is under way, without storing it, and waits for that. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#wake()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#isWoken = false
      await this.#pass().catch((error: unknown) => this.#failed(error))
      await this.#pause()
    }
  }

  /** Until nothing is left, or something fails. */
  async #pass(): Promise<void> {
    const { db, embedder, nodeId } = this.#deps
    for (let isMore = true; isMore && !this.#stop.signal.aborted; ) {
      const unfinished = await findUnfinishedWorkspaces(db.kysely, { embedder: embedder.id, worker: nodeId, limit: 100 })
      isMore = false
      for (const workspaceId of unfinished) isMore = (await this.#turn({ workspaceId, embedder: embedder.id })) || isMore
    }
    await this.#sweepWhenDue()
  }

  /** Embeds a part of a workspace; true when there is more. */
  async #turn(space: VectorSpace): Promise<boolean> {
    const { db, nodeId } = this.#deps
    const lease = { worker: nodeId, ms: this.#times.leaseMs }
    const chunkSeq = await claimSpace(db.kysely, space, lease)
    if (chunkSeq === undefined) return false
    let isDone = false
    try {
      let after: Buffer = Buffer.alloc(0)
      for (let batch = 0; batch < TURN && !isDone; batch++) {
        if (batch > 0 && (await claimSpace(db.kysely, space, lease)) === undefined) return true
        const chunks = await findPendingChunks(db.kysely, space, { after, limit: BATCH })
        if (chunks.length > 0) await this.#store(space, await embedChunks(this.#deps.embedder, chunks, this.#signal()))
        after = chunks.at(-1)?.hash ?? after
        isDone = chunks.length < BATCH
        this.#succeeded()
      }
    } catch (error) {
      if (error instanceof EmbedderError) await noteFailure(db.kysely, space, error.message)
      throw error
    } finally {
      await releaseSpace(db.kysely, space, { worker: nodeId, ...(isDone && { doneSeq: chunkSeq }) })
    }
    return !isDone
  }

  #signal(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(this.#times.batchMs)])
  }

  async #store(space: VectorSpace, vectors: readonly NewVector[]): Promise<void> {
    const length = vectors.find(({ vector }) => vector !== null)?.vector?.byteLength
    await this.#deps.db.transaction(async (tx) => {
      const known = length === undefined ? undefined : await fixDimensions(tx, space, length / 4)
      if (known !== undefined && length !== known * 4) throw new EmbedderError('unavailable', `${space.embedder} now answers vectors of ${(length ?? 0) / 4} numbers; those that are stored have ${known}. Give the changed model another name.`)
      await storeVectors(tx, space, vectors)
    })
  }

  async #sweepWhenDue(): Promise<void> {
    const { db, embedder, log } = this.#deps
    if (Date.now() - this.#sweptAt < this.#times.sweepMs) return
    this.#sweptAt = Date.now()
    const removed = await sweepSemanticIndex(db, { embedder: embedder.id, now: this.#sweptAt, signal: this.#stop.signal })
    if (removed > 0) log.info({ removed }, 'removed passages that no file has any more')
  }

  #succeeded(): void {
    if (this.#failures > 0) this.#deps.log.info({ embedder: this.#deps.embedder.id }, 'texts are embedded again')
    this.#failures = 0
    this.#lastError = null
  }

  #failed(error: unknown): void {
    if (this.#stop.signal.aborted) return
    if (this.#failures === 0) this.#deps.log.warn({ err: error, embedder: this.#deps.embedder.id }, 'texts cannot be embedded now; they are kept and tried again')
    this.#failures += 1
    this.#lastError = error instanceof EmbedderError ? error.message : 'The embedder did not answer in time, or the database was interrupted.'
  }

  /** Until there is work; after a failure, longer each time, whatever work there is. */
  async #pause(): Promise<void> {
    if (this.#stop.signal.aborted || (this.#isWoken && this.#failures === 0)) return
    const { pollMs, firstPauseMs, longestPauseMs } = this.#times
    const ms = this.#failures === 0 ? pollMs : Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#failures - 1))
    const woken = Promise.withResolvers<void>()
    const timer = setTimeout(woken.resolve, ms).unref()
    this.#wake = woken.resolve
    await woken.promise
    clearTimeout(timer)
    this.#wake = () => undefined
  }
}
