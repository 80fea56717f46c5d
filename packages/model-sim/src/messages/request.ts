/** Reads the body of Anthropic's `POST /v1/messages`, with the refusals that it answers to malformed ones. */
import { ApiError } from '../api-error.ts'
import { isObject, textOf, type JsonObject } from '../json.ts'
import { invalid, required, unknownTag } from './refusals.ts'

export interface Message {
  readonly role: 'user' | 'assistant' | 'system'
  /** Content that was text is one text block. */
  readonly content: readonly JsonObject[]
}

export interface MessagesRequest {
  readonly model: string
  readonly isStream: boolean
  readonly messages: readonly Message[]
  readonly tools: readonly string[]
  readonly mayCallTools: boolean
  readonly body: JsonObject
}

const PARAMETERS = new Set(
  (
    'cache_control container context_management inference_geo max_tokens mcp_servers messages metadata model output_config output_format service_tier speed stop_sequences stream system temperature ' +
    'thinking tool_choice tools top_k top_p'
  ).split(' '),
)
const USER_BLOCKS = ['text', 'image', 'document', 'search_result', 'container_upload', 'tool_result']
const ASSISTANT_BLOCKS = [
  'text',
  'thinking',
  'redacted_thinking',
  'tool_use',
  'server_tool_use',
  'web_search_tool_result',
  'web_fetch_tool_result',
  'code_execution_tool_result',
  'bash_code_execution_tool_result',
  'text_editor_code_execution_tool_result',
  'tool_search_tool_result',
  'mcp_tool_use',
  'mcp_tool_result',
  'compaction',
]
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/
const TOOL_ID = /^[a-zA-Z0-9_-]+$/
/** The models that take instructions in the middle of a conversation. */
const TAKES_SYSTEM_MESSAGES = /opus-4-8/

/** @throws ApiError as Anthropic refuses it */
export function parseMessagesRequest(body: unknown): MessagesRequest {
  if (!isObject(body)) throw new ApiError('The request body is not valid JSON.')
  const { model, messages } = body
  if (model === undefined) throw required('model')
  if (typeof model !== 'string') throw invalid('model', 'Input should be a valid string')
  checkLimits(body)
  if (messages === undefined) throw required('messages')
  if (!Array.isArray(messages)) throw invalid('messages', 'Input should be a valid list')
  if (messages.length === 0) throw invalid('messages', 'at least one message is required')
  const stray = Object.keys(body).find((key) => !PARAMETERS.has(key))
  if (stray !== undefined) throw invalid(stray, 'Extra inputs are not permitted')
  checkSystem(body['system'])
  const tools = parseTools(body['tools'])
  checkToolChoice(body['tool_choice'], { names: tools, isOffered: Array.isArray(body['tools']) && body['tools'].length > 0 })
  return {
    model,
    isStream: body['stream'] === true,
    messages: messages.map((message: unknown, index) => parseMessage(message, { place: `messages.${index}`, model })),
    tools,
    mayCallTools: !(isObject(body['tool_choice']) && body['tool_choice']['type'] === 'none'),
    body,
  }
}

function checkLimits(body: JsonObject): void {
  const { max_tokens: limit, thinking } = body
  if (limit === undefined) throw required('max_tokens')
  if (typeof limit !== 'number' || !Number.isInteger(limit)) throw invalid('max_tokens', 'Input should be a valid integer')
  if (limit < 1) throw invalid('max_tokens', 'Input should be greater than or equal to 1')
  if (!isObject(thinking) || thinking['type'] !== 'enabled') return
  const budget = thinking['budget_tokens']
  if (typeof budget !== 'number') throw required('thinking.enabled.budget_tokens')
  if (budget < 1024) throw invalid('thinking.enabled.budget_tokens', 'Input should be greater than or equal to 1024')
  if (budget >= limit) throw new ApiError('`max_tokens` must be greater than `thinking.budget_tokens`.')
}

function checkSystem(system: unknown): void {
  if (system === undefined || typeof system === 'string') return
  if (!Array.isArray(system)) throw invalid('system', 'Input should be a valid list')
  system.forEach((block: unknown, index) => {
    const place = `system.${index}`
    if (!isObject(block) || block['type'] !== 'text') throw unknownTag(place, { tag: isObject(block) ? block['type'] : block, expected: ['text'] })
    if (textOf(block['text']) === '') throw new ApiError('system: text content blocks must be non-empty')
  })
}

function parseMessage(message: unknown, { place, model }: { readonly place: string; readonly model: string }): Message {
  if (!isObject(message)) throw invalid(place, 'Input should be a valid dictionary')
  const { role, content } = message
  if (role === undefined) throw required(`${place}.role`)
  if (role !== 'user' && role !== 'assistant' && !(role === 'system' && TAKES_SYSTEM_MESSAGES.test(model))) {
    if (role === 'system') throw new ApiError('messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not "system" as an input message role.')
    throw new ApiError(`messages: Unexpected role "${String(role)}". Allowed roles are "user" or "assistant"`)
  }
  if (content === undefined) throw required(`${place}.content`)
  if (typeof content === 'string') return { role, content: content === '' ? [] : [{ type: 'text', text: content }] }
  if (!Array.isArray(content)) throw invalid(`${place}.content`, 'Input should be a valid list')
  return { role, content: content.map((block: unknown, index) => parseBlock(block, { place: `${place}.content.${index}`, role })) }
}

function parseBlock(block: unknown, { place, role }: { readonly place: string; readonly role: Message['role'] }): JsonObject {
  if (!isObject(block)) throw invalid(place, 'Input should be a valid dictionary')
  if (block['type'] === undefined) throw required(`${place}.type`)
  const type = textOf(block['type'])
  const expected = role === 'assistant' ? ASSISTANT_BLOCKS : USER_BLOCKS
  if (!expected.includes(type)) {
    const other = role === 'assistant' ? USER_BLOCKS : ASSISTANT_BLOCKS
    if (other.includes(type)) throw invalid(place, `\`${type}\` blocks can only be in \`${role === 'assistant' ? 'user' : 'assistant'}\` messages`)
    throw unknownTag(place, { tag: block['type'], expected: [...new Set([...USER_BLOCKS, ...ASSISTANT_BLOCKS])] })
  }
  checkBlock(block, `${place}.${type}`)
  return block
}

function checkBlock(block: JsonObject, place: string): void {
  switch (block['type']) {
    case 'text':
      requireText(block, { place, key: 'text' })
      if (textOf(block['text']) === '') throw new ApiError('messages: text content blocks must be non-empty')
      if (textOf(block['text']).trim() === '') throw new ApiError('messages: text content blocks must contain non-whitespace text')
      return
    case 'thinking':
      requireText(block, { place, key: 'thinking' })
      return requireText(block, { place, key: 'signature' })
    case 'redacted_thinking':
      return requireText(block, { place, key: 'data' })
    case 'tool_use':
    case 'server_tool_use':
      requireText(block, { place, key: 'id' })
      if (!TOOL_ID.test(textOf(block['id']))) throw invalid(`${place}.id`, "String should match pattern '^[a-zA-Z0-9_-]+$'")
      requireText(block, { place, key: 'name' })
      if (!isObject(block['input'])) throw block['input'] === undefined ? required(`${place}.input`) : invalid(`${place}.input`, 'Input should be a valid dictionary')
      return
    case 'tool_result':
      return requireText(block, { place, key: 'tool_use_id' })
    default:
      return
  }
}

function requireText(block: JsonObject, { place, key }: { readonly place: string; readonly key: string }): void {
  if (block[key] === undefined) throw required(`${place}.${key}`)
  if (typeof block[key] !== 'string') throw invalid(`${place}.${key}`, 'Input should be a valid string')
}

/** Names of the tools that the client runs; those with a type of their own are the service's. */
function parseTools(tools: unknown): readonly string[] {
  if (tools === undefined) return []
  if (!Array.isArray(tools)) throw invalid('tools', 'Input should be a valid list')
  const names = tools.flatMap((tool: unknown, index) => {
    if (!isObject(tool)) throw invalid(`tools.${index}`, 'Input should be a valid dictionary')
    if (tool['type'] !== undefined && tool['type'] !== null && tool['type'] !== 'custom') return []
    const place = `tools.${index}.custom`
    if (tool['name'] === undefined) throw required(`${place}.name`)
    if (!TOOL_NAME.test(textOf(tool['name']))) throw invalid(`${place}.name`, "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")
    if (!isObject(tool['input_schema'])) throw required(`${place}.input_schema`)
    if (tool['input_schema']['type'] !== 'object') throw tool['input_schema']['type'] === undefined ? required(`${place}.input_schema.type`) : invalid(`${place}.input_schema.type`, "Input should be 'object'")
    return [textOf(tool['name'])]
  })
  if (new Set(names).size < names.length) throw invalid('tools', 'Tool names must be unique.')
  return names
}

const CHOICES = ['auto', 'any', 'tool', 'none']

function checkToolChoice(choice: unknown, tools: { readonly names: readonly string[]; readonly isOffered: boolean }): void {
  if (choice === undefined || choice === null) return
  if (!isObject(choice) || !CHOICES.includes(textOf(choice['type']))) throw unknownTag('tool_choice', { tag: isObject(choice) ? choice['type'] : choice, expected: CHOICES })
  if (!tools.isOffered) throw new ApiError('tool_choice: may only be specified while providing tools')
  if (choice['type'] === 'tool' && !tools.names.includes(textOf(choice['name']))) throw new ApiError(`Tool '${textOf(choice['name'])}' not found in provided tools`)
}
