import type { CompletionModel } from '../completion/completion-model.ts'
import type { Document, ToolChoice } from '../completion/completion-request.ts'
import type { Json, JsonObject } from '../completion/json.ts'
import type { SystemMessage } from '../completion/message-types.ts'
import type { ToolServer } from '../tool/tool-set.ts'
import type { ConversationMemory } from './conversation-memory.ts'
import type { AgentHook } from './hooks.ts'
import type { OutputSpec } from './output-schema.ts'
import type { DynamicContext, DynamicTools } from './retrieval.ts'
import type { Telemetry } from './telemetry.ts'

/** What happens when the model calls a tool that it was not offered. */
export interface InvalidToolCallPolicy {
  /** `feedback` answers the call with the list of tools; `fail` ends the run with `UnknownToolCallError`. */
  readonly mode: 'feedback' | 'fail'
  /** How many such calls a run may have with `feedback` before it fails. */
  readonly max: number
}

/** An agent as its builder leaves it. */
export interface AgentConfig {
  readonly name: string
  readonly description: string | undefined
  readonly model: CompletionModel
  /** One object for all calls, so that its wire form is made once. */
  readonly preamble: SystemMessage | undefined
  readonly documents: readonly Document[]
  readonly toolServer: ToolServer
  readonly hostedTools: readonly Json[]
  readonly temperature: number | undefined
  readonly maxTokens: number | undefined
  readonly toolChoice: ToolChoice | undefined
  readonly additionalParams: JsonObject | undefined
  readonly maxTurns: number
  readonly toolConcurrency: number
  readonly invalidToolCalls: InvalidToolCallPolicy
  readonly hooks: readonly AgentHook[]
  readonly output: OutputSpec | undefined
  readonly dynamicContext: readonly DynamicContext[]
  readonly dynamicTools: readonly DynamicTools[]
  readonly memory: ConversationMemory | undefined
  readonly telemetry: Telemetry | undefined
}
