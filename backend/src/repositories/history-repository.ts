/** Where versions come from: the calls that made them, and the changes of a part of the tree. */
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import { type ChangeRow, CHANGE_COLUMNS, CHANGE_TABLES } from './change-repository.ts'

export interface CallPlace {
  readonly id: string
  /** Its name. */
  readonly tool: string
  readonly chatId: string
  /** The assistant message that holds the call. */
  readonly messageId: string
}

/** The chats and messages of tool calls, in no order; calls that are gone are left out. */
export async function findCallPlaces(conn: DbConn, workspaceId: string, ids: readonly string[]): Promise<CallPlace[]> {
  const { rows } = await sql<CallPlace>`
    SELECT id, name AS tool, chat_id AS "chatId", message_id AS "messageId" FROM tool_calls WHERE workspace_id = ${workspaceId}::uuid AND id = ANY(${ids}::uuid[])`.execute(conn)
  return rows
}

/** The latest changes at or below a path, newest first, before a seq. */
export async function readChangesBelow(conn: DbConn, at: { readonly workspaceId: string; readonly path: string }, page: { readonly before?: number; readonly limit: number }): Promise<ChangeRow[]> {
  const before = page.before === undefined ? sql`TRUE` : sql`c.seq < ${page.before}`
  const { rows } = await sql<ChangeRow>`
    SELECT ${CHANGE_COLUMNS} FROM ${CHANGE_TABLES}
    WHERE c.workspace_id = ${at.workspaceId}::uuid AND ${before} AND ${isBelow(at.path)} ORDER BY c.seq DESC LIMIT ${page.limit}`.execute(conn)
  return rows
}

/** As a range of bytes: nothing in a name (`_`, `%`) can mean anything. */
function isBelow(path: string) {
  if (path === '/') return sql`TRUE`
  const [first, behind] = [`${path}/`, `${path}0`]
  return sql`(c.to_path = ${path} OR c.from_path = ${path} OR (c.to_path > ${first} AND c.to_path < ${behind}) OR (c.from_path > ${first} AND c.from_path < ${behind}))`
}

/** The id of what was removed last at a path; undefined when something stands there now, or nothing was removed. */
export async function findTrashedAt(conn: DbConn, { workspaceId, path }: { readonly workspaceId: string; readonly path: string }): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`
    SELECT f.id FROM files f WHERE f.workspace_id = ${workspaceId}::uuid AND f.path = ${path} AND f.deleted_at IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM files active WHERE active.workspace_id = f.workspace_id AND active.path = f.path AND active.deleted_at IS NULL)
    ORDER BY f.deleted_at DESC, f.id DESC LIMIT 1`.execute(conn)
  return rows[0]?.id
}
