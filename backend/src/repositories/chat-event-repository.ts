import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import type { ChatKey } from './chat-repository.ts'

/** An event before it has its seq. `data` is the JSON that is sent, serialised once. */
export interface NewEventRow {
  readonly type: string
  readonly turnId: string | null
  readonly data: string
}

export interface EventRow {
  readonly seq: number
  readonly type: string
  readonly data: string
}

/**
 * Stores events under the chat's next seqs and answers the last one. The chat's counter is taken here, so this is the last thing a transaction does:
 * slow work must not hold the row. With `fence`, nothing is stored and `undefined` answered unless the turn still runs under that epoch.
 */
export async function insertEvents(tx: DbConn, key: ChatKey, options: { readonly events: readonly NewEventRow[]; readonly fence?: TurnFence }): Promise<number | undefined> {
  const { events, fence } = options
  const count = events.length
  const fenced =
    fence === undefined
      ? sql`TRUE`
      : sql`EXISTS (SELECT 1 FROM (SELECT id FROM turns WHERE id = ${fence.turnId}::uuid AND lease_epoch = ${fence.epoch} AND status = 'running' FOR SHARE) AS fence)`
  // Deltas are no news to a list of chats, and leaving its index alone keeps them cheap.
  const activity = fence === undefined ? sql`now()` : sql`updated_at`
  const { rows } = await sql<{ last: number }>`
    WITH counter AS (
      UPDATE chats SET event_seq = event_seq + ${count}, updated_at = ${activity}
      WHERE id = ${key.chatId}::uuid AND workspace_id = ${key.workspaceId}::uuid AND ${fenced}
      RETURNING event_seq
    ), stored AS (
      INSERT INTO chat_events (chat_id, seq, workspace_id, type, turn_id, data)
      SELECT ${key.chatId}::uuid, counter.event_seq - ${count} + event.position, ${key.workspaceId}::uuid, event.type, event.turn_id, event.data
      FROM counter, unnest(${events.map((event) => event.type)}::text[], ${events.map((event) => event.turnId)}::uuid[], ${events.map((event) => event.data)}::text[])
        WITH ORDINALITY AS event (type, turn_id, data, position)
    )
    SELECT event_seq AS last FROM counter`.execute(tx)
  return rows[0]?.last
}

/** A turn under one claim of it: what a writer must still hold. */
export interface TurnFence {
  readonly turnId: string
  readonly epoch: number
}

/** Events after a cursor, in order, at most `limit`. */
export function readEvents(conn: DbConn, key: ChatKey, page: { readonly after: number; readonly limit: number }): Promise<EventRow[]> {
  return conn
    .selectFrom('chat_events')
    .select(['seq', 'type', 'data'])
    .where('chat_id', '=', key.chatId)
    .where('workspace_id', '=', key.workspaceId)
    .where('seq', '>', page.after)
    .orderBy('seq')
    .limit(page.limit)
    .execute()
}

/** The head of a chat's log, and whether anything is queued or running; undefined when the chat is gone. */
export async function readHead(conn: DbConn, key: ChatKey): Promise<{ readonly lastSeq: number; readonly busy: boolean } | undefined> {
  const { rows } = await sql<{ last_seq: number; busy: boolean }>`
    SELECT event_seq AS last_seq, EXISTS (SELECT 1 FROM turns WHERE chat_id = chats.id AND status IN ('queued', 'running')) AS busy
    FROM chats WHERE id = ${key.chatId}::uuid AND workspace_id = ${key.workspaceId}::uuid AND deleted_at IS NULL`.execute(conn)
  const row = rows[0]
  return row && { lastSeq: row.last_seq, busy: row.busy }
}

/** The seq of the last event of a turn with one of `types`; 0 when there is none. */
export async function lastSeqOf(conn: DbConn, turnId: string, types: readonly string[]): Promise<number> {
  const row = await conn
    .selectFrom('chat_events')
    .select((eb) => eb.fn.max('seq').as('seq'))
    .where('turn_id', '=', turnId)
    .where('type', 'in', [...types])
    .executeTakeFirst()
  return Number(row?.seq ?? 0)
}
