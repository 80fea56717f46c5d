import { ToolExecutionError, ToolOutput, type AgentHook, type Tool, type ToolDefinition, type ToolResult } from '@buildscale/rig'
import { isObject, objectAt, type Json, type JsonObject } from './json.ts'

/** A tool whose results need not be taken from the recording. */
interface KnownTool {
  /** The arguments that it has to have to be the one that is known. */
  readonly parameters: readonly string[]
  /** `undefined` when it cannot do anything with the arguments. */
  readonly call: (args: JsonObject) => string | undefined
}

const KNOWN_TOOLS: Readonly<Record<string, KnownTool>> = {
  add: { parameters: ['x', 'y'], call: (args) => integer(args, (x, y) => x + y) },
  subtract: { parameters: ['x', 'y'], call: (args) => integer(args, (x, y) => x - y) },
  lookup_harbor_label: { parameters: [], call: () => 'crimson-harbor' },
  lookup_orchard_label: { parameters: [], call: () => 'silver-orchard' },
  get_weather: { parameters: ['city'], call: ({ city }) => withText(city, (name) => `Weather in ${name}: 72F (22C), sunny with light clouds, humidity 45%, wind 8 mph NW`) },
  notify: { parameters: ['msg'], call: ({ msg }) => withText(msg, (text) => `sent: ${text}`) },
}

/** What a hook says in place of a tool that it did not let run. */
const NOT_RUN = /\b(?:skip(?:ped|s)?|den(?:y|ied|ies)|reject(?:ed|s)?|block(?:ed|s)?|refuse[sd]?|approv(?:al|ed)|not (?:been )?(?:allowed|permitted|executed|run)|disallowed|cancell?ed)\b/i

function withText(value: Json | undefined, say: (text: string) => string): string | undefined {
  return typeof value === 'string' ? say(value) : undefined
}

function integer({ x, y }: JsonObject, combine: (x: number, y: number) => number): string | undefined {
  return typeof x === 'number' && typeof y === 'number' && Number.isInteger(combine(x, y)) ? String(combine(x, y)) : undefined
}

/** The tool that is known under that name and has those parameters. */
function knownTool({ name, parameters }: ToolDefinition): KnownTool | undefined {
  const known = Object.hasOwn(KNOWN_TOOLS, name) ? KNOWN_TOOLS[name] : undefined
  const properties = Object.keys(objectAt(parameters, 'properties'))
  if (known === undefined || properties.length !== known.parameters.length) return undefined
  return known.parameters.every((parameter) => properties.includes(parameter)) ? known : undefined
}

/** The results that a recording holds, by the id of their call. */
export type RecordedResults = ReadonlyMap<string, ToolResult>

/** Where results come from: the tools that are known compute theirs, all others say what was recorded. */
export class ReplayTools {
  readonly tools: readonly Tool[]
  readonly #results: RecordedResults
  readonly #known: ReadonlyMap<string, KnownTool>
  #hasUsedRecording = false

  constructor(definitions: readonly ToolDefinition[], results: RecordedResults) {
    this.#results = results
    this.#known = new Map(definitions.flatMap((definition) => {
      const known = knownTool(definition)
      return known === undefined ? [] : [[definition.name, known] as const]
    }))
    this.tools = definitions.map((definition) => this.#tool(definition))
  }

  /** Whether a result came from the recording: then it is an input of the caller. */
  get hasUsedRecording(): boolean {
    return this.#hasUsedRecording
  }

  /** Does what hooks did when this was recorded: keeps known tools from running, and answers calls that cannot be run. */
  get hook(): AgentHook {
    return {
      onInvalidToolCall: (_ctx, { call }) => {
        const text = this.#recordedText(call.provider?.callId ?? call.id)
        if (text === undefined) return undefined
        this.#hasUsedRecording = true
        return { type: 'feedback', text }
      },
      onToolCall: (_ctx, { name, call, args }) => {
        const text = this.#recordedText(call.provider?.callId ?? call.id)
        const known = this.#known.get(name)
        if (known === undefined || text === undefined || !NOT_RUN.test(text) || known.call(isObject(args) ? args : {}) === text) return undefined
        this.#hasUsedRecording = true
        return { type: 'skip', reason: text }
      },
    }
  }

  #tool(definition: ToolDefinition): Tool {
    return {
      name: definition.name,
      strict: definition.strict,
      definition: () => definition,
      parseArgs: (raw) => raw,
      call: (args, { toolCallId }) => this.#call(definition.name, { args: isObject(args) ? args : {}, callId: toolCallId }),
    }
  }

  #call(name: string, { args, callId }: { readonly args: JsonObject; readonly callId: string }): ToolOutput {
    const computed = this.#known.get(name)?.call(args)
    if (computed !== undefined) return ToolOutput.text(computed)
    this.#hasUsedRecording = true
    const recorded = this.#results.get(callId)
    if (recorded === undefined) throw new Error(`The recording holds no result of the call ${callId}`)
    if (recorded.isError === true) throw new ToolExecutionError('other', textOf(recorded))
    return recorded.content.length === 0 ? ToolOutput.text('') : ToolOutput.of(...recorded.content)
  }

  #recordedText(callId: string): string | undefined {
    const recorded = this.#results.get(callId)
    return recorded === undefined ? undefined : textOf(recorded)
  }
}

function textOf({ content }: ToolResult): string {
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

