import type { Agent } from '../agent/agent.ts'
import type { PromptResponse } from '../agent/agent-event.ts'
import type { RunOptions } from '../agent/run-options.ts'
import type { AnyMessage, MessageInput } from '../completion/message-types.ts'
import { addUsage, ZERO_USAGE, type Usage } from '../completion/usage.ts'
import { CompletionError, ExtractionError, PromptCancelledError, PromptError, StructuredOutputError } from '../errors.ts'

/** What was extracted, and what it cost. */
export interface Extraction<T> {
  readonly data: T
  /** Over all attempts, those that failed included. */
  readonly usage: Usage
}

export interface ExtractorParts<T> {
  readonly agent: Agent
  /** How often a failed attempt is made again, from the start. */
  readonly retries: number
  /** The value that the run's answer was checked to be. */
  readonly select: (response: PromptResponse) => T
}

/** Gets data in the form of a schema out of text: one model call per attempt, which has to end in the call of `submit`. */
export class Extractor<T> {
  readonly #parts: ExtractorParts<T>

  constructor(parts: ExtractorParts<T>) {
    this.#parts = parts
  }

  /** Throws `ExtractionError`; an aborted signal throws `PromptCancelledError`. */
  async extract(text: MessageInput, options: RunOptions = {}): Promise<T> {
    return (await this.extractWithUsage(text, options)).data
  }

  /** Like `extract`, after what was said before. */
  extractWithChatHistory(text: MessageInput, history: readonly AnyMessage[], options: RunOptions = {}): Promise<T> {
    return this.extract(text, { ...options, history })
  }

  async extractWithUsage(text: MessageInput, options: RunOptions = {}): Promise<Extraction<T>> {
    const { agent, retries, select } = this.#parts
    let usage: Usage = ZERO_USAGE
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await agent.run(text, { ...options, maxTurns: 1 })
        return { data: select(response), usage: addUsage(usage, response.usage) }
      } catch (error) {
        if (!(error instanceof PromptError || error instanceof CompletionError) || error instanceof PromptCancelledError) throw error
        usage = addUsage(usage, error.usage ?? ZERO_USAGE)
        if (attempt > retries) throw extractionError(error, { attempts: attempt, usage })
      }
    }
  }
}

function extractionError(error: PromptError | CompletionError, { attempts, usage }: { readonly attempts: number; readonly usage: Usage }): ExtractionError {
  const { kind, text } = reasonOf(error)
  const failure = new ExtractionError(kind, attempts, { message: `Nothing was extracted in ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${text}`, cause: error })
  failure.usage = usage
  return failure
}

function reasonOf(error: PromptError | CompletionError): { readonly kind: ExtractionError['kind']; readonly text: string } {
  if (error instanceof CompletionError) return { kind: 'completion', text: error.message }
  if (!(error instanceof StructuredOutputError)) return { kind: 'prompt', text: error.message }
  const submitted = error.chatHistory.at(-1)
  const called = submitted?.role === 'assistant' && submitted.content.some((part) => part.type === 'tool_call')
  return called ? { kind: 'deserialization', text: error.message } : { kind: 'no_data', text: 'the model submitted nothing' }
}
