/**
 * The mirror of one workspace: one flusher, which applies the journal strictly in seq order. Applying a window again is harmless, except for moves and
 * removals: before those the state file names a target, and whoever finds one (after a crash, or a failure in the middle) compares the whole tree instead.
 * What people change on disk is taken in only when the disk shows the end of the journal: then every difference is theirs.
 */
import type { Stats } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { Mutex } from 'async-mutex'
import type { Db } from '../db/db.ts'
import type { DbLog } from '../db/db-log.ts'
import { AppError } from '../errors.ts'
import { readChangeSeq, readJournal } from '../repositories/change-repository.ts'
import { readTree, type TreeEntry } from '../repositories/file-repository.ts'
import { ChangeApplier } from './change-applier.ts'
import { damagedBlobs } from './damaged-blobs.ts'
import { inconsistencies } from './database-check.ts'
import { QUIET_MS } from './disk-content.ts'
import type { DiskEditImporter, ImportedEdits } from './disk-edits.ts'
import { DiskIntake } from './disk-intake.ts'
import { HeldFiles } from './held-files.ts'
import { nextWindow } from './journal-window.ts'
import { KnownFiles } from './known-files.ts'
import { MirrorFolder } from './mirror-folder.ts'
import type { InspectOptions, MirrorDifference, MirrorInspection } from './mirror-service.ts'
import { type MirrorState, readMirrorState, writeMirrorState } from './mirror-state.ts'
import { OwnWrites } from './own-writes.ts'
import { TemporaryFiles } from './temporary-files.ts'
import { compareTree } from './tree-comparison.ts'
import { type RepairOptions, TreeRepair } from './tree-repair.ts'

/** A repair waits this often for what is still being written. */
const SETTLING_ROUNDS = 6

export interface WorkspaceMirrorPaths {
  readonly root: string
  readonly lostAndFound: string
  readonly temporary: string
  /** Where files wait that were in the journal's way. */
  readonly held: string
  readonly state: string
}

export interface WorkspaceMirrorOptions {
  readonly db: Db
  readonly log: DbLog
  readonly workspaceId: string
  readonly paths: WorkspaceMirrorPaths
  readonly importer: DiskEditImporter
  readonly isCaseSensitive: () => boolean
}

interface Snapshot {
  readonly seq: number
  readonly tree: readonly TreeEntry[]
}

/** What one look at the disk found. */
export interface LookResult {
  /** Something is still going on: look again soon. */
  readonly isUnsettled: boolean
}

export class WorkspaceMirror {
  readonly #options: WorkspaceMirrorOptions
  readonly #own = new OwnWrites()
  readonly #known = new KnownFiles()
  readonly #held: HeldFiles
  readonly #folder: MirrorFolder
  readonly #temporary: TemporaryFiles
  readonly #applier: ChangeApplier
  readonly #repair: TreeRepair
  readonly #intake: DiskIntake
  readonly #mutex = new Mutex()
  #state: MirrorState | undefined
  #root: number | null = null
  #hasTwins = false
  #notice: string | null = null
  #isLoaded = false

  constructor(options: WorkspaceMirrorOptions) {
    const { db, log, workspaceId, paths, importer, isCaseSensitive } = options
    this.#options = options
    this.#held = new HeldFiles(paths.held)
    const onSetAside = (path: string, keptAt: string): void => log.warn({ workspaceId, path, keptAt }, 'something that cannot be a version was in the way of the mirror; it was moved to lost+found')
    this.#folder = new MirrorFolder({ paths, own: this.#own, held: this.#held, isCaseSensitive, onSetAside })
    this.#temporary = new TemporaryFiles({ conn: db.kysely, workspaceId, folder: paths.temporary })
    const deps = { conn: db.kysely, workspaceId, folder: this.#folder, temporary: this.#temporary, known: this.#known }
    this.#applier = new ChangeApplier(deps)
    this.#repair = new TreeRepair({ ...deps, applier: this.#applier })
    this.#intake = new DiskIntake({ workspaceId, folder: this.#folder, known: this.#known, held: this.#held, importer, log })
  }

  /** The last seq that is on disk, as far as this process knows. */
  get appliedSeq(): number {
    return this.#state?.appliedSeq ?? 0
  }

  /** True once the disk is known to show `appliedSeq`, and no move or removal was cut short. */
  get isReady(): boolean {
    return this.#state?.target === null
  }

  /** See `MirrorStatus.notice`. */
  get notice(): string | null {
    return this.#notice
  }

  /** True when what is at a path is what the mirror itself put there. */
  isOwn(path: string): boolean {
    return this.#own.isOwn(path, this.#folder.stat(path))
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

  /** Takes in what people changed on disk. Rejects with what the disk or the database says, or with the signal's reason. */
  look(signal: AbortSignal): Promise<LookResult> {
    return this.#mutex.runExclusive(async () => {
      await this.#load()
      if (!this.isReady) await this.#rebuild()
      return this.#takeIn({ isForced: false, signal })
    })
  }

  /** True when a look without holding up anybody finds nothing to take in. What is written meanwhile may show as a change; then a proper look decides. */
  async isUnchanged(signal: AbortSignal): Promise<boolean> {
    if (!this.isReady || this.#held.list().length > 0 || this.#hasLostRoot()) return false
    const snapshot = await this.#snapshot()
    if (snapshot === undefined || snapshot.seq !== this.appliedSeq) return snapshot === undefined
    const { differences } = await compareTree(this.#comparing(), snapshot.tree, { deep: false, insideExtras: true, signal })
    return differences.every(({ reason }) => reason !== undefined)
  }

  /** See `MirrorService.inspect`. Nothing is applied meanwhile. */
  inspect({ deep, repair }: InspectOptions): Promise<MirrorInspection> {
    return this.#mutex.runExclusive(async () => {
      const { db, workspaceId } = this.#options
      await this.#load()
      const snapshot = await this.#snapshot()
      if (snapshot === undefined) throw new AppError('not_found', 'This workspace does not exist.')
      await this.#applyUpTo(snapshot.seq)
      const differences = await this.#compare(snapshot, { deep, repair: null })
      const notice = this.#notice
      const last = repair ? await this.#importAndRepair(deep) : snapshot
      const damaged = deep ? [...(await damagedBlobs(db.kysely, workspaceId)), ...(await inconsistencies(db, workspaceId))] : []
      return { changeSeq: last.seq, appliedSeq: this.appliedSeq, differences: [...differences, ...damaged], notice }
    })
  }

  /** The workspace was deleted: removes every file whose bytes the database has, and sets the rest aside. */
  async remove(): Promise<void> {
    await this.#mutex.runExclusive(async () => {
      await this.#repair.clear()
      for (const file of this.#held.list()) this.#folder.keepAside(file.absolute, file.path)
    })
  }

  /** People's edits first, as versions; then the disk becomes what the database says. */
  async #importAndRepair(deep: boolean): Promise<Snapshot> {
    for (let round = 0; round < SETTLING_ROUNDS && this.isReady; round += 1) {
      const { isUnsettled } = await this.#takeIn({ isForced: true })
      if (!isUnsettled) break
      await setTimeout(QUIET_MS)
    }
    const repaired = await this.#snapshot()
    if (repaired === undefined) throw new AppError('not_found', 'This workspace does not exist.')
    await this.#compare(repaired, { deep, repair: { clearForeign: true } })
    await this.#intake.takeInHeld({ isForced: true })
    const last = (await this.#snapshot()) ?? repaired
    await this.#applyUpTo(last.seq)
    this.#notice = null
    return last
  }

  /** At the end of the journal every difference is somebody's edit. */
  async #takeIn({ isForced, signal }: { readonly isForced: boolean; readonly signal?: AbortSignal }): Promise<LookResult> {
    const held = await this.#intake.takeInHeld({ isForced })
    while (this.isReady && (await this.#applyNext(Number.MAX_SAFE_INTEGER))) signal?.throwIfAborted()
    const snapshot = await this.#snapshot()
    if (snapshot === undefined || !this.isReady) return { isUnsettled: false }
    if (snapshot.seq !== this.appliedSeq) return { isUnsettled: true }
    if (this.#hasLostRoot()) {
      await this.#healLost(snapshot.tree.filter(({ isFolder }) => !isFolder).length)
      return { isUnsettled: true }
    }
    const found = await this.#intake.find(snapshot.tree, signal)
    const taken = await this.#intake.takeIn({ seq: snapshot.seq, edits: found.edits }, (imported) => this.#showsImported(imported))
    if (found.disappeared > 0) await this.#healLost(found.disappeared)
    const isMoving = found.edits.some(({ type }) => type === 'moved')
    return { isUnsettled: held.isUnsettled || found.isUnsettled || found.hasRenamed || found.disappeared > 0 || taken.isUnsettled || isMoving }
  }

  /** The disk shows what was taken from it: only what others committed before is applied. */
  async #showsImported({ before, last }: ImportedEdits): Promise<number> {
    await this.#applyUpTo(before)
    if (this.isReady && this.appliedSeq === before && last > before) await this.#save({ appliedSeq: last, target: null })
    return this.appliedSeq
  }

  async #healLost(files: number): Promise<void> {
    this.#notice = `On ${new Date().toISOString()} ${files} ${files === 1 ? 'file was' : 'files were'} gone from the disk at once. That looks like a lost disk rather than an edit, so nothing was deleted: the files were put back from the database. To delete that much, delete it in the workspace.`
    this.#options.log.warn({ workspaceId: this.#options.workspaceId, files }, 'many files were gone from the disk at once; they are put back from the database')
    await this.#rebuild()
  }

  /** True when the workspace's folder is gone, or another one than that which the mirror filled. */
  #hasLostRoot(): boolean {
    return this.appliedSeq > 0 && this.#root !== null && this.#rootInode() !== this.#root
  }

  #rootInode(): number | undefined {
    const stats: Stats | undefined = this.#folder.look(this.#folder.root)
    return stats?.isDirectory() === true ? stats.ino : undefined
  }

  /** What was committed a moment ago is no difference: it is applied first, and nothing beyond the snapshot. */
  async #applyUpTo(seq: number): Promise<void> {
    try {
      while (this.isReady && this.appliedSeq < seq && (await this.#applyNext(seq)));
    } catch (error) {
      // The comparison shows what could not be applied; the flusher tells why.
      this.#options.log.warn({ err: error, workspaceId: this.#options.workspaceId }, 'the mirror is looked at although changes are waiting')
    }
  }

  async #load(): Promise<void> {
    if (this.#isLoaded) return
    this.#temporary.clear()
    const state = await readMirrorState(this.#options.paths.state)
    const seq = (await readChangeSeq(this.#options.db.kysely, this.#options.workspaceId)) ?? 0
    this.#state = state !== undefined && this.#isBelievable(state, seq) ? state : undefined
    this.#root = this.#state?.root ?? null
    // Which of two names that differ only in case is on disk is not remembered: look.
    this.#hasTwins = !this.#options.isCaseSensitive()
    if (this.#hasTwins && this.#state !== undefined) this.#state = { ...this.#state, target: seq }
    this.#isLoaded = true
  }

  /** A state beyond the journal is another database's, and one without its folder describes files that are gone. */
  #isBelievable({ appliedSeq, root }: MirrorState, changeSeq: number): boolean {
    if (appliedSeq > changeSeq) return false
    const inode = this.#rootInode()
    return appliedSeq === 0 || (inode !== undefined && (root === null || root === inode))
  }

  /** Compares the whole tree and puts right what differs; other programs' files stay where they are unless they are in the way. */
  async #rebuild(): Promise<void> {
    const snapshot = await this.#snapshot()
    if (snapshot === undefined) return
    const differences = await this.#compare(snapshot, { deep: false, repair: { clearForeign: false } })
    this.#hasTwins = this.#applier.takeMetTwin() || differences.some(({ kind, reason }) => kind === 'missing' && reason !== undefined)
    this.#options.log.info({ workspaceId: this.#options.workspaceId, seq: snapshot.seq, differences: differences.length }, 'compared the mirror with the database and put it right')
  }

  async #compare({ seq, tree }: Snapshot, { deep, repair }: { readonly deep: boolean; readonly repair: RepairOptions | null }): Promise<MirrorDifference[]> {
    const { differences } = await compareTree(this.#comparing(), tree, { deep, insideExtras: false })
    if (repair !== null) {
      if (differences.length > 0) {
        await this.#save({ appliedSeq: this.appliedSeq, target: seq })
        await this.#repair.repair(differences, repair)
      }
      this.#folder.takeMadeRoot()
      this.#root = null
      await this.#save({ appliedSeq: seq, target: null })
    }
    return differences.map(({ path, kind, reason = this.#intake.reasonFor(path) }) => ({ path, kind, ...(reason !== undefined && { reason }) }))
  }

  #comparing() {
    return { folder: this.#folder, known: this.#known, faultOf: (path: string) => this.#options.importer.faultOf(path) }
  }

  /** Applies one window of the journal, at most up to a seq. False when there was nothing. */
  async #applyNext(upTo: number): Promise<boolean> {
    const { db, workspaceId } = this.#options
    const changes = await nextWindow((page) => readJournal(db.kysely, workspaceId, page), { after: this.appliedSeq, upTo })
    const last = changes.at(-1)
    if (last === undefined) return false
    const isFirst = this.appliedSeq === 0
    const isMoving = changes.some(({ kind }) => kind === 'moved' || kind === 'deleted')
    if (isMoving) await this.#save({ appliedSeq: this.appliedSeq, target: last.seq })
    await this.#applier.applyAll(changes)
    const hasMadeRoot = this.#folder.takeMadeRoot()
    if (hasMadeRoot) this.#root = null
    if (this.#applier.takeMetTwin()) this.#hasTwins = true
    // A folder of ours had been replaced by something else, or was gone: what it held is gone from the disk, not from the database. And where one of two
    // names that differ only in case went, the other one may come.
    const isIncomplete = this.#folder.takeReplacedFolder() || (hasMadeRoot && !isFirst) || (isMoving && this.#hasTwins)
    if (isIncomplete) await this.#rebuild()
    else await this.#save({ appliedSeq: last.seq, target: null })
    return true
  }

  async #save({ appliedSeq, target }: Omit<MirrorState, 'root'>): Promise<void> {
    this.#root ??= this.#rootInode() ?? null
    const state = { appliedSeq, target, root: this.#root }
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
