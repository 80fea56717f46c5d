/** The immutable history of files: version 1 to n of each. */
import type { AuthorKind } from '@buildscale/protocol'
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'

export interface VersionAuthor {
  readonly kind: AuthorKind
  readonly id: string | null
  readonly turnId: string | null
  readonly toolCallId: string | null
}

export interface NewVersionRow {
  readonly id: string
  readonly number: number
  /** SHA-256 of the bytes. */
  readonly hash: Buffer
  readonly size: number
  readonly mime: string
  readonly author: VersionAuthor
}

export interface VersionRow extends NewVersionRow {
  readonly createdAt: Date
}

interface StoredVersion {
  readonly id: string
  readonly number: number
  readonly blob_hash: Buffer
  readonly size: number
  readonly mime: string
  readonly author_kind: AuthorKind
  readonly author_id: string | null
  readonly turn_id: string | null
  readonly tool_call_id: string | null
  readonly created_at: Date
}

export interface FileKey {
  readonly workspaceId: string
  readonly fileId: string
}

const COLUMNS = ['id', 'number', 'blob_hash', 'size', 'mime', 'author_kind', 'author_id', 'turn_id', 'tool_call_id', 'created_at'] as const

/** The largest number that the column holds: no file has a later version, and a larger one cannot even be asked for. */
const LAST_NUMBER = 2 ** 31 - 1

export async function findVersion(conn: DbConn, { workspaceId, fileId }: FileKey, number: number): Promise<VersionRow | undefined> {
  if (number > LAST_NUMBER) return undefined
  const row = await conn
    .selectFrom('file_versions')
    .select(COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('file_id', '=', fileId)
    .where('number', '=', number)
    .executeTakeFirst()
  return row === undefined ? undefined : versionRow(row)
}

/** Versions of a file, newest first, before a number. */
export async function listVersions(conn: DbConn, { workspaceId, fileId }: FileKey, page: { readonly limit: number; readonly before?: number }): Promise<VersionRow[]> {
  const query = conn.selectFrom('file_versions').select(COLUMNS).where('workspace_id', '=', workspaceId).where('file_id', '=', fileId)
  const rows = await (page.before === undefined ? query : query.where('number', '<', page.before)).orderBy('number', 'desc').limit(page.limit).execute()
  return rows.map(versionRow)
}

/** A version that some file of the workspace has or had, by its bytes and, when given, by the millisecond in which it was made. */
export async function isKnownContent(conn: DbConn, workspaceId: string, content: { readonly hash: Buffer; readonly madeAtMs?: number }): Promise<boolean> {
  const time = content.madeAtMs === undefined ? sql`TRUE` : sql`date_trunc('milliseconds', created_at) = ${new Date(content.madeAtMs)}::timestamptz`
  const { rows } = await sql`SELECT 1 FROM file_versions WHERE workspace_id = ${workspaceId}::uuid AND blob_hash = ${content.hash} AND ${time} LIMIT 1`.execute(conn)
  return rows.length > 0
}

function versionRow(row: StoredVersion): VersionRow {
  return {
    id: row.id,
    number: row.number,
    hash: row.blob_hash,
    size: row.size,
    mime: row.mime,
    author: { kind: row.author_kind, id: row.author_id, turnId: row.turn_id, toolCallId: row.tool_call_id },
    createdAt: row.created_at,
  }
}
