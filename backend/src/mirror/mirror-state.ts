/**
 * What the disk copy of a workspace is known to show: `<data dir>/mirror-state/<workspace id>.json`.
 * `target` is set while changes are applied that must not be applied twice (moves, removals): found at a start, it says that the last run was cut short
 * between the disk and this file, and that the tree has to be compared instead.
 */
import { open, readFile, rename } from 'node:fs/promises'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

export interface MirrorState {
  readonly appliedSeq: number
  readonly target: number | null
  /** Inode of the workspace's folder: another one there, such as the empty place of a disk that is not mounted, says nothing about its files. Null: not known. */
  readonly root: number | null
}

/** Undefined when there is none, or none that can be believed: the tree then has to be compared. */
export async function readMirrorState(path: string): Promise<MirrorState | undefined> {
  try {
    return parseState(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return undefined
    throw error
  }
}

/** Replaces the state; on disk when it resolves. */
export async function writeMirrorState(path: string, state: MirrorState): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.new`
  {
    await using file = await open(temporary, 'w', 0o600)
    await file.writeFile(`${JSON.stringify({ applied_seq: state.appliedSeq, target: state.target, root: state.root })}\n`)
    await file.datasync()
  }
  await rename(temporary, path)
}

function parseState(value: unknown): MirrorState | undefined {
  if (typeof value !== 'object' || value === null || !('applied_seq' in value) || !('target' in value)) return undefined
  const { applied_seq: appliedSeq, target } = value
  if (!isSeq(appliedSeq) || !(target === null || isSeq(target))) return undefined
  return { appliedSeq, target, root: 'root' in value && isSeq(value.root) ? value.root : null }
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
