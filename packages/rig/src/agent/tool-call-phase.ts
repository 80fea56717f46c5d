import { isJsonObject, type Json } from '../completion/json.ts'
import { toolResultOf } from '../completion/message.ts'
import type { ToolResult } from '../completion/message-types.ts'
import type { Tool } from '../tool/tool.ts'
import { ToolExecutionError } from '../tool/tool-error.ts'
import { errorOutcome, skippedOutcome, type ToolCallOutcome } from '../tool/tool-output.ts'
import type { AgentConfig } from './agent-config.ts'
import type { AgentRun, AgentStep } from './agent-run.ts'
import type { PendingToolCall } from './agent-run-json.ts'
import type { HookStack } from './hook-stack.ts'
import type { HookContext } from './hooks.ts'
import { PromptSuspendedError } from './prompt-suspended-error.ts'
import { invalidCallText } from './resolve-tool-calls.ts'
import type { RunOptions, ToolCallDecision } from './run-options.ts'
import { runBatch, runTool } from './run-tools.ts'
import type { MultiTurnStreamItem } from './agent-event.ts'
import { traced } from './telemetry.ts'
import type { TurnTools } from './turn-tools.ts'

const DEFAULT_GRACE_MS = 5000

export interface ToolCallPhaseInput {
  readonly run: AgentRun
  readonly config: AgentConfig
  readonly options: RunOptions
  readonly decisions: Readonly<Record<string, ToolCallDecision>>
  readonly observer: { item(item: MultiTurnStreamItem): void }
  readonly controller: AbortController
  readonly hooks: HookStack
  readonly runId: string
}

interface PhaseContext {
  readonly tools: TurnTools
  readonly ctx: HookContext
}

/** A call that is cleared to run, or whose outcome is known without running it. */
interface PreparedCall {
  readonly pending: PendingToolCall
  readonly args: Json
  readonly outcome?: ToolCallOutcome
  /** Set when a hook wants a person to decide. */
  readonly suspended?: string
}

interface FinishedCall {
  readonly pending: PendingToolCall
  readonly args: Json
  readonly status: ToolCallOutcome['status']
  readonly result: ToolResult
}

/** The calls of one turn, from the hooks before them to their results in the run: prepare all, execute, finalize. */
export class ToolCallPhase {
  readonly #input: ToolCallPhaseInput
  /** Calls whose result came with the run's JSON: whoever stored it has reported it. */
  readonly #reported: ReadonlySet<string>

  constructor(input: ToolCallPhaseInput) {
    this.#input = input
    const step = input.run.nextStep()
    const known = step.type === 'callTools' ? step.calls.filter((call) => call.preresolvedResult !== undefined) : []
    this.#reported = new Set(known.map((call) => call.internalCallId))
  }

  async execute({ turn, calls }: Extract<AgentStep, { type: 'callTools' }>, phase: PhaseContext): Promise<void> {
    const { observer, run, config, options, controller } = this.#input
    for (const { toolCall, internalCallId } of calls) {
      if (!this.#reported.has(internalCallId)) observer.item({ type: 'streamAssistantItem', turn, item: { type: 'tool_call', internalCallId, toolCall } })
    }
    const prepared = await this.#prepareAll(calls, phase)
    controller.signal.throwIfAborted()
    const tasks = prepared.map((call) => ({
      exclusive: call.outcome === undefined && toolOf(call, phase)?.exclusive === true,
      run: () => this.#finish(call, phase),
    }))
    const finished = await runBatch(tasks, {
      concurrency: options.toolConcurrency ?? config.toolConcurrency,
      signal: controller.signal,
      onFailure: (error) => controller.abort(error),
    })
    for (const call of finished) this.#report(turn, call)
    run.acceptToolResults(finished.map(({ result }) => result))
  }

  /** Every call passes its hooks before the first one runs: one that has to wait for a person holds back all. */
  async #prepareAll(calls: readonly PendingToolCall[], phase: PhaseContext): Promise<readonly PreparedCall[]> {
    const prepared: PreparedCall[] = []
    for (const call of calls) prepared.push(await this.#prepare(call, phase))
    const suspended = prepared.flatMap(({ pending, suspended: reason }) => (reason === undefined ? [] : [{ call: pending.toolCall, reason }]))
    if (suspended.length === 0) return prepared
    const { run } = this.#input
    run.updateCalls(await Promise.all(prepared.map((call) => this.#suspend(call, phase))))
    throw new PromptSuspendedError(run.toJSON(), suspended, run.messages)
  }

  /** The call as it waits in the run's JSON. An answer that is known already is reported now: after the resumption it counts as reported. */
  async #suspend(call: PreparedCall, phase: PhaseContext): Promise<PendingToolCall> {
    if (call.pending.preresolvedResult === undefined) return withArguments(call.pending, call.args)
    const finished = await this.#finish(call, phase)
    this.#report(phase.ctx.turn, finished)
    return { ...call.pending, preresolvedResult: finished.result }
  }

  async #prepare(pending: PendingToolCall, { tools, ctx }: PhaseContext): Promise<PreparedCall> {
    const { toolCall, internalCallId, preresolvedResult } = pending
    const { name, arguments: args } = toolCall.function
    if (preresolvedResult !== undefined) return { pending, args, outcome: outcomeOf(preresolvedResult) }
    if (tools.get(name) === undefined) {
      return { pending, args, outcome: errorOutcome(new ToolExecutionError('not_found', invalidCallText(name, 'unknown', tools.names))) }
    }
    const decision = this.#input.decisions[toolCall.id]
    if (decision !== undefined) return decided(pending, args, decision)
    if (!this.#input.hooks.has('onToolCall')) return { pending, args }
    const verdict = await this.#input.hooks.toolCall(ctx, { name, call: toolCall, args, internalCallId })
    switch (verdict.type) {
      case 'run': return { pending, args: verdict.args }
      case 'skip': return { pending, args: verdict.args, outcome: skippedOutcome(verdict.reason) }
      case 'suspend': return { pending, args: verdict.args, suspended: verdict.reason }
    }
  }

  async #finish(call: PreparedCall, phase: PhaseContext): Promise<FinishedCall> {
    const { pending, args } = call
    const { toolCall, internalCallId, preresolvedResult } = pending
    if (preresolvedResult !== undefined && this.#reported.has(internalCallId)) {
      return { pending, args, result: preresolvedResult, status: outcomeOf(preresolvedResult).status }
    }
    const metadata = new Map<string, unknown>()
    const startedAt = performance.now()
    const tool = toolOf(call, phase)
    const ran = call.outcome ?? (tool === undefined ? undefined : await this.#runTool(call, { tool, metadata, turn: phase.ctx.turn }))
    if (ran === undefined) throw new TypeError(`The tool "${toolCall.function.name}" left the set during its turn`)
    const durationMs = call.outcome === undefined ? performance.now() - startedAt : 0
    const event = { name: toolCall.function.name, call: toolCall, args, outcome: ran, durationMs, metadata }
    const { hooks } = this.#input
    const outcome = hooks.has('onToolResult') ? await hooks.toolResult(phase.ctx, event) : ran
    const isError = outcome.status === 'error' || outcome.status === 'denied'
    return { pending, args, status: outcome.status, result: toolResultOf(toolCall, outcome.content, { isError }) }
  }

  #runTool(call: PreparedCall, { tool, metadata, turn }: { readonly tool: Tool; readonly metadata: Map<string, unknown>; readonly turn: number }): Promise<ToolCallOutcome> {
    const { config, options, observer, controller, runId } = this.#input
    const { toolCall, internalCallId } = call.pending
    const span = config.telemetry?.executeTool({ name: tool.name, toolCallId: toolCall.id, arguments: call.args })
    return traced(span, () => runTool({
      tool,
      args: call.args,
      graceMs: options.toolGraceMs ?? DEFAULT_GRACE_MS,
      context: {
        signal: controller.signal,
        runId,
        turn,
        toolCallId: toolCall.id,
        internalCallId,
        depth: options.depth ?? 0,
        deps: options.deps,
        metadata,
        progress: (data) => observer.item({ type: 'toolProgress', turn, internalCallId, data }),
      },
    }))
  }

  #report(turn: number, { pending, args, status, result }: FinishedCall): void {
    const { toolCall, internalCallId } = pending
    if (this.#reported.has(internalCallId)) return
    const { observer } = this.#input
    const name = toolCall.function.name
    observer.item({ type: 'toolExecutionCommitted', turn, internalCallId, toolCallId: toolCall.id, name, effectiveArguments: args, status })
    observer.item({ type: 'streamUserItem', turn, item: { type: 'tool_result', internalCallId, toolResult: result } })
  }
}

function toolOf({ pending }: PreparedCall, { tools }: PhaseContext): Tool | undefined {
  return tools.get(pending.toolCall.function.name)
}

/** A result that was decided without running the tool, as an outcome for hooks. */
function outcomeOf({ content, isError }: ToolResult): ToolCallOutcome {
  return { status: isError === true ? 'error' : 'skipped', content }
}

function decided(pending: PendingToolCall, args: Json, decision: ToolCallDecision): PreparedCall {
  switch (decision.type) {
    case 'run': return { pending, args }
    case 'rewrite': return { pending, args: decision.args }
    case 'skip': return { pending, args, outcome: skippedOutcome(decision.reason) }
    case 'result': return { pending, args, outcome: { status: 'success', content: decision.content } }
  }
}

/** Arguments that hooks have changed travel with the suspended call. */
function withArguments(pending: PendingToolCall, args: Json): PendingToolCall {
  const { toolCall } = pending
  if (args === toolCall.function.arguments || !isJsonObject(args)) return pending
  return { ...pending, toolCall: { ...toolCall, function: { name: toolCall.function.name, arguments: args } } }
}
