import type { CompletionRequest, ToolChoice, ToolDefinition } from '../../completion/completion-request.ts'
import { isJsonArray, objectAt, type Json, type JsonObject } from '../../completion/json.ts'
import type { AnyMessage, ModelOrigin, SystemMessage } from '../../completion/message-types.ts'
import { CompletionError } from '../../errors.ts'
import { assistantItems, documentItem, systemItem, userItems, type ReplayOptions } from './encode-input.ts'
import type { RequestBody } from '../../http/transport.ts'
import { isSameOrigin } from '../same-origin.ts'
import { plainItems } from './plain-items.ts'
import { InputFragments } from '../input-fragments.ts'
import { schemaName } from '../schema-name.ts'
import { strictSchema } from '../strict-schema.ts'

/**
 * Where system messages go. `instructions`: the leading ones into the field of that name; `allInstructions`: all of them;
 * `inputSystemMessages`: all stay in the input, for servers that do not know the field.
 */
export type SystemInstructions = 'instructions' | 'allInstructions' | 'inputSystemMessages'

export interface RequestEncoderOptions {
  readonly origin: ModelOrigin
  readonly systemInstructions: SystemInstructions
  /** Makes every tool strict that does not say otherwise; `undefined` leaves it to the service. */
  readonly strictTools: boolean | undefined
  readonly replayPhase: boolean
  /** `plain`: texts as strings, and nothing in an item that is not needed; for servers that refuse more. */
  readonly itemForm: 'full' | 'plain'
  /** Goes on from the provider's own copy of the conversation where it has one: only what was said since is sent. */
  readonly serverState: boolean
}

/** Fields that the request itself decides; the same names in additional parameters lose. */
const OWN_FIELDS = new Set(['model', 'input', 'instructions', 'stream', 'tools', 'tool_choice', 'max_output_tokens'])

const END_OF_BODY = ']}'
const COMMA = ','

/**
 * Request bodies of `POST /v1/responses`. The wire form of a message and of a tool is made once and kept with the object, so that a call
 * late in a long conversation costs as much of our time as an early one.
 */
export class RequestEncoder {
  readonly #options: RequestEncoderOptions
  readonly #fragments = new Map<string, InputFragments>()
  readonly #instructions = new WeakMap<SystemMessage, string>()
  readonly #tools = new WeakMap<ToolDefinition, string>()

  constructor(options: RequestEncoderOptions) {
    this.#options = options
  }

  /** The body as JSON in UTF-8. Throws `CompletionError` of kind `request` for what OpenAI cannot be asked. */
  encode(request: CompletionRequest, { isStreaming }: { readonly isStreaming: boolean }): RequestBody {
    const params = request.additionalParams ?? {}
    const model = request.model ?? this.#options.origin.model
    const { lifted, rest: all } = liftSystem(request.messages, this.#options.systemInstructions)
    const kept = this.#options.serverState && params['store'] !== false ? keptConversation(all, { ...this.#options.origin, model }) : undefined
    const rest = kept === undefined ? all : all.slice(kept.length)
    const tools = this.#toolFragments(request, params)
    const fields = JSON.stringify({
      ...passedThrough(params),
      model,
      ...(request.maxTokens === undefined ? {} : { max_output_tokens: request.maxTokens }),
      ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
      ...(request.toolChoice === undefined || tools.length === 0 ? {} : { tool_choice: toolChoiceOf(request.toolChoice) }),
      ...textFormat(request, params),
      ...(kept === undefined ? {} : { previous_response_id: kept.responseId }),
      ...(isStreaming ? { stream: true } : {}),
    })
    // The provider has seen them with the beginning of the conversation.
    const documents = (kept === undefined ? request.documents ?? [] : []).map((document) => JSON.stringify(documentItem(document)))
    const input = this.#input(rest, { documents, replay: this.#replay(model, params) })
    if (input.length === 0) throw new CompletionError('request', 'There is nothing to answer: the request has no message')
    const instructions = this.#instructionsField(lifted)
    const head = `${fields.slice(0, -1)}${instructions}${tools.length === 0 ? '' : `,"tools":[${tools.join(',')}]`},"input":[`
    return [head, ...input, END_OF_BODY]
  }

  #replay(model: string, params: JsonObject): ReplayOptions {
    return { target: { ...this.#options.origin, model }, isStored: params['store'] !== false, replayPhase: this.#options.replayPhase }
  }

  /** Documents stand after the leading system messages and before the conversation. */
  #input(messages: readonly AnyMessage[], { documents, replay }: { readonly documents: readonly string[]; readonly replay: ReplayOptions }): RequestBody {
    const fragments = this.#fragmentsFor(replay)
    if (documents.length === 0) return nonEmpty([fragments.join(messages)])
    const leading = messages.findIndex(({ role }) => role !== 'system')
    const before = fragments.join(messages.slice(0, leading))
    const after = fragments.join(messages.slice(leading))
    return nonEmpty([before, documents.join(','), after]).flatMap((part, index) => (index === 0 ? [part] : [COMMA, part]))
  }

  /** How a message is replayed depends on who reads it: each way has its own fragments. */
  #fragmentsFor(replay: ReplayOptions): InputFragments {
    const key = `${replay.isStored} ${replay.target.model}`
    const known = this.#fragments.get(key)
    if (known !== undefined) return known
    const fresh = new InputFragments((message) => this.#items(message, replay).map((item) => JSON.stringify(item)).join(','))
    this.#fragments.set(key, fresh)
    return fresh
  }

  #items(message: AnyMessage, replay: ReplayOptions): readonly Json[] {
    const items = itemsOf(message, replay)
    return this.#options.itemForm === 'plain' ? plainItems(items) : items
  }

  #instructionsField(lifted: readonly SystemMessage[]): string {
    const [first] = lifted
    if (first === undefined) return ''
    const known = lifted.length === 1 ? this.#instructions.get(first) : undefined
    if (known !== undefined) return known
    const text = lifted.map(({ content }) => content.trim()).filter((content) => content !== '').join('\n\n')
    const field = text === '' ? '' : `,"instructions":${JSON.stringify(text)}`
    if (lifted.length === 1) this.#instructions.set(first, field)
    return field
  }

  #toolFragments({ tools = [], hostedTools = [] }: CompletionRequest, params: JsonObject): readonly string[] {
    const more = params['tools'] ?? []
    if (!isJsonArray(more)) throw new CompletionError('request', 'additionalParams.tools has to be an array')
    return [...tools.map((tool) => this.#toolFragment(tool)), ...[...hostedTools, ...more].map((tool) => JSON.stringify(tool))]
  }

  #toolFragment(tool: ToolDefinition): string {
    const known = this.#tools.get(tool)
    if (known !== undefined) return known
    const { name, description, parameters } = tool
    const strict = tool.strict ?? this.#options.strictTools
    const fragment = JSON.stringify({
      type: 'function',
      name,
      ...(description === '' ? {} : { description }),
      parameters: strict === true ? strictSchema(parameters) : parameters,
      ...(strict === undefined ? {} : { strict }),
    })
    this.#tools.set(tool, fragment)
    return fragment
  }
}

/** How much of the conversation the provider has kept: up to the newest answer of this model. */
function keptConversation(messages: readonly AnyMessage[], target: ModelOrigin): { readonly responseId: string; readonly length: number } | undefined {
  const index = messages.findLastIndex((message) => message.role === 'assistant' && message.responseId !== undefined && message.origin !== undefined && isSameOrigin(message.origin, target))
  const message = messages[index]
  if (message?.role !== 'assistant' || message.responseId === undefined) return undefined
  return { responseId: message.responseId, length: index + 1 }
}

function nonEmpty(parts: RequestBody): RequestBody {
  return parts.filter(({ length }) => length > 0)
}

function itemsOf(message: AnyMessage, replay: ReplayOptions): readonly Json[] {
  switch (message.role) {
    case 'system': return message.content.trim() === '' ? [] : [systemItem(message.content)]
    case 'user': return userItems(message)
    case 'assistant': return assistantItems(message, replay)
  }
}

function liftSystem(messages: readonly AnyMessage[], placement: SystemInstructions): { lifted: readonly SystemMessage[]; rest: readonly AnyMessage[] } {
  if (placement === 'inputSystemMessages') return { lifted: [], rest: messages }
  if (placement === 'allInstructions') return { lifted: messages.filter((message) => message.role === 'system'), rest: messages.filter(({ role }) => role !== 'system') }
  const leading = messages.findIndex(({ role }) => role !== 'system')
  if (leading <= 0) return { lifted: [], rest: messages }
  return { lifted: messages.slice(0, leading).filter((message) => message.role === 'system'), rest: messages.slice(leading) }
}

/** Everything that is not decided elsewhere goes as it is. Reasoning is of no use later without its encrypted content, so that is asked for. */
function passedThrough(params: JsonObject): JsonObject {
  const passed = Object.fromEntries(Object.entries(params).filter(([key]) => !OWN_FIELDS.has(key)))
  if (!('reasoning' in passed)) return passed
  const include = isJsonArray(passed['include']) ? passed['include'] : []
  return include.includes('reasoning.encrypted_content') ? passed : { ...passed, include: [...include, 'reasoning.encrypted_content'] }
}

function textFormat({ outputSchema }: CompletionRequest, params: JsonObject): { text?: Json } {
  const text = objectAt(params, 'text') ?? {}
  if (outputSchema === undefined || 'format' in text) return {}
  const { schema, strict = true } = outputSchema
  return { text: { ...text, format: { type: 'json_schema', name: schemaName(outputSchema), schema: strict ? strictSchema(schema) : schema, strict } } }
}

function toolChoiceOf(choice: ToolChoice): Json {
  if (typeof choice === 'string') return choice
  const [first, ...others] = choice.functionNames.map((name) => ({ type: 'function', name }))
  if (first === undefined) throw new CompletionError('request', 'A specific tool choice names at least one function')
  return others.length === 0 ? first : { type: 'allowed_tools', mode: 'required', tools: [first, ...others] }
}

