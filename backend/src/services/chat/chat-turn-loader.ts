/** Reads what a turn needs to run: the conversation before it, and what of itself is committed already. */
import type { DbConn } from '../../db/db.ts'
import { findMessage, listQuestionsBefore } from '../../repositories/chat-message-repository.ts'
import type { ChatKey } from '../../repositories/chat-repository.ts'
import { listToolCalls, type ToolCallRow } from '../../repositories/tool-call-repository.ts'
import { listSteps, type StepRow } from '../../repositories/turn-repository.ts'
import type { StoredStep, StoredTurn } from './chat-turn.ts'

/** The turns before `number` that reached the model, oldest first. */
export async function loadHistory(conn: DbConn, key: ChatKey, number: number): Promise<readonly StoredTurn[]> {
  const questions = await listQuestionsBefore(conn, key, number)
  const ids = questions.map((question) => question.turn_id)
  const steps = groupBy(await listSteps(conn, ids), (step) => step.turn_id)
  const calls = groupBy(await listToolCalls(conn, ids), (call) => call.turn_id)
  return questions.map((question) => ({ question: question.content, hasFailed: question.status === 'error', steps: storedSteps(steps.get(question.turn_id) ?? [], calls.get(question.turn_id) ?? []) }))
}

export async function loadCurrent(conn: DbConn, turn: { readonly turnId: string; readonly messageId: string }): Promise<StoredTurn & { readonly lastAttempt: number }> {
  const message = await findMessage(conn, turn.messageId)
  if (message === undefined) throw new Error(`Turn ${turn.turnId} has no message`)
  const steps = await listSteps(conn, [turn.turnId])
  const calls = await listToolCalls(conn, [turn.turnId])
  return { question: message.content, steps: storedSteps(steps, calls), lastAttempt: steps.at(-1)?.attempt ?? 0 }
}

function storedSteps(steps: readonly StepRow[], calls: readonly ToolCallRow[]): readonly StoredStep[] {
  return steps.map((step) => ({ number: step.number, content: step.content, calls: calls.filter((call) => call.step === step.number) }))
}

function groupBy<Row>(rows: readonly Row[], key: (row: Row) => string): ReadonlyMap<string, readonly Row[]> {
  return Map.groupBy(rows, key)
}
