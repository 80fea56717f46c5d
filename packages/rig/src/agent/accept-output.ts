import { toolResultOf, textOf } from '../completion/message.ts'
import type { AssistantContent, ToolCall } from '../completion/message-types.ts'
import { StructuredOutputError } from '../errors.ts'
import type { AgentRun, AssistantTurn } from './agent-run.ts'
import type { PendingToolCall } from './agent-run-json.ts'
import type { Judgement, OutputPlan, TurnOutput } from './output-schema.ts'

export interface OutputAnswer {
  readonly turn: AssistantTurn
  readonly calls: readonly ToolCall[]
  readonly internalCallIds: ReadonlyMap<string, string>
}

/**
 * What became of an answer: `accepted` and `asked_again` have changed the run; `ordinary` leaves it to the usual way, with the checked
 * value when the answer is the final one.
 */
export type OutputVerdict =
  | { readonly type: 'accepted'; readonly value: unknown }
  | { readonly type: 'asked_again' }
  | { readonly type: 'ordinary'; readonly value?: unknown }

/** Checks an answer against the form that the run has to end with. Throws `StructuredOutputError` when no retry is left. */
export async function acceptOutput(run: AgentRun, answer: OutputAnswer, { plan, output }: { readonly plan: OutputPlan; readonly output: TurnOutput }): Promise<OutputVerdict> {
  const { turn, calls } = answer
  const call = output.mode === 'tool' ? calls.find(({ function: { name } }) => name === output.definition.name) : undefined
  if (call !== undefined) return acceptCall(run, { ...answer, call }, { plan, output })
  if (calls.length > 0) {
    run.resetOutputRetries()
    return { type: 'ordinary' }
  }
  const text = textOf(turn.content)
  const judgement = await plan.judgeText(text)
  if (judgement.type === 'accepted') return { type: 'ordinary', value: judgement.value }
  spendRetry(run, { plan, text, judgement, turn })
  run.retryTurn(turn, plan.feedback(judgement.problems, output))
  return { type: 'asked_again' }
}

async function acceptCall(
  run: AgentRun,
  { turn, calls, call, internalCallIds }: OutputAnswer & { readonly call: ToolCall },
  { plan, output }: { readonly plan: OutputPlan; readonly output: TurnOutput },
): Promise<OutputVerdict> {
  const { arguments: args, argumentsError, rawArguments } = call.function
  const judgement: Judgement = argumentsError === undefined ? await plan.judge(args) : { type: 'rejected', problems: [argumentsError] }
  const text = JSON.stringify(args)
  if (judgement.type === 'accepted') {
    run.acceptTurn({ ...withoutIdentity(turn), content: asText(turn.content, text) }, [], text)
    return { type: 'accepted', value: judgement.value }
  }
  spendRetry(run, { plan, text: rawArguments ?? text, judgement, turn })
  run.acceptTurn(turn, calls.map((other): PendingToolCall => ({
    toolCall: other,
    internalCallId: internalCallIds.get(other.id) ?? crypto.randomUUID(),
    preresolvedResult: toolResultOf(other, other === call ? plan.feedback(judgement.problems, output) : 'Not run: the final answer was given in the same turn.', { isError: true }),
  })))
  return { type: 'asked_again' }
}

interface Rejection {
  readonly plan: OutputPlan
  readonly text: string
  readonly judgement: Extract<Judgement, { type: 'rejected' }>
  /** Kept in the error's history: it is what was said. */
  readonly turn: AssistantTurn
}

function spendRetry(run: AgentRun, { plan, text, judgement, turn }: Rejection): void {
  if (run.outputRetries < plan.spec.retries && run.turn < run.maxTurns) {
    run.countOutputRetry()
    return
  }
  throw new StructuredOutputError(text, judgement.problems, [...run.messages, ...(turn.content.length === 0 ? [] : [{ role: 'assistant' as const, content: turn.content, origin: turn.origin }])])
}

/**
 * The answer as it is kept: a call that is never answered would be refused when the conversation goes on, and so would items whose
 * companions are gone. What remains is plain text, and the result as text after it.
 */
function asText(content: readonly AssistantContent[], result: string): readonly AssistantContent[] {
  const texts = content.flatMap((part): AssistantContent[] => (part.type === 'text' && part.text !== '' ? [{ type: 'text', text: part.text }] : []))
  return [...texts, { type: 'text', text: result }]
}

function withoutIdentity({ messageId: _message, responseId: _response, ...turn }: AssistantTurn): AssistantTurn {
  return { ...turn, finishReason: 'stop' }
}
