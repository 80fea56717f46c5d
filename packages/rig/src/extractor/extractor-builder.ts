import { AgentBuilder } from '../agent/agent-builder.ts'
import type { AgentHook } from '../agent/hooks.ts'
import type { ContextIndex } from '../agent/retrieval.ts'
import type { Telemetry } from '../agent/telemetry.ts'
import type { CompletionModel } from '../completion/completion-model.ts'
import type { ToolChoice } from '../completion/completion-request.ts'
import type { JsonObject } from '../completion/json.ts'
import type { InferOutput, SchemaLike } from '../tool/schema.ts'
import { ExtractionError } from '../errors.ts'
import { Extractor } from './extractor.ts'

const INSTRUCTIONS = [
  'You turn texts into structured data.',
  'The tool `submit` describes the data that is wanted.',
  'Read the text, then call `submit` once with what it says.',
  'Fill in every field; where the text says nothing, submit a sensible default rather than nothing.',
].join('\n')

/** Puts an extractor together. Every method changes this builder and returns it. */
export class ExtractorBuilder<S extends SchemaLike> {
  readonly #agent: AgentBuilder
  #instructions: readonly string[] = []
  #retries = 0

  /** Throws `TypeError` for a schema without a JSON form. */
  constructor(model: CompletionModel, schema: S) {
    this.#agent = new AgentBuilder(model).name('extractor').toolChoice('required').defaultMaxTurns(1)
    this.#agent.outputSchema(schema, { mode: 'tool', toolName: 'submit', retries: 0 })
  }

  /** Adds instructions to the extractor's own. */
  preamble(text: string): this {
    this.#instructions = [...this.#instructions, text]
    return this
  }

  /** Adds a text that is shown before what is extracted from. */
  context(text: string): this {
    this.#agent.context(text)
    return this
  }

  dynamicContext(samples: number, index: ContextIndex): this {
    this.#agent.dynamicContext(samples, index)
    return this
  }

  /** How often a failed attempt is made again, from the start; 0 unless given. */
  retries(count: number): this {
    this.#retries = count
    return this
  }

  maxTokens(count: number): this {
    this.#agent.maxTokens(count)
    return this
  }

  temperature(value: number): this {
    this.#agent.temperature(value)
    return this
  }

  additionalParams(params: JsonObject): this {
    this.#agent.additionalParams(params)
    return this
  }

  /** `required` unless given; some servers know `auto` only. */
  toolChoice(choice: ToolChoice): this {
    this.#agent.toolChoice(choice)
    return this
  }

  hook(hook: AgentHook): this {
    this.#agent.hook(hook)
    return this
  }

  telemetry(telemetry: Telemetry): this {
    this.#agent.telemetry(telemetry)
    return this
  }

  build(): Extractor<InferOutput<S>> {
    const preamble = this.#instructions.length === 0 ? INSTRUCTIONS : `${INSTRUCTIONS}\n===== ADDITIONAL INSTRUCTIONS =====\n${this.#instructions.join('\n')}`
    return new Extractor<InferOutput<S>>({
      agent: this.#agent.preamble(preamble).build(),
      retries: this.#retries,
      select: ({ structured }) => submitted<S>(structured),
    })
  }
}

/** The run has checked the value; only that there is one is checked here. */
function submitted<S extends SchemaLike>(value: unknown): InferOutput<S> {
  if (!isSubmitted<S>(value)) throw new ExtractionError('no_data', 1, { message: 'Nothing was extracted: the model submitted nothing', cause: undefined })
  return value
}

function isSubmitted<S extends SchemaLike>(value: unknown): value is InferOutput<S> {
  return value !== undefined
}
