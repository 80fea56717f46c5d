import type { CompletionModel } from '../completion/completion-model.ts'
import type { RetryPolicy, ToolChoice } from '../completion/completion-request.ts'
import type { Json, JsonObject } from '../completion/json.ts'
import type { AnyMessage, ToolResultContent } from '../completion/message-types.ts'
import type { AgentHook } from './hooks.ts'
import type { OutputSpec } from './output-schema.ts'

/** What one run may set for itself; everything else is the agent's. */
export interface RunOptions<Deps = unknown> {
  /** Never changed. */
  readonly history?: readonly AnyMessage[]
  /** The exact number of model calls that the run may make, retried turns included. */
  readonly maxTurns?: number
  /** `answer`: the last permitted call forbids tools, so that the model has to conclude. `error`, the default: `MaxTurnsError`. */
  readonly onMaxTurns?: 'error' | 'answer'
  readonly toolConcurrency?: number
  readonly hooks?: readonly AgentHook<Deps>[]
  readonly signal?: AbortSignal
  readonly deps?: Deps
  readonly model?: CompletionModel
  readonly temperature?: number
  readonly maxTokens?: number
  readonly toolChoice?: ToolChoice
  readonly additionalParams?: JsonObject
  readonly headers?: Readonly<Record<string, string>>
  readonly retry?: RetryPolicy | false
  /** The longest silence between the bytes of a streamed answer, in milliseconds; the client's own unless given. */
  readonly idleTimeoutMs?: number
  /** With an agent that has a memory: the conversation to go on with and to add to. A `history` stands in for both. */
  readonly conversationId?: string
  /** The form of the answer, instead of the agent's; made by `outputSpec`. */
  readonly output?: OutputSpec
  /** How many agents this run is inside of, each a tool of the one before; 0 unless given. */
  readonly depth?: number
  /** How long, in milliseconds, an aborted run and a timed-out call wait for running tools to end. 5000 unless given. */
  readonly toolGraceMs?: number
}

/** What a person decided about a call that waited for approval. */
export type ToolCallDecision =
  | { readonly type: 'run' }
  | { readonly type: 'skip'; readonly reason: string }
  | { readonly type: 'rewrite'; readonly args: Json }
  | { readonly type: 'result'; readonly content: readonly ToolResultContent[] }

export interface ResumeOptions<Deps = unknown> extends RunOptions<Deps> {
  /** By the id of the call. A call with a decision is not shown to `onToolCall` again. */
  readonly decisions: Readonly<Record<string, ToolCallDecision>>
}
