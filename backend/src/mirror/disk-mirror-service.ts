import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Semaphore } from 'async-mutex'
import type { Db } from '../db/db.ts'
import type { DbLog } from '../db/db-log.ts'
import { AppError } from '../errors.ts'
import { readAllChangeSeqs, readChangeSeq } from '../repositories/change-repository.ts'
import { describeDiskError, isDiskError, MirrorFlusher } from './mirror-flusher.ts'
import type { InspectOptions, MirrorInspection, MirrorService, MirrorStatus, WaitOptions } from './mirror-service.ts'
import { WorkspaceMirror, type WorkspaceMirrorPaths } from './workspace-mirror.ts'

/** Workspaces that are written at the same time. */
const SLOTS = 4

export interface DiskMirrorServiceDeps {
  readonly db: Db
  /** Absolute. `workspaces`, `mirror-state`, `mirror-tmp` and `lost+found` in it are ours and must be on one file system. */
  readonly dataDir: string
  readonly log: DbLog
}

interface MirroredWorkspace {
  readonly mirror: WorkspaceMirror
  readonly flusher: MirrorFlusher
}

/** Mirrors on the local disk. One per data directory: its lock keeps other processes out. */
export class DiskMirrorService implements MirrorService {
  readonly #deps: DiskMirrorServiceDeps
  readonly #slots = new Semaphore(SLOTS)
  readonly #workspaces = new Map<string, MirroredWorkspace>()

  constructor(deps: DiskMirrorServiceDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    const workspaces = await readAllChangeSeqs(this.#deps.db.kysely)
    for (const { id, change_seq: seq } of workspaces) if (seq > 0) this.changed(id, seq)
  }

  changed(workspaceId: string, seq: number): void {
    this.#workspace(workspaceId).flusher.wake(seq)
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
    await this.#workspaces.get(workspaceId)?.flusher.close()
    this.#workspaces.delete(workspaceId)
    const { root, temporary, state } = this.#paths(workspaceId)
    for (const path of [root, temporary, state]) await rm(path, { recursive: true, force: true })
  }

  async close(): Promise<void> {
    await Promise.all([...this.#workspaces.values()].map(({ flusher }) => flusher.close()))
  }

  #paths(workspaceId: string): WorkspaceMirrorPaths {
    const { dataDir } = this.#deps
    return {
      root: this.folderOf(workspaceId),
      lostAndFound: join(dataDir, 'lost+found', workspaceId),
      temporary: join(dataDir, 'mirror-tmp', workspaceId),
      state: join(dataDir, 'mirror-state', `${workspaceId}.json`),
    }
  }

  #workspace(workspaceId: string): MirroredWorkspace {
    const known = this.#workspaces.get(workspaceId)
    if (known !== undefined) return known
    const { db, log } = this.#deps
    const mirror = new WorkspaceMirror({ db, log, workspaceId, paths: this.#paths(workspaceId) })
    const made = { mirror, flusher: new MirrorFlusher({ workspaceId, mirror, slots: this.#slots, log }) }
    this.#workspaces.set(workspaceId, made)
    return made
  }
}
