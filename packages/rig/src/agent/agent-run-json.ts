import type { CompletionCall, FinishReason } from '../completion/completion-event.ts'
import type { AnyMessage, AssistantContent, ToolCall, ToolResult } from '../completion/message-types.ts'
import type { Usage } from '../completion/usage.ts'

/** A call that has to be answered before the next model call. */
export interface PendingToolCall {
  /** With the name and arguments that will really run: hooks may have changed them. */
  readonly toolCall: ToolCall
  readonly internalCallId: string
  /** The answer, when it is known already: the tool is not run. */
  readonly preresolvedResult?: ToolResult
}

/** Where a run stands. */
export type AgentRunState =
  | { readonly type: 'preparingRequest' }
  | { readonly type: 'executingTools'; readonly calls: readonly PendingToolCall[] }
  /** `output`, when the answer is not the text of `content` but a part of it. */
  | { readonly type: 'done'; readonly content: readonly AssistantContent[]; readonly finishReason?: FinishReason; readonly output?: string }

/** What a run has spent of its allowances. */
export interface AgentRunBudgets {
  /** Calls of tools that do not exist or were not allowed. */
  readonly invalidToolCalls: number
  /** Answers that were sent back because they did not have the required form, since the last tool call. */
  readonly outputRetries?: number
}

/**
 * A run as plain JSON, complete at every point between two steps: keep it anywhere, go on in another process with `Agent.resume`.
 * The last message of `fresh` is the one to answer; at `executingTools` it is the assistant message that holds the calls.
 */
export interface AgentRunJson {
  readonly version: 1
  readonly maxTurns: number
  /** The history the run began with. */
  readonly base: readonly AnyMessage[]
  /** The prompt and everything said since. */
  readonly fresh: readonly AnyMessage[]
  /** 1-based number of the last model call made; 0 before the first. */
  readonly turn: number
  readonly usage: Usage
  readonly completionCalls: readonly CompletionCall[]
  readonly budgets: AgentRunBudgets
  readonly state: AgentRunState
}
