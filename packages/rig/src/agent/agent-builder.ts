import type { CompletionModel } from '../completion/completion-model.ts'
import type { Document, ToolChoice } from '../completion/completion-request.ts'
import type { Json, JsonObject } from '../completion/json.ts'
import { Message } from '../completion/message.ts'
import type { Tool } from '../tool/tool.ts'
import type { SchemaLike } from '../tool/schema.ts'
import { ToolServer, type ToolSet } from '../tool/tool-set.ts'
import { Agent } from './agent.ts'
import type { InvalidToolCallPolicy } from './agent-config.ts'
import { DEFAULT_MAX_TURNS } from './agent-run.ts'
import type { ConversationMemory } from './conversation-memory.ts'
import type { AgentHook } from './hooks.ts'
import { outputSpec, type OutputOptions, type OutputSpec } from './output-schema.ts'
import type { ContextIndex, DynamicContext, DynamicTools, ToolIndex } from './retrieval.ts'
import type { Telemetry } from './telemetry.ts'

const DEFAULT_TOOL_CONCURRENCY = 4
const DEFAULT_INVALID_TOOL_CALLS: InvalidToolCallPolicy = { mode: 'feedback', max: 3 }

/** Puts an agent together. Every method changes this builder and returns it; order matters for tools, context and hooks only. */
export class AgentBuilder<Deps = unknown> {
  readonly #model: CompletionModel
  #name = 'agent'
  #description: string | undefined
  #preamble: string | undefined
  #documents: readonly Document[] = []
  #tools: readonly Tool[] = []
  #toolServer: ToolServer | undefined
  #hostedTools: readonly Json[] = []
  #temperature: number | undefined
  #maxTokens: number | undefined
  #toolChoice: ToolChoice | undefined
  #additionalParams: JsonObject | undefined
  #maxTurns = DEFAULT_MAX_TURNS
  #toolConcurrency = DEFAULT_TOOL_CONCURRENCY
  #invalidToolCalls = DEFAULT_INVALID_TOOL_CALLS
  #hooks: readonly AgentHook[] = []
  #output: OutputSpec | undefined
  #dynamicContext: readonly DynamicContext[] = []
  #dynamicTools: readonly DynamicTools[] = []
  #memory: ConversationMemory | undefined
  #telemetry: Telemetry | undefined

  constructor(model: CompletionModel) {
    this.#model = model
  }

  name(name: string): this {
    this.#name = name
    return this
  }

  description(description: string): this {
    this.#description = description
    return this
  }

  /** The system text that stands before every conversation. */
  preamble(text: string): this {
    this.#preamble = text
    return this
  }

  withoutPreamble(): this {
    this.#preamble = undefined
    return this
  }

  /** Adds a line to the system text. */
  appendPreamble(text: string): this {
    this.#preamble = this.#preamble === undefined ? text : `${this.#preamble}\n${text}`
    return this
  }

  /** Adds a text that is shown before every conversation. */
  context(text: string): this {
    this.#documents = [...this.#documents, { id: `static_doc_${this.#documents.length}`, text }]
    return this
  }

  /** Shows the `samples` documents of `index` that are nearest to what is asked; looked up once per run unless `everyTurn`. */
  dynamicContext(samples: number, index: ContextIndex, { everyTurn = false }: { readonly everyTurn?: boolean } = {}): this {
    this.#dynamicContext = [...this.#dynamicContext, { samples, index, everyTurn }]
    return this
  }

  tool(tool: Tool): this {
    return this.tools([tool])
  }

  tools(tools: readonly Tool[]): this {
    this.#tools = [...this.#tools, ...tools]
    return this
  }

  /** Offers the `samples` tools of `tools` whose descriptions in `index`, by tool name, are nearest to what is asked. */
  dynamicTools(samples: number, index: ToolIndex, tools: ToolSet): this {
    this.#dynamicTools = [...this.#dynamicTools, { samples, index, tools }]
    return this
  }

  /** Shares a set of tools that may change while the agent lives; the builder's own tools are added to it. */
  toolServer(server: ToolServer): this {
    this.#toolServer = server
    return this
  }

  /** A tool that the provider runs itself, in its own format. */
  hostedTool(tool: Json): this {
    this.#hostedTools = [...this.#hostedTools, tool]
    return this
  }

  temperature(value: number): this {
    this.#temperature = value
    return this
  }

  /** The most tokens that one answer may have, reasoning included. */
  maxTokens(value: number): this {
    this.#maxTokens = value
    return this
  }

  toolChoice(choice: ToolChoice): this {
    this.#toolChoice = choice
    return this
  }

  /** Provider fields by their wire names; merged over earlier ones, key by key. */
  additionalParams(params: JsonObject): this {
    this.#additionalParams = { ...this.#additionalParams, ...params }
    return this
  }

  /** The exact number of model calls of a run that does not say otherwise; 8 unless given. */
  defaultMaxTurns(count: number): this {
    this.#maxTurns = count
    return this
  }

  /** @deprecated The name in Rig 0.29, where it permitted two calls more; use `defaultMaxTurns`. */
  defaultMaxDepth(count: number): this {
    return this.defaultMaxTurns(count)
  }

  /** How many tools of one turn may run at a time; 4 unless given. */
  toolConcurrency(count: number): this {
    this.#toolConcurrency = count
    return this
  }

  /** What happens when the model calls a tool that it was not offered; 3 such calls are answered unless given. */
  invalidToolCalls({ mode, max = DEFAULT_INVALID_TOOL_CALLS.max }: { readonly mode: InvalidToolCallPolicy['mode']; readonly max?: number }): this {
    this.#invalidToolCalls = { mode, max }
    return this
  }

  /** The form that every answer has to have; `Agent.promptTyped` asks for another one. Throws `TypeError` for a schema without a JSON form. */
  outputSchema(schema: SchemaLike, options: OutputOptions = {}): this {
    this.#output = outputSpec(schema, options)
    return this
  }

  /** Keeps conversations: runs with a `conversationId` go on with theirs and add to it. */
  memory(memory: ConversationMemory): this {
    this.#memory = memory
    return this
  }

  /** Where spans of the agent's runs, model calls and tool calls go. */
  telemetry(telemetry: Telemetry): this {
    this.#telemetry = telemetry
    return this
  }

  /** Adds a hook; hooks are asked in the order of adding. */
  hook(hook: AgentHook<Deps>): this {
    this.#hooks = [...this.#hooks, hook]
    return this
  }

  /** Throws `TypeError` for tools with the same name or a name that providers refuse. */
  build(): Agent<Deps> {
    const toolServer = this.#toolServer ?? new ToolServer()
    for (const tool of this.#tools) toolServer.add(tool)
    return new Agent<Deps>({
      name: this.#name,
      description: this.#description,
      model: this.#model,
      preamble: this.#preamble === undefined ? undefined : Message.system(this.#preamble),
      documents: this.#documents,
      toolServer,
      hostedTools: this.#hostedTools,
      temperature: this.#temperature,
      maxTokens: this.#maxTokens,
      toolChoice: this.#toolChoice,
      additionalParams: this.#additionalParams,
      maxTurns: this.#maxTurns,
      toolConcurrency: Math.max(1, this.#toolConcurrency),
      invalidToolCalls: this.#invalidToolCalls,
      hooks: this.#hooks,
      output: this.#output,
      dynamicContext: this.#dynamicContext,
      dynamicTools: this.#dynamicTools,
      memory: this.#memory,
      telemetry: this.#telemetry,
    })
  }
}
