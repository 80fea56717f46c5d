import { type Selectable, sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import type { Database, MessageStatusRow, TurnStatusRow, UsageRow } from '../db/schema.ts'
import type { ChatKey } from './chat-repository.ts'

export type MessageRow = Selectable<Database['chat_messages']>
/** A message with the number of its turn, which orders a chat: a turn's question, then its answer. */
export type NumberedMessageRow = MessageRow & { readonly number: number }

export interface NewMessage {
  readonly id: string
  readonly workspace_id: string
  readonly chat_id: string
  readonly turn_id: string
  readonly role: 'user' | 'assistant'
  readonly status: MessageStatusRow
  readonly content: string
  readonly model: string | null
}

export async function insertMessage(tx: DbConn, message: NewMessage): Promise<void> {
  await tx.insertInto('chat_messages').values({ ...message, usage: null }).execute()
}

export interface MessageEnd {
  readonly status: Exclude<MessageStatusRow, 'running'>
  readonly model: string
  readonly usage: UsageRow | null
}

export async function endMessage(tx: DbConn, id: string, end: MessageEnd): Promise<void> {
  await tx
    .updateTable('chat_messages')
    .set({ status: end.status, model: end.model, usage: end.usage === null ? null : JSON.stringify(end.usage) })
    .where('id', '=', id)
    .execute()
}

/** The person's messages of the turns before `number`, with those turns' ids and how they ended: the skeleton of the history. */
export function listQuestionsBefore(conn: DbConn, key: ChatKey, number: number): Promise<{ turn_id: string; content: string; status: TurnStatusRow }[]> {
  return conn
    .selectFrom('chat_messages')
    .innerJoin('turns', 'turns.id', 'chat_messages.turn_id')
    .select(['chat_messages.turn_id', 'chat_messages.content', 'turns.status'])
    .where('chat_messages.chat_id', '=', key.chatId)
    .where('chat_messages.workspace_id', '=', key.workspaceId)
    .where('chat_messages.role', '=', 'user')
    .where('turns.number', '<', number)
    // A turn that was stopped before it ran never reached the model.
    .where('turns.started_at', 'is not', null)
    .orderBy('turns.number')
    .execute()
}

export function findMessage(conn: DbConn, id: string): Promise<MessageRow | undefined> {
  return conn.selectFrom('chat_messages').selectAll().where('id', '=', id).executeTakeFirst()
}

/**
 * The newest messages of a chat whose own events are all at or before `asOfSeq`, newest first.
 * The answer of a running turn is left out: its events come after that cursor.
 */
export function listMessages(conn: DbConn, key: ChatKey, page: { readonly before: number | undefined; readonly limit: number; readonly asOfSeq: number }): Promise<NumberedMessageRow[]> {
  const query = conn
    .selectFrom('chat_messages')
    .innerJoin('turns', 'turns.id', 'chat_messages.turn_id')
    .selectAll('chat_messages')
    .select('turns.number')
    .where('chat_messages.chat_id', '=', key.chatId)
    .where('chat_messages.workspace_id', '=', key.workspaceId)
    .where('chat_messages.status', '!=', 'running')
    .where(
      sql<boolean>`(chat_messages.role = 'assistant' OR EXISTS (
        SELECT 1 FROM chat_events e WHERE e.chat_id = chat_messages.chat_id AND e.turn_id = chat_messages.turn_id AND e.type = 'message' AND e.seq <= ${page.asOfSeq}))`,
    )
  const position = sql<number>`turns.number * 2 + CASE chat_messages.role WHEN 'user' THEN 0 ELSE 1 END`
  const { before } = page
  return (before === undefined ? query : query.where(sql<boolean>`${position} < ${before}`)).orderBy(position, 'desc').limit(page.limit).execute()
}
