/**
 * The ledger of a turn's tool calls. A call's effect, its result, the versions it made and the events that show it are one transaction: they exist
 * together or not at all. A call that has a result is never run again, whichever node or attempt asks.
 */
import { sql } from 'kysely'
import type { DbConn } from '../../db/db.ts'
import type { SessionConn } from '../../db/session-conn.ts'
import { AppError, publicError } from '../../errors.ts'
import type { NewEventRow } from '../../repositories/chat-event-repository.ts'
import { endToolCall, holdToolCall, markToolCallRunning, type ToolCallRow } from '../../repositories/tool-call-repository.ts'
import { ChangeSet, type RecordedChange } from '../files/change-set.ts'
import type { JournalFeed } from '../files/journal-feed.ts'
import type { ChatBroadcast } from './chat-broadcast.ts'
import { appendEvents, newEvent } from './chat-event-log.ts'
import { type ApplyWrite, type CallOutcome, type ClaimedTurn, type EndedCall, LostTurn, type TurnLedger } from './chat-turn.ts'

export interface ToolLedgerDeps {
  readonly conn: Pick<SessionConn, 'run' | 'transaction'>
  readonly journal: Pick<JournalFeed, 'changed'>
  readonly broadcast: Pick<ChatBroadcast, 'published'>
  readonly turn: ClaimedTurn
  /** The attempt that events name now; it grows when a step is asked again. */
  readonly attempt: () => number
}

export class ToolLedger implements TurnLedger {
  readonly #deps: ToolLedgerDeps

  constructor(deps: ToolLedgerDeps) {
    this.#deps = deps
  }

  async finish(call: ToolCallRow, outcome: CallOutcome, startedAt: Date | null): Promise<EndedCall> {
    const ended = await this.#deps.conn.transaction(async (tx) => {
      const stored = endedCall(await this.#hold(tx, call))
      return stored ?? this.#store(tx, { call, outcome, startedAt, changes: [] })
    })
    this.#deps.broadcast.published(this.#deps.turn.chatId)
    return ended
  }

  async apply(call: ToolCallRow, apply: ApplyWrite, startedAt: Date): Promise<EndedCall> {
    const { conn, turn, journal, broadcast } = this.#deps
    const { ended, changes } = await conn.transaction(async (tx) => {
      const author = { kind: 'agent' as const, id: turn.userId, turnId: turn.turnId, toolCallId: call.id }
      const set = await ChangeSet.open(tx, { workspaceId: turn.workspaceId, author })
      const stored = endedCall(await this.#hold(tx, call))
      if (stored !== undefined) return { ended: stored, changes: [] }
      const outcome = await applySafely(set, apply)
      const changes = await set.close()
      return { ended: await this.#store(tx, { call, outcome, startedAt, changes }), changes }
    })
    const last = changes.at(-1)
    if (last !== undefined) journal.changed(turn.workspaceId, last.seq)
    broadcast.published(turn.chatId)
    return ended
  }

  markRunning(call: ToolCallRow): Promise<void> {
    return this.#deps.conn.run((conn) => markToolCallRunning(conn, call.id))
  }

  async #hold(tx: DbConn, call: ToolCallRow): Promise<ToolCallRow> {
    const held = await holdToolCall(tx, call.id, this.#deps.turn)
    if (held === undefined) throw new LostTurn(this.#deps.turn.turnId)
    return held
  }

  async #store(tx: DbConn, end: { call: ToolCallRow; outcome: CallOutcome; startedAt: Date | null; changes: readonly RecordedChange[] }): Promise<EndedCall> {
    const { call, outcome, startedAt, changes } = end
    const ended: EndedCall = outcomeResult(outcome)
    await endToolCall(tx, call.id, { ...ended, startedAt })
    const { turn, attempt } = this.#deps
    const position = { turn_id: turn.turnId, step: call.step, attempt: attempt() }
    const output: unknown = outcome.ok ? outcome.output : { error: outcome.error }
    const duration = startedAt === null ? 0 : Math.max(0, Date.now() - startedAt.getTime())
    await appendEvents(tx, turn, [
      ...changes.map((change) => fileEvent(change, { ...position, call_id: call.id })),
      newEvent('observation', turn.turnId, { ...position, call_id: call.id, output, success: outcome.ok, duration_ms: duration }),
    ])
    return ended
  }
}

/** A failing statement aborts a PostgreSQL transaction; the savepoint brings it back to where the tool began, so that its failure can be stored. */
async function applySafely(set: ChangeSet, apply: ApplyWrite): Promise<CallOutcome> {
  const mark = set.mark()
  await sql`SAVEPOINT tool`.execute(set.tx)
  try {
    return { ok: true, output: await apply(set) }
  } catch (error) {
    await sql`ROLLBACK TO SAVEPOINT tool`.execute(set.tx)
    set.rollbackTo(mark)
    return failure(error)
  }
}

/** How an error reads as an outcome: our own as it stands, anything else without its details. */
export function failure(error: unknown): CallOutcome & { readonly ok: false } {
  const { code, message } = publicError(error)
  return { ok: false, error: { code, message: error instanceof AppError ? message : `The tool failed (${code}). Nothing was changed.` } }
}

function outcomeResult(outcome: CallOutcome): EndedCall {
  return outcome.ok ? { status: 'ok', result: JSON.stringify(outcome.output ?? null) } : { status: 'failed', result: JSON.stringify({ error: outcome.error }) }
}

function endedCall(row: ToolCallRow): EndedCall | undefined {
  return row.status === 'pending' || row.status === 'running' ? undefined : { status: row.status, result: row.result ?? 'null' }
}

function fileEvent(change: RecordedChange, of: { turn_id: string; step: number; attempt: number; call_id: string }): NewEventRow {
  return newEvent('file_updated', of.turn_id, { ...of, path: change.path, version: change.version, change_seq: change.seq, kind: change.kind })
}

/** The text that stands in for the result of a call that a person's stop cut off. */
export const STOPPED_BY_USER: CallOutcome = { ok: false, error: { code: 'cancelled', message: 'stopped by the user' } }

/** Ends calls that never got a result, inside the transaction that ends their turn, so that every call stays paired. Answers the events to append. */
export async function cancelCalls(tx: DbConn, calls: readonly ToolCallRow[], end: { readonly outcome: CallOutcome; readonly attempt: number }): Promise<readonly NewEventRow[]> {
  const open = calls.filter((call) => endedCall(call) === undefined)
  const { result } = outcomeResult(end.outcome)
  for (const call of open) await endToolCall(tx, call.id, { status: call.effect === 'external' && call.status === 'running' ? 'in_doubt' : 'cancelled', result, startedAt: call.started_at })
  const output: unknown = end.outcome.ok ? end.outcome.output : { error: end.outcome.error }
  return open.map((call) => newEvent('observation', call.turn_id, { turn_id: call.turn_id, step: call.step, attempt: end.attempt, call_id: call.id, output, success: false, duration_ms: 0 }))
}
