import { sql } from 'kysely'
import type { Db, DbConn } from '../db/db.ts'
import type { MirrorDifference } from './mirror-service.ts'

/** What in the database of a workspace contradicts itself: each in one look at one moment. */
export function inconsistencies(db: Pick<Db, 'transaction'>, workspaceId: string): Promise<MirrorDifference[]> {
  return db.transaction(async (tx) => [...(await journalGaps(tx, workspaceId)), ...(await strayVersions(tx, workspaceId)), ...(await strayRows(tx, workspaceId))], { isolation: 'repeatable read' })
}

async function journalGaps(conn: DbConn, workspaceId: string): Promise<MirrorDifference[]> {
  const { rows } = await sql<{ changeSeq: number; rows: number; first: number | null; last: number | null }>`
    SELECT w.change_seq AS "changeSeq", count(c.seq)::bigint AS rows, min(c.seq) AS first, max(c.seq) AS last
    FROM workspaces w LEFT JOIN changes c ON c.workspace_id = w.id WHERE w.id = ${workspaceId}::uuid GROUP BY w.change_seq`.execute(conn)
  return rows.filter(({ changeSeq, rows: count, first, last }) => count !== changeSeq || (count > 0 && (first !== 1 || last !== changeSeq))).map(({ changeSeq, rows: count }) => ({
    path: '/',
    kind: 'missing' as const,
    reason: `The journal should have the rows 1 to ${changeSeq}, and has ${count} rows.`,
  }))
}

/** Versions without bytes, and files whose latest version is not their last one. */
async function strayVersions(conn: DbConn, workspaceId: string): Promise<MirrorDifference[]> {
  const { rows } = await sql<{ path: string; reason: string }>`
    SELECT f.path, 'Version ' || v.number || ' has no stored bytes.' AS reason
    FROM file_versions v JOIN files f ON f.workspace_id = v.workspace_id AND f.id = v.file_id
    LEFT JOIN blobs b ON b.workspace_id = v.workspace_id AND b.hash = v.blob_hash
    WHERE v.workspace_id = ${workspaceId}::uuid AND b.hash IS NULL
    UNION ALL
    SELECT f.path, 'Its latest version is not its last one.'
    FROM files f LEFT JOIN LATERAL (
      SELECT v.id FROM file_versions v WHERE v.workspace_id = f.workspace_id AND v.file_id = f.id ORDER BY v.number DESC LIMIT 1
    ) AS last ON TRUE
    WHERE f.workspace_id = ${workspaceId}::uuid AND f.latest_version_id IS DISTINCT FROM last.id
    ORDER BY 1`.execute(conn)
  return rows.map(({ path, reason }) => ({ path, kind: 'content' as const, reason }))
}

/** Files that are not where the last row of the journal says, with another version than it names, or of which it says nothing. */
async function strayRows(conn: DbConn, workspaceId: string): Promise<MirrorDifference[]> {
  const { rows } = await sql<{ path: string; journalPath: string | null; isSamePlace: boolean }>`
    WITH last AS (
      SELECT DISTINCT ON (c.file_id) c.file_id, c.to_path, c.version_id, c.file_type FROM changes c WHERE c.workspace_id = ${workspaceId}::uuid ORDER BY c.file_id, c.seq DESC
    ), active AS (SELECT f.id, f.path, f.latest_version_id FROM files f WHERE f.workspace_id = ${workspaceId}::uuid AND f.deleted_at IS NULL)
    SELECT coalesce(a.path, l.to_path) AS path, l.to_path AS "journalPath", a.path IS NOT DISTINCT FROM l.to_path AS "isSamePlace"
    FROM active a FULL JOIN (SELECT * FROM last WHERE to_path IS NOT NULL) AS l ON l.file_id = a.id
    WHERE a.path IS DISTINCT FROM l.to_path OR (l.file_type <> 'folder' AND a.latest_version_id IS DISTINCT FROM l.version_id) ORDER BY 1`.execute(conn)
  return rows.map(({ path, journalPath, isSamePlace }) => ({
    path,
    kind: isSamePlace ? ('content' as const) : ('missing' as const),
    reason: isSamePlace ? 'The journal names another version of it.' : `The journal says that it is ${journalPath === null ? 'not there' : `at ${journalPath}`}.`,
  }))
}
