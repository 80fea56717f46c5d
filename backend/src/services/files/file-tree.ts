/**
 * Every way in which the tree of a workspace changes. Each runs inside a `ChangeSet`, which holds the workspace's lock: what is checked here stays true
 * until the commit. SQL only; paths have been through `parsePath`.
 */
import type { FileEntry, FileType, FileVersion } from '@buildscale/protocol'
import { uuidv7 } from 'uuidv7'
import { AppError } from '../../errors.ts'
import { type FileRow, findFile, insertFolders, storeWrite, touchRow, trashFiles } from '../../repositories/file-repository.ts'
import { findVersion, type NewVersionRow, type VersionRow } from '../../repositories/file-version-repository.ts'
import type { ChangeSet, NewChange } from './change-set.ts'
import { type Content, contentHash, contentSize, contentStart, isLarge } from './content.ts'
import { fileEntry, versionEntry } from './file-entry.ts'
import { baseName } from './file-path.ts'
import { listAllBelow } from './list-all-below.ts'
import { mimeType, SNIFF_BYTES } from './mime-type.ts'
import { newFileType } from './new-file-type.ts'
import { fileInTheWay, folderInTheWay, foldersCreated, placeInTree, type TreePlace } from './place-in-tree.ts'
import { storeLargeContent } from './store-content.ts'
import type { WrittenFile } from './write-files.ts'

// These have files of their own for their length; this stays the one door for changes of the tree.
export { copyFile } from './copy-file.ts'
export { moveFile } from './move-file.ts'
export { purgeFromTrash, purgeSome, restoreFromTrash } from './trash.ts'
export { type WrittenFile, writeFiles } from './write-files.ts'

export interface WriteFileOptions {
  readonly path: string
  readonly content: Content
  /** Default: the file's own; of a new one, by its path. */
  readonly fileType?: Exclude<FileType, 'folder'>
  /** Default: by name and bytes. */
  readonly mime?: string
  /** SHA-256 in hex of the version that the caller has seen; otherwise `version_mismatch`. */
  readonly ifHash?: string
  /** The file must be new; otherwise `version_mismatch`. */
  readonly mustNotExist?: boolean
  /** Given what is at the path already, before anything else is said about it; throws to refuse. Default: a file may be overwritten. */
  readonly checkExisting?: (existing: FileEntry) => void
}

/** Stores bytes as a file's new version, with the folders above it. Throws `conflict` on a folder or below a file. */
export async function writeFile(set: ChangeSet, options: WriteFileOptions): Promise<WrittenFile> {
  const place = await placeInTree(set, options.path)
  checkWrite(place, options)
  const { content } = options
  const hash = contentHash(content)
  const latest = place.existing?.latest
  if (place.existing !== undefined && latest?.hash.equals(hash) === true) {
    return { file: fileEntry(place.existing), version: versionEntry(latest), created: false, unchanged: true }
  }
  const mime = options.mime ?? mimeType(baseName(options.path), await contentStart(content, SNIFF_BYTES))
  if (isLarge(content)) await storeLargeContent(set.tx, set.workspaceId, content)
  const inlineContent = Buffer.isBuffer(content) && !isLarge(content) ? content : null
  if (inlineContent === null && !isLarge(content)) throw new Error('small bytes are kept in memory, not spooled')
  return storeVersion(set, place, { hash, size: contentSize(content), mime, inlineContent, fileType: options.fileType })
}

function checkWrite({ existing, path }: TreePlace, { ifHash, mustNotExist, checkExisting }: WriteFileOptions): void {
  if (existing !== undefined) checkExisting?.(fileEntry(existing))
  if (existing?.fileType === 'folder') throw folderInTheWay(path)
  checkHash(path, existing, ifHash)
  if (existing !== undefined && mustNotExist === true) throw new AppError('version_mismatch', `"${path}" exists already.`)
}

/** A caller that names the version it has seen must not change another one. */
function checkHash(path: string, existing: FileRow | undefined, ifHash: string | undefined): void {
  if (ifHash === undefined) return
  const hash = existing?.latest?.hash.toString('hex')
  if (hash === ifHash.toLowerCase()) return
  const message = hash === undefined ? `"${path}" does not exist any more.` : `"${path}" has changed since it was read: its hash is now ${hash}. Read it again before changing it.`
  throw new AppError('version_mismatch', message, { details: { hash: hash ?? null } })
}

interface NewContent {
  readonly hash: Buffer
  readonly size: number
  readonly mime: string
  /** Null: stored already. */
  readonly inlineContent: Buffer | null
  readonly fileType: Exclude<FileType, 'folder'> | undefined
}

async function storeVersion(set: ChangeSet, place: TreePlace, content: NewContent): Promise<WrittenFile> {
  const { existing, path, parentId, missing } = place
  const { hash, size, mime, inlineContent } = content
  const previous = existing?.latest ?? null
  const version: NewVersionRow = { id: uuidv7(), number: (previous?.number ?? 0) + 1, hash, size, mime, author: set.author }
  const fileType = content.fileType ?? existing?.fileType ?? newFileType(path)
  const file = { id: existing?.id ?? uuidv7(), isNew: existing === undefined, parentId, name: baseName(path), path, fileType }
  const { at, addedBytes } = await storeWrite(set.tx, { workspaceId: set.workspaceId, folders: missing, file, version, inlineContent })
  set.count(addedBytes)
  const kind = file.isNew ? 'created' : 'updated'
  set.recordAll([...foldersCreated(missing), { kind, fileId: file.id, fileType, fromPath: null, toPath: path, version, previousVersionId: previous?.id ?? null }])
  const latest: VersionRow = { ...version, createdAt: at }
  return { file: fileEntry({ ...file, updatedAt: at, latest }), version: versionEntry(latest), created: file.isNew, unchanged: false }
}

/** Makes a folder with the folders above it; an existing one is fine. Throws `conflict` when a file is there. */
export async function createFolder(set: ChangeSet, path: string): Promise<{ readonly file: FileEntry; readonly created: boolean }> {
  const { existing, missing, parentId } = await placeInTree(set, path)
  if (existing !== undefined && existing.fileType !== 'folder') throw fileInTheWay(path)
  if (existing !== undefined) return { file: fileEntry(existing), created: false }
  const folder = { id: uuidv7(), parentId, name: baseName(path), path }
  const updatedAt = await insertFolders(set.tx, set.workspaceId, [...missing, folder])
  set.recordAll(foldersCreated([...missing, folder]))
  return { file: fileEntry({ ...folder, fileType: 'folder', updatedAt, latest: null }), created: true }
}

export interface RemoveFileOptions {
  readonly path: string
  /** False: a folder with content is a `conflict`. */
  readonly recursive: boolean
  /** As for a write. */
  readonly ifHash?: string
}

/** Moves a file, or a folder with its content, to the trash. `removed` counts files and folders. Throws `not_found`, `conflict`, `version_mismatch`. */
export async function removeFile(set: ChangeSet, options: RemoveFileOptions): Promise<{ readonly file: FileEntry; readonly removed: number }> {
  const file = await requireFile(set, options.path)
  checkHash(options.path, file, options.ifHash)
  const content = file.fileType === 'folder' ? await listAllBelow(set.tx, { workspaceId: set.workspaceId, path: file.path }) : []
  if (content.length > 0 && !options.recursive) throw new AppError('conflict', `The folder "${file.path}" is not empty.`)
  const gone = [file, ...content]
  await trashFiles(set.tx, set.workspaceId, gone.map(({ id }) => id))
  set.recordAll(gone.map(fileDeleted))
  return { file: fileEntry(file), removed: gone.length }
}

function fileDeleted(row: FileRow): NewChange {
  return { kind: 'deleted', fileId: row.id, fileType: row.fileType, fromPath: row.path, toPath: null, version: null, previousVersionId: row.latest?.id ?? null }
}

/** Makes an empty file, or marks an existing one as changed now, which is no version and no change. Throws `conflict` below a file. */
export async function touchFile(set: ChangeSet, path: string): Promise<{ readonly file: FileEntry; readonly created: boolean }> {
  const place = await placeInTree(set, path)
  const { existing } = place
  if (existing === undefined) return writeFile(set, { path, content: Buffer.alloc(0) })
  const updatedAt = await touchRow(set.tx, set.workspaceId, existing.id)
  return { file: fileEntry({ ...existing, updatedAt }), created: false }
}

/** A new version with the bytes of an old one; none when these are the latest bytes anyway. Throws `not_found`, and `conflict` on a folder. */
export async function restoreVersion(set: ChangeSet, { path, version }: { readonly path: string; readonly version: number }): Promise<{ readonly file: FileEntry; readonly version: FileVersion }> {
  const existing = await requireFile(set, path)
  if (existing.fileType === 'folder') throw new AppError('conflict', `"${path}" is a folder: only files have versions.`)
  const old = await findVersion(set.tx, { workspaceId: set.workspaceId, fileId: existing.id }, version)
  if (old === undefined) throw new AppError('not_found', `"${path}" has no version ${version}; its newest one is ${existing.latest?.number ?? 0}.`)
  if (existing.latest?.hash.equals(old.hash) === true) return { file: fileEntry(existing), version: versionEntry(existing.latest) }
  const place: TreePlace = { path, existing, parentId: existing.parentId, missing: [], others: new Map() }
  return storeVersion(set, place, { ...old, inlineContent: null, fileType: undefined })
}

async function requireFile(set: ChangeSet, path: string): Promise<FileRow> {
  if (path === '/') throw new AppError('conflict', '"/" is the workspace itself. Name a file or folder in it.')
  const file = await findFile(set.tx, { workspaceId: set.workspaceId, path })
  if (file === undefined) throw new AppError('not_found', `There is no file or folder "${path}".`)
  return file
}
