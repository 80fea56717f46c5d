import type { ToolDefinition } from '../completion/completion-request.ts'
import { isJsonObject, type Json, type JsonSchema } from '../completion/json.ts'
import { checkValue, describeIssue, jsonSchemaOf, type InferOutput, type SchemaLike, type SchemaResult } from './schema.ts'
import { withoutOptionalNulls } from './optional-nulls.ts'
import { ToolExecutionError } from './tool-error.ts'

/** What a running call gets to know. `deps` and `metadata` never reach the model. */
export interface ToolContext<Deps = unknown> {
  /** Aborted when the run ends early or the call's time is up. */
  readonly signal: AbortSignal
  readonly runId: string
  /** 1-based number of the model call that asked for this. */
  readonly turn: number
  /** The id that call and result share. */
  readonly toolCallId: string
  /** Correlates deltas, call, execution and result in the stream. */
  readonly internalCallId: string
  /** How many agents the calling one is inside of: 0 for the outermost. */
  readonly depth: number
  /** What the caller gave the run: user, workspace, connections. */
  readonly deps: Deps
  /** Notes for `onToolResult`. */
  readonly metadata: Map<string, unknown>
  /** Shows `data` to whoever watches the stream, at once. */
  progress(data: Json): void
}

/** Something that a model can have done. */
export interface Tool<Args = unknown, Out = unknown, Deps = unknown> {
  readonly name: string
  /** The call fails with kind `timeout` after this many milliseconds; without it a call may take as long as it wants. */
  readonly timeoutMs?: number | undefined
  /** Runs alone: earlier calls of the turn have ended, later ones have not begun. */
  readonly exclusive?: boolean | undefined
  readonly strict?: boolean | undefined
  /** Return the same object every time when it does not depend on `prompt`: its wire form is kept with it. */
  definition(prompt: string): ToolDefinition | Promise<ToolDefinition>
  /** Throws `ToolExecutionError('invalid_args')`. */
  parseArgs(raw: Json): Args | Promise<Args>
  call(args: Args, ctx: ToolContext<Deps>): Out | Promise<Out>
}

/** What `tool` makes a tool of. */
export interface ToolOptions<S extends SchemaLike, Out, Deps> {
  readonly name: string
  readonly description: string
  /** Without it the tool takes no arguments. */
  readonly parameters?: S
  readonly strict?: boolean
  readonly timeoutMs?: number
  readonly exclusive?: boolean
  call(args: InferOutput<S>, ctx: ToolContext<Deps>): Out | Promise<Out>
}

const NO_PARAMETERS: JsonSchema = { type: 'object', properties: {} }
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/

/** Throws `TypeError` for a name that providers refuse. */
export function checkToolName(name: string): void {
  if (!TOOL_NAME.test(name)) throw new TypeError(`Tool name "${name}": use 1 to 64 of a-z, A-Z, 0-9, _ and -`)
}

/** A tool from a schema and a function. Throws `TypeError` for a bad name or a schema without a JSON form. */
export function tool<S extends SchemaLike, Out, Deps = unknown>(options: ToolOptions<S, Out, Deps>): Tool<InferOutput<S>, Out, Deps> {
  checkToolName(options.name)
  const { name, description, parameters, strict, timeoutMs, exclusive } = options
  const definition: ToolDefinition = {
    name,
    description,
    parameters: parameters === undefined ? NO_PARAMETERS : jsonSchemaOf(parameters),
    ...(strict === undefined ? {} : { strict }),
  }
  return {
    name,
    strict,
    timeoutMs,
    exclusive,
    definition: () => definition,
    parseArgs: (raw) => parseToolArgs<S>({ name, schema: parameters, parameters: definition.parameters }, raw),
    call: (args, ctx) => options.call(args, ctx),
  }
}

/** A tool whose arguments are not checked: for schemas that arrive at run time. */
export function dynamicTool(options: {
  readonly name: string
  readonly description: string
  readonly parameters: JsonSchema
  call(args: Json, ctx: ToolContext): unknown
}): Tool<Json> {
  checkToolName(options.name)
  const { name, description, parameters } = options
  return {
    name,
    definition: () => ({ name, description, parameters }),
    parseArgs: (raw) => raw,
    call: (args, ctx) => options.call(args, ctx),
  }
}

interface ArgumentsOf<S> {
  readonly name: string
  readonly schema: S | undefined
  readonly parameters: JsonSchema
}

/** Most schemas answer at once: then nothing has to be waited for. */
function parseToolArgs<S extends SchemaLike>(tool: ArgumentsOf<S>, raw: Json): InferOutput<S> | Promise<InferOutput<S>> {
  const schema = tool.schema ?? NO_PARAMETERS
  const result = checkValue(schema, raw ?? {})
  if (result instanceof Promise) return result.then((settled) => (settled.issues === undefined ? settled : checkLeniently(tool, raw, settled))).then((settled) => accepted(tool, settled))
  if (result.issues === undefined) return accepted(tool, result)
  const again = checkLeniently(tool, raw, result)
  return again instanceof Promise ? again.then((settled) => accepted(tool, settled)) : accepted(tool, again)
}

/** Strict providers write null where an optional field was left out: such arguments get a second chance without these nulls. */
function checkLeniently<S extends SchemaLike>({ schema, parameters }: ArgumentsOf<S>, raw: Json, first: SchemaResult<unknown>): SchemaResult<unknown> | Promise<SchemaResult<unknown>> {
  const lenient = withoutOptionalNulls(parameters, raw)
  return schema === undefined || lenient === raw ? first : checkValue(schema, lenient)
}

function accepted<S extends SchemaLike>({ name }: ArgumentsOf<S>, result: SchemaResult<unknown>): InferOutput<S> {
  if (result.issues !== undefined) {
    throw new ToolExecutionError('invalid_args', [`Invalid arguments for ${name}:`, ...result.issues.map((issue) => `- ${describeIssue(issue)}`)].join('\n'))
  }
  if (!isOutput<S>(result.value)) throw new ToolExecutionError('invalid_args', `Invalid arguments for ${name}: expected an object`)
  return result.value
}

/** The schema has just passed this value, so it is of its output type; what is checked here is only that tool arguments are an object. */
function isOutput<S extends SchemaLike>(value: unknown): value is InferOutput<S> {
  return isJsonObject(value)
}
