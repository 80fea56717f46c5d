/** The way out of the trash: back into the tree, or gone for good. Runs inside a `ChangeSet`, like everything that changes a tree. */
import type { FileEntry, TrashEntry } from '@buildscale/protocol'
import type { DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { deleteForgottenBlobs } from '../../repositories/blob-repository.ts'
import { insertFolders } from '../../repositories/file-repository.ts'
import { listTrashedIds, listTrashRows, purgeRows, readRemoval, restoreRows, type TrashedRow } from '../../repositories/trash-repository.ts'
import type { ChangeSet, NewChange } from './change-set.ts'
import { fileEntry } from './file-entry.ts'
import { baseName, checkPathLengths } from './file-path.ts'
import { decodeCursor, encodeCursor } from './page-cursor.ts'
import { foldersCreated, placeInTree } from './place-in-tree.ts'

export interface TrashPage {
  readonly items: TrashEntry[]
  readonly nextCursor: string | null
}

/** What was removed, the latest first; a folder stands for what was removed with it. */
export async function listTrash(conn: DbConn, options: { readonly workspaceId: string; readonly limit: number; readonly cursor?: string }): Promise<TrashPage> {
  const { workspaceId, limit, cursor } = options
  const rows = await listTrashRows(conn, workspaceId, { limit: limit + 1, ...(cursor !== undefined && { after: trashCursor(cursor) }) })
  const items = rows.slice(0, limit)
  const last = rows.length > limit ? items.at(-1) : undefined
  return { items: items.map(trashEntry), nextCursor: last === undefined ? null : encodeCursor([String(last.deletedAtUs), last.id]) }
}

function trashEntry(row: TrashedRow): TrashEntry {
  return { ...fileEntry(row), deleted_at: new Date(row.deletedAtUs / 1000).toISOString() }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function trashCursor(cursor: string): { readonly deletedAtUs: number; readonly id: string } {
  const [time, id = ''] = decodeCursor(cursor, 2)
  const deletedAtUs = Number(time)
  if (Number.isSafeInteger(deletedAtUs) && UUID.test(id)) return { deletedAtUs, id }
  throw new AppError('invalid_request', 'cursor: not a cursor of this list. Leave it out to start from the beginning.')
}

export interface RestoreOptions {
  readonly fileId: string
  /** Default: where it was. */
  readonly to?: string
}

/**
 * Puts a file back, or a folder with all that was removed together with it: same ids, same versions. Folders above that are gone are made anew.
 * Throws `not_found` for what is not in the trash; `conflict` when its place is taken or below a file.
 */
export async function restoreFromTrash(set: ChangeSet, { fileId, to: asked }: RestoreOptions): Promise<{ readonly file: FileEntry }> {
  const removal = await readRemoval(set.tx, { workspaceId: set.workspaceId, fileId })
  const [root] = removal
  if (root === undefined) throw notInTrash()
  const to = asked ?? root.path
  const place = await placeInTree(set, to)
  if (place.existing !== undefined) throw new AppError('conflict', `"${to}" exists: move it away first, or restore to another path with "to".`)
  const restored = removal.map((row) => fileRestored(row, `${to}${row.path.slice(root.path.length)}`))
  checkPathLengths(restored.map(({ toPath }) => toPath))
  if (place.missing.length > 0) await insertFolders(set.tx, set.workspaceId, place.missing)
  const { parentId } = place
  const moved = { id: root.id, from: root.path, to, parentId, name: baseName(to) }
  await restoreRows(set.tx, set.workspaceId, { ids: removal.map(({ id }) => id), root: moved })
  set.recordAll([...foldersCreated(place.missing), ...restored])
  return { file: fileEntry({ ...root, path: to, name: baseName(to), parentId, updatedAt: new Date() }) }
}

function fileRestored(row: TrashedRow, toPath: string): NewChange & { readonly toPath: string } {
  return { kind: 'restored', fileId: row.id, fileType: row.fileType, fromPath: null, toPath, version: row.latest, previousVersionId: row.latest?.id ?? null }
}

/** Removes a file, or a folder with all that was removed together with it, for good: rows, versions, and every byte that nothing else names. Throws `not_found`. */
export async function purgeFromTrash(set: ChangeSet, fileId: string): Promise<{ readonly purged: number }> {
  const removal = await readRemoval(set.tx, { workspaceId: set.workspaceId, fileId })
  if (removal.length === 0) throw notInTrash()
  return purge(set, removal.map(({ id }) => id))
}

/** Removes at most `limit` files of the trash for good; call it in a change set of its own until it answers 0. */
export async function purgeSome(set: ChangeSet, limit: number): Promise<{ readonly purged: number }> {
  const ids = await listTrashedIds(set.tx, set.workspaceId, limit)
  return ids.length === 0 ? { purged: 0 } : purge(set, ids)
}

async function purge(set: ChangeSet, ids: readonly string[]): Promise<{ readonly purged: number }> {
  const { purged, hashes } = await purgeRows(set.tx, set.workspaceId, ids)
  set.recordAll(purged.map(({ id, path, fileType }) => ({ kind: 'purged', fileId: id, fileType, fromPath: path, toPath: null, version: null, previousVersionId: null })))
  set.count(-(await deleteForgottenBlobs(set.tx, set.workspaceId, hashes)))
  return { purged: purged.length }
}

function notInTrash(): AppError {
  return new AppError('not_found', 'There is no such file in the trash. List the trash to see what is there.')
}
