import type { Stats } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { TreeEntry } from '../repositories/file-repository.ts'
import { hashOfFile, looksLike } from './disk-content.ts'
import type { MirrorFolder } from './mirror-folder.ts'
import type { MirrorDifference } from './mirror-service.ts'

/** A difference with what should be there; an extra has no entry. */
export interface TreeDifference extends MirrorDifference {
  readonly entry: TreeEntry | null
}

/**
 * Compares the tree of the database with the disk, in the order of paths. Of a folder that should not be there only the folder is named, not its content.
 * Without `deep`, a file of the right size and time is taken for right.
 */
export async function compareTree(folder: MirrorFolder, tree: readonly TreeEntry[], options: { readonly deep: boolean }): Promise<TreeDifference[]> {
  const expected = new Map(tree.map((entry) => [entry.path, entry]))
  const differences: TreeDifference[] = []
  const seen = new Set<string>()
  const folders = ['/']
  for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
    // Looking is synchronous: large trees must not hold up the server.
    await setImmediate()
    for (const name of folder.names(path)) {
      const child = path === '/' ? `/${name}` : `${path}/${name}`
      const entry = expected.get(child)
      seen.add(child)
      const stats = folder.stat(child)
      if (entry?.isFolder === true && stats?.isDirectory() === true) folders.push(child)
      const kind = entry === undefined ? 'extra' : await compareEntry({ entry, stats, absolute: folder.absolute(child) }, options.deep)
      if (kind !== undefined) differences.push({ path: child, kind, entry: entry ?? null })
    }
  }
  const missing = tree.filter((entry) => !seen.has(entry.path)).map((entry) => ({ path: entry.path, kind: 'missing' as const, entry }))
  return [...differences, ...missing].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
}

async function compareEntry(found: { readonly entry: TreeEntry; readonly stats: Stats | undefined; readonly absolute: string }, deep: boolean): Promise<MirrorDifference['kind'] | undefined> {
  const { entry, stats, absolute } = found
  if (stats === undefined) return 'missing'
  if (entry.isFolder) return stats.isDirectory() ? undefined : 'type'
  if (!stats.isFile()) return 'type'
  const { hash, size, createdAt } = entry
  if (hash === null || size === null || createdAt === null) throw new Error(`${entry.path} is a file without a version`)
  if (stats.size !== size) return 'content'
  if (!deep && looksLike(stats, { hash, size, createdAt })) return undefined
  return hash.equals(await hashOfFile(absolute)) ? undefined : 'content'
}
