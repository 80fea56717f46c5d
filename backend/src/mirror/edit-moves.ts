import type { Stats } from 'node:fs'
import type { TreeEntry } from '../repositories/file-repository.ts'

export interface FileMove {
  readonly from: string
  readonly to: string
}

export interface MovedTree {
  /** Whole folders before single files. */
  readonly list: readonly FileMove[]
  /** Everything that is gone from its place because it was moved, and everything that came to a place because of it. */
  readonly gone: ReadonlySet<string>
  readonly come: ReadonlySet<string>
}

export interface MoveSearch {
  /** What the database has and the disk does not, parents before children. */
  readonly gone: readonly TreeEntry[]
  readonly come: readonly { readonly path: string; readonly found: Stats }[]
  readonly hashOf: (path: string, stats: Stats) => Promise<Buffer | undefined>
}

/** Pairs files that are gone with new ones of the same bytes, and folders whose whole content went the same way. */
export async function findMoves({ gone, come, hashOf }: MoveSearch): Promise<MovedTree> {
  const pairs = await pairFiles({ gone, come, hashOf })
  const folders = movedFolders({ gone, come, hashOf }, pairs)
  const insideFolder = (path: string): boolean => folders.some(({ from }) => isBelow(path, from))
  const files = [...pairs].filter(([from]) => !insideFolder(from)).map(([from, to]) => ({ from, to }))
  const goneFolders = gone.filter(({ path, isFolder }) => isFolder && folders.some(({ from }) => from === path || isBelow(path, from))).map(({ path }) => path)
  return { list: [...folders, ...files], gone: new Set([...pairs.keys(), ...goneFolders]), come: new Set(pairs.values()) }
}

/** By old path. Empty files are too alike to be told apart by their bytes. */
async function pairFiles({ gone, come, hashOf }: MoveSearch): Promise<Map<string, string>> {
  const bySize = Map.groupBy(gone.filter(({ size }) => size !== null && size > 0), ({ size }) => size)
  const taken = new Set<string>()
  const pairs = new Map<string, string>()
  for (const { path, found } of come) {
    const candidates = found.isFile() ? (bySize.get(found.size) ?? []).filter((entry) => !taken.has(entry.path)) : []
    if (candidates.length === 0) continue
    const hash = await hashOf(path, found)
    const same = candidates.filter((entry) => hash !== undefined && entry.hash?.equals(hash) === true)
    const source = same.find((entry) => nameOf(entry.path) === nameOf(path)) ?? same[0]
    if (source === undefined) continue
    taken.add(source.path)
    pairs.set(source.path, path)
  }
  return pairs
}

/** The topmost folders of which every file went to the same place below one new folder. */
function movedFolders({ gone, come }: MoveSearch, pairs: ReadonlyMap<string, string>): FileMove[] {
  const newFolders = new Set(come.filter(({ found }) => found.isDirectory()).map(({ path }) => path))
  const filesBelow = filesByFolder(gone)
  const moves: FileMove[] = []
  for (const { path, isFolder } of gone) {
    if (!isFolder || moves.some(({ from }) => isBelow(path, from))) continue
    const files = filesBelow.get(path) ?? []
    const [first] = files
    const target = first === undefined ? undefined : folderOfMove(path, first.path, pairs.get(first.path))
    if (target === undefined || !newFolders.has(target) || moves.some(({ to }) => to === target || isBelow(target, to))) continue
    if (files.every((file) => pairs.get(file.path) === `${target}${file.path.slice(path.length)}`)) moves.push({ from: path, to: target })
  }
  return moves
}

function filesByFolder(entries: readonly TreeEntry[]): ReadonlyMap<string, readonly TreeEntry[]> {
  const files = new Map<string, TreeEntry[]>(entries.filter(({ isFolder }) => isFolder).map(({ path }) => [path, []]))
  for (const entry of entries) {
    if (entry.isFolder) continue
    for (let end = entry.path.lastIndexOf('/'); end > 0; end = entry.path.lastIndexOf('/', end - 1)) files.get(entry.path.slice(0, end))?.push(entry)
  }
  return files
}

/** Where `folder` is now when its file `from` is at `to` and the path inside stayed the same. */
function folderOfMove(folder: string, from: string, to: string | undefined): string | undefined {
  const inside = from.slice(folder.length)
  return to?.endsWith(inside) === true && to.length > inside.length ? to.slice(0, -inside.length) : undefined
}

export function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`)
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
