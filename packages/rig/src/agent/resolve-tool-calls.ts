import type { ToolChoice } from '../completion/completion-request.ts'
import { toolResultOf } from '../completion/message.ts'
import type { ToolCall } from '../completion/message-types.ts'
import { UnknownToolCallError } from '../errors.ts'
import type { InvalidToolCallPolicy } from './agent-config.ts'
import type { AgentRun } from './agent-run.ts'
import type { PendingToolCall } from './agent-run-json.ts'
import type { HookContext, InvalidToolCallReason } from './hooks.ts'
import type { HookStack } from './hook-stack.ts'
import type { TurnTools } from './turn-tools.ts'

export interface Resolution {
  readonly tools: TurnTools
  readonly toolChoice: ToolChoice | undefined
  readonly policy: InvalidToolCallPolicy
  readonly hooks: HookStack
  readonly ctx: HookContext
  readonly internalCallIds: ReadonlyMap<string, string>
}

/** What is wrong with a call, or `undefined`. */
export function problemOf(call: ToolCall, tools: TurnTools, toolChoice: ToolChoice | undefined): InvalidToolCallReason | undefined {
  const { name, argumentsError } = call.function
  if (tools.get(name) === undefined) return 'unknown'
  if (!tools.allows(name, toolChoice)) return 'not_allowed'
  return argumentsError === undefined ? undefined : 'bad_arguments'
}

/** Turns the calls of an answer into work: those that cannot run get their answer here. Throws `UnknownToolCallError` by policy. */
export async function resolveToolCalls(run: AgentRun, calls: readonly ToolCall[], resolution: Resolution): Promise<readonly PendingToolCall[]> {
  const pending: PendingToolCall[] = []
  for (const call of calls) {
    const reason = problemOf(call, resolution.tools, resolution.toolChoice)
    const ids = { toolCall: call, internalCallId: resolution.internalCallIds.get(call.id) ?? crypto.randomUUID() }
    pending.push(reason === undefined ? ids : await resolveInvalid(run, { ...ids, reason }, resolution))
  }
  return pending
}

async function resolveInvalid(
  run: AgentRun,
  { reason, ...ids }: PendingToolCall & { readonly reason: InvalidToolCallReason },
  resolution: Resolution,
): Promise<PendingToolCall> {
  const call = ids.toolCall
  const available = resolution.tools.names
  if (reason !== 'bad_arguments') run.countInvalidToolCalls(1)
  const verdict = await resolution.hooks.invalidToolCall(resolution.ctx, { call, reason, available })
  switch (verdict?.type) {
    case 'repair': return { ...ids, toolCall: { ...call, function: { ...call.function, name: verdict.toolName } } }
    case 'skip': return { ...ids, preresolvedResult: toolResultOf(call, verdict.reason) }
    case 'feedback': return { ...ids, preresolvedResult: toolResultOf(call, verdict.text, { isError: true }) }
    case 'fail': throw new UnknownToolCallError(call.function.name, available, run.messages)
    case undefined: return { ...ids, preresolvedResult: answerByPolicy(run, { call, reason }, resolution) }
  }
}

function answerByPolicy(
  run: AgentRun,
  { call, reason }: { readonly call: ToolCall; readonly reason: InvalidToolCallReason },
  { tools, policy }: Resolution,
) {
  const { name, argumentsError } = call.function
  if (reason === 'bad_arguments') return toolResultOf(call, `Invalid arguments for ${name}:\n- ${argumentsError}`, { isError: true })
  if (policy.mode === 'fail' || run.invalidToolCalls > policy.max) throw new UnknownToolCallError(name, tools.names, run.messages)
  return toolResultOf(call, invalidCallText(name, reason, tools.names), { isError: true })
}

/** What the model is told about a call that it cannot make. */
export function invalidCallText(name: string, reason: InvalidToolCallReason, available: readonly string[]): string {
  if (reason === 'not_allowed') return `The tool "${name}" may not be called now.`
  return `Unknown tool "${name}". Available tools: ${available.join(', ') || 'none'}.`
}
