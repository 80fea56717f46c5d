import type { VersionContent } from '../repositories/change-repository.ts'
import type { TreeEntry } from '../repositories/file-repository.ts'
import { isKnownContent } from '../repositories/file-version-repository.ts'
import { boundedGroups } from './bounded-groups.ts'
import { type ChangeApplier, type ChangeApplierDeps, syncDirectories } from './change-applier.ts'
import { carriesMark, hashOfFile } from './disk-content.ts'
import type { TreeDifference } from './tree-comparison.ts'

/** Files written out before they are put in place, so that a rebuild needs little room beside the mirror. */
const GROUP = { files: 256, bytes: 64 * 1024 * 1024, sizeOf: ({ version }: PlacedContent) => version.size }

export interface RepairOptions {
  /** False: what other programs put beside our files stays, only leftovers of ours go. True: it is set aside. */
  readonly clearForeign: boolean
}

/** Makes the disk what the database says. Bytes that no version has are set aside, never lost. */
export class TreeRepair {
  readonly #deps: ChangeApplierDeps & { readonly applier: ChangeApplier }

  constructor(deps: ChangeApplierDeps & { readonly applier: ChangeApplier }) {
    this.#deps = deps
  }

  async repair(differences: readonly TreeDifference[], { clearForeign }: RepairOptions): Promise<void> {
    const { folder } = this.#deps
    for (const { path, kind, raw } of differences) {
      if (kind === 'extra') await this.#removeExtra(path, { clearForeign, raw })
      if (kind === 'type' && folder.stat(path) !== undefined) folder.setAside(path)
    }
    folder.ensureFolder('/')
    const entries = differences.flatMap(({ entry }) => entry ?? [])
    for (const { path, isFolder } of entries) if (isFolder && folder.twinOf(path) === undefined) folder.ensureFolder(path)
    for (const group of boundedGroups(entries.flatMap(contentOf), GROUP)) await this.#place(group)
    await syncDirectories(folder.takeChanged())
  }

  /** Removes every file whose bytes the database has, and sets aside what is left. */
  async clear(): Promise<void> {
    const { folder } = this.#deps
    for (const name of folder.names('/')) await this.#removeStored(`/${name}`)
    const left = folder.look(folder.root)
    if (left !== undefined && !(left.isDirectory() && folder.removeFolder('/'))) folder.setAside('/')
  }

  async #removeStored(path: string): Promise<void> {
    const { folder, conn, workspaceId } = this.#deps
    const stats = folder.stat(path)
    if (stats?.isDirectory() === true) {
      for (const name of folder.names(path)) await this.#removeStored(`${path}/${name}`)
      folder.removeFolder(path)
    }
    if (stats?.isFile() !== true) return
    const hash = await hashOfFile(folder.absolute(path))
    if (carriesMark(stats, hash) || (await isKnownContent(conn, workspaceId, { hash }))) folder.removeFile(path)
  }

  async #place(group: readonly PlacedContent[]): Promise<void> {
    const { temporary, applier } = this.#deps
    const paths = await temporary.write(group.map(({ version }) => version))
    try {
      for (const [index, { path, fileId }] of group.entries()) {
        const prepared = paths[index]
        if (prepared !== undefined) await applier.placeVersion({ path, prepared, fileId })
      }
    } finally {
      await temporary.remove(paths)
    }
  }

  async #removeExtra(path: string, { clearForeign, raw }: { readonly clearForeign: boolean; readonly raw: Buffer | null }): Promise<void> {
    const { folder } = this.#deps
    if (raw === null) await this.#removeLeftovers(path)
    if (clearForeign && folder.look(raw ?? folder.absolute(path)) !== undefined) folder.setAside(path, raw)
  }

  /** Removes files that are exactly what the mirror once wrote, bytes and time, and folders that are empty then: a removal or move that was cut short. */
  async #removeLeftovers(path: string): Promise<void> {
    const { folder, conn, workspaceId } = this.#deps
    const stats = folder.stat(path)
    if (stats?.isDirectory() === true) {
      for (const name of folder.names(path)) await this.#removeLeftovers(`${path}/${name}`)
      folder.removeFolder(path)
    }
    if (stats?.isFile() !== true) return
    const hash = await hashOfFile(folder.absolute(path))
    if (await isKnownContent(conn, workspaceId, { hash, madeAtMs: Math.round(stats.mtimeMs) })) folder.removeFile(path)
  }
}

interface PlacedContent {
  readonly path: string
  readonly fileId: string
  readonly version: VersionContent
}

function contentOf({ path, id, hash, size, createdAt }: TreeEntry): PlacedContent[] {
  return hash === null || size === null || createdAt === null ? [] : [{ path, fileId: id, version: { hash, size, createdAt } }]
}
