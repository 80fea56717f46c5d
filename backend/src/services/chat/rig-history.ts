/** Stored messages <-> messages of the runtime. What is sent again is what was received: parts, order, ids and bytes. */
import { Message, type PendingToolCall, type ToolCall, type ToolResultContent } from '@buildscale/rig'
import type { ToolCallRow } from '../../repositories/tool-call-repository.ts'
import { parseJson, resultForModel } from './chat-stored-message.ts'
import type { StoredStep, StoredTurn } from './chat-turn.ts'
import type { RigShown } from './rig-media.ts'

type ToolResult = NonNullable<PendingToolCall['preresolvedResult']>

/** The messages of turns that have ended: question, then per step the answer and the results of its calls. */
export function rigHistory(turns: readonly StoredTurn[], shown: RigShown = new Map()): Message[] {
  return turns.flatMap((turn) => rigTurn(turn, shown).messages)
}

/** One turn as messages, and what its last answer still waits for. */
export interface RigTurn {
  readonly messages: readonly Message[]
  /** Calls of the last step, all of them, when at least one has no result yet; then its results are not among the messages. */
  readonly pending: readonly PendingToolCall[]
  /** True when the last committed answer called no tool: the turn only has to be ended. */
  readonly isAnswered: boolean
}

/** `shown`: what stands behind the results of calls that read images or documents. */
export function rigTurn(turn: StoredTurn, shown: RigShown = new Map()): RigTurn {
  const messages: Message[] = [Message.parse(parseJson(turn.question))]
  let pending: readonly PendingToolCall[] = []
  for (const step of turn.steps) {
    const answer = Message.parse(parseJson(step.content))
    // Providers refuse empty messages; an empty answer was never part of what they saw.
    if (answer.content.length > 0) messages.push(answer)
    const calls = pairCalls(answer, { step, shown })
    if (calls.length === 0) continue
    const results = calls.flatMap(({ preresolvedResult }) => (preresolvedResult === undefined ? [] : [preresolvedResult]))
    if (results.length < calls.length) pending = calls
    else messages.push({ role: 'user', content: results })
  }
  const last = turn.steps.at(-1)
  return { messages, pending, isAnswered: last !== undefined && last.calls.length === 0 }
}

/** The calls of an answer with the ledger's results, in call order. */
function pairCalls(answer: Message, { step, shown }: { readonly step: StoredStep; readonly shown: RigShown }): readonly PendingToolCall[] {
  if (answer.role !== 'assistant') return []
  const calls = answer.content.filter((part): part is ToolCall => part.type === 'tool_call')
  return calls.map((toolCall, index) => {
    const row = step.calls[index]
    if (row === undefined) throw new Error(`Step ${step.number} has no row for the call ${toolCall.id}`)
    const result = ledgerResult(toolCall, { row, part: shown.get(row.id) })
    return { toolCall, internalCallId: row.id, ...(result !== undefined && { preresolvedResult: result }) }
  })
}

function ledgerResult(call: ToolCall, { row, part }: { readonly row: ToolCallRow; readonly part: ToolResultContent | undefined }): ToolResult | undefined {
  if (row.status === 'pending' || row.status === 'running') return undefined
  const message = Message.toolResult(call, rigResultContent(row, part), { isError: row.status !== 'ok' })
  const [result] = message.content
  if (result?.type !== 'tool_result') throw new Error('A tool result message has one result')
  return result
}

/** The content of a call's result. The same function serves live results and replayed ones, so that both have the same bytes. */
export function rigResultContent(ended: { readonly status: string; readonly result: string | null }, part: ToolResultContent | undefined): readonly ToolResultContent[] {
  return [{ type: 'text', text: resultForModel(ended) }, ...(part === undefined ? [] : [part])]
}
