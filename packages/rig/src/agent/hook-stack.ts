import type { CompletionModel } from '../completion/completion-model.ts'
import type { CompletionResponse, StreamedAssistantContent, StreamFinal } from '../completion/completion-event.ts'
import type { Json } from '../completion/json.ts'
import type { AnyMessage, AssistantContent } from '../completion/message-types.ts'
import type { ToolCallOutcome } from '../tool/tool-output.ts'
import type {
  AgentHook, CompletionCallEvent, HookContext, InvalidToolCallEvent, InvalidToolCallVerdict, ModelTurnFinishedEvent,
  ModelTurnVerdict, RequestPatch, StopVerdict, ToolCallEvent, ToolResultEvent, Verdict,
} from './hooks.ts'
import { HookFailure, StopRun } from './run-ending.ts'

type HookName = keyof AgentHook

/** What `onToolCall` hooks decided together: the arguments after all rewrites, and whether the tool runs. */
export type ToolCallDecisionOfHooks =
  | { readonly type: 'run'; readonly args: Json }
  | { readonly type: 'skip'; readonly args: Json; readonly reason: string }
  | { readonly type: 'suspend'; readonly args: Json; readonly reason: string }

/** All hooks of a run as one: who is asked in which order, and how several answers combine. Throws `StopRun` and `HookFailure`. */
export class HookStack {
  readonly #hooks: readonly AgentHook[]
  /** Whether any hook wants to see deltas: without one they need not be awaited. */
  readonly watchesDeltas: boolean

  constructor(hooks: readonly AgentHook[]) {
    this.#hooks = hooks
    this.watchesDeltas = this.has('onTextDelta') || this.has('onReasoningDelta') || this.has('onToolCallDelta')
  }

  /** Whether anyone is to be asked: without, neither an event needs to be made nor an answer be waited for. */
  has(name: HookName): boolean {
    for (const hook of this.#hooks) if (hook[name] !== undefined) return true
    return false
  }

  async completionCall(ctx: HookContext, event: CompletionCallEvent): Promise<RequestPatch> {
    let patch: RequestPatch = {}
    await this.#ask('onCompletionCall', (hook) => hook.onCompletionCall?.(ctx, event), (verdict) => {
      patch = mergePatches(patch, verdict.patch)
    })
    return patch
  }

  async modelSelect(ctx: HookContext, candidate: CompletionModel): Promise<CompletionModel> {
    let model = candidate
    await this.#ask('onModelSelect', (hook) => hook.onModelSelect?.(ctx, { candidate: model }), (verdict) => {
      model = verdict.model
    })
    return model
  }

  completionResponse(ctx: HookContext, event: { readonly prompt: AnyMessage; readonly response: CompletionResponse }): Promise<void> {
    return this.#ask('onCompletionResponse', (hook) => hook.onCompletionResponse?.(ctx, event))
  }

  streamFinished(
    ctx: HookContext,
    event: { readonly prompt: AnyMessage; readonly final: StreamFinal; readonly content: readonly AssistantContent[] },
  ): Promise<void> {
    return this.#ask('onStreamCompletionResponseFinish', (hook) => hook.onStreamCompletionResponseFinish?.(ctx, event))
  }

  /** The first retry wins; every hook is asked, for they also record. */
  async modelTurnFinished(ctx: HookContext, event: ModelTurnFinishedEvent): Promise<Exclude<ModelTurnVerdict, StopVerdict> | undefined> {
    let first: Exclude<ModelTurnVerdict, StopVerdict> | undefined
    await this.#ask('onModelTurnFinished', (hook) => hook.onModelTurnFinished?.(ctx, event), (verdict) => {
      first ??= verdict
    })
    return first
  }

  /** The first answer wins. */
  async invalidToolCall(ctx: HookContext, event: InvalidToolCallEvent): Promise<Exclude<InvalidToolCallVerdict, StopVerdict> | undefined> {
    let first: Exclude<InvalidToolCallVerdict, StopVerdict> | undefined
    await this.#ask('onInvalidToolCall', (hook) => (first === undefined ? hook.onInvalidToolCall?.(ctx, event) : undefined), (verdict) => {
      first = verdict
    })
    return first
  }

  /** Later hooks see rewritten arguments; after a skip or a suspend no further hook is asked. */
  async toolCall(ctx: HookContext, event: ToolCallEvent): Promise<ToolCallDecisionOfHooks> {
    let decision: ToolCallDecisionOfHooks = { type: 'run', args: event.args }
    const ask = (hook: AgentHook) => (decision.type === 'run' ? hook.onToolCall?.(ctx, { ...event, args: decision.args }) : undefined)
    await this.#ask('onToolCall', ask, (verdict) => {
      if (verdict.type === 'rewrite') decision = { type: 'run', args: verdict.args }
      else decision = { ...verdict, args: decision.args }
    })
    return decision
  }

  /** Later hooks see the rewritten presentation. */
  async toolResult(ctx: HookContext, event: ToolResultEvent): Promise<ToolCallOutcome> {
    let { outcome } = event
    await this.#ask('onToolResult', (hook) => hook.onToolResult?.(ctx, { ...event, outcome }), (verdict) => {
      outcome = { ...outcome, content: verdict.content }
    })
    return outcome
  }

  warning(ctx: HookContext, event: { readonly error: Error }): Promise<void> {
    return this.#ask('onWarning', (hook) => hook.onWarning?.(ctx, event))
  }

  /** Shows a delta to the hooks that watch its kind. `aggregated` is what the turn has said so far, this delta included. */
  async delta(ctx: HookContext, item: StreamedAssistantContent, aggregated: string): Promise<void> {
    if (item.type === 'text') await this.#ask('onTextDelta', (hook) => hook.onTextDelta?.(ctx, { delta: item.text, aggregated }))
    if (item.type === 'reasoning_delta') {
      await this.#ask('onReasoningDelta', (hook) => hook.onReasoningDelta?.(ctx, { id: item.id, delta: item.delta, aggregated }))
    }
    if (item.type === 'tool_call_delta') await this.#ask('onToolCallDelta', (hook) => hook.onToolCallDelta?.(ctx, item))
  }

  async #ask<A extends { readonly type: string }>(
    name: HookName,
    ask: (hook: AgentHook) => Verdict<A | StopVerdict>,
    take: (verdict: A) => void = () => undefined,
  ): Promise<void> {
    for (const hook of this.#hooks) {
      if (hook[name] === undefined) continue
      const verdict = await answerOf(name, () => ask(hook))
      if (!verdict) continue
      if (isStop(verdict)) throw new StopRun(verdict.reason)
      take(verdict)
    }
  }
}

async function answerOf<A>(name: HookName, ask: () => Verdict<A>): Promise<A | undefined> {
  try {
    return (await ask()) ?? undefined
  } catch (error) {
    throw error instanceof StopRun ? error : new HookFailure(name, error)
  }
}

function isStop(verdict: { readonly type: string }): verdict is StopVerdict {
  return verdict.type === 'stop'
}

/** Scalars: the last wins. Offered tools: only those that all agree on. Parameters: key by key. Context: added. */
function mergePatches(left: RequestPatch, right: RequestPatch): RequestPatch {
  const activeTools = left.activeTools !== undefined && right.activeTools !== undefined
    ? left.activeTools.filter((name) => right.activeTools?.includes(name))
    : right.activeTools ?? left.activeTools
  return {
    ...left,
    ...right,
    ...(activeTools === undefined ? {} : { activeTools }),
    ...(left.additionalParams === undefined ? {} : { additionalParams: { ...left.additionalParams, ...right.additionalParams } }),
    ...(left.extraContext === undefined ? {} : { extraContext: [...left.extraContext, ...(right.extraContext ?? [])] }),
  }
}
