/** Reads the body of `POST /v1/responses`, with the refusals that OpenAI answers to malformed ones. */
import { ApiError } from '../api-error.ts'
import { isObject, objectsOf, textOf, type JsonObject } from '../json.ts'
import { checkToolName, checkToolParameters, invalidType, invalidValue, missing, readBody } from '../openai-refusals.ts'

interface OfferedTool {
  readonly name: string
  readonly parameters: JsonObject
}

export interface ResponsesRequest {
  readonly model: string
  readonly isStream: boolean
  /** The whole conversation, every item with its `type`, references and earlier responses resolved. */
  readonly input: readonly JsonObject[]
  /** Function tools only. */
  readonly tools: readonly OfferedTool[]
  readonly toolChoice: unknown
  readonly body: JsonObject
}

/** What the server remembers of what it handed out. */
export interface ItemMemory {
  item(id: string): JsonObject | undefined
  conversation(responseId: string): readonly JsonObject[] | undefined
}

const PARAMETERS = new Set(
  (
    'background context_management conversation include input instructions max_output_tokens max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt ' +
    'prompt_cache_key prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user'
  ).split(' '),
)

/** @throws ApiError as OpenAI refuses it */
export function parseResponsesRequest(given: unknown, memory: ItemMemory): ResponsesRequest {
  const { body, model } = readBody(given, PARAMETERS)
  checkOutputLimit(body['max_output_tokens'])
  const tools = parseTools(body['tools'])
  checkToolChoice(body['tool_choice'], tools)
  return { model, isStream: body['stream'] === true, input: parseInput(body, memory), tools, toolChoice: body['tool_choice'], body }
}

function parseInput(body: JsonObject, memory: ItemMemory): readonly JsonObject[] {
  const earlier = earlierItems(body['previous_response_id'], memory)
  const input = body['input']
  if (input === undefined || input === null) {
    if (earlier.length === 0) throw missing('input')
    return earlier
  }
  if (typeof input === 'string') return [...earlier, { type: 'message', role: 'user', content: input }]
  if (!Array.isArray(input)) throw invalidType('input', 'one of an array of input items or a string')
  if (input.length === 0 && earlier.length === 0) throw missing('input')
  return [...earlier, ...input.map((item: unknown, index) => parseItem(item, { param: `input[${index}]`, memory }))]
}

function earlierItems(id: unknown, memory: ItemMemory): readonly JsonObject[] {
  if (id === undefined || id === null) return []
  const found = typeof id === 'string' ? memory.conversation(id) : undefined
  if (found === undefined) throw new ApiError(`Previous response with id '${String(id)}' not found.`, { param: 'previous_response_id', code: 'previous_response_not_found' })
  return found
}

function parseItem(item: unknown, place: { readonly param: string; readonly memory: ItemMemory }): JsonObject {
  const { param, memory } = place
  if (!isObject(item)) throw invalidType(param, 'an input item')
  const type = item['type'] ?? (item['role'] === undefined ? undefined : 'message')
  switch (type) {
    case 'message':
      return parseMessage(item, param)
    case 'function_call':
      return parseCall(item, param)
    case 'function_call_output':
      requireText(item, 'call_id', param)
      if (typeof item['output'] !== 'string' && !Array.isArray(item['output'])) throw missing(`${param}.output`)
      return item
    case 'reasoning':
      checkIdPrefix(item['id'], { prefix: 'rs', param })
      if (!Array.isArray(item['summary'])) throw missing(`${param}.summary`)
      return item
    case 'item_reference':
      return resolveReference(textOf(item['id']), memory)
    default:
      if (typeof type === 'string' && type !== '') return item // hosted items are replayed as they were
      throw missing(`${param}.type`)
  }
}

function resolveReference(id: string, memory: ItemMemory): JsonObject {
  const found = memory.item(id)
  if (found === undefined) throw new ApiError(`Item with id '${id}' not found.`, { status: 404, param: 'input' })
  return found
}

const CONTENT_TYPES: Readonly<Record<string, readonly string[]>> = {
  user: ['input_text', 'input_image', 'input_file'],
  system: ['input_text', 'input_image', 'input_file'],
  developer: ['input_text', 'input_image', 'input_file'],
  assistant: ['output_text', 'refusal'],
}

function parseMessage(item: JsonObject, param: string): JsonObject {
  const allowed = CONTENT_TYPES[textOf(item['role'])]
  if (allowed === undefined) throw invalidValue({ param: `${param}.role`, value: item['role'], allowed: Object.keys(CONTENT_TYPES) })
  if (item['role'] === 'assistant') checkIdPrefix(item['id'], { prefix: 'msg', param })
  const { content } = item
  if (typeof content === 'string') return { ...item, type: 'message' }
  if (!Array.isArray(content)) throw missing(`${param}.content`)
  content.forEach((part: unknown, index) => {
    const type = isObject(part) ? part['type'] : undefined
    if (!allowed.includes(textOf(type))) throw invalidValue({ param: `${param}.content[${index}]`, value: type, allowed })
  })
  return { ...item, type: 'message' }
}

function parseCall(item: JsonObject, param: string): JsonObject {
  checkIdPrefix(item['id'], { prefix: 'fc', param })
  requireText(item, 'call_id', param)
  checkToolName(item['name'], `${param}.name`)
  if (typeof item['arguments'] !== 'string') throw missing(`${param}.arguments`)
  return item
}

function parseTools(tools: unknown): readonly OfferedTool[] {
  if (tools === undefined || tools === null) return []
  if (!Array.isArray(tools)) throw invalidType('tools', 'an array of objects')
  return tools.flatMap((tool: unknown, index) => {
    if (!isObject(tool) || typeof tool['type'] !== 'string') throw missing(`tools[${index}].type`)
    if (tool['type'] !== 'function') return []
    const name = checkToolName(tool['name'], `tools[${index}].name`)
    const { parameters } = tool
    checkToolParameters(name, { parameters, param: `tools[${index}].parameters` })
    return [{ name, parameters: isObject(parameters) ? parameters : {} }]
  })
}

function checkToolChoice(choice: unknown, tools: readonly OfferedTool[]): void {
  if (!isObject(choice)) return
  const names = choice['type'] === 'function' ? [textOf(choice['name'])] : objectsOf(choice['tools']).map((tool) => textOf(tool['name']))
  const absent = names.find((name) => name !== '' && !tools.some((tool) => tool.name === name))
  if (absent !== undefined) throw new ApiError(`Tool choice '${absent}' not found in 'tools' parameter.`, { param: 'tool_choice' })
}

function checkOutputLimit(limit: unknown): void {
  if (limit === undefined || limit === null) return
  if (typeof limit !== 'number' || !Number.isInteger(limit)) throw invalidType('max_output_tokens', 'an integer')
  if (limit >= 16) return
  throw new ApiError(`Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got ${limit} instead.`, {
    param: 'max_output_tokens',
    code: 'integer_below_min_value',
  })
}

function checkIdPrefix(id: unknown, rule: { readonly prefix: string; readonly param: string }): void {
  if (id === undefined || id === null) return
  if (typeof id === 'string' && id.startsWith(`${rule.prefix}_`)) return
  throw new ApiError(`Invalid '${rule.param}.id': '${String(id)}'. Expected an ID that begins with '${rule.prefix}'.`, { param: `${rule.param}.id`, code: 'invalid_value' })
}

function requireText(item: JsonObject, key: string, param: string): void {
  if (typeof item[key] !== 'string' || item[key] === '') throw missing(`${param}.${key}`)
}
