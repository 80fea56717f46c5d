import type { CompletionRequest, Document, ToolChoice, ToolDefinition } from '../../completion/completion-request.ts'
import { isJsonArray, isJsonObject, objectAt, type Json, type JsonObject } from '../../completion/json.ts'
import type { AnyMessage, ModelOrigin, SystemMessage } from '../../completion/message-types.ts'
import { CompletionError } from '../../errors.ts'
import type { RequestBody } from '../../http/transport.ts'
import { ConversationEncoder, marked, messageJson } from './encode-conversation.ts'
import { documentBlock, type ReplayOptions } from './encode-messages.ts'
import { defaultMaxTokens, takesInlineSystem } from './models.ts'
import { outputSchema, strictToolSchema } from './output-schema.ts'
import { cacheMarkers, type PromptCaching } from './prompt-caching.ts'

/** What can be set for all requests of a client. Unless said otherwise, requests are what Rig sends. */
export interface RequestOptions {
  /** Marks what the provider shall keep for the next request; nothing unless given. `true`: the end of the system text and of the conversation. */
  readonly promptCaching?: boolean | PromptCaching
  /** Marks results of failed calls as such; `false` unless given: the text of a result tells of the failure anyway. */
  readonly replayIsError?: boolean
  /** Sends thinking without a signature back, for servers that give none; `false` unless given, for Anthropic refuses it. */
  readonly replayUnsignedThinking?: boolean
  /** Asks for citations of the documents in the conversation; `false` unless given. */
  readonly citeDocuments?: boolean
  /** Where system messages in the middle of a conversation go: to the others at its front, or where they stand. By the model unless given. */
  readonly systemMessages?: 'lifted' | 'inline'
  /** What a streamed request with tools says when no choice is set; `auto` unless given, which means the same as nothing. */
  readonly streamingToolChoice?: 'auto' | 'omit'
  /** Makes every tool strict that does not say otherwise; unless given the service decides. */
  readonly strictTools?: boolean
  /** The `max_tokens` of requests that name none; by the model unless given. */
  readonly defaultMaxTokens?: number
  /** Joins neighbouring messages of one role; `true` unless given. The service does it by itself, some servers insist on it. */
  readonly mergeMessages?: boolean
}

export interface RequestEncoderOptions extends RequestOptions {
  readonly origin: ModelOrigin
}

/** Fields that the request itself decides; the same names in additional parameters lose. `max_tokens` and `tool_choice` have rules of their own. */
const OWN_FIELDS = new Set(['model', 'messages', 'system', 'stream', 'tools', 'tool_choice', 'disable_parallel_tool_use'])

const END_OF_BODY = ']}'
const COMMA = ','

/**
 * Request bodies of `POST /v1/messages`: https://platform.claude.com/docs/en/api/messages. The wire form of a message and of a tool is made
 * once and kept with the object, so that a call late in a long conversation costs as much of our time as an early one.
 */
export class RequestEncoder {
  readonly #options: RequestEncoderOptions
  /** By the model that reads the conversation: what is replayed depends on it. */
  readonly #conversations = new Map<string, ConversationEncoder>()
  readonly #system = new WeakMap<SystemMessage, string>()
  readonly #tools = new WeakMap<ToolDefinition, string>()

  constructor(options: RequestEncoderOptions) {
    this.#options = options
  }

  /** The body as JSON in UTF-8. Throws `CompletionError` of kind `request` for what Anthropic cannot be asked. */
  encode(request: CompletionRequest, { isStreaming }: { readonly isStreaming: boolean }): RequestBody {
    const params = request.additionalParams ?? {}
    const model = request.model ?? this.#options.origin.model
    const { lifted, rest } = splitSystem(request.messages, this.#takesInlineSystem(model))
    const { tools: toolMarkers, system: systemMarkers, message } = this.#markers(request, params)
    const tools = this.#toolFragments(request, toolMarkers)
    const system = withLastMarked(lifted.flatMap((instruction) => this.#systemFragment(instruction)), systemMarkers)
    const fields = JSON.stringify(this.#fields(request, { model, params, isStreaming }))
    const head = `${fields.slice(0, -1)}${listField('system', system)}${listField('tools', tools)},"messages":[`
    const documents = this.#documents(request.documents ?? [], model)
    const conversation = this.#conversation(model).encode(rest, message)
    if (documents.length + conversation.length === 0) throw new CompletionError('request', 'There is nothing to answer: the request has no message')
    const separator = documents.length === 0 || conversation.length === 0 ? [] : [COMMA]
    return [head, ...documents, ...separator, ...conversation, END_OF_BODY]
  }

  #fields(request: CompletionRequest, { model, params, isStreaming }: { readonly model: string; readonly params: JsonObject; readonly isStreaming: boolean }): JsonObject {
    const passed = Object.fromEntries(Object.entries(params).filter(([key]) => !OWN_FIELDS.has(key)))
    const maxTokens = request.maxTokens ?? passed['max_tokens'] ?? this.#options.defaultMaxTokens ?? defaultMaxTokens(model)
    const toolChoice = countOfTools(request, params) === 0 ? undefined : this.#toolChoice(request, { params, isStreaming })
    return {
      ...passed,
      model,
      max_tokens: maxTokens,
      ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
      ...(toolChoice === undefined ? {} : { tool_choice: toolChoice }),
      ...outputConfig(request, params),
      ...(isStreaming ? { stream: true } : {}),
    }
  }

  #toolChoice({ toolChoice }: CompletionRequest, { params, isStreaming }: { readonly params: JsonObject; readonly isStreaming: boolean }): JsonObject | undefined {
    const given = objectAt(params, 'tool_choice') ?? {}
    const parallel = params['disable_parallel_tool_use'] ?? given['disable_parallel_tool_use']
    const extras: JsonObject = parallel === undefined ? {} : { disable_parallel_tool_use: parallel }
    if (toolChoice === 'none') return { type: 'none' }
    if (toolChoice !== undefined) return { ...toolChoiceOf(toolChoice), ...extras }
    if (parallel !== undefined || 'type' in given) return { type: 'auto', ...given, ...extras }
    return isStreaming && this.#options.streamingToolChoice !== 'omit' ? { type: 'auto' } : undefined
  }

  #takesInlineSystem(model: string): boolean {
    const { systemMessages } = this.#options
    return systemMessages === undefined ? takesInlineSystem(model) : systemMessages === 'inline'
  }

  #markers(request: CompletionRequest, params: JsonObject) {
    const hosted = foreignTools(request, params).filter((tool) => isJsonObject(tool) && objectAt(tool, 'cache_control') !== undefined).length
    return cacheMarkers(this.#options.promptCaching, { ownMarkers: hosted, isAutomatic: objectAt(params, 'cache_control') !== undefined })
  }

  #replay(model: string): ReplayOptions {
    const { origin, replayIsError = false, replayUnsignedThinking = false, citeDocuments = false } = this.#options
    return { target: { ...origin, model }, replayIsError, replayUnsignedThinking, citeDocuments }
  }

  #conversation(model: string): ConversationEncoder {
    const known = this.#conversations.get(model)
    if (known !== undefined) return known
    const fresh = new ConversationEncoder({ replay: this.#replay(model), mergeMessages: this.#options.mergeMessages ?? true })
    this.#conversations.set(model, fresh)
    return fresh
  }

  /** One message of their own, before the conversation: what is asked changes from call to call, they rarely do. */
  #documents(documents: readonly Document[], model: string): readonly Buffer[] {
    if (documents.length === 0) return []
    const replay = this.#replay(model)
    return [Buffer.from(messageJson('user', documents.map((document) => documentBlock(document, replay))))]
  }

  #systemFragment(message: SystemMessage): readonly string[] {
    if (message.content.trim() === '') return []
    const known = this.#system.get(message)
    if (known !== undefined) return [known]
    const fragment = JSON.stringify({ type: 'text', text: message.content })
    this.#system.set(message, fragment)
    return [fragment]
  }

  #toolFragments(request: CompletionRequest, marker: string | undefined): readonly string[] {
    const own = (request.tools ?? []).map((tool) => this.#toolFragment(tool))
    const others = foreignTools(request, request.additionalParams ?? {})
    const fragments = [...own, ...others.map((tool) => JSON.stringify(tool))]
    if (marker === undefined) return fragments
    // A tool that is loaded on demand is no part of what can be kept, and a marker of the caller's own stays.
    const place = own.length + others.findLastIndex((tool) => isJsonObject(tool) && tool['defer_loading'] !== true)
    const last = others[place - own.length]
    const isMarked = last !== undefined && isJsonObject(last) && objectAt(last, 'cache_control') !== undefined
    return fragments.map((fragment, index) => (index === place && !isMarked ? marked(fragment, marker) : fragment))
  }

  #toolFragment(tool: ToolDefinition): string {
    const known = this.#tools.get(tool)
    if (known !== undefined) return known
    const { name, description, parameters } = tool
    const strict = tool.strict ?? this.#options.strictTools
    const fragment = JSON.stringify({
      name,
      ...(description === '' ? {} : { description }),
      input_schema: strict === true ? strictToolSchema(parameters) : parameters,
      ...(strict === undefined ? {} : { strict }),
    })
    this.#tools.set(tool, fragment)
    return fragment
  }
}

function listField(name: string, items: readonly string[]): string {
  return items.length === 0 ? '' : `,"${name}":[${items.join(',')}]`
}

function withLastMarked(fragments: readonly string[], marker: string | undefined): readonly string[] {
  return marker === undefined ? fragments : fragments.map((fragment, index) => (index === fragments.length - 1 ? marked(fragment, marker) : fragment))
}

/** Tools in the provider's own format. */
function foreignTools({ hostedTools = [] }: CompletionRequest, params: JsonObject): readonly Json[] {
  const more = params['tools'] ?? []
  if (!isJsonArray(more)) throw new CompletionError('request', 'additionalParams.tools has to be an array')
  return [...hostedTools, ...more]
}

function countOfTools(request: CompletionRequest, params: JsonObject): number {
  return (request.tools ?? []).length + foreignTools(request, params).length
}

/** Leading system messages always go to the front; later ones too, unless the model reads them where they stand and the wire permits it there. */
function splitSystem(messages: readonly AnyMessage[], isInline: boolean): { readonly lifted: readonly SystemMessage[]; readonly rest: readonly AnyMessage[] } {
  const lifted: SystemMessage[] = []
  const rest: AnyMessage[] = []
  for (const [index, message] of messages.entries()) {
    if (message.role === 'system' && !(isInline && mayStandAt(messages, index))) lifted.push(message)
    else rest.push(message)
  }
  return { lifted, rest }
}

/** After something that waits for an answer, and before an answer or at the end. */
function mayStandAt(messages: readonly AnyMessage[], index: number): boolean {
  const before = messages[index - 1]
  const after = messages[index + 1]
  const waits = before?.role === 'user' || (before?.role === 'assistant' && before.content.at(-1)?.type === 'provider_item')
  return waits && (after === undefined || after.role === 'assistant')
}

function outputConfig({ outputSchema: output }: CompletionRequest, params: JsonObject): { output_config?: Json } {
  const config = objectAt(params, 'output_config') ?? {}
  if (output === undefined || 'format' in config) return {}
  const { schema, strict = true } = output
  return { output_config: { ...config, format: { type: 'json_schema', schema: strict ? outputSchema(schema) : schema } } }
}

function toolChoiceOf(choice: Exclude<ToolChoice, 'none'>): JsonObject {
  if (choice === 'auto') return { type: 'auto' }
  if (choice === 'required') return { type: 'any' }
  const [name, ...others] = choice.functionNames
  if (name === undefined || others.length > 0) throw new CompletionError('request', 'Anthropic can be made to call one tool by name, not one of several; offer only those tools and require any')
  return { type: 'tool', name }
}
