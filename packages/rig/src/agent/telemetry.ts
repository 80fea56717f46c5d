import type { CompletionRequest } from '../completion/completion-request.ts'
import type { CompletionModel } from '../completion/completion-model.ts'
import type { FinishReason, ResponseIdentity } from '../completion/completion-event.ts'
import type { Json } from '../completion/json.ts'
import type { AnyMessage, AssistantContent } from '../completion/message-types.ts'
import type { Usage } from '../completion/usage.ts'
import type { ToolCallOutcome } from '../tool/tool-output.ts'

/** A piece of work that is being watched. `run` makes it the current one for what `work` starts, so that spans nest. */
export interface Span<Result> {
  run<T>(work: () => T): T
  /** Once; the result, or what it failed with. */
  end(result: Result): void
  fail(error: unknown): void
}

export interface AgentSpanStart {
  readonly agentName: string
  readonly description: string | undefined
  readonly runId: string
  readonly conversationId: string | undefined
  readonly model: CompletionModel
  readonly prompt: readonly AnyMessage[]
}

export interface AgentSpanResult {
  readonly usage: Usage
  readonly output: string
  readonly finishReason: FinishReason | undefined
}

export interface ChatSpanStart {
  readonly model: CompletionModel
  readonly request: CompletionRequest
  readonly isStreaming: boolean
}

export interface ChatSpanResult extends ResponseIdentity {
  readonly model?: string
  readonly usage?: Usage
  readonly finishReason?: FinishReason
  readonly content: readonly AssistantContent[]
}

export interface ToolSpanStart {
  readonly name: string
  readonly toolCallId: string
  readonly arguments: Json
}

/** Where a run's spans go: an invocation of the agent, and in it one span per model call and per tool call. */
export interface Telemetry {
  invokeAgent(start: AgentSpanStart): Span<AgentSpanResult>
  chat(start: ChatSpanStart): Span<ChatSpanResult>
  executeTool(start: ToolSpanStart): Span<ToolCallOutcome>
}

/** Watches `work`, or just does it when nobody wants to know. */
export async function traced<Result>(span: Span<Result> | undefined, work: () => Promise<Result>): Promise<Result> {
  if (span === undefined) return work()
  try {
    const result = await span.run(work)
    span.end(result)
    return result
  } catch (error) {
    span.fail(error)
    throw error
  }
}
