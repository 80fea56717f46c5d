import { constants, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import type { DbConn } from '../db/db.ts'
import type { AppliedChange, VersionContent } from '../repositories/change-repository.ts'
import { isKnownContent } from '../repositories/file-version-repository.ts'
import { hashOfFile, looksLike } from './disk-content.ts'
import type { MirrorFolder } from './mirror-folder.ts'
import { type KnownFiles, signatureOf } from './known-files.ts'
import { isMissing } from './mirror-state.ts'
import type { TemporaryFiles } from './temporary-files.ts'

export interface ChangeApplierDeps {
  readonly conn: DbConn
  readonly workspaceId: string
  readonly folder: MirrorFolder
  readonly temporary: TemporaryFiles
  readonly known: KnownFiles
}

/** Brings journal rows to disk. Bytes that no version of this workspace has are kept, to become a version: never overwritten and never removed. */
export class ChangeApplier {
  readonly #deps: ChangeApplierDeps
  #hasMetTwin = false

  constructor(deps: ChangeApplierDeps) {
    this.#deps = deps
  }

  /** Applies changes, given in seq order, and flushes them to the device. */
  async applyAll(changes: readonly AppliedChange[]): Promise<void> {
    const { temporary, folder } = this.#deps
    const written = changes.filter(bringsContent)
    const paths = await temporary.write(written.map(({ version }) => version))
    const prepared = new Map(written.map(({ seq }, index) => [seq, paths[index] ?? '']))
    try {
      for (const change of contentBeforeFolder(changes)) {
        const isPlaced = await this.#apply(change, prepared.get(change.seq))
        if (isPlaced) prepared.delete(change.seq)
      }
    } finally {
      await temporary.remove([...prepared.values()])
    }
    await syncDirectories(folder.takeChanged())
  }

  /** Puts a version in its place, unless another spelling of its path is there; what stands there now is kept unless it is a version that we have. */
  async placeVersion({ path, prepared, fileId }: { readonly path: string; readonly prepared: string; readonly fileId: string }): Promise<void> {
    if (this.#isHidden(path)) return
    // Not by size and time: a file that was found to differ although they are right is not what they say.
    await this.clearWay(path, { ours: [], fileId })
    this.#deps.folder.place(prepared, path)
  }

  /** Takes what is at a path away unless it is one of `ours`, or bytes that the database has anyway: a file to become a version, anything else aside. */
  async clearWay(path: string, { ours, fileId }: { readonly ours: readonly (VersionContent | null)[]; readonly fileId: string | null }): Promise<void> {
    const { folder } = this.#deps
    for (;;) {
      const stats = folder.stat(path)
      if (stats === undefined) return
      if (!stats.isFile()) return folder.setAside(path)
      if (!(await this.#isStored(path, { stats, ours }))) return folder.hold(path, fileId)
      // Nothing may come between this look and what the caller does now: whoever wrote during the question has the last word.
      const now = folder.stat(path)
      if (now !== undefined && signatureOf(now) === signatureOf(stats)) return
    }
  }

  /** True when nothing would be lost if the file were overwritten. */
  async #isStored(path: string, { stats, ours }: { readonly stats: Stats; readonly ours: readonly (VersionContent | null)[] }): Promise<boolean> {
    const { conn, workspaceId } = this.#deps
    if (ours.some((version) => version !== null && looksLike(stats, version))) return true
    return isKnownContent(conn, workspaceId, { hash: await this.#hashAt(path, stats) })
  }

  /** True, once, when something could not be brought to disk because the file system takes its path for another one. */
  takeMetTwin(): boolean {
    const met = this.#hasMetTwin
    this.#hasMetTwin = false
    return met
  }

  /** On a file system that ignores case, what is spelled another way must not be touched in its place. */
  #isHidden(path: string, except?: string): boolean {
    const twin = this.#deps.folder.twinOf(path)
    if (twin === undefined || twin === except) return false
    this.#hasMetTwin = true
    return true
  }

  async #hashAt(path: string, stats: Stats): Promise<Buffer> {
    const { known, folder } = this.#deps
    const hash = known.hashOf(path, stats) ?? (await hashOfFile(folder.absolute(path)))
    known.remember(path, stats, hash)
    return hash
  }

  /** True when the path holds these bytes, whoever wrote them: another program that has the file open must not lose it. */
  async #holds(path: string, version: VersionContent): Promise<boolean> {
    const stats = this.#deps.folder.stat(path)
    if (stats?.isFile() !== true || stats.size !== version.size) return false
    return looksLike(stats, version) || (await this.#hashAt(path, stats)).equals(version.hash)
  }

  /** Answers whether the prepared file was used. */
  async #apply(change: AppliedChange, prepared: string | undefined): Promise<boolean> {
    const { folder } = this.#deps
    const { kind, fromPath, toPath, fileType } = change
    switch (kind) {
      case 'created':
      case 'updated':
      case 'restored':
        if (fileType !== 'folder') return this.#write(change, prepared)
        if (toPath !== null && !this.#isHidden(toPath)) folder.ensureFolder(toPath)
        return false
      case 'moved':
        if (fromPath !== null && toPath !== null) await (fileType === 'folder' ? this.#moveFolder(fromPath, toPath) : this.#moveFile(change, fromPath, toPath))
        return false
      case 'deleted':
        if (fromPath !== null) await (fileType === 'folder' ? this.#deleteFolder(fromPath) : this.#deleteFile(fromPath, change))
        return false
      case 'purged':
        return false // it was in the trash, which is not on disk
    }
  }

  async #write({ toPath, version, previous, seq, fileId }: AppliedChange, prepared: string | undefined): Promise<boolean> {
    const { folder } = this.#deps
    // Its version was purged since: later in the journal the file goes to the trash.
    if (toPath !== null && version === null) return false
    if (toPath === null || version === null || prepared === undefined) throw new Error(`change ${seq} of the journal names no path or no version`)
    if (this.#isHidden(toPath) || (await this.#holds(toPath, version))) return false
    await this.clearWay(toPath, { ours: [previous], fileId })
    folder.place(prepared, toPath)
    return true
  }

  async #moveFile(change: AppliedChange, from: string, to: string): Promise<void> {
    const { folder, temporary } = this.#deps
    const { version } = change
    if (version === null) return this.#deleteFile(from, { ...change, previous: null }) // purged since
    if (this.#isHidden(from) || this.#isHidden(to, from)) return
    const source = folder.stat(from)
    // Moved along with its folder already, or by whoever moved it on disk.
    if (source === undefined && (await this.#holds(to, version))) return
    if (folder.twinOf(to) !== from) await this.clearWay(to, { ours: [version], fileId: null })
    if (source !== undefined && looksLike(source, version)) return folder.move(from, to)
    // Another program changed or removed the file before it was moved: its bytes are kept, ours go to the new place.
    await this.#deleteFile(from, { ...change, previous: version })
    const paths = await temporary.write([version])
    try {
      for (const path of paths) folder.place(path, to)
    } finally {
      await temporary.remove(paths)
    }
  }

  #moveFolder(from: string, to: string): void {
    const { folder } = this.#deps
    if (this.#isHidden(from) || this.#isHidden(to, from)) return
    if (folder.stat(from)?.isDirectory() !== true) return folder.ensureFolder(to)
    if (folder.twinOf(to) !== from && folder.stat(to) !== undefined && !(folder.stat(to)?.isDirectory() === true && folder.removeFolder(to))) folder.setAside(to)
    folder.move(from, to)
  }

  async #deleteFile(path: string, { previous, fileId }: Pick<AppliedChange, 'previous' | 'fileId'>): Promise<void> {
    const { folder } = this.#deps
    if (this.#isHidden(path)) return
    await this.clearWay(path, { ours: [previous], fileId })
    if (folder.stat(path) !== undefined) folder.removeFile(path)
  }

  /** What others put into the folder keeps it: the next look takes it in. */
  #deleteFolder(path: string): void {
    const { folder } = this.#deps
    if (this.#isHidden(path)) return
    const stats = folder.stat(path)
    if (stats?.isDirectory() === true) folder.removeFolder(path)
    else if (stats !== undefined) folder.setAside(path)
  }
}

type ContentChange = AppliedChange & { readonly version: VersionContent }

function bringsContent(change: AppliedChange): change is ContentChange {
  return change.version !== null && change.kind !== 'moved' && change.fileType !== 'folder'
}

/** True when a change goes on with the removal that the one before it began: a folder's content after the folder. */
export function continuesRemoval(change: AppliedChange, before: AppliedChange | undefined): boolean {
  return change.kind === 'deleted' && before?.kind === 'deleted' && before.changeSetId === change.changeSetId
}

/** The journal names a removed folder before its content; on disk the content goes first. Only within one removal: the next one may be of a folder above. */
function contentBeforeFolder(changes: readonly AppliedChange[]): AppliedChange[] {
  const runs: AppliedChange[][] = []
  for (const [index, change] of changes.entries()) {
    if (continuesRemoval(change, changes[index - 1])) runs.at(-1)?.push(change)
    else runs.push([change])
  }
  return runs.flatMap((run) => run.reverse())
}

/** Makes renames and removals durable. Asynchronous, because a slow device must not hold up the server. */
export async function syncDirectories(directories: readonly string[]): Promise<void> {
  for (const directory of directories) {
    try {
      await using handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
      await handle.sync()
    } catch (error) {
      if (!isMissing(error)) throw error // one that is gone by now needs nothing
    }
  }
}
