import { sql } from 'kysely'
import type { Db, DbConn } from '../../db/db.ts'
import { forgetWorkspace, type IndexName, type IndexProgress, moveProgress, readProgress } from '../../repositories/search-repository.ts'
import { type JournalBatch, readBatch } from './journal-batch.ts'

/** Something that is derived from files and follows the journal. */
export interface JournalIndex {
  readonly name: IndexName
  /**
   * The slow part, outside any transaction; harmless when it is done again. Answers the SQL that is committed together with the new seq.
   * Rejects when it has to be tried again later.
   */
  prepare(batch: JournalBatch, signal: AbortSignal): Promise<(tx: DbConn) => Promise<void>>
}

export interface JournalFollowerDeps {
  readonly db: Db
  readonly index: JournalIndex
  readonly log: { info(fields: object, message: string): void }
}

/** Catching up that takes longer than this is told in the log as it goes on. */
const TELL_AFTER_MS = 5_000

/**
 * Brings an index of a workspace to the end of its journal. What a batch stores and the seq that it has come to are one transaction, so a process that is killed repeats
 * at most a batch. Two that work on the same workspace do no harm: whoever commits a batch first goes on, and the other one stops.
 */
export class JournalFollower {
  readonly #deps: JournalFollowerDeps

  constructor(deps: JournalFollowerDeps) {
    this.#deps = deps
  }

  get name(): IndexName {
    return this.#deps.index.name
  }

  /** Resolves when there is nothing left to do here. Rejects when it could not go on, or with the signal's reason. */
  async catchUp(workspaceId: string, signal: AbortSignal): Promise<void> {
    const progress = await this.progress(workspaceId)
    if (progress === undefined) return this.#forget(workspaceId)
    const startedAt = performance.now()
    let [seq, files, toldAt] = [progress.seq, 0, startedAt]
    for (let batch = await this.#next(workspaceId, seq); batch !== undefined; batch = await this.#next(workspaceId, seq)) {
      signal.throwIfAborted()
      if (!(await this.#take(batch, seq, signal))) return
      seq = batch.seq
      files += batch.files.length
      if (performance.now() - toldAt > TELL_AFTER_MS) toldAt = this.#tell({ workspaceId, seq, files, startedAt })
    }
    if (toldAt > startedAt) this.#tell({ workspaceId, seq, files, startedAt })
  }

  progress(workspaceId: string): Promise<IndexProgress | undefined> {
    return readProgress(this.#deps.db.kysely, workspaceId, this.name)
  }

  #next(workspaceId: string, after: number): Promise<JournalBatch | undefined> {
    return readBatch(this.#deps.db.kysely, workspaceId, after)
  }

  /** False when another process took it first: that one goes on from there, and sees everything that was committed before. */
  async #take(batch: JournalBatch, from: number, signal: AbortSignal): Promise<boolean> {
    const store = await this.#deps.index.prepare(batch, signal)
    const { workspaceId, seq } = batch
    return this.#deps.db.transaction(async (tx) => {
      // What a crash of the database takes back of this is made again: no need to wait for the disk, on which people's writes wait.
      await sql`SET LOCAL synchronous_commit TO off`.execute(tx)
      if (!(await moveProgress(tx, { workspaceId, index: this.name }, { from, to: seq }))) return false
      await store(tx)
      return true
    })
  }

  async #forget(workspaceId: string): Promise<void> {
    await this.#deps.db.transaction((tx) => forgetWorkspace(tx, workspaceId, this.name))
  }

  #tell({ startedAt, ...details }: { readonly workspaceId: string; readonly seq: number; readonly files: number; readonly startedAt: number }): number {
    const now = performance.now()
    this.#deps.log.info({ ...details, index: this.name, seconds: Math.round((now - startedAt) / 1000) }, 'the search index follows the journal')
    return now
  }
}
