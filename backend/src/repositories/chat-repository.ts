import { type Selectable, sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import type { Database } from '../db/schema.ts'

/** A chat with what its turns say of it. */
export type ChatRow = Selectable<Database['chats']> & { readonly status: 'idle' | 'queued' | 'running' | 'waiting' }

/** One chat of one workspace. */
export interface ChatKey {
  readonly workspaceId: string
  readonly chatId: string
}

export interface NewChat {
  readonly id: string
  readonly workspace_id: string
  readonly created_by: string
  readonly title: string
  readonly agent: string
  readonly model: string
  readonly mode: 'build' | 'plan'
  /** False: the model is that of the agent, whatever that will be. Default: true. */
  readonly is_model_chosen?: boolean
}

/** Where a page of chats ended: the last one's activity and id. */
export interface ChatCursor {
  readonly updatedAt: Date
  readonly id: string
}

/** The status of a chat is that of its most advanced open turn. */
const status = sql<ChatRow['status']>`coalesce((
  SELECT t.status FROM turns t WHERE t.chat_id = chats.id AND t.status IN ('queued', 'running', 'waiting') ORDER BY t.number LIMIT 1
), 'idle')`.as('status')

export async function insertChat(tx: DbConn, chat: NewChat): Promise<void> {
  await tx.insertInto('chats').values({ ...chat, deleted_at: null }).execute()
}

export function findChat(conn: DbConn, key: ChatKey): Promise<ChatRow | undefined> {
  return conn
    .selectFrom('chats')
    .selectAll()
    .select(status)
    .where('id', '=', key.chatId)
    .where('workspace_id', '=', key.workspaceId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
}

/** Newest activity first, at most `limit`. */
export function listChats(conn: DbConn, page: { readonly workspaceId: string; readonly limit: number; readonly after: ChatCursor | undefined }): Promise<ChatRow[]> {
  const query = conn.selectFrom('chats').selectAll().select(status).where('workspace_id', '=', page.workspaceId).where('deleted_at', 'is', null)
  const { after } = page
  const rest = after === undefined ? query : query.where(sql<boolean>`(updated_at, id) < (${after.updatedAt}, ${after.id}::uuid)`)
  return rest.orderBy('updated_at', 'desc').orderBy('id', 'desc').limit(page.limit).execute()
}

export interface ChatPatch {
  readonly title?: string
  readonly agent?: string
  readonly model?: string
  readonly is_model_chosen?: boolean
  readonly mode?: 'build' | 'plan'
}

/** False when there is no such chat. */
export async function updateChat(tx: DbConn, key: ChatKey, patch: ChatPatch): Promise<boolean> {
  const updated = await tx
    .updateTable('chats')
    .set({ ...patch, updated_at: sql<Date>`now()` })
    .where('id', '=', key.chatId)
    .where('workspace_id', '=', key.workspaceId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  return updated.numUpdatedRows > 0n
}

export async function markChatDeleted(tx: DbConn, key: ChatKey): Promise<boolean> {
  const updated = await tx
    .updateTable('chats')
    .set({ deleted_at: sql<Date>`now()` })
    .where('id', '=', key.chatId)
    .where('workspace_id', '=', key.workspaceId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  return updated.numUpdatedRows > 0n
}

/** Takes the chat's next turn number, and with it the row's lock: messages of one chat are ordered from here on. Undefined: no such chat. */
export async function takeTurnNumber(tx: DbConn, key: ChatKey): Promise<{ readonly number: number; readonly agent: string; readonly model: string } | undefined> {
  const row = await tx
    .updateTable('chats')
    .set({ turn_seq: sql<number>`turn_seq + 1`, updated_at: sql<Date>`now()` })
    .where('id', '=', key.chatId)
    .where('workspace_id', '=', key.workspaceId)
    .where('deleted_at', 'is', null)
    .returning(['turn_seq as number', 'agent', 'model'])
    .executeTakeFirst()
  return row
}
