import { type Selectable, sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import type { Database, TurnStatusRow, UsageRow } from '../db/schema.ts'
import type { TurnFence } from './chat-event-repository.ts'
import type { ChatKey } from './chat-repository.ts'

export type TurnRow = Selectable<Database['turns']>
export type StepRow = Selectable<Database['turn_steps']>

export interface NewTurn {
  readonly id: string
  readonly workspace_id: string
  readonly chat_id: string
  readonly number: number
  readonly user_id: string
  readonly message_id: string
  readonly reply_id: string
  readonly agent: string
  readonly model: string
}

export async function insertTurn(tx: DbConn, turn: NewTurn): Promise<void> {
  await tx
    .insertInto('turns')
    .values({ ...turn, status: 'queued', owner: null, lease_expires_at: null, stop_requested_at: null, usage: null, cost: null, error: null, started_at: null, first_delta_at: null, ended_at: null })
    .execute()
}

export function findTurn(conn: DbConn, key: { readonly workspaceId: string; readonly turnId: string }): Promise<TurnRow | undefined> {
  return conn.selectFrom('turns').selectAll().where('id', '=', key.turnId).where('workspace_id', '=', key.workspaceId).executeTakeFirst()
}

/** How many turns of the chat wait or run before turn `number`. */
export async function countOpenTurnsBefore(conn: DbConn, key: ChatKey, number: number): Promise<number> {
  const row = await conn
    .selectFrom('turns')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('chat_id', '=', key.chatId)
    .where('workspace_id', '=', key.workspaceId)
    .where('number', '<', number)
    .where('status', 'in', ['queued', 'running', 'waiting'])
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** The open turns of a chat, head first, locked against claims and ends. */
export function lockOpenTurns(tx: DbConn, key: ChatKey): Promise<TurnRow[]> {
  return tx
    .selectFrom('turns')
    .selectAll()
    .where('chat_id', '=', key.chatId)
    .where('workspace_id', '=', key.workspaceId)
    .where('status', 'in', ['queued', 'running', 'waiting'])
    .orderBy('number')
    .forNoKeyUpdate()
    .execute()
}

/** The open turns of every chat of a workspace, locked against claims and ends. */
export function lockWorkspaceTurns(tx: DbConn, workspaceId: string): Promise<TurnRow[]> {
  return tx.selectFrom('turns').selectAll().where('workspace_id', '=', workspaceId).where('status', 'in', ['queued', 'running', 'waiting']).orderBy('id').forNoKeyUpdate().execute()
}

/** How a node claims. */
export interface ClaimOptions {
  readonly nodeId: string
  readonly leaseSeconds: number
  /** Turns that this node is running now: an own turn that is not among them was lost by an earlier life of the node. */
  readonly running: readonly string[]
}

/**
 * Claims one turn: a queued head of a chat, an own turn that no longer runs here, or one whose lease ran out.
 * Only the head of a chat can be claimed; `turns_one_active` proves it.
 */
export async function claimTurn(tx: DbConn, options: ClaimOptions): Promise<TurnRow | undefined> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM turns t
    WHERE (t.status = 'queued' AND NOT EXISTS (
            SELECT 1 FROM turns earlier WHERE earlier.chat_id = t.chat_id AND earlier.number < t.number AND earlier.status IN ('queued', 'running', 'waiting')))
       OR (t.status = 'running' AND (t.lease_expires_at < now() OR (t.owner = ${options.nodeId}::uuid AND NOT (t.id = ANY (${options.running}::uuid[])))))
    ORDER BY t.created_at, t.id
    LIMIT 1
    FOR NO KEY UPDATE SKIP LOCKED`.execute(tx)
  const id = rows[0]?.id
  if (id === undefined) return undefined
  return tx
    .updateTable('turns')
    .set({
      status: 'running',
      owner: options.nodeId,
      lease_epoch: sql<number>`lease_epoch + 1`,
      lease_expires_at: leaseEnd(options.leaseSeconds),
      attempt: sql<number>`attempt + 1`,
      started_at: sql<Date>`coalesce(started_at, clock_timestamp())`,
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

function leaseEnd(seconds: number) {
  return sql<Date>`now() + make_interval(secs => ${seconds})`
}

/** True while the turn runs under this claim. The row stays locked to the end of the transaction: shared by writers, `exclusive` for whoever changes the turn itself. */
export async function holdTurn(tx: DbConn, fence: TurnFence, mode: 'shared' | 'exclusive'): Promise<boolean> {
  const query = tx.selectFrom('turns').select('id').where('id', '=', fence.turnId).where('lease_epoch', '=', fence.epoch).where('status', '=', 'running')
  return (await (mode === 'shared' ? query.forShare() : query.forNoKeyUpdate()).executeTakeFirst()) !== undefined
}

export async function nextAttempt(tx: DbConn, fence: TurnFence): Promise<number> {
  const row = await tx.updateTable('turns').set({ attempt: sql<number>`attempt + 1` }).where('id', '=', fence.turnId).where('lease_epoch', '=', fence.epoch).returning('attempt').executeTakeFirstOrThrow()
  return row.attempt
}

/** Gives a running turn back: its lease ends now, so that any node may take it. */
export async function releaseTurn(conn: DbConn, fence: TurnFence): Promise<void> {
  await conn.updateTable('turns').set({ lease_expires_at: sql<Date>`now() - interval '1 second'` }).where('id', '=', fence.turnId).where('lease_epoch', '=', fence.epoch).where('status', '=', 'running').execute()
}

export interface TurnEnd {
  readonly status: Extract<TurnStatusRow, 'done' | 'stopped' | 'error'>
  readonly usage: UsageRow | null
  readonly cost: number | null
  readonly error: string | null
  readonly firstDeltaAt: Date | null
}

export async function endTurn(tx: DbConn, turnId: string, end: TurnEnd): Promise<TurnRow> {
  return tx
    .updateTable('turns')
    .set({
      status: end.status,
      usage: end.usage === null ? null : JSON.stringify(end.usage),
      cost: end.cost,
      error: end.error,
      first_delta_at: end.firstDeltaAt,
      lease_expires_at: null,
      ended_at: sql<Date>`clock_timestamp()`,
    })
    .where('id', '=', turnId)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function requestStop(tx: DbConn, turnId: string): Promise<void> {
  await tx.updateTable('turns').set({ stop_requested_at: sql<Date>`coalesce(stop_requested_at, now())` }).where('id', '=', turnId).execute()
}

export interface NewStep {
  readonly turn_id: string
  readonly number: number
  readonly workspace_id: string
  readonly attempt: number
  readonly content: string
  readonly parts: string
  readonly model: string
  readonly usage: UsageRow | null
  readonly cost: number | null
  readonly started_at: Date
}

export async function insertStep(tx: DbConn, step: NewStep): Promise<void> {
  await tx
    .insertInto('turn_steps')
    .values({ ...step, usage: step.usage === null ? null : JSON.stringify(step.usage) })
    .execute()
}

/** The committed steps of some turns, in order. */
export function listSteps(conn: DbConn, turnIds: readonly string[]): Promise<StepRow[]> {
  if (turnIds.length === 0) return Promise.resolve([])
  return conn.selectFrom('turn_steps').selectAll().where('turn_id', 'in', [...turnIds]).orderBy('turn_id').orderBy('number').execute()
}
