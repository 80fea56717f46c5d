import type { StoredEvent, StoredEventType } from '@buildscale/protocol'
import type { DbConn } from '../../db/db.ts'
import { insertEvents, type NewEventRow, type TurnFence } from '../../repositories/chat-event-repository.ts'
import type { ChatKey } from '../../repositories/chat-repository.ts'
import { LostTurn } from './chat-turn.ts'

/** An event ready to be stored: its data is serialised here, once, and never touched again. */
export function newEvent<Type extends StoredEventType>(type: Type, turnId: string | null, data: Extract<StoredEvent, { type: Type }>['data']): NewEventRow {
  return { type, turnId, data: JSON.stringify(data) }
}

/** Stores events as the last statement of a transaction. Answers the last seq, for `published` after the commit. */
export async function appendEvents(tx: DbConn, key: ChatKey, events: readonly NewEventRow[]): Promise<number> {
  const last = await insertEvents(tx, key, { events })
  if (last === undefined) throw new Error(`Chat ${key.chatId} is gone`)
  return last
}

/** Stores events of a running turn in a transaction of their own: one statement, one round trip. Throws `LostTurn` when the claim no longer holds. */
export async function appendFenced(conn: DbConn, key: ChatKey, { events, fence }: { readonly events: readonly NewEventRow[]; readonly fence: TurnFence }): Promise<number> {
  const last = await insertEvents(conn, key, { events, fence })
  if (last === undefined) throw new LostTurn(fence.turnId)
  return last
}

/** The data line of a stored event, from the JSON that was stored. */
export function frameData(type: string, data: string): string {
  return `{"type":${JSON.stringify(type)},"data":${data}}`
}
