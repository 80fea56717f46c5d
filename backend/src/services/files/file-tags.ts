/** Tags of files. No part of the journal: they say something about a file, they are not its content. */
import { type FileEntry, tag } from '@buildscale/protocol'
import type { Db, DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { type FilePlace, type FileRow, findFile } from '../../repositories/file-repository.ts'
import { listTagCounts, listTaggedFiles, readTags, replaceTags, type TagCount } from '../../repositories/tag-repository.ts'
import { lockWorkspace } from '../../repositories/workspace-repository.ts'
import { fileEntry } from './file-entry.ts'
import { decodeCursor, encodeCursor } from './page-cursor.ts'

export interface TagPageRequest {
  readonly limit: number
  readonly cursor?: string | undefined
}

export class FileTags {
  readonly #db: Db

  constructor(deps: { readonly db: Db }) {
    this.#db = deps.db
  }

  /** Throws `not_found`. */
  async read(place: FilePlace): Promise<{ readonly path: string; readonly tags: string[] }> {
    const file = await requireFile(this.#db.kysely, place)
    return { path: file.path, tags: await readTags(this.#db.kysely, { workspaceId: place.workspaceId, fileId: file.id }) }
  }

  /** The file has these tags from now on, and no other. Throws `not_found`. */
  async replace(place: FilePlace, tags: readonly string[]): Promise<{ readonly path: string; readonly tags: string[] }> {
    const { workspaceId } = place
    return this.#db.transaction(async (tx) => {
      // Under the workspace's lock, so that the file is not moved or removed meanwhile, and two who tag it come one after the other.
      if (!(await lockWorkspace(tx, workspaceId))) throw missing(place.path)
      const file = await requireFile(tx, place)
      await replaceTags(tx, { workspaceId, fileId: file.id }, [...new Set(tags)])
      return { path: file.path, tags: await readTags(tx, { workspaceId, fileId: file.id }) }
    })
  }

  /** Every tag of the workspace with the number of its files, in order. */
  async counts(workspaceId: string, { limit, cursor }: TagPageRequest): Promise<{ readonly items: TagCount[]; readonly nextCursor: string | null }> {
    const rows = await listTagCounts(this.#db.kysely, workspaceId, { limit: limit + 1, after: after(cursor) })
    const items = rows.slice(0, limit)
    return { items, nextCursor: rows.length > limit ? nextCursor(items.at(-1)?.tag) : null }
  }

  /** Files with a tag, by path. */
  async tagged(of: { readonly workspaceId: string; readonly tag: string }, { limit, cursor }: TagPageRequest): Promise<{ readonly items: FileEntry[]; readonly nextCursor: string | null }> {
    const rows = await listTaggedFiles(this.#db.kysely, { ...of, tag: tag.parse(of.tag) }, { limit: limit + 1, after: after(cursor) })
    const items = rows.slice(0, limit).map(fileEntry)
    return { items, nextCursor: rows.length > limit ? nextCursor(items.at(-1)?.path) : null }
  }
}

function after(cursor: string | undefined): string | undefined {
  return cursor === undefined ? undefined : decodeCursor(cursor, 1)[0]
}

function nextCursor(last: string | undefined): string | null {
  return last === undefined ? null : encodeCursor([last])
}

async function requireFile(conn: DbConn, place: FilePlace): Promise<FileRow> {
  const file = place.path === '/' ? undefined : await findFile(conn, place)
  if (file === undefined) throw missing(place.path)
  return file
}

function missing(path: string): AppError {
  return path === '/' ? new AppError('conflict', '"/" is the workspace itself, which has no tags. Name a file or folder in it.') : new AppError('not_found', `There is no file or folder "${path}".`)
}
