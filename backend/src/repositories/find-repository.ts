/** Files by what they are: name, type, size, time. One statement, scoped by the workspace. */
import type { FileType } from '@buildscale/protocol'
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'

export interface FindCriteria {
  readonly workspaceId: string
  /** The folder to look in; `id` null is the root. */
  readonly folder: { readonly id: string | null; readonly path: string }
  /** False: only what is directly in the folder. */
  readonly recursive: boolean
  /** A regular expression of PostgreSQL for names. */
  readonly nameRegex?: string | undefined
  /** `file`: anything but a folder. */
  readonly type?: FileType | 'file' | undefined
  /** Bytes, both inclusive. Folders have no size: with a bound none is found. */
  readonly minSize?: number | undefined
  readonly maxSize?: number | undefined
  /** Inclusive. */
  readonly modifiedSince?: Date | undefined
  readonly limit: number
}

export interface FoundEntry {
  readonly path: string
  readonly name: string
  readonly fileType: FileType
  readonly size: number | null
  readonly version: number | null
  readonly updatedAt: Date
}

/** Active files and folders, by the bytes of their paths. */
export async function findEntries(conn: DbConn, criteria: FindCriteria): Promise<readonly FoundEntry[]> {
  const { workspaceId, nameRegex, type, minSize, maxSize, modifiedSince, limit } = criteria
  const conditions = [
    placeCondition(criteria),
    nameRegex === undefined ? undefined : sql`f.name ~ ${nameRegex}`,
    type === undefined ? undefined : type === 'file' ? sql`f.file_type <> 'folder'` : sql`f.file_type = ${type}`,
    minSize === undefined ? undefined : sql`v.size >= ${minSize}`,
    maxSize === undefined ? undefined : sql`v.size <= ${maxSize}`,
    modifiedSince === undefined ? undefined : sql`f.updated_at >= ${modifiedSince}`,
  ].filter((condition) => condition !== undefined)
  const { rows } = await sql<FoundEntry>`
    SELECT f.path, f.name, f.file_type AS "fileType", v.size, v.number AS version, f.updated_at AS "updatedAt"
    FROM files f LEFT JOIN file_versions v ON v.workspace_id = f.workspace_id AND v.id = f.latest_version_id
    WHERE f.workspace_id = ${workspaceId}::uuid AND f.deleted_at IS NULL AND ${sql.join(conditions, sql` AND `)}
    ORDER BY f.path LIMIT ${limit}`.execute(conn)
  return rows
}

function placeCondition({ folder, recursive }: FindCriteria) {
  if (!recursive) return folder.id === null ? sql`f.parent_id IS NULL` : sql`f.parent_id = ${folder.id}::uuid`
  return folder.path === '/' ? sql`TRUE` : sql`f.path > ${`${folder.path}/`} AND f.path < ${`${folder.path}0`}`
}
