import type { FileEntry } from '@buildscale/protocol'
import { uuidv7 } from 'uuidv7'
import { AppError } from '../../errors.ts'
import { type FileCopyRow, findFile, insertCopies, insertFolders } from '../../repositories/file-repository.ts'
import type { ChangeSet, NewChange } from './change-set.ts'
import { fileEntry } from './file-entry.ts'
import { baseName, checkPathLengths, isInside } from './file-path.ts'
import { listAllBelow } from './list-all-below.ts'
import { foldersCreated, placeInTree } from './place-in-tree.ts'

/**
 * Copies a file, or a folder with its content; `to` is the final path, whose parents are made. A copy is a new file: it begins at version 1 with the bytes
 * that the original has now, which are stored once. Throws `not_found`; `conflict` when `to` exists, is below a file, or is inside what is copied.
 */
export async function copyFile(set: ChangeSet, { from, to }: { readonly from: string; readonly to: string }): Promise<{ readonly file: FileEntry }> {
  if (from === '/') throw new AppError('conflict', '"/" is the workspace itself and cannot be copied into itself. Copy what is in it.')
  if (isInside(to, from)) throw new AppError('conflict', `"${from}" cannot be copied into itself ("${to}").`)
  const place = await placeInTree(set, to, [from])
  const file = place.others.get(from)
  if (file === undefined) throw new AppError('not_found', `There is no file or folder "${from}".`)
  if (place.existing !== undefined) throw new AppError('conflict', `"${to}" exists already.`)
  const originals = [file, ...(file.fileType === 'folder' ? await listAllBelow(set.tx, { workspaceId: set.workspaceId, path: from }) : [])]
  const ids = new Map(originals.map(({ id }) => [id, uuidv7()]))
  const copies = originals.map((row): FileCopyRow => {
    const path = `${to}${row.path.slice(from.length)}`
    const parentId = row === file ? place.parentId : (ids.get(row.parentId ?? '') ?? null)
    return { id: ids.get(row.id) ?? uuidv7(), parentId, name: baseName(path), path, fileType: row.fileType, version: row.latest === null ? null : { ...row.latest, id: uuidv7() } }
  })
  checkPathLengths(copies.map(({ path }) => path))
  if (place.missing.length > 0) await insertFolders(set.tx, set.workspaceId, place.missing)
  await insertCopies(set.tx, set, copies)
  set.recordAll([...foldersCreated(place.missing), ...copies.map(fileCopied)])
  const copy = await findFile(set.tx, { workspaceId: set.workspaceId, path: to })
  if (copy === undefined) throw new Error('a copy vanished while its workspace was locked')
  return { file: fileEntry(copy) }
}

function fileCopied({ id, path, fileType, version }: FileCopyRow): NewChange {
  return { kind: 'created', fileId: id, fileType, fromPath: null, toPath: path, version: version === null ? null : { id: version.id, number: 1 }, previousVersionId: null }
}
