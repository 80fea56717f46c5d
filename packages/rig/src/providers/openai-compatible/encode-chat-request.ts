import type { CompletionRequest, OutputSchema, ToolChoice, ToolDefinition } from '../../completion/completion-request.ts'
import { isJsonArray, objectAt, type Json, type JsonObject, type JsonSchema } from '../../completion/json.ts'
import type { ModelOrigin } from '../../completion/message-types.ts'
import { CompletionError } from '../../errors.ts'
import type { RequestBody } from '../../http/transport.ts'
import { documentText } from '../document-text.ts'
import { InputFragments } from '../input-fragments.ts'
import { strictSchema } from '../strict-schema.ts'
import { maxTokensField, type ChatDialect } from './chat-dialect.ts'
import { chatMessages, systemMessage, userTexts } from './encode-chat-message.ts'
import { dueOutputSchema, responseFormat, schemaInstruction } from './response-format.ts'

export interface ChatRequestEncoderOptions {
  readonly origin: ModelOrigin
  readonly dialect: ChatDialect
  /** Makes every tool strict that does not say otherwise; `undefined` leaves it to the server. */
  readonly strictTools: boolean | undefined
}

/** Fields that are put together from the request and the additional parameters; everything else passes as it is. */
const OWN_FIELDS = new Set(['model', 'messages', 'stream', 'stream_options', 'tools', 'max_tokens', 'max_completion_tokens'])

const END_OF_BODY = ']}'
const COMMA = ','

/**
 * Request bodies of `POST /chat/completions`: https://platform.openai.com/docs/api-reference/chat/create. The wire form of a message and of
 * a tool is made once and kept with the object, so that a call late in a long conversation costs as much of our time as an early one.
 */
export class ChatRequestEncoder {
  readonly #options: ChatRequestEncoderOptions
  readonly #fragments = new Map<string, InputFragments>()
  readonly #tools = new WeakMap<ToolDefinition, string>()

  constructor(options: ChatRequestEncoderOptions) {
    this.#options = options
  }

  /** The body as JSON in UTF-8. Throws `CompletionError` of kind `request` for what the server cannot be asked. */
  encode(request: CompletionRequest, { isStreaming }: { readonly isStreaming: boolean }): RequestBody {
    const { dialect, origin } = this.#options
    const params = request.additionalParams ?? {}
    const model = request.model ?? origin.model
    const tools = this.#toolFragments(request, params)
    const schema = 'response_format' in params ? undefined : dueOutputSchema(request, dialect, tools.length > 0)
    const fields = JSON.stringify({
      ...dialect.extraBody,
      ...Object.fromEntries(Object.entries(params).filter(([key]) => !OWN_FIELDS.has(key))),
      model,
      ...maxTokens(request, maxTokensField(dialect, model)),
      ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
      ...(request.toolChoice === undefined || tools.length === 0 ? {} : { tool_choice: toolChoiceOf(request.toolChoice, dialect) }),
      ...(schema === undefined ? {} : { response_format: responseFormat(schema, dialect) }),
      ...(isStreaming ? streamFields(dialect, params) : {}),
    })
    const messages = this.#messages(request, model, this.#insertions(request, schema))
    if (messages.length === 0) throw new CompletionError('request', 'There is nothing to answer: the request has no message')
    const head = `${fields.slice(0, -1)}${tools.length === 0 ? '' : `,"tools":[${tools.join(',')}]`},"messages":[`
    return [head, ...messages, END_OF_BODY]
  }

  /** What stands between the leading system messages and the conversation, comma-separated. */
  #insertions({ documents = [] }: CompletionRequest, schema: OutputSchema | undefined): string {
    const { dialect } = this.#options
    const told = schema !== undefined && dialect.responseFormat === 'json_object' ? [systemMessage(schemaInstruction(schema), dialect)] : []
    const shown = documents.length === 0 ? [] : [userTexts(documents.map(documentText), dialect)]
    return [...told, ...shown].map((message) => JSON.stringify(message)).join(',')
  }

  #messages({ messages }: CompletionRequest, model: string, insertions: string): RequestBody {
    const fragments = this.#fragmentsFor(model)
    if (insertions === '') return [fragments.join(messages)].filter(({ length }) => length > 0)
    const firstSaid = messages.findIndex(({ role }) => role !== 'system')
    const leading = firstSaid === -1 ? messages.length : firstSaid
    const sections = [fragments.join(messages.slice(0, leading)), insertions, fragments.join(messages.slice(leading))]
    return sections.filter((section) => section.length > 0).flatMap((section, index) => (index === 0 ? [section] : [COMMA, section]))
  }

  /** How a message is replayed depends on who reads it: each model has its own fragments. */
  #fragmentsFor(model: string): InputFragments {
    const known = this.#fragments.get(model)
    if (known !== undefined) return known
    const options = { target: { ...this.#options.origin, model }, dialect: this.#options.dialect }
    const fresh = new InputFragments((message) => chatMessages(message, options).map((entry) => JSON.stringify(entry)).join(','))
    this.#fragments.set(model, fresh)
    return fresh
  }

  #toolFragments({ tools = [], hostedTools = [], toolChoice }: CompletionRequest, params: JsonObject): readonly string[] {
    const { dialect, origin } = this.#options
    const more = params['tools'] ?? []
    if (!isJsonArray(more)) throw new CompletionError('request', 'additionalParams.tools has to be an array')
    const foreign = [...hostedTools, ...more]
    if (!dialect.tools && tools.length + foreign.length > 0) throw new CompletionError('request', `${origin.provider} takes no tools: ask without them, or another model`)
    const offered = dialect.toolChoice === 'string' ? namedTools(tools, toolChoice) : tools
    return [...offered.map((tool) => this.#toolFragment(tool)), ...foreign.map((tool) => JSON.stringify(tool))]
  }

  #toolFragment(tool: ToolDefinition): string {
    const known = this.#tools.get(tool)
    if (known !== undefined) return known
    const strict = this.#options.dialect.strictTools ? (tool.strict ?? this.#options.strictTools) : undefined
    const parameters = objectSchema(tool.parameters)
    const fragment = JSON.stringify({
      type: 'function',
      function: {
        name: tool.name,
        description: tool.description,
        parameters: strict === true ? strictSchema(parameters) : parameters,
        ...(strict === undefined ? {} : { strict }),
      },
    })
    this.#tools.set(tool, fragment)
    return fragment
  }
}

/** A schema without properties is refused when it does not say so. */
function objectSchema(schema: JsonSchema): JsonSchema {
  const isBare = Object.keys(schema).length === 0 || (schema['type'] === 'object' && objectAt(schema, 'properties') === undefined)
  return isBare ? { type: 'object', ...schema, properties: {} } : schema
}

/** The tools that a choice of functions leaves, for servers that cannot be told the choice itself. */
function namedTools(tools: readonly ToolDefinition[], choice: ToolChoice | undefined): readonly ToolDefinition[] {
  if (typeof choice !== 'object') return tools
  return tools.filter(({ name }) => choice.functionNames.includes(name))
}

function toolChoiceOf(choice: ToolChoice, dialect: ChatDialect): Json {
  if (typeof choice === 'string') return choice
  const [first, ...others] = choice.functionNames.map((name) => ({ type: 'function', function: { name } }))
  if (first === undefined) throw new CompletionError('request', 'A specific tool choice names at least one function')
  if (dialect.toolChoice === 'string') return 'required'
  if (others.length === 0) return first
  if (!dialect.allowedTools) throw new CompletionError('request', 'This server can be told to call one certain function, not one of several')
  return { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [first, ...others] } }
}

/** The request's own limit, else the caller's under the name that the model understands. */
function maxTokens({ maxTokens: limit, additionalParams = {} }: CompletionRequest, field: 'max_tokens' | 'max_completion_tokens'): JsonObject {
  if (limit !== undefined) return { [field]: limit }
  const { max_completion_tokens: current, max_tokens: legacy } = additionalParams
  if (current !== undefined) return { max_completion_tokens: current }
  return legacy === undefined ? {} : { [field]: legacy }
}

function streamFields({ streamOptions }: ChatDialect, params: JsonObject): JsonObject {
  const options = { ...(streamOptions ? { include_usage: true } : {}), ...objectAt(params, 'stream_options') }
  return { stream: true, ...(Object.keys(options).length === 0 ? {} : { stream_options: options }) }
}
