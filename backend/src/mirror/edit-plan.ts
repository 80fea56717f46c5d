/** What the differences between database and disk mean, when the disk is right: decided from one look, without changing anything. */
import type { Stats } from 'node:fs'
import type { TreeEntry } from '../repositories/file-repository.ts'
import { isSettled } from './disk-content.ts'
import { type FileMove, findMoves, isBelow, type MovedTree } from './edit-moves.ts'
import type { Comparison, TreeDifference } from './tree-comparison.ts'

export type PlannedEdit =
  | { readonly type: 'moved'; readonly from: string; readonly to: string }
  | { readonly type: 'deleted'; readonly path: string }
  | { readonly type: 'folder'; readonly path: string }
  | { readonly type: 'written'; readonly path: string; readonly found: Stats }

export interface EditPlan {
  /** In the order in which they can be carried out. */
  readonly edits: readonly PlannedEdit[]
  /** Something is still going on: look again soon. */
  readonly isUnsettled: boolean
  /** So much is gone at once that this is rather a lost disk than somebody's wish: the number of files, 0 otherwise. Its deletions are not in `edits`. */
  readonly disappeared: number
}

export interface EditPlanOptions {
  readonly tree: readonly TreeEntry[]
  readonly comparison: Comparison
  /** The hash of a file on disk; undefined when it cannot be read. */
  readonly hashOf: (path: string, stats: Stats) => Promise<Buffer | undefined>
}

/** More files than this, and more than half of all, are not deleted by one look. */
export const MOST_DELETED = 20

export async function planEdits({ tree, comparison, hashOf }: EditPlanOptions): Promise<EditPlan> {
  const { settled, isUnsettled } = settle(comparison)
  const gone = settled.flatMap(({ entry, kind }) => (entry !== null && (kind === 'missing' || kind === 'type') ? [entry] : []))
  const come = settled.flatMap(({ path, kind, found }) => (found !== null && (kind === 'extra' || kind === 'type') ? [{ path, found }] : []))
  const replaced = settled.filter(({ kind }) => kind === 'type').map(({ path }) => path)
  const isFree = ({ path }: { readonly path: string }): boolean => !replaced.some((other) => other === path || isBelow(path, other))
  const moves = await findMoves({ gone: gone.filter(isFree), come: come.filter(isFree), hashOf })
  const deleted = gone.filter(({ path }) => !moves.gone.has(path))
  const disappeared = lostFiles(tree, deleted)
  const written = settled.flatMap(({ path, kind, found }) => (kind === 'content' && found?.isFile() === true ? [{ path, found }] : []))
  return { edits: inOrder({ moves, deleted: disappeared > 0 ? [] : deleted, come: disappeared > 0 ? come.filter(isFree) : come, written }), isUnsettled, disappeared }
}

/** Leaves out what cannot be taken in, what lies below it, and what may still be changing. */
function settle({ differences, folders }: Comparison): { readonly settled: readonly TreeDifference[]; readonly isUnsettled: boolean } {
  const blocked = differences.filter(({ reason, kind }) => reason !== undefined && kind !== 'missing').map(({ path }) => path)
  const open = differences.filter(({ path, reason }) => reason === undefined && !blocked.some((other) => isBelow(path, other)))
  const extras = new Set(open.filter(({ kind }) => kind === 'extra').map(({ path }) => path))
  const settled = open.filter((difference) => isQuiet(difference, folders) && isQuietAbove(difference, { extras, folders }))
  return { settled, isUnsettled: settled.length < open.length }
}

function isQuiet({ path, found }: TreeDifference, folders: Comparison['folders']): boolean {
  // A folder changes with every name in it, so only files and the places of what is gone are asked.
  if (found !== null) return !found.isFile() || isSettled(found)
  for (let parent = parentOf(path); ; parent = parentOf(parent)) {
    const stats = folders.get(parent)
    if (stats !== undefined) return isSettled(stats)
    if (parent === '/') return false
  }
}

/** What came with a moved folder has old times itself. Where it came to must be quiet too, or the other half of the move may not have been seen yet. */
function isQuietAbove({ path, kind }: TreeDifference, { extras, folders }: { readonly extras: ReadonlySet<string>; readonly folders: Comparison['folders'] }): boolean {
  if (kind !== 'extra') return true
  let parent = parentOf(path)
  while (extras.has(parent)) parent = parentOf(parent)
  const stats = folders.get(parent)
  return stats === undefined || isSettled(stats)
}

function lostFiles(tree: readonly TreeEntry[], deleted: readonly TreeEntry[]): number {
  const files = tree.filter(({ isFolder }) => !isFolder).length
  const lost = deleted.filter(({ isFolder }) => !isFolder).length
  return lost > MOST_DELETED && lost * 2 > files ? lost : 0
}

interface Decided {
  readonly moves: MovedTree
  readonly deleted: readonly TreeEntry[]
  readonly come: readonly { readonly path: string; readonly found: Stats }[]
  readonly written: readonly { readonly path: string; readonly found: Stats }[]
}

/** Moves first: what is moved out of a folder must not be deleted with it. Then places become free, then folders, then content. */
function inOrder({ moves, deleted, come, written }: Decided): PlannedEdit[] {
  const removed = new Set(deleted.map(({ path }) => path))
  const topmost = deleted.filter(({ path }) => !removed.has(parentOf(path)))
  const files = [...come.filter(({ path, found }) => found.isFile() && !moves.come.has(path)), ...written]
  return [
    ...moves.list.map(({ from, to }: FileMove) => ({ type: 'moved' as const, from, to })),
    ...topmost.map(({ path }) => ({ type: 'deleted' as const, path })),
    ...come.filter(({ found }) => found.isDirectory()).map(({ path }) => ({ type: 'folder' as const, path })),
    ...files.map(({ path, found }) => ({ type: 'written' as const, path, found })),
  ]
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}
