/** The workspace journal: gap-free per workspace, one row per affected file and folder. The row of a workspace is the lock that orders it. */
import type { AuthorKind, ChangeKind, FileType } from '@buildscale/protocol'
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'

/** One change before it is stored. `fromPath` and `toPath` are where the file was and is; one is null when it came to be or went. */
export interface NewChangeRow {
  readonly seq: number
  readonly kind: ChangeKind
  readonly fileId: string
  readonly fileType: FileType
  readonly versionId: string | null
  readonly previousVersionId: string | null
  readonly fromPath: string | null
  readonly toPath: string | null
}

export interface ChangeAuthor {
  readonly kind: AuthorKind
  readonly id: string | null
  readonly turnId: string | null
  readonly toolCallId: string | null
}

export interface ChangeSetRow {
  readonly id: string
  readonly workspaceId: string
  readonly author: ChangeAuthor
  /** Bytes that the workspace stores more (or, after a purge, less) than before. */
  readonly addedBytes: number
}

/** A workspace whose journal is locked. */
export interface LockedJournal {
  /** The last seq. */
  readonly seq: number
  readonly storedBytes: number
  /** Null: no limit. */
  readonly quotaBytes: number | null
}

/** Locks the workspace for this transaction and answers where it is; undefined when it does not exist. Rows that only refer to it are not held up. */
export async function lockJournal(tx: DbConn, workspaceId: string): Promise<LockedJournal | undefined> {
  const { rows } = await sql<LockedJournal>`
    SELECT change_seq AS seq, stored_bytes AS "storedBytes", quota_bytes AS "quotaBytes"
    FROM workspaces WHERE id = ${workspaceId}::uuid AND deleted_at IS NULL FOR NO KEY UPDATE`.execute(tx)
  return rows[0]
}

/** Stores changes and moves the workspace's counters to the last of them, in one round trip. */
export async function insertChanges(tx: DbConn, set: ChangeSetRow, changes: readonly NewChangeRow[]): Promise<void> {
  const { author, workspaceId } = set
  const last = changes.at(-1)
  if (last === undefined) return
  const column = <T>(pick: (change: NewChangeRow) => T): T[] => changes.map(pick)
  await sql`
    WITH stored AS (
      INSERT INTO changes (workspace_id, seq, kind, file_id, file_type, version_id, prev_version_id, from_path, to_path, change_set_id, author_kind, author_id, turn_id, tool_call_id)
      SELECT ${workspaceId}::uuid, change.*, ${set.id}::uuid, ${author.kind}, ${author.id}::uuid, ${author.turnId}::uuid, ${author.toolCallId}::uuid
      FROM unnest(
        ${column((change) => change.seq)}::bigint[], ${column((change) => change.kind)}::text[], ${column((change) => change.fileId)}::uuid[],
        ${column((change) => change.fileType)}::text[], ${column((change) => change.versionId)}::uuid[], ${column((change) => change.previousVersionId)}::uuid[],
        ${column((change) => change.fromPath)}::text[], ${column((change) => change.toPath)}::text[]) AS change
    )
    UPDATE workspaces SET change_seq = ${last.seq}, stored_bytes = stored_bytes + ${set.addedBytes} WHERE id = ${workspaceId}::uuid`.execute(tx)
}

/** The last seq of a workspace; undefined when it does not exist. */
export async function readChangeSeq(conn: DbConn, workspaceId: string): Promise<number | undefined> {
  const row = await conn.selectFrom('workspaces').select('change_seq').where('id', '=', workspaceId).where('deleted_at', 'is', null).executeTakeFirst()
  return row?.change_seq
}

/** Every workspace with its last seq. */
export function readAllChangeSeqs(conn: DbConn): Promise<{ readonly id: string; readonly change_seq: number }[]> {
  return conn.selectFrom('workspaces').select(['id', 'change_seq']).where('deleted_at', 'is', null).execute()
}

/** What a file on disk should be after a change: which bytes, and when their version was made. */
export interface VersionContent {
  readonly hash: Buffer
  readonly size: number
  readonly createdAt: Date
}

/** A change as the disk copy needs it. */
export interface AppliedChange {
  readonly seq: number
  readonly changeSetId: string
  readonly kind: ChangeKind
  readonly fileId: string
  readonly fileType: FileType
  readonly fromPath: string | null
  readonly toPath: string | null
  readonly version: VersionContent | null
  readonly previous: VersionContent | null
}

interface JournalRow {
  readonly seq: number
  readonly change_set_id: string
  readonly kind: ChangeKind
  readonly file_id: string
  readonly file_type: FileType
  readonly from_path: string | null
  readonly to_path: string | null
  readonly hash: Buffer | null
  readonly size: number | null
  readonly created_at: Date | null
  readonly prev_hash: Buffer | null
  readonly prev_size: number | null
  readonly prev_created_at: Date | null
}

/** The journal after a seq, in order, with what each change made of its file. */
export async function readJournal(conn: DbConn, workspaceId: string, page: { readonly after: number; readonly upTo: number; readonly limit: number }): Promise<AppliedChange[]> {
  const { rows } = await sql<JournalRow>`
    SELECT c.seq, c.change_set_id, c.kind, c.file_id, c.file_type, c.from_path, c.to_path, v.blob_hash AS hash, v.size, v.created_at,
      p.blob_hash AS prev_hash, p.size AS prev_size, p.created_at AS prev_created_at
    FROM changes c
    LEFT JOIN file_versions v ON v.workspace_id = c.workspace_id AND v.id = c.version_id
    LEFT JOIN file_versions p ON p.workspace_id = c.workspace_id AND p.id = c.prev_version_id
    WHERE c.workspace_id = ${workspaceId}::uuid AND c.seq > ${page.after} AND c.seq <= ${page.upTo} ORDER BY c.seq LIMIT ${page.limit}`.execute(conn)
  return rows.map((row) => ({
    seq: row.seq,
    changeSetId: row.change_set_id,
    kind: row.kind,
    fileId: row.file_id,
    fileType: row.file_type,
    fromPath: row.from_path,
    toPath: row.to_path,
    version: versionContent(row.hash, row.size, row.created_at),
    previous: versionContent(row.prev_hash, row.prev_size, row.prev_created_at),
  }))
}

function versionContent(hash: Buffer | null, size: number | null, createdAt: Date | null): VersionContent | null {
  return hash === null || size === null || createdAt === null ? null : { hash, size, createdAt }
}

/** A change as people see it. */
export interface ChangeRow {
  readonly seq: number
  readonly kind: ChangeKind
  readonly fileId: string
  readonly fileType: FileType
  readonly fromPath: string | null
  readonly toPath: string | null
  /** The number of the version; null for folders, removals, and versions that were purged since. */
  readonly version: number | null
  readonly changeSetId: string
  readonly authorKind: AuthorKind
  readonly authorId: string | null
  readonly turnId: string | null
  readonly toolCallId: string | null
  readonly at: Date
}

/** What a `ChangeRow` is made of, of `CHANGE_TABLES`. */
export const CHANGE_COLUMNS = sql`c.seq, c.kind, c.file_id AS "fileId", c.file_type AS "fileType", c.from_path AS "fromPath", c.to_path AS "toPath", v.number AS version,
  c.change_set_id AS "changeSetId", c.author_kind AS "authorKind", c.author_id AS "authorId", c.turn_id AS "turnId", c.tool_call_id AS "toolCallId", c.at`
export const CHANGE_TABLES = sql`changes c LEFT JOIN file_versions v ON v.workspace_id = c.workspace_id AND v.id = c.version_id`

/** The journal after a seq, in order. */
export async function readChanges(conn: DbConn, workspaceId: string, page: { readonly after: number; readonly limit: number }): Promise<ChangeRow[]> {
  const { rows } = await sql<ChangeRow>`
    SELECT ${CHANGE_COLUMNS} FROM ${CHANGE_TABLES}
    WHERE c.workspace_id = ${workspaceId}::uuid AND c.seq > ${page.after} ORDER BY c.seq LIMIT ${page.limit}`.execute(conn)
  return rows
}
