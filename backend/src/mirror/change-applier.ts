import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { DbConn } from '../db/db.ts'
import type { AppliedChange, VersionContent } from '../repositories/change-repository.ts'
import { isKnownContent } from '../repositories/file-version-repository.ts'
import { hashOfFile, looksLike } from './disk-content.ts'
import type { MirrorFolder } from './mirror-folder.ts'
import { isMissing } from './mirror-state.ts'
import type { TemporaryFiles } from './temporary-files.ts'

export interface ChangeApplierDeps {
  readonly conn: DbConn
  readonly workspaceId: string
  readonly folder: MirrorFolder
  readonly temporary: TemporaryFiles
}

/** Brings journal rows to disk. Bytes that no version of this workspace has are set aside, never overwritten and never removed. */
export class ChangeApplier {
  readonly #deps: ChangeApplierDeps

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

  /** Puts a version in its place. `prepared` is its temporary file; what stands there now is kept unless it is a version that we have. */
  async placeVersion(path: string, version: VersionContent, prepared: string): Promise<void> {
    await this.clearWay(path, [version])
    this.#deps.folder.place(prepared, path)
  }

  /** Sets aside what is at a path unless it is one of `ours`, or bytes that the database has anyway. */
  async clearWay(path: string, ours: readonly (VersionContent | null)[]): Promise<void> {
    if (!(await this.isOurs(path, ours))) this.#deps.folder.setAside(path)
  }

  /** True when nothing would be lost if the path were overwritten: there is nothing, or a file whose bytes are stored. */
  async isOurs(path: string, ours: readonly (VersionContent | null)[]): Promise<boolean> {
    const { conn, workspaceId, folder } = this.#deps
    const stats = folder.stat(path)
    if (stats === undefined) return true
    if (!stats.isFile()) return false
    if (ours.some((version) => version !== null && looksLike(stats, version))) return true
    return isKnownContent(conn, workspaceId, { hash: await hashOfFile(folder.absolute(path)) })
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
        if (toPath !== null) folder.ensureFolder(toPath)
        return false
      case 'moved':
        if (fromPath !== null && toPath !== null) await (fileType === 'folder' ? this.#moveFolder(fromPath, toPath) : this.#moveFile(change, fromPath, toPath))
        return false
      case 'deleted':
        if (fromPath !== null) await (fileType === 'folder' ? this.#deleteFolder(fromPath) : this.#deleteFile(fromPath, change.previous))
        return false
      case 'purged':
        return false // it was in the trash, which is not on disk
    }
  }

  async #write({ toPath, version, previous, seq }: AppliedChange, prepared: string | undefined): Promise<boolean> {
    const { folder } = this.#deps
    // Its version was purged since: later in the journal the file goes to the trash.
    if (toPath !== null && version === null) return false
    if (toPath === null || version === null || prepared === undefined) throw new Error(`change ${seq} of the journal names no path or no version`)
    const stats = folder.stat(toPath)
    if (stats !== undefined && looksLike(stats, version)) return false
    await this.clearWay(toPath, [previous])
    folder.place(prepared, toPath)
    return true
  }

  async #moveFile({ version }: AppliedChange, from: string, to: string): Promise<void> {
    const { folder, temporary } = this.#deps
    if (version === null) return this.#deleteFile(from, null) // purged since
    const [source, target] = [folder.stat(from), folder.stat(to)]
    // Moved along with its folder already.
    if (source === undefined && target !== undefined && looksLike(target, version)) return
    await this.clearWay(to, [version])
    if (source !== undefined && looksLike(source, version)) return folder.move(from, to)
    // Another program changed or removed the file before it was moved: its bytes are kept, ours go to the new place.
    await this.#deleteFile(from, version)
    const paths = await temporary.write([version])
    try {
      for (const path of paths) folder.place(path, to)
    } finally {
      await temporary.remove(paths)
    }
  }

  #moveFolder(from: string, to: string): void {
    const { folder } = this.#deps
    if (folder.stat(from)?.isDirectory() !== true) return folder.ensureFolder(to)
    if (folder.stat(to) !== undefined) this.#deleteFolder(to)
    folder.move(from, to)
  }

  async #deleteFile(path: string, version: VersionContent | null): Promise<void> {
    const { folder } = this.#deps
    await this.clearWay(path, [version])
    if (folder.stat(path) !== undefined) folder.removeFile(path)
  }

  #deleteFolder(path: string): void {
    const { folder } = this.#deps
    const stats = folder.stat(path)
    if (stats === undefined) return
    if (!stats.isDirectory() || !folder.removeFolder(path)) folder.setAside(path)
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
