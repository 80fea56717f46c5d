/** What lies in folders, as little of it as a script needs, in the order of paths: a range of one index, so that the cost is what is asked for. */
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import type { FilePlace } from './file-repository.ts'

export interface FactRow {
  readonly path: string
  /** Null: a folder. */
  readonly hash: Buffer | null
  readonly size: number | null
  readonly updatedAt: Date
}

/** Everything below a folder in the byte order of paths, parents before their content. */
export async function listFactsBelow(conn: DbConn, { workspaceId, path }: FilePlace, page: { readonly limit: number; readonly after?: string }): Promise<FactRow[]> {
  const prefix = path === '/' ? '/' : `${path}/`
  const { rows } = await sql<FactRow>`
    SELECT f.path, v.blob_hash AS hash, v.size, f.updated_at AS "updatedAt"
    FROM (SELECT * FROM files f WHERE f.workspace_id = ${workspaceId}::uuid AND f.deleted_at IS NULL
      AND f.path > ${page.after ?? prefix} COLLATE "C" AND f.path < ${`${prefix.slice(0, -1)}0`} COLLATE "C" ORDER BY f.path LIMIT ${page.limit}) AS f
    LEFT JOIN file_versions v ON v.workspace_id = f.workspace_id AND v.id = f.latest_version_id ORDER BY f.path`.execute(conn)
  return rows
}

/** The entries of a folder; none when there is no such folder. */
export async function listFactsIn(conn: DbConn, { workspaceId, path }: FilePlace): Promise<FactRow[]> {
  const parent = path === '/' ? sql`f.parent_id IS NULL` : sql`f.parent_id = (SELECT id FROM files WHERE workspace_id = ${workspaceId}::uuid AND path = ${path} AND deleted_at IS NULL)`
  const { rows } = await sql<FactRow>`
    SELECT f.path, v.blob_hash AS hash, v.size, f.updated_at AS "updatedAt" FROM files f
    LEFT JOIN file_versions v ON v.workspace_id = f.workspace_id AND v.id = f.latest_version_id
    WHERE f.workspace_id = ${workspaceId}::uuid AND f.deleted_at IS NULL AND ${parent}`.execute(conn)
  return rows
}
