/** Brings what a script did into the workspace: all of it in one change set, or nothing when the workspace is no longer what the script saw. */
import { AppError } from '../../errors.ts'
import { findFiles, type FileRow } from '../../repositories/file-repository.ts'
import type { ChangeSet } from '../files/change-set.ts'
import { createFolder, moveFile, removeFile, writeFile } from '../files/file-tree.ts'
import { listAllBelow } from '../files/list-all-below.ts'
import type { ShellGuard, ShellOperation, ShellPlan, TreeFact } from './shell-protocol.ts'

export interface ShellChange {
  readonly kind: 'created' | 'updated' | 'moved' | 'deleted'
  readonly path: string
  /** Where it was before a move. */
  readonly from_path: string | null
  /** Of a file that was written. */
  readonly version: number | null
}

const LOOKUP = 5_000
const NAMED = 10

/** Throws `version_mismatch`, naming the files that are not what the script saw. */
export async function applyShellPlan(set: ChangeSet, { guards, operations }: Pick<ShellPlan, 'guards' | 'operations'>): Promise<readonly ShellChange[]> {
  if (operations.length === 0) return []
  await checkGuards(set, guards)
  const changes: ShellChange[] = []
  for (const operation of operations) {
    const change = await applyOperation(set, operation)
    if (change !== undefined) changes.push(change)
  }
  return changes
}

/** Undefined: only a step on the way, which nobody needs to be told. */
async function applyOperation(set: ChangeSet, operation: ShellOperation): Promise<ShellChange | undefined> {
  const { type } = operation
  switch (type) {
    case 'remove':
      await removeFile(set, { path: operation.path, recursive: true })
      return { kind: 'deleted', path: operation.origin, from_path: null, version: null }
    case 'move':
      await moveFile(set, operation)
      return operation.origin === null ? undefined : { kind: 'moved', path: operation.to, from_path: operation.origin, version: null }
    case 'folder':
      await createFolder(set, operation.path)
      return { kind: 'created', path: operation.path, from_path: null, version: null }
    case 'write': {
      const { version, created } = await writeFile(set, { path: operation.path, content: Buffer.from(operation.content) })
      return { kind: created ? 'created' : 'updated', path: operation.path, from_path: null, version: version.number }
    }
  }
}

async function checkGuards(set: ChangeSet, guards: readonly ShellGuard[]): Promise<void> {
  const rows = new Map<string, FileRow>()
  const paths = guards.map(({ path }) => path)
  for (let start = 0; start < paths.length; start += LOOKUP) for (const row of await findFiles(set.tx, set.workspaceId, paths.slice(start, start + LOOKUP))) rows.set(row.path, row)
  const changed: string[] = []
  for (const guard of guards) if (!(await holds(set, guard, rows.get(guard.path)))) changed.push(guard.path)
  if (changed.length === 0) return
  const named = [...new Set(changed)].map((path) => JSON.stringify(path))
  const more = named.length > NAMED ? ` and ${named.length - NAMED} more` : ''
  throw new AppError('version_mismatch', `While the script ran, somebody else changed ${named.slice(0, NAMED).join(', ')}${more}. Nothing that it wrote was kept. Run it again on what is there now.`)
}

async function holds(set: ChangeSet, guard: ShellGuard, row: FileRow | undefined): Promise<boolean> {
  switch (guard.type) {
    case 'file':
      return row?.latest?.hash.toString('hex') === guard.hash
    case 'folder':
      return row?.fileType === 'folder'
    case 'absent':
      return row === undefined
    case 'content':
      return sameContent(guard.below, await listAllBelow(set.tx, { workspaceId: set.workspaceId, path: guard.path }))
  }
}

function sameContent(seen: readonly TreeFact[], now: readonly FileRow[]): boolean {
  const hashes = new Map(seen.map(({ path, file }) => [path, file?.hash ?? null]))
  return now.length === hashes.size && now.every(({ path, latest }) => hashes.get(path) === (latest?.hash.toString('hex') ?? null))
}
