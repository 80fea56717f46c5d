import type { CompletionModel } from '../completion/completion-model.ts'
import { CompletionRequestBuilder } from '../completion/completion-request-builder.ts'
import type { AnyMessage, MessageInput } from '../completion/message-types.ts'
import { StructuredOutputError } from '../errors.ts'
import type { InferOutput, SchemaLike } from '../tool/schema.ts'
import type { Tool } from '../tool/tool.ts'
import type { ToolServer } from '../tool/tool-set.ts'
import type { AgentConfig } from './agent-config.ts'
import type { PromptResponse } from './agent-event.ts'
import { AgentRun } from './agent-run.ts'
import type { AgentRunJson } from './agent-run-json.ts'
import { agentTool, type AgentToolOptions } from './agent-tool.ts'
import { RememberedConversation } from './conversation-memory.ts'
import { driveAgentRun, type RunObserver } from './drive-agent-run.ts'
import { outputSpec, type OutputOptions } from './output-schema.ts'
import { PromptRequest } from './prompt-request.ts'
import type { ResumeOptions, RunOptions, ToolCallDecision } from './run-options.ts'
import { StreamingPromptRequest } from './streaming-prompt-request.ts'

/** How one run is begun. */
interface Launch {
  readonly run: AgentRun
  readonly isStreaming: boolean
  readonly observer: RunObserver
  readonly controller: AbortController
  readonly decisions?: Readonly<Record<string, ToolCallDecision>>
  readonly conversation: RememberedConversation | undefined
}

const NOBODY_WATCHES: RunObserver = { item: () => undefined, ready: () => undefined }

/** A model with its instructions and tools. Keeps nothing between runs: any number may go on at once. */
export class Agent<Deps = unknown> {
  readonly #config: AgentConfig

  constructor(config: AgentConfig) {
    this.#config = config
  }

  get name(): string {
    return this.#config.name
  }

  get model(): CompletionModel {
    return this.#config.model
  }

  get toolServer(): ToolServer {
    return this.#config.toolServer
  }

  /** Asks, and gives the text of the final answer. */
  prompt(prompt: MessageInput): PromptRequest<string, Deps> {
    return new PromptRequest({ start: (options) => this.run(prompt, options), options: {}, select: (response) => response.output })
  }

  /** Like `prompt`, after `history`, which gets the prompt and everything said since, on success only. */
  chat(prompt: MessageInput, history: AnyMessage[]): PromptRequest<string, Deps> {
    return new PromptRequest({
      start: (options) => this.run(prompt, options),
      options: { history: [...history] },
      select: (response) => {
        history.push(...response.messages)
        return response.output
      },
    })
  }

  streamPrompt(prompt: MessageInput): StreamingPromptRequest<Deps> {
    return this.stream(prompt)
  }

  /** Never changes `history`; `finalResponse` holds the messages to append. */
  streamChat(prompt: MessageInput, history: readonly AnyMessage[]): StreamingPromptRequest<Deps> {
    return this.stream(prompt, { history })
  }

  /** Asks for an answer in the form of `schema`, and gives the checked value. Throws `StructuredOutputError` for an answer that does not fit. */
  promptTyped<S extends SchemaLike>(prompt: MessageInput, schema: S, options: OutputOptions = {}): PromptRequest<InferOutput<S>, Deps> {
    const output = outputSpec(schema, options)
    return new PromptRequest({
      start: (collected) => this.run(prompt, collected),
      options: { output },
      select: (response) => structuredOf<S>(response),
    })
  }

  /** One run to its end. Without a prompt the history has to end with the message to answer. Throws the errors of `errors.ts`. */
  async run(prompt: MessageInput | undefined, options: RunOptions<Deps> = {}): Promise<PromptResponse> {
    const begun = await this.#begin(prompt, options)
    return this.#launch({ ...begun, isStreaming: false, observer: NOBODY_WATCHES, controller: new AbortController() }, options)
  }

  /** One run, watched. Everything but the deltas is as with `run`. */
  stream(prompt: MessageInput | undefined, options: RunOptions<Deps> = {}): StreamingPromptRequest<Deps> {
    return new StreamingPromptRequest(async (collected, io) => this.#launch({ ...await this.#begin(prompt, collected), isStreaming: true, ...io }, collected), options)
  }

  /**
   * Goes on with a run that was suspended or whose process died. Calls with a `preresolvedResult` do not run and are not reported again;
   * the others run. `options.history` is ignored: the JSON holds it.
   */
  resume(json: AgentRunJson, { decisions, ...options }: ResumeOptions<Deps>): StreamingPromptRequest<Deps> {
    return new StreamingPromptRequest(async (collected, io) => {
      const run = AgentRun.fromJSON({ ...json, maxTurns: collected.maxTurns ?? json.maxTurns })
      return this.#launch({ run, conversation: this.#conversation(collected), isStreaming: true, decisions, ...io }, collected)
    }, options)
  }

  /** This agent as a tool of another one: its argument is a prompt, its result the final text. The instructions stay private. */
  asTool(options: AgentToolOptions = {}): Tool<{ readonly prompt: string }, string, Deps> {
    const { name, description } = this.#config
    return agentTool({ name, description, run: (prompt, runOptions) => this.run(prompt, runOptions) }, options)
  }

  /** One model call with the agent's settings, to be changed and sent by the caller; no tool is run. */
  async completion(prompt: MessageInput, history: readonly AnyMessage[] = []): Promise<CompletionRequestBuilder> {
    const { model, preamble, documents, hostedTools, toolServer, temperature, maxTokens, toolChoice, additionalParams } = this.#config
    const tools = await toolServer.snapshot().definitions(typeof prompt === 'string' ? prompt : '')
    return new CompletionRequestBuilder(model, prompt, {
      history,
      documents,
      tools,
      hostedTools,
      ...(preamble === undefined ? {} : { preamble: preamble.content }),
      ...(temperature === undefined ? {} : { temperature }),
      ...(maxTokens === undefined ? {} : { maxTokens }),
      ...(toolChoice === undefined ? {} : { toolChoice }),
      ...(additionalParams === undefined ? {} : { additionalParams }),
    })
  }

  async #begin(prompt: MessageInput | undefined, options: RunOptions<Deps>): Promise<Pick<Launch, 'run' | 'conversation'>> {
    const conversation = options.history === undefined ? this.#conversation(options) : undefined
    const history = conversation === undefined ? options.history ?? [] : await conversation.load()
    return { run: new AgentRun(prompt, { history, maxTurns: options.maxTurns ?? this.#config.maxTurns }), conversation }
  }

  #conversation({ conversationId }: RunOptions<Deps>): RememberedConversation | undefined {
    const { memory } = this.#config
    return memory === undefined || conversationId === undefined ? undefined : new RememberedConversation(memory, conversationId)
  }

  /** Links the caller's signal to the run's own for as long as the run lasts. */
  async #launch({ controller, decisions = {}, ...launch }: Launch, options: RunOptions<Deps>): Promise<PromptResponse> {
    const { signal } = options
    const onAbort = () => controller.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted === true) onAbort()
    try {
      return await driveAgentRun({ ...launch, controller, decisions, options, config: this.#config })
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }
}

/** The value has passed its schema in the run; what is checked here is only that there is one. */
function structuredOf<S extends SchemaLike>({ structured, text, messages }: PromptResponse): InferOutput<S> {
  if (!isOutput<S>(structured)) throw new StructuredOutputError(text, ['there is no answer'], messages)
  return structured
}

function isOutput<S extends SchemaLike>(value: unknown): value is InferOutput<S> {
  return value !== undefined
}
