/** The one transaction in which a turn ends: last words, unfinished calls, the answer's status, and exactly one terminal event. */
import type { Db, DbConn } from '../../db/db.ts'
import type { NewEventRow } from '../../repositories/chat-event-repository.ts'
import { endMessage } from '../../repositories/chat-message-repository.ts'
import { listToolCalls } from '../../repositories/tool-call-repository.ts'
import { endTurn, holdTurn, insertStep, listSteps, type StepRow } from '../../repositories/turn-repository.ts'
import type { ChatBroadcast } from './chat-broadcast.ts'
import type { PartialPart } from './chat-delta-writer.ts'
import { appendEvents, newEvent } from './chat-event-log.ts'
import { partialMessage } from './chat-stored-message.ts'
import { cancelCalls, STOPPED_BY_USER } from './chat-tool-calls.ts'
import { type CallOutcome, type ClaimedTurn, LostTurn } from './chat-turn.ts'
import { sumCost, sumUsage } from './chat-view.ts'

export type Ending =
  | { readonly type: 'done' }
  | { readonly type: 'stopped'; readonly reason: string }
  | { readonly type: 'error'; readonly code: string; readonly message: string; readonly retryable: boolean }

/** What the attempt leaves behind. */
export interface Leftover {
  readonly parts: readonly PartialPart[]
  readonly events: readonly NewEventRow[]
  readonly startedAt: Date
  readonly firstDeltaAt: Date | null
  readonly step: number
  readonly attempt: number
}

export interface EndTurnDeps {
  readonly db: Db
  readonly broadcast: Pick<ChatBroadcast, 'published' | 'queueChanged'>
}

const NO_USAGE = { input_tokens: 0, cached_tokens: 0, output_tokens: 0, reasoning_tokens: 0 }

/** Ends a running turn. Throws `LostTurn` when another claim has it, or it has ended already. */
export async function finishTurn(deps: EndTurnDeps, turn: ClaimedTurn, end: { readonly ending: Ending; readonly leftover: Leftover }): Promise<void> {
  await deps.db.transaction(async (tx) => {
    if (!(await holdTurn(tx, turn, 'exclusive'))) throw new LostTurn(turn.turnId)
    await endInTransaction(tx, turn, end)
  })
  deps.broadcast.published(turn.chatId)
  deps.broadcast.queueChanged()
}

async function endInTransaction(tx: DbConn, turn: ClaimedTurn, { ending, leftover }: { readonly ending: Ending; readonly leftover: Leftover }): Promise<void> {
  if (ending.type !== 'done' && leftover.parts.length > 0) await keepPartialText(tx, turn, leftover)
  const calls = await listToolCalls(tx, [turn.turnId])
  const cancelled = await cancelCalls(tx, calls, { outcome: cancelOutcome(ending), attempt: leftover.attempt })
  const steps = await listSteps(tx, [turn.turnId])
  const usage = sumUsage(steps.map((step) => step.usage))
  const cost = sumCost(steps.map((step) => step.cost))
  const model = steps.at(-1)?.model ?? turn.model
  await endMessage(tx, turn.replyId, { status: messageStatus(ending), model, usage })
  const error = ending.type === 'error' ? JSON.stringify({ code: ending.code, message: ending.message, retryable: ending.retryable }) : null
  const ended = await endTurn(tx, turn.turnId, { status: ending.type, usage, cost, error, firstDeltaAt: leftover.firstDeltaAt })
  const timings = {
    queued_ms: turn.startedAt.getTime() - turn.createdAt.getTime(),
    first_delta_ms: leftover.firstDeltaAt === null ? null : leftover.firstDeltaAt.getTime() - turn.startedAt.getTime(),
    total_ms: (ended.ended_at ?? new Date()).getTime() - turn.createdAt.getTime(),
  }
  const terminal = terminalEvent(turn, { ending, leftover, steps, done: { usage: usage ?? NO_USAGE, cost, model, timings } })
  await appendEvents(tx, turn, [...leftover.events, ...cancelled, terminal])
}

interface DoneFields {
  readonly usage: typeof NO_USAGE
  readonly cost: number | null
  readonly model: string
  readonly timings: { readonly queued_ms: number; readonly first_delta_ms: number | null; readonly total_ms: number }
}

function terminalEvent(turn: ClaimedTurn, of: { ending: Ending; leftover: Leftover; steps: readonly StepRow[]; done: DoneFields }): NewEventRow {
  const { ending, leftover, steps, done } = of
  const position = { turn_id: turn.turnId, step: leftover.step, attempt: leftover.attempt }
  switch (ending.type) {
    case 'done':
      return newEvent('done', turn.turnId, { ...position, step: Math.max(1, leftover.step - 1), message_id: turn.replyId, ...done })
    case 'stopped':
      return newEvent('stopped', turn.turnId, { ...position, reason: ending.reason, message_id: steps.length === 0 ? null : turn.replyId })
    case 'error':
      return newEvent('error', turn.turnId, { ...position, code: ending.code, message: ending.message, retryable: ending.retryable })
  }
}

/** Text that people have seen stays part of the conversation, for them and for the model. */
function keepPartialText(tx: DbConn, turn: ClaimedTurn, leftover: Leftover): Promise<void> {
  const { content, partIds } = partialMessage(leftover.parts)
  return insertStep(tx, {
    turn_id: turn.turnId,
    number: leftover.step,
    workspace_id: turn.workspaceId,
    attempt: leftover.attempt,
    content,
    parts: JSON.stringify(partIds),
    model: turn.model,
    usage: null,
    cost: null,
    started_at: leftover.startedAt,
  })
}

function messageStatus(ending: Ending): 'complete' | 'stopped' | 'error' {
  return ending.type === 'done' ? 'complete' : ending.type
}

function cancelOutcome(ending: Ending): CallOutcome {
  return ending.type === 'error' ? { ok: false, error: { code: 'cancelled', message: 'The turn ended with an error before this call ran.' } } : STOPPED_BY_USER
}
