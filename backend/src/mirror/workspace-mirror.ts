/**
 * The mirror of one workspace: one flusher, which applies the journal strictly in seq order. Applying a window again is harmless, except for moves and
 * removals: before those the state file names a target, and whoever finds one (after a crash, or a failure in the middle) compares the whole tree instead.
 */
import { lstatSync } from 'node:fs'
import { Mutex } from 'async-mutex'
import type { Db } from '../db/db.ts'
import type { DbLog } from '../db/db-log.ts'
import { AppError } from '../errors.ts'
import { type AppliedChange, readChangeSeq, readJournal } from '../repositories/change-repository.ts'
import { readTree, type TreeEntry } from '../repositories/file-repository.ts'
import { ChangeApplier, continuesRemoval } from './change-applier.ts'
import { damagedBlobs } from './damaged-blobs.ts'
import { MirrorFolder } from './mirror-folder.ts'
import type { InspectOptions, MirrorDifference, MirrorInspection } from './mirror-service.ts'
import { isMissing, type MirrorState, readMirrorState, writeMirrorState } from './mirror-state.ts'
import { TemporaryFiles } from './temporary-files.ts'
import { compareTree } from './tree-comparison.ts'
import { type RepairOptions, TreeRepair } from './tree-repair.ts'

/** Journal rows that are applied and flushed to the device together. */
const WINDOW = { rows: 512, bytes: 64 * 1024 * 1024 }

export interface WorkspaceMirrorPaths {
  readonly root: string
  readonly lostAndFound: string
  readonly temporary: string
  readonly state: string
}

export interface WorkspaceMirrorOptions {
  readonly db: Db
  readonly log: DbLog
  readonly workspaceId: string
  readonly paths: WorkspaceMirrorPaths
}

interface Snapshot {
  readonly seq: number
  readonly tree: readonly TreeEntry[]
}

export class WorkspaceMirror {
  readonly #options: WorkspaceMirrorOptions
  readonly #folder: MirrorFolder
  readonly #temporary: TemporaryFiles
  readonly #applier: ChangeApplier
  readonly #repair: TreeRepair
  readonly #mutex = new Mutex()
  #state: MirrorState | undefined
  #isLoaded = false

  constructor(options: WorkspaceMirrorOptions) {
    const { db, log, workspaceId, paths } = options
    this.#options = options
    this.#folder = new MirrorFolder(paths, (path, keptAt) => log.warn({ workspaceId, path, keptAt }, 'a file that is not ours was in the way of the mirror; it was moved to lost+found'))
    this.#temporary = new TemporaryFiles({ conn: db.kysely, workspaceId, folder: paths.temporary })
    const deps = { conn: db.kysely, workspaceId, folder: this.#folder, temporary: this.#temporary }
    this.#applier = new ChangeApplier(deps)
    this.#repair = new TreeRepair({ ...deps, applier: this.#applier })
  }

  /** The last seq that is on disk, as far as this process knows. */
  get appliedSeq(): number {
    return this.#state?.appliedSeq ?? 0
  }

  /** True once the disk is known to show `appliedSeq`, and no move or removal was cut short. */
  get isReady(): boolean {
    return this.#state?.target === null
  }

  /** Applies what the journal has beyond the disk. `isStopped` is asked between windows. Rejects with what the disk or the database says. */
  catchUp({ isStopped, onApplied }: { readonly isStopped: () => boolean; readonly onApplied: () => void }): Promise<void> {
    return this.#mutex.runExclusive(async () => {
      await this.#load()
      if (!this.isReady) await this.#rebuild()
      onApplied()
      // Not ready after that: the workspace is gone.
      while (this.isReady && !isStopped() && (await this.#applyNext(Number.MAX_SAFE_INTEGER))) onApplied()
    })
  }

  /** See `MirrorService.inspect`. Nothing is applied meanwhile. */
  inspect({ deep, repair }: InspectOptions): Promise<MirrorInspection> {
    return this.#mutex.runExclusive(async () => {
      const { db, workspaceId } = this.#options
      await this.#load()
      const snapshot = await this.#snapshot()
      if (snapshot === undefined) throw new AppError('not_found', 'This workspace does not exist.')
      await this.#applyUpTo(snapshot.seq)
      const differences = await this.#compare(snapshot, { deep, repair: repair ? { clearForeign: true } : null })
      const damaged = deep ? await damagedBlobs(db.kysely, workspaceId) : []
      return { changeSeq: snapshot.seq, appliedSeq: this.appliedSeq, differences: [...differences, ...damaged] }
    })
  }

  /** What was committed a moment ago is no difference: it is applied first, and nothing beyond the snapshot. */
  async #applyUpTo(seq: number): Promise<void> {
    try {
      while (this.isReady && this.appliedSeq < seq && (await this.#applyNext(seq)));
    } catch (error) {
      // The comparison shows what could not be applied; the flusher tells why.
      this.#options.log.warn({ err: error, workspaceId: this.#options.workspaceId }, 'the mirror is inspected although changes are waiting')
    }
  }

  async #load(): Promise<void> {
    if (this.#isLoaded) return
    this.#temporary.clear()
    const state = await readMirrorState(this.#options.paths.state)
    const seq = (await readChangeSeq(this.#options.db.kysely, this.#options.workspaceId)) ?? 0
    this.#state = state !== undefined && this.#isBelievable(state, seq) ? state : undefined
    this.#isLoaded = true
  }

  /** A state beyond the journal is another database's, and one without its folder describes files that are gone. */
  #isBelievable(state: MirrorState, changeSeq: number): boolean {
    return state.appliedSeq <= changeSeq && (state.appliedSeq === 0 || this.#hasRoot())
  }

  #hasRoot(): boolean {
    try {
      return lstatSync(this.#folder.root).isDirectory()
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  /** Compares the whole tree and puts right what differs; other programs' files stay where they are unless they are in the way. */
  async #rebuild(): Promise<void> {
    const snapshot = await this.#snapshot()
    if (snapshot === undefined) return
    const differences = await this.#compare(snapshot, { deep: false, repair: { clearForeign: false } })
    this.#options.log.info({ workspaceId: this.#options.workspaceId, seq: snapshot.seq, differences: differences.length }, 'compared the mirror with the database and put it right')
  }

  async #compare({ seq, tree }: Snapshot, options: { readonly deep: boolean; readonly repair: RepairOptions | null }): Promise<MirrorDifference[]> {
    const differences = await compareTree(this.#folder, tree, options)
    if (options.repair !== null) {
      if (differences.length > 0) {
        await this.#save({ appliedSeq: this.appliedSeq, target: seq })
        await this.#repair.repair(differences, options.repair)
      }
      await this.#save({ appliedSeq: seq, target: null })
    }
    return differences.map(({ path, kind }) => ({ path, kind }))
  }

  /** Applies one window of the journal, at most up to a seq. False when there was nothing. */
  async #applyNext(upTo: number): Promise<boolean> {
    const changes = await this.#nextWindow(upTo)
    const last = changes.at(-1)
    if (last === undefined) return false
    if (changes.some(({ kind }) => kind === 'moved' || kind === 'deleted')) await this.#save({ appliedSeq: this.appliedSeq, target: last.seq })
    await this.#applier.applyAll(changes)
    // A folder of ours had been replaced by something else: what it held is gone from the disk, not from the database.
    if (this.#folder.takeReplacedFolder()) await this.#rebuild()
    else await this.#save({ appliedSeq: last.seq, target: null })
    return true
  }

  async #nextWindow(upTo: number): Promise<AppliedChange[]> {
    const window: AppliedChange[] = []
    for (;;) {
      const after = window.at(-1)?.seq ?? this.appliedSeq
      const rows = await readJournal(this.#options.db.kysely, this.#options.workspaceId, { after, upTo, limit: WINDOW.rows })
      window.push(...rows)
      // A removal is applied in reverse, so it must not be cut: the folder would go before its content.
      if (rows.length < WINDOW.rows || rows.at(-1)?.kind !== 'deleted') return boundedWindow(window)
    }
  }

  async #save(state: MirrorState): Promise<void> {
    // Memory first: should the file not be written, this process still knows that a target was set.
    this.#state = state.target === null ? this.#state : state
    await writeMirrorState(this.#options.paths.state, state)
    this.#state = state
  }

  #snapshot(): Promise<Snapshot | undefined> {
    const { db, workspaceId } = this.#options
    return db.transaction(
      async (tx) => {
        const seq = await readChangeSeq(tx, workspaceId)
        return seq === undefined ? undefined : { seq, tree: await readTree(tx, workspaceId) }
      },
      { isolation: 'repeatable read' },
    )
  }
}

/** The first rows whose content fits the window, at least one; one removal is never cut. */
function boundedWindow(changes: readonly AppliedChange[], bytes = WINDOW.bytes): AppliedChange[] {
  let sum = 0
  const end = changes.findIndex((change, index) => {
    sum += change.kind === 'moved' ? 0 : (change.version?.size ?? 0)
    return index > 0 && sum > bytes && !continuesRemoval(change, changes[index - 1])
  })
  return end === -1 ? [...changes] : changes.slice(0, end)
}
