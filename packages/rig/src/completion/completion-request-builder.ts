import type { CompletionResponse, StreamingCompletionResponse } from './completion-event.ts'
import type { CallOptions, CompletionRequest, Document, OutputSchema, ToolChoice, ToolDefinition } from './completion-request.ts'
import type { Json, JsonObject } from './json.ts'
import { Message } from './message.ts'
import type { AnyMessage, MessageInput } from './message-types.ts'

/** What a builder needs of a model. */
export interface CompletionSender {
  completion(request: CompletionRequest, options?: CallOptions): Promise<CompletionResponse>
  stream(request: CompletionRequest, options?: CallOptions): StreamingCompletionResponse
}

interface Draft extends Omit<CompletionRequest, 'messages'> {
  readonly preamble?: string
  readonly history: readonly AnyMessage[]
}

/** One model call, put together step by step. Every method returns a new builder: a half-built one can be shared. */
export class CompletionRequestBuilder {
  readonly #model: CompletionSender
  readonly #prompt: MessageInput
  readonly #draft: Draft

  constructor(model: CompletionSender, prompt: MessageInput, draft: Draft = { history: [] }) {
    this.#model = model
    this.#prompt = prompt
    this.#draft = draft
  }

  /** The system text that stands before everything else. */
  preamble(text: string): CompletionRequestBuilder {
    return this.#with({ preamble: text })
  }

  withoutPreamble(): CompletionRequestBuilder {
    const { preamble: _preamble, ...rest } = this.#draft
    return new CompletionRequestBuilder(this.#model, this.#prompt, rest)
  }

  /** Adds one message of history, before the prompt. */
  message(message: AnyMessage): CompletionRequestBuilder {
    return this.messages([message])
  }

  messages(messages: readonly AnyMessage[]): CompletionRequestBuilder {
    return this.#with({ history: [...this.#draft.history, ...messages] })
  }

  document(document: Document): CompletionRequestBuilder {
    return this.documents([document])
  }

  documents(documents: readonly Document[]): CompletionRequestBuilder {
    return this.#with({ documents: [...(this.#draft.documents ?? []), ...documents] })
  }

  tool(tool: ToolDefinition): CompletionRequestBuilder {
    return this.tools([tool])
  }

  tools(tools: readonly ToolDefinition[]): CompletionRequestBuilder {
    return this.#with({ tools: [...(this.#draft.tools ?? []), ...tools] })
  }

  /** A tool that the provider runs itself, in its own format. */
  hostedTool(tool: Json): CompletionRequestBuilder {
    return this.#with({ hostedTools: [...(this.#draft.hostedTools ?? []), tool] })
  }

  toolChoice(choice: ToolChoice): CompletionRequestBuilder {
    return this.#with({ toolChoice: choice })
  }

  temperature(value: number): CompletionRequestBuilder {
    return this.#with({ temperature: value })
  }

  /** The most tokens that the answer may have, reasoning included. */
  maxTokens(value: number): CompletionRequestBuilder {
    return this.#with({ maxTokens: value })
  }

  outputSchema(schema: OutputSchema): CompletionRequestBuilder {
    return this.#with({ outputSchema: schema })
  }

  /** Provider fields by their wire names; merged over earlier ones, key by key. */
  additionalParams(params: JsonObject): CompletionRequestBuilder {
    return this.#with({ additionalParams: { ...this.#draft.additionalParams, ...params } })
  }

  model(id: string): CompletionRequestBuilder {
    return this.#with({ model: id })
  }

  build(): CompletionRequest {
    const { preamble, history, ...rest } = this.#draft
    const system = preamble === undefined ? [] : [Message.system(preamble)]
    return { ...rest, messages: [...system, ...history, Message.from(this.#prompt)] }
  }

  send(options?: CallOptions): Promise<CompletionResponse> {
    return this.#model.completion(this.build(), options)
  }

  stream(options?: CallOptions): StreamingCompletionResponse {
    return this.#model.stream(this.build(), options)
  }

  #with(change: Partial<Draft>): CompletionRequestBuilder {
    return new CompletionRequestBuilder(this.#model, this.#prompt, { ...this.#draft, ...change })
  }
}
