import type { CompletionModel } from '../completion/completion-model.ts'
import type { CompletionResponse, FinishReason, ResponseIdentity, StreamFinal } from '../completion/completion-event.ts'
import type { Document, ToolChoice } from '../completion/completion-request.ts'
import type { Json, JsonObject } from '../completion/json.ts'
import type { AnyMessage, AssistantContent, ToolCall, ToolResultContent } from '../completion/message-types.ts'
import type { Usage } from '../completion/usage.ts'
import type { ToolCallOutcome } from '../tool/tool-output.ts'

/** What every hook gets to know. */
export interface HookContext<Deps = unknown> {
  readonly runId: string
  /** 1-based number of the model call. */
  readonly turn: number
  readonly isStreaming: boolean
  readonly agentName: string
  readonly deps: Deps
  /** Shared by all hooks of one run. */
  readonly scratchpad: Map<unknown, unknown>
  readonly signal: AbortSignal
  /** Ends the run, like the verdict `stop`. */
  cancel(reason?: string): never
}

/** Changes to one model call; the next call is made as if this one had not been changed. */
export interface RequestPatch {
  readonly preamble?: string
  readonly temperature?: number
  readonly maxTokens?: number
  readonly toolChoice?: ToolChoice
  /** Only these tools are offered. */
  readonly activeTools?: readonly string[]
  readonly additionalParams?: JsonObject
  readonly extraContext?: readonly (string | Document)[]
  /** Stands in for the history that the run began with. */
  readonly history?: readonly AnyMessage[]
}

/** A hook's answer; nothing means: go on. */
export type Verdict<A> = undefined | void | A | Promise<undefined | void | A>

export type StopVerdict = { readonly type: 'stop'; readonly reason: string }
export type CompletionCallVerdict = { readonly type: 'patch'; readonly patch: RequestPatch } | StopVerdict
export type ModelSelectVerdict = { readonly type: 'use'; readonly model: CompletionModel }
export type ModelTurnVerdict =
  | { readonly type: 'retry'; readonly mode: 'repeat' }
  | { readonly type: 'retry'; readonly mode: 'feedback'; readonly text: string }
  | StopVerdict
export type InvalidToolCallVerdict =
  | { readonly type: 'feedback'; readonly text: string }
  | { readonly type: 'repair'; readonly toolName: string }
  | { readonly type: 'skip'; readonly reason: string }
  | { readonly type: 'fail' }
  | StopVerdict
export type ToolCallVerdict =
  | { readonly type: 'rewrite'; readonly args: Json }
  | { readonly type: 'skip'; readonly reason: string }
  | { readonly type: 'suspend'; readonly reason: string }
  | StopVerdict
export type ToolResultVerdict = { readonly type: 'rewrite'; readonly content: readonly ToolResultContent[] } | StopVerdict

export interface CompletionCallEvent {
  readonly prompt: AnyMessage
  readonly history: readonly AnyMessage[]
  readonly turn: number
}

export interface ModelTurnFinishedEvent {
  readonly turn: number
  /** The whole answer in wire order, with the ids that the run will use. */
  readonly content: readonly AssistantContent[]
  readonly usage?: Usage
  readonly finishReason?: FinishReason
  readonly maxTokens?: number
  readonly identity: ResponseIdentity
}

export type InvalidToolCallReason = 'unknown' | 'not_allowed' | 'bad_arguments'

export interface InvalidToolCallEvent {
  readonly call: ToolCall
  readonly reason: InvalidToolCallReason
  readonly available: readonly string[]
}

export interface ToolCallEvent {
  readonly name: string
  readonly call: ToolCall
  readonly args: Json
  readonly internalCallId: string
}

export interface ToolResultEvent {
  readonly name: string
  readonly call: ToolCall
  readonly args: Json
  readonly outcome: ToolCallOutcome
  /** Milliseconds, from the start of the tool to its end; 0 when it did not run. */
  readonly durationMs: number
  readonly metadata: Map<string, unknown>
}

/**
 * What happens in a run, to watch or to decide. All are awaited, in the order in which they were added, the agent's before the run's.
 * A hook that throws ends the run with `HookError`.
 *
 * Per turn: `onCompletionCall`, `onModelSelect`, the deltas, `onCompletionResponse` or `onStreamCompletionResponseFinish`,
 * `onModelTurnFinished` (no tool of the turn has started), `onInvalidToolCall` per bad call, `onToolCall` for every call, then the
 * tools run, with `onToolResult` after each, for calls that did not run too.
 */
export interface AgentHook<Deps = unknown> {
  onCompletionCall?(ctx: HookContext<Deps>, event: CompletionCallEvent): Verdict<CompletionCallVerdict>
  onModelSelect?(ctx: HookContext<Deps>, event: { readonly candidate: CompletionModel }): Verdict<ModelSelectVerdict>
  onCompletionResponse?(ctx: HookContext<Deps>, event: { readonly prompt: AnyMessage; readonly response: CompletionResponse }): Verdict<StopVerdict>
  onStreamCompletionResponseFinish?(
    ctx: HookContext<Deps>,
    event: { readonly prompt: AnyMessage; readonly final: StreamFinal; readonly content: readonly AssistantContent[] },
  ): Verdict<StopVerdict>
  /** `retry` is for turns without tool calls; with calls it is ignored. */
  onModelTurnFinished?(ctx: HookContext<Deps>, event: ModelTurnFinishedEvent): Verdict<ModelTurnVerdict>
  onInvalidToolCall?(ctx: HookContext<Deps>, event: InvalidToolCallEvent): Verdict<InvalidToolCallVerdict>
  /** All calls of a turn pass here before the first one runs; `suspend` on one of them runs none. */
  onToolCall?(ctx: HookContext<Deps>, event: ToolCallEvent): Verdict<ToolCallVerdict>
  onToolResult?(ctx: HookContext<Deps>, event: ToolResultEvent): Verdict<ToolResultVerdict>
  /** Something went wrong that does not end the run: the answer is there, but the conversation could not be kept. */
  onWarning?(ctx: HookContext<Deps>, event: { readonly error: Error }): Verdict<StopVerdict>
  onTextDelta?(ctx: HookContext<Deps>, event: { readonly delta: string; readonly aggregated: string }): Verdict<StopVerdict>
  onReasoningDelta?(ctx: HookContext<Deps>, event: { readonly id: string; readonly delta: string; readonly aggregated: string }): Verdict<StopVerdict>
  onToolCallDelta?(
    ctx: HookContext<Deps>,
    event: { readonly internalCallId: string; readonly name?: string; readonly delta?: string },
  ): Verdict<StopVerdict>
}

export type PromptHook<Deps = unknown> = AgentHook<Deps>
export type StreamingPromptHook<Deps = unknown> = AgentHook<Deps>
