import { type Selectable, sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import type { TurnFence } from './chat-event-repository.ts'
import type { Database, ToolEffectRow } from '../db/schema.ts'

export type ToolCallRow = Selectable<Database['tool_calls']>

export interface NewToolCall {
  readonly id: string
  readonly workspace_id: string
  readonly chat_id: string
  readonly turn_id: string
  readonly step: number
  readonly index: number
  readonly message_id: string
  readonly provider_call_id: string
  readonly name: string
  readonly args: string
  readonly effect: ToolEffectRow
}

/** Stores the calls of a committed step, all pending; answers their rows. */
export async function insertToolCalls(tx: DbConn, calls: readonly NewToolCall[]): Promise<readonly ToolCallRow[]> {
  if (calls.length === 0) return []
  return tx
    .insertInto('tool_calls')
    .values(calls.map((call) => ({ ...call, status: 'pending' as const, result: null, started_at: null, ended_at: null })))
    .returningAll()
    .execute()
}

/** The calls of some turns, in the order in which the model made them. */
export function listToolCalls(conn: DbConn, turnIds: readonly string[]): Promise<ToolCallRow[]> {
  if (turnIds.length === 0) return Promise.resolve([])
  return conn.selectFrom('tool_calls').selectAll().where('turn_id', 'in', [...turnIds]).orderBy('turn_id').orderBy('step').orderBy('index').execute()
}

/**
 * The call, locked, so that its result is stored once, and its turn held against takeover and end; undefined when the turn no longer runs under this claim.
 * One round trip: a write does little else.
 */
export function holdToolCall(tx: DbConn, id: string, fence: TurnFence): Promise<ToolCallRow | undefined> {
  return tx
    .selectFrom('turns')
    .innerJoin('tool_calls', 'tool_calls.turn_id', 'turns.id')
    .selectAll('tool_calls')
    .where('turns.id', '=', fence.turnId)
    .where('turns.lease_epoch', '=', fence.epoch)
    .where('turns.status', '=', 'running')
    .where('tool_calls.id', '=', id)
    .forShare('turns')
    .forNoKeyUpdate('tool_calls')
    .executeTakeFirst()
}

export interface ToolCallEnd {
  readonly status: 'ok' | 'failed' | 'cancelled' | 'in_doubt'
  readonly result: string
  /** When the call began, on this node's clock; null when it never ran. */
  readonly startedAt: Date | null
}

export async function endToolCall(tx: DbConn, id: string, end: ToolCallEnd): Promise<void> {
  await tx.updateTable('tool_calls').set({ status: end.status, result: end.result, started_at: end.startedAt, ended_at: sql<Date>`clock_timestamp()` }).where('id', '=', id).execute()
}

/** An external call is about to happen: from here on a crash leaves it in doubt. */
export async function markToolCallRunning(conn: DbConn, id: string): Promise<void> {
  await conn.updateTable('tool_calls').set({ status: 'running', started_at: sql<Date>`clock_timestamp()` }).where('id', '=', id).where('status', '=', 'pending').execute()
}
