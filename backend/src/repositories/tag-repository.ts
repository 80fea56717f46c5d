/** Tags of files: words that people and agents put on them. A file in the trash keeps its tags and is found by none. */
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import { type FileRow, type FileWithVersion, FILE_COLUMNS, FILE_TABLES, fileRow } from './file-repository.ts'
import type { FileKey } from './file-version-repository.ts'

export async function readTags(conn: DbConn, { workspaceId, fileId }: FileKey): Promise<string[]> {
  const rows = await conn.selectFrom('file_tags').select('tag').where('workspace_id', '=', workspaceId).where('file_id', '=', fileId).orderBy('tag').execute()
  return rows.map(({ tag }) => tag)
}

/** The file has these tags and no other. */
export async function replaceTags(tx: DbConn, { workspaceId, fileId }: FileKey, tags: readonly string[]): Promise<void> {
  await sql`DELETE FROM file_tags WHERE workspace_id = ${workspaceId}::uuid AND file_id = ${fileId}::uuid AND tag <> ALL(${tags}::text[])`.execute(tx)
  await sql`
    INSERT INTO file_tags (workspace_id, file_id, tag) SELECT ${workspaceId}::uuid, ${fileId}::uuid, tag FROM unnest(${tags}::text[]) AS tag
    ON CONFLICT DO NOTHING`.execute(tx)
}

export interface TagCount {
  readonly tag: string
  readonly files: number
}

/** Tags with the number of files that have them, in order, after a tag. */
export async function listTagCounts(conn: DbConn, workspaceId: string, page: { readonly limit: number; readonly after: string | undefined }): Promise<TagCount[]> {
  const { rows } = await sql<TagCount>`
    SELECT t.tag, count(*) AS files FROM file_tags t JOIN files f ON f.workspace_id = t.workspace_id AND f.id = t.file_id AND f.deleted_at IS NULL
    WHERE t.workspace_id = ${workspaceId}::uuid AND t.tag > ${page.after ?? ''} GROUP BY t.tag ORDER BY t.tag LIMIT ${page.limit}`.execute(conn)
  return rows
}

/** Files that have a tag, by path, after a path. */
export async function listTaggedFiles(conn: DbConn, of: { readonly workspaceId: string; readonly tag: string }, page: { readonly limit: number; readonly after: string | undefined }): Promise<FileRow[]> {
  const { rows } = await sql<FileWithVersion>`
    SELECT ${FILE_COLUMNS} FROM file_tags t JOIN (${FILE_TABLES}) ON f.workspace_id = t.workspace_id AND f.id = t.file_id
    WHERE t.workspace_id = ${of.workspaceId}::uuid AND t.tag = ${of.tag} AND f.deleted_at IS NULL AND f.path > ${page.after ?? ''}
    ORDER BY f.path LIMIT ${page.limit}`.execute(conn)
  return rows.map(fileRow)
}
