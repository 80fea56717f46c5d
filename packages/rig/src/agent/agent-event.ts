import type { CompletionCall, FinishReason, StreamedAssistantContent } from '../completion/completion-event.ts'
import type { Json } from '../completion/json.ts'
import type { AnyMessage, AssistantContent, ToolResult } from '../completion/message-types.ts'
import type { Usage } from '../completion/usage.ts'
import type { ToolCallOutcome } from '../tool/tool-output.ts'

/** How a run ended. */
export interface PromptResponse<T = string> {
  readonly output: T
  /** With an output schema: the value that passed it. */
  readonly structured?: unknown
  /** The text of the final turn: its text parts joined without a separator. */
  readonly text: string
  /** The parts of the final turn. */
  readonly content: readonly AssistantContent[]
  /** The sum over all model calls. */
  readonly usage: Usage
  /** Whether every call reported its usage. */
  readonly usageComplete: boolean
  /** The prompt and everything said after it: what to append to the history. */
  readonly messages: readonly AnyMessage[]
  readonly completionCalls: readonly CompletionCall[]
  readonly finishReason?: FinishReason
}

/**
 * What a consumer of a run sees. Within one turn: assistant deltas in wire order, `completionCall`, the tool calls in call order, then per
 * call `toolExecutionCommitted` and its result, in call order; `toolProgress` in between, at once. `finalResponse` is last, once.
 */
export type MultiTurnStreamItem =
  | { readonly type: 'streamAssistantItem'; readonly turn: number; readonly item: StreamedAssistantContent }
  | {
    readonly type: 'toolExecutionCommitted'
    readonly turn: number
    readonly internalCallId: string
    readonly toolCallId: string
    readonly name: string
    /** After hooks have rewritten them. */
    readonly effectiveArguments: Json
    readonly status: ToolCallOutcome['status']
  }
  | {
    readonly type: 'streamUserItem'
    readonly turn: number
    readonly item: { readonly type: 'tool_result'; readonly internalCallId: string; readonly toolResult: ToolResult }
  }
  | { readonly type: 'toolProgress'; readonly turn: number; readonly internalCallId: string; readonly data: Json }
  | { readonly type: 'completionCall'; readonly call: CompletionCall }
  | { readonly type: 'modelTurnRetried'; readonly turn: number; readonly mode: 'repeat' | 'feedback' }
  | { readonly type: 'finalResponse'; readonly response: PromptResponse }
