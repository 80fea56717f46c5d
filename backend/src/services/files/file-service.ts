import type { FileEntry, FileVersion } from '@buildscale/protocol'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Db, DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { blobSize, readBlob, readInlineMany, readUsage } from '../../repositories/blob-repository.ts'
import { type FilePlace, type FileRow, findFile, listBelow, listChildren, rootTime } from '../../repositories/file-repository.ts'
import { findVersion, listVersions, type VersionRow } from '../../repositories/file-version-repository.ts'
import { ChangeSet, type ChangeSetOptions, checkQuota, type RecordedChange } from './change-set.ts'
import { type Content, contentHash, contentSize, isLarge } from './content.ts'
import { fileEntry, rootEntry, versionEntry } from './file-entry.ts'
import type { JournalFeed } from './journal-feed.ts'
import { decodeCursor, encodeCursor } from './page-cursor.ts'
import { spool, type SpoolOptions } from './spool.ts'
import { storeLargeContent } from './store-content.ts'

export interface FileServiceDeps {
  readonly db: Db
  /** Told of every commit. */
  readonly journal: Pick<JournalFeed, 'changed'>
  /** `fileBytes`: the largest file. */
  readonly limits: { readonly fileBytes: number }
  /** Where large uploads wait until they are stored. Default: the system's temporary folder. */
  readonly tempDir?: string
}

export interface FileAt extends FilePlace {
  /** Default: the latest. */
  readonly version?: number
}

export interface ListOptions extends FilePlace {
  /** Everything below, depth first, instead of the folder's own entries. */
  readonly recursive: boolean
  readonly limit: number
  readonly cursor?: string
}

export interface Page<Item> {
  readonly items: Item[]
  readonly nextCursor: string | null
}

/** Both ends inclusive, within the content. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export interface OpenedContent {
  readonly file: FileEntry
  readonly version: FileVersion
  readonly size: number
  /** The bytes, read chunk by chunk as they are consumed. */
  stream(range?: ByteRange): Readable
}

/** Reading files, and the transaction in which they change (`file-tree.ts` says how). Paths have been through `parsePath`. */
export class FileService {
  readonly #deps: FileServiceDeps
  readonly #tempDir: string

  constructor(deps: FileServiceDeps) {
    this.#deps = deps
    this.#tempDir = deps.tempDir ?? join(tmpdir(), 'buildscale-spool')
  }

  /** What is at a path; the root is a folder too. */
  async stat(conn: DbConn, { workspaceId, path }: FilePlace): Promise<FileEntry | undefined> {
    if (path !== '/') {
      const row = await findFile(conn, { workspaceId, path })
      return row === undefined ? undefined : fileEntry(row)
    }
    const madeAt = await rootTime(conn, workspaceId)
    return madeAt === undefined ? undefined : rootEntry(workspaceId, madeAt)
  }

  /** The entries of a folder, folders first, then by the bytes of their names; or all below it, depth first. Of a file, that file. Throws `not_found`. */
  async list(conn: DbConn, options: ListOptions): Promise<Page<FileEntry>> {
    const { workspaceId, path, recursive, limit, cursor } = options
    const folder = path === '/' ? undefined : await requireFile(conn, options)
    if (folder !== undefined && folder.fileType !== 'folder') return { items: [fileEntry(folder)], nextCursor: null }
    const probe = limit + 1
    const rows = recursive
      ? await listBelow(conn, { workspaceId, path }, { limit: probe, ...afterPath(cursor) })
      : await listChildren(conn, { workspaceId, parentId: folder?.id ?? null }, { limit: probe, ...afterName(cursor) })
    const items = rows.slice(0, limit)
    const last = rows.length > limit ? items.at(-1) : undefined
    const nextCursor = last === undefined ? null : encodeCursor(recursive ? [last.path] : [last.fileType === 'folder' ? 'folder' : 'file', last.name])
    return { items: items.map(fileEntry), nextCursor }
  }

  /** The bytes of a version, in memory. Throws `not_found`, `conflict` on a folder, `payload_too_large` over `maxBytes`. */
  async read(conn: DbConn, at: FileAt & { readonly maxBytes: number }): Promise<{ readonly file: FileEntry; readonly version: FileVersion; readonly bytes: Buffer }> {
    const { file, version } = await findContent(conn, at)
    const { size, hash } = version
    if (size > at.maxBytes) throw new AppError('payload_too_large', `"${at.path}" has ${size} bytes, more than the ${at.maxBytes} that can be read at once.`, { details: { size } })
    const pieces = await Array.fromAsync(readBlob(conn, { workspaceId: at.workspaceId, hash }, { size, start: 0, end: size - 1 }))
    return { file: fileEntry(file), version: versionEntry(version), bytes: Buffer.concat(pieces, size) }
  }

  /** The bytes of a hash (hex), in memory, whichever file has or had them; undefined when the workspace does not have them any more. The caller knows that they are few. */
  async readHash(conn: DbConn, { workspaceId, hash }: { readonly workspaceId: string; readonly hash: string }): Promise<Buffer | undefined> {
    const key = { workspaceId, hash: Buffer.from(hash, 'hex') }
    const size = await blobSize(conn, key)
    if (size === undefined) return undefined
    return Buffer.concat(await Array.fromAsync(readBlob(conn, key, { size, start: 0, end: size - 1 })), size)
  }

  /** The latest contents of several files in one round trip, by hash; those over 1 MiB are left out. The caller bounds their sum. */
  readMany(conn: DbConn, { workspaceId, hashes }: { readonly workspaceId: string; readonly hashes: readonly string[] }): Promise<ReadonlyMap<string, Buffer>> {
    return readInlineMany(conn, workspaceId, hashes.map((hash) => Buffer.from(hash, 'hex')))
  }

  /** A version for streaming, in constant memory and without holding a connection. Throws `not_found`, `conflict` on a folder. */
  async openContent(at: FileAt): Promise<OpenedContent> {
    const conn = this.#deps.db.kysely
    const { file, version } = await findContent(conn, at)
    const { size, hash } = version
    const stream = ({ start, end }: ByteRange = { start: 0, end: size - 1 }): Readable =>
      Readable.from(readBlob(conn, { workspaceId: at.workspaceId, hash }, { size, start, end: Math.min(end, size - 1) }), { objectMode: false, highWaterMark: 1 })
    return { file: fileEntry(file), version: versionEntry(version), size, stream }
  }

  /** The versions of a file, newest first. Throws `not_found`, `conflict` on a folder. */
  async versions(conn: DbConn, options: FilePlace & { readonly limit: number; readonly cursor?: string }): Promise<Page<FileVersion>> {
    const { workspaceId, limit, cursor } = options
    const file = await requireFile(conn, options)
    if (file.fileType === 'folder') throw isFolder(file.path)
    const before = cursor === undefined ? undefined : versionNumber(decodeCursor(cursor, 1)[0])
    const rows = await listVersions(conn, { workspaceId, fileId: file.id }, { limit: limit + 1, ...(before !== undefined && { before }) })
    const items = rows.slice(0, limit)
    const last = rows.length > limit ? items.at(-1) : undefined
    return { items: items.map(versionEntry), nextCursor: last === undefined ? null : encodeCursor([String(last.number)]) }
  }

  /** Changes the tree in one transaction, all or nothing, and tells the journal's followers after the commit. */
  async change<T>(options: ChangeSetOptions, apply: (set: ChangeSet) => Promise<T>): Promise<{ readonly result: T; readonly changes: readonly RecordedChange[] }> {
    const { db, journal } = this.#deps
    const done = await db.transaction(async (tx) => {
      const set = await ChangeSet.open(tx, options)
      const result = await apply(set)
      return { result, changes: await set.close() }
    })
    const last = done.changes.at(-1)
    if (last !== undefined) journal.changed(options.workspaceId, last.seq)
    return done
  }

  /** Takes an upload in, up to 1 MiB in memory, more on disk. Give the result to `discardContent` when it has been written or not. */
  spool(stream: AsyncIterable<Buffer>, options: SpoolOptions): Promise<Content> {
    return spool(this.#tempDir, stream, { ...options, limitBytes: Math.min(options.limitBytes, this.#deps.limits.fileBytes) })
  }

  /**
   * Stores large bytes ahead of the change that will name them, so that the change does not hold the workspace while they are copied. Optional: a write
   * stores what is not there. Bytes that no version names are collected after a day. Throws `insufficient_storage` for bytes that the workspace may not hold.
   */
  async storeAhead(workspaceId: string, content: Content): Promise<void> {
    if (!isLarge(content)) return
    const usage = await readUsage(this.#deps.db.kysely, { workspaceId, hash: contentHash(content) })
    if (usage !== undefined && !usage.isStored) checkQuota({ ...usage, storedBytes: usage.storedBytes + contentSize(content) })
    await this.#deps.db.transaction((tx) => storeLargeContent(tx, workspaceId, content))
  }

  /** Removes uploads that a killed process left. Only at the start, before any upload. */
  async clearSpool(): Promise<void> {
    await rm(this.#tempDir, { recursive: true, force: true })
  }
}

async function requireFile(conn: DbConn, place: FilePlace): Promise<FileRow> {
  if (place.path === '/') throw isFolder('/')
  const row = await findFile(conn, place)
  if (row === undefined) throw new AppError('not_found', `There is no file or folder "${place.path}".`)
  return row
}

async function findContent(conn: DbConn, at: FileAt): Promise<{ readonly file: FileRow; readonly version: VersionRow }> {
  const file = await requireFile(conn, at)
  if (file.latest === null) throw isFolder(file.path)
  if (at.version === undefined || at.version === file.latest.number) return { file, version: file.latest }
  const version = await findVersion(conn, { workspaceId: at.workspaceId, fileId: file.id }, at.version)
  if (version === undefined) throw new AppError('not_found', `"${at.path}" has no version ${at.version}; its newest one is ${file.latest.number}.`)
  return { file, version }
}

function isFolder(path: string): AppError {
  return new AppError('conflict', `"${path}" is a folder: it has entries, not content.`)
}

function afterPath(cursor: string | undefined): { readonly after?: string } {
  const [path] = cursor === undefined ? [] : decodeCursor(cursor, 1)
  return path === undefined ? {} : { after: path }
}

function afterName(cursor: string | undefined): { readonly after?: { readonly isFolder: boolean; readonly name: string } } {
  const [kind, name] = cursor === undefined ? [] : decodeCursor(cursor, 2)
  return name === undefined ? {} : { after: { isFolder: kind === 'folder', name } }
}

function versionNumber(text: string | undefined): number {
  const number = Number(text)
  if (Number.isSafeInteger(number)) return number
  throw new AppError('invalid_request', 'cursor: not a cursor of this list. Leave it out to start from the beginning.')
}
