import type { AnyMessage, ToolCall } from '../completion/message-types.ts'
import { PromptError } from '../errors.ts'
import type { AgentRunJson } from './agent-run-json.ts'

/** The run waits for a decision about calls. Nothing of the turn has run; `Agent.resume(run, { decisions })` goes on. */
export class PromptSuspendedError extends PromptError {
  readonly run: AgentRunJson
  readonly pending: readonly ToolCall[]

  constructor(run: AgentRunJson, pending: readonly { readonly call: ToolCall; readonly reason: string }[], chatHistory: readonly AnyMessage[]) {
    super(`The run waits for a decision: ${pending.map(({ call, reason }) => `${call.function.name} (${reason})`).join(', ')}`, chatHistory)
    this.run = run
    this.pending = pending.map(({ call }) => call)
  }
}
