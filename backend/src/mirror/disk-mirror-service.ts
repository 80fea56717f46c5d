import { readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Semaphore } from 'async-mutex'
import type { Db } from '../db/db.ts'
import type { DbLog } from '../db/db-log.ts'
import { AppError } from '../errors.ts'
import { readAllChangeSeqs, readChangeSeq } from '../repositories/change-repository.ts'
import { isCaseSensitive } from './case-probe.ts'
import type { DiskEditImporter } from './disk-edits.ts'
import { DiskWatcher, type SubscribeToFolder } from './disk-watcher.ts'
import { describeDiskError, isDiskError, MirrorFlusher } from './mirror-flusher.ts'
import { LOOK_TIMES, type LookTimes, MirrorLooker } from './mirror-looker.ts'
import type { InspectOptions, MirrorInspection, MirrorService, MirrorStatus, WaitOptions } from './mirror-service.ts'
import { isMissing } from './mirror-state.ts'
import { WorkspaceMirror, type WorkspaceMirrorPaths } from './workspace-mirror.ts'

/** Workspaces that are written, and that are looked through, at the same time. */
const SLOTS = 4
const LOOK_SLOTS = 2

export interface DiskMirrorServiceDeps {
  readonly db: Db
  /** Absolute. `workspaces`, `mirror-state`, `mirror-tmp`, `mirror-held` and `lost+found` in it are ours and must be on one file system. */
  readonly dataDir: string
  readonly log: DbLog
  readonly importer: DiskEditImporter
  readonly times?: LookTimes
  /** For platforms: see `DiskWatcher`. */
  readonly subscribe?: SubscribeToFolder
  /** Default: found out. */
  readonly isCaseSensitive?: boolean
}

interface MirroredWorkspace {
  readonly mirror: WorkspaceMirror
  readonly flusher: MirrorFlusher
  readonly looker: MirrorLooker
}

/** Mirrors on the local disk. One per data directory: its lock keeps other processes out. */
export class DiskMirrorService implements MirrorService {
  readonly #deps: DiskMirrorServiceDeps
  readonly #slots = new Semaphore(SLOTS)
  readonly #lookSlots = new Semaphore(LOOK_SLOTS)
  readonly #workspaces = new Map<string, MirroredWorkspace>()
  readonly #watcher: DiskWatcher
  #isCaseSensitive: boolean | undefined
  #isLooking = false
  #isClosed = false

  constructor(deps: DiskMirrorServiceDeps) {
    this.#deps = deps
    this.#isCaseSensitive = deps.isCaseSensitive
    this.#watcher = new DiskWatcher({
      folder: join(deps.dataDir, 'workspaces'),
      log: deps.log,
      onEvent: (workspaceId, path) => this.#diskChanged(workspaceId, path),
      onLost: () => this.#hintAll(),
      ...(deps.subscribe !== undefined && { subscribe: deps.subscribe }),
    })
  }

  async start(): Promise<void> {
    const workspaces = await readAllChangeSeqs(this.#deps.db.kysely)
    await this.#removeStrangers(new Set(workspaces.map(({ id }) => id)))
    await this.#watcher.start()
    this.#isLooking = true
    for (const { id, change_seq: seq } of workspaces) this.changed(id, seq)
    this.#hintAll()
  }

  changed(workspaceId: string, seq: number): void {
    if (!this.#isClosed) this.#workspace(workspaceId).flusher.wake(seq)
  }

  async waitFor(workspaceId: string, { seq: asked, timeoutMs, signal }: WaitOptions): Promise<{ applied: number; current: boolean }> {
    const { flusher } = this.#workspace(workspaceId)
    const seq = asked ?? (await readChangeSeq(this.#deps.db.kysely, workspaceId)) ?? 0
    await flusher.waitFor(seq, { timeoutMs, ...(signal !== undefined && { signal }) })
    return { applied: flusher.appliedSeq, current: flusher.appliedSeq >= seq }
  }

  folderOf(workspaceId: string): string {
    return join(this.#deps.dataDir, 'workspaces', workspaceId)
  }

  status(): readonly MirrorStatus[] {
    return [...this.#workspaces.values()].map(({ flusher }) => flusher.status())
  }

  async inspect(workspaceId: string, options: InspectOptions): Promise<MirrorInspection> {
    const { mirror, flusher } = this.#workspace(workspaceId)
    try {
      const inspection = await mirror.inspect(options)
      if (options.repair) flusher.recovered()
      return inspection
    } catch (cause) {
      if (cause instanceof AppError || !isDiskError(cause)) throw cause
      throw new AppError('unavailable', `The files of workspace ${workspaceId} on disk could not be ${options.repair ? 'repaired' : 'inspected'}: ${describeDiskError(cause)}.`, { cause })
    }
  }

  async forget(workspaceId: string): Promise<void> {
    const { mirror, flusher, looker } = this.#workspace(workspaceId)
    await looker.close()
    await flusher.close()
    this.#workspaces.delete(workspaceId)
    await mirror.remove()
    const { temporary, held, state } = this.#paths(workspaceId)
    for (const path of [temporary, held, state]) await rm(path, { recursive: true, force: true })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#watcher.close()
    await Promise.all([...this.#workspaces.values()].flatMap(({ flusher, looker }) => [looker.close(), flusher.close()]))
  }

  /** Folders of workspaces that do not exist any more: another node deleted them. */
  async #removeStrangers(known: ReadonlySet<string>): Promise<void> {
    for (const name of foldersIn(join(this.#deps.dataDir, 'workspaces'))) {
      if (known.has(name) || !UUID.test(name)) continue
      await this.forget(name)
      this.#deps.log.info({ workspaceId: name }, 'removed the copy on disk of a workspace that does not exist any more')
    }
  }

  #diskChanged(workspaceId: string, path: string): void {
    const known = this.#workspaces.get(workspaceId)
    if (known !== undefined && !known.mirror.isOwn(path)) known.looker.hint()
  }

  #hintAll(): void {
    for (const { looker } of this.#workspaces.values()) looker.hint()
  }

  #paths(workspaceId: string): WorkspaceMirrorPaths {
    const { dataDir } = this.#deps
    return {
      root: this.folderOf(workspaceId),
      lostAndFound: join(dataDir, 'lost+found', workspaceId),
      temporary: join(dataDir, 'mirror-tmp', workspaceId),
      held: join(dataDir, 'mirror-held', workspaceId),
      state: join(dataDir, 'mirror-state', `${workspaceId}.json`),
    }
  }

  #workspace(workspaceId: string): MirroredWorkspace {
    const known = this.#workspaces.get(workspaceId)
    if (known !== undefined) return known
    const { db, log, importer, times = LOOK_TIMES } = this.#deps
    const mirror = new WorkspaceMirror({ db, log, workspaceId, importer, paths: this.#paths(workspaceId), isCaseSensitive: () => this.#probeCase() })
    const flusher = new MirrorFlusher({ workspaceId, mirror, slots: this.#slots, log })
    const looker = new MirrorLooker({ workspaceId, mirror, slots: this.#lookSlots, log, times, isWatching: () => this.#watcher.isWatching, onImported: () => flusher.shown() })
    const made = { mirror, flusher, looker }
    this.#workspaces.set(workspaceId, made)
    if (this.#isLooking) looker.hint()
    return made
  }

  #probeCase(): boolean {
    this.#isCaseSensitive ??= isCaseSensitive(join(this.#deps.dataDir, 'mirror-tmp'))
    return this.#isCaseSensitive
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
