/** Files in the trash: rows that keep their path, their parent and their versions until they are restored or purged. Every query names the workspace. */
import type { FileType } from '@buildscale/protocol'
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import { type FileRow, type FileWithVersion, FILE_COLUMNS, FILE_TABLES, fileRow } from './file-repository.ts'

export interface TrashedRow extends FileRow {
  /** Microseconds since 1970, exactly as stored: what was removed together has the same. */
  readonly deletedAtUs: number
}

export interface TrashKey {
  readonly workspaceId: string
  readonly fileId: string
}

type StoredTrash = FileWithVersion & { readonly deleted_at_us: number }

const DELETED_AT_US = sql`(extract(epoch FROM f.deleted_at) * 1000000)::bigint`

/** What stands for a removal: the folder or file that was named, without what went with it. Latest first, after the last one of the page before. */
export async function listTrashRows(conn: DbConn, workspaceId: string, page: { readonly limit: number; readonly after?: { readonly deletedAtUs: number; readonly id: string } }): Promise<TrashedRow[]> {
  const after = page.after === undefined ? sql`TRUE` : sql`(${DELETED_AT_US}, f.id) < (${page.after.deletedAtUs}, ${page.after.id}::uuid)`
  const { rows } = await sql<StoredTrash>`
    SELECT ${FILE_COLUMNS}, ${DELETED_AT_US} AS deleted_at_us FROM ${FILE_TABLES}
    WHERE f.workspace_id = ${workspaceId}::uuid AND f.deleted_at IS NOT NULL AND ${after} AND NOT EXISTS (
      SELECT 1 FROM files parent WHERE parent.workspace_id = f.workspace_id AND parent.id = f.parent_id AND parent.deleted_at = f.deleted_at)
    ORDER BY f.deleted_at DESC, f.id DESC LIMIT ${page.limit}`.execute(conn)
  return rows.map(trashedRow)
}

/** A file in the trash with what was removed together with it, parents before their children; empty when it is not in the trash of this workspace. */
export async function readRemoval(conn: DbConn, { workspaceId, fileId }: TrashKey): Promise<TrashedRow[]> {
  const { rows } = await sql<StoredTrash>`
    WITH RECURSIVE removal AS (
      SELECT id, deleted_at, 0 AS depth FROM files WHERE workspace_id = ${workspaceId}::uuid AND id = ${fileId}::uuid AND deleted_at IS NOT NULL
      UNION ALL
      SELECT child.id, child.deleted_at, removal.depth + 1
      FROM removal JOIN files child ON child.workspace_id = ${workspaceId}::uuid AND child.parent_id = removal.id AND child.deleted_at = removal.deleted_at
    )
    SELECT ${FILE_COLUMNS}, ${DELETED_AT_US} AS deleted_at_us FROM removal JOIN (${FILE_TABLES}) ON f.id = removal.id AND f.workspace_id = ${workspaceId}::uuid
    ORDER BY removal.depth, f.path`.execute(conn)
  return rows.map(trashedRow)
}

/** The ids of everything in the trash, in no order, at most so many. */
export async function listTrashedIds(conn: DbConn, workspaceId: string, limit: number): Promise<string[]> {
  const rows = await conn.selectFrom('files').select('id').where('workspace_id', '=', workspaceId).where('deleted_at', 'is not', null).limit(limit).execute()
  return rows.map(({ id }) => id)
}

export interface Restoration {
  /** All that comes back. */
  readonly ids: readonly string[]
  readonly root: { readonly id: string; readonly from: string; readonly to: string; readonly parentId: string | null; readonly name: string }
}

/** Takes files out of the trash; the root and all below it get their new paths. */
export async function restoreRows(tx: DbConn, workspaceId: string, { ids, root }: Restoration): Promise<void> {
  await sql`
    UPDATE files SET deleted_at = NULL, updated_at = now(), path = ${root.to} || substr(path, char_length(${root.from}) + 1),
      parent_id = CASE WHEN id = ${root.id}::uuid THEN ${root.parentId}::uuid ELSE parent_id END,
      name = CASE WHEN id = ${root.id}::uuid THEN ${root.name} ELSE name END
    WHERE workspace_id = ${workspaceId}::uuid AND id = ANY(${ids}::uuid[]) AND deleted_at IS NOT NULL`.execute(tx)
}

export interface PurgedRow {
  readonly id: string
  readonly path: string
  readonly fileType: FileType
}

/** Removes rows that are in the trash, with their versions and tags, for good; what is still in the trash and was below them stays. Answers the hashes that their versions named. */
export async function purgeRows(tx: DbConn, workspaceId: string, ids: readonly string[]): Promise<{ readonly purged: readonly PurgedRow[]; readonly hashes: readonly Buffer[] }> {
  const { rows: versions } = await sql<{ hash: Buffer }>`
    SELECT DISTINCT v.blob_hash AS hash FROM file_versions v JOIN files f ON f.workspace_id = v.workspace_id AND f.id = v.file_id
    WHERE v.workspace_id = ${workspaceId}::uuid AND v.file_id = ANY(${ids}::uuid[]) AND f.deleted_at IS NOT NULL`.execute(tx)
  await sql`UPDATE files SET parent_id = NULL WHERE workspace_id = ${workspaceId}::uuid AND parent_id = ANY(${ids}::uuid[]) AND deleted_at IS NOT NULL`.execute(tx)
  const { rows: purged } = await sql<PurgedRow>`
    DELETE FROM files WHERE workspace_id = ${workspaceId}::uuid AND id = ANY(${ids}::uuid[]) AND deleted_at IS NOT NULL
    RETURNING id, path, file_type AS "fileType"`.execute(tx)
  return { purged, hashes: versions.map(({ hash }) => hash) }
}

function trashedRow(row: StoredTrash): TrashedRow {
  return { ...fileRow(row), deletedAtUs: row.deleted_at_us }
}
