import type { ToolDefinition } from '../completion/completion-request.ts'
import type { CompletionModel } from '../completion/completion-model.ts'
import { isJsonObject, tryParseJson, type Json, type JsonSchema } from '../completion/json.ts'
import { withoutOptionalNulls } from '../tool/optional-nulls.ts'
import { checkValue, describeIssue, jsonSchemaOf, type SchemaLike } from '../tool/schema.ts'
import type { TurnTools } from './turn-tools.ts'

/**
 * How a model is made to answer in the form of a schema. `native`: the provider's own constraint. `tool`: a tool whose arguments are the
 * answer. `prompted`: the schema as words. `auto`: `native`, except where that would keep the model from calling the agent's tools.
 */
export type OutputMode = 'auto' | 'tool' | 'native' | 'prompted'

export interface OutputOptions {
  /** `auto` unless given. */
  readonly mode?: OutputMode
  /** How often an answer that does not fit is sent back in one run, within its turns; 1 unless given. */
  readonly retries?: number
  /** Names the schema to providers that want a name; its `title` unless given. */
  readonly name?: string
  /** Whether the provider has to enforce the schema exactly; `true` unless given. Strict schemas know no free keys. */
  readonly strict?: boolean
  /** The name of the tool of the mode `tool`; `final_result` unless given. A tool of the agent with that name keeps it. */
  readonly toolName?: string
}

/** An output schema as a run uses it. */
export interface OutputSpec {
  readonly schema: SchemaLike
  readonly jsonSchema: JsonSchema
  readonly mode: OutputMode
  readonly retries: number
  readonly name: string | undefined
  readonly strict: boolean
  readonly toolName: string
}

/** Throws `TypeError` for a schema without a JSON form. */
export function outputSpec(schema: SchemaLike, options: OutputOptions = {}): OutputSpec {
  const { mode = 'auto', retries = 1, name, strict = true, toolName = 'final_result' } = options
  return { schema, jsonSchema: jsonSchemaOf(schema), mode, retries, name, strict, toolName }
}

/** What one model call is told about the form of the answer. */
export type TurnOutput =
  | { readonly mode: 'tool'; readonly definition: ToolDefinition }
  | { readonly mode: 'native' }
  | { readonly mode: 'prompted' }

/** Whether an answer has the form. */
export type Judgement =
  | { readonly type: 'accepted'; readonly value: unknown }
  | { readonly type: 'rejected'; readonly problems: readonly string[] }

/** The decisions about the form of a run's answer. */
export class OutputPlan {
  readonly spec: OutputSpec
  /** One object per name, so that its wire form is made once. */
  readonly #definitions = new Map<string, ToolDefinition>()

  constructor(spec: OutputSpec) {
    this.spec = spec
  }

  forTurn(model: CompletionModel, tools: TurnTools): TurnOutput {
    const { mode } = this.spec
    const suppressesTools = tools.definitions.length > 0 && !model.capabilities.nativeOutputComposesWithTools
    switch (mode === 'auto' ? (suppressesTools ? 'tool' : 'native') : mode) {
      case 'tool': return { mode: 'tool', definition: this.#definition(tools) }
      case 'native': return { mode: 'native' }
      case 'prompted': return { mode: 'prompted' }
    }
  }

  /** What stands in the system text in the mode `prompted`. */
  get instructions(): string {
    return `Answer with one JSON value and nothing else. It has to match this JSON Schema:\n${JSON.stringify(this.spec.jsonSchema)}`
  }

  /** Text is accepted as JSON, with or without a fence around it. */
  async judgeText(text: string): Promise<Judgement> {
    const value = tryParseJson(text) ?? tryParseJson(fenced(text) ?? '')
    if (value === undefined) return { type: 'rejected', problems: [text.trim() === '' ? 'the answer is empty' : 'the answer is not JSON'] }
    return this.judge(value)
  }

  async judge(value: Json): Promise<Judgement> {
    const problems = missingFields(this.spec.jsonSchema, value)
    if (problems.length > 0) return { type: 'rejected', problems }
    const first = await checkValue(this.spec.schema, value)
    const lenient = withoutOptionalNulls(this.spec.jsonSchema, value)
    // Strict providers write null where an optional field was left out.
    const result = first.issues === undefined || lenient === value ? first : await checkValue(this.spec.schema, lenient)
    return result.issues === undefined ? { type: 'accepted', value: result.value } : { type: 'rejected', problems: result.issues.map(describeIssue) }
  }

  feedback(problems: readonly string[], output: TurnOutput): string {
    const list = problems.map((problem) => `- ${problem}`).join('\n')
    if (output.mode === 'tool') return `The final answer does not fit:\n${list}\nGive it as a call of ${output.definition.name} with every required field, not as plain text.`
    return `The answer does not fit the required form:\n${list}\nAnswer again with the whole corrected JSON and nothing else.`
  }

  #definition(tools: TurnTools): ToolDefinition {
    const name = freeName(this.spec.toolName, tools)
    const known = this.#definitions.get(name)
    if (known !== undefined) return known
    const definition = { name, description: 'Submits the final answer. Call it once, when nothing else is left to do.', parameters: this.spec.jsonSchema }
    this.#definitions.set(name, definition)
    return definition
  }
}

/** The agent's own tools keep their names. */
function freeName(wanted: string, tools: TurnTools): string {
  let name = wanted
  for (let number = 2; tools.get(name) !== undefined; number++) name = `${wanted}_${number}`
  return name
}

function fenced(text: string): string | undefined {
  return /```(?:json)?\s*\n([\s\S]*?)\n?```/.exec(text)?.[1]
}

/** A bare JSON Schema checks nothing by itself; that the required fields are there is the least that an answer owes. */
function missingFields(schema: JsonSchema, value: Json): readonly string[] {
  if (!isJsonObject(value)) return ['the answer is not a JSON object']
  const { required } = schema
  if (!Array.isArray(required)) return []
  return required.flatMap((key) => (typeof key === 'string' && !(key in value) ? [`${key}: required, but missing`] : []))
}
