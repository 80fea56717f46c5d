import type { FileEntry } from '@buildscale/protocol'
import { AppError } from '../../errors.ts'
import { type FileRow, insertFolders, rebaseFiles } from '../../repositories/file-repository.ts'
import type { ChangeSet, NewChange } from './change-set.ts'
import { fileEntry } from './file-entry.ts'
import { baseName, checkPathLengths, isInside } from './file-path.ts'
import { listAllBelow } from './list-all-below.ts'
import { foldersCreated, placeInTree } from './place-in-tree.ts'

/**
 * Moves or renames a file, or a folder with its content; `to` is the final path, whose parents are made. Moving something onto itself changes nothing.
 * Throws `not_found`; `conflict` when `to` exists, is below a file, or is inside what is moved; `invalid_request` when a path would become too long.
 */
export async function moveFile(set: ChangeSet, { from, to }: { readonly from: string; readonly to: string }): Promise<{ readonly file: FileEntry }> {
  if (from === '/') throw new AppError('conflict', '"/" is the workspace itself and cannot be moved.')
  if (isInside(to, from)) throw new AppError('conflict', `"${from}" cannot be moved into itself ("${to}").`)
  const place = await placeInTree(set, to, [from])
  const file = place.others.get(from)
  if (file === undefined) throw new AppError('not_found', `There is no file or folder "${from}".`)
  if (from === to) return { file: fileEntry(file) }
  if (place.existing !== undefined) throw new AppError('conflict', `"${to}" exists already.`)
  const content = file.fileType === 'folder' ? await listAllBelow(set.tx, { workspaceId: set.workspaceId, path: from }) : []
  const moved = [file, ...content].map((row) => fileMoved(row, `${to}${row.path.slice(from.length)}`))
  checkPathLengths(moved.map(({ toPath }) => toPath))
  if (place.missing.length > 0) await insertFolders(set.tx, set.workspaceId, place.missing)
  const { parentId } = place
  const updatedAt = await rebaseFiles(set.tx, set.workspaceId, { id: file.id, from, to, parentId, name: baseName(to) })
  set.recordAll([...foldersCreated(place.missing), ...moved])
  return { file: fileEntry({ ...file, path: to, name: baseName(to), parentId, updatedAt }) }
}

function fileMoved(row: FileRow, to: string): NewChange & { readonly toPath: string } {
  return { kind: 'moved', fileId: row.id, fileType: row.fileType, fromPath: row.path, toPath: to, version: row.latest, previousVersionId: row.latest?.id ?? null }
}
