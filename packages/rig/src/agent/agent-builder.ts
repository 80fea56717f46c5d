import type { CompletionModel } from '../completion/completion-model.ts'
import type { Document, ToolChoice } from '../completion/completion-request.ts'
import type { Json, JsonObject } from '../completion/json.ts'
import { Message } from '../completion/message.ts'
import type { Tool } from '../tool/tool.ts'
import { ToolServer } from '../tool/tool-set.ts'
import { Agent } from './agent.ts'
import type { InvalidToolCallPolicy } from './agent-config.ts'
import { DEFAULT_MAX_TURNS } from './agent-run.ts'
import type { AgentHook } from './hooks.ts'

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

  tool(tool: Tool): this {
    return this.tools([tool])
  }

  tools(tools: readonly Tool[]): this {
    this.#tools = [...this.#tools, ...tools]
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
    })
  }
}
