/** Reads the body of `POST /v1/chat/completions`, with the refusals that OpenAI answers to malformed ones. */
import { ApiError } from '../api-error.ts'
import { isObject, textOf, type JsonObject } from '../json.ts'
import { checkToolName, checkToolParameters, emptyArray, invalidType, invalidValue, missing, readBody } from '../openai-refusals.ts'

export interface ChatRequest {
  readonly model: string
  readonly isStream: boolean
  /** True when the stream ends with a chunk of its own for the usage. */
  readonly includesUsage: boolean
  readonly messages: readonly JsonObject[]
  readonly tools: readonly string[]
  readonly toolChoice: unknown
}

/** OpenAI's parameters, then those of compatible services: clients of those are to be served as well. */
const PARAMETERS = new Set(
  (
    'audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages metadata modalities model moderation n parallel_tool_calls prediction ' +
    'presence_penalty prompt_cache_key prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier stop store stream stream_options temperature tool_choice ' +
    'tools top_logprobs top_p user verbosity web_search_options ' +
    'chat_template_kwargs extra_body include_reasoning min_p models plugins provider reasoning reasoning_format repetition_penalty thinking top_k transforms usage'
  ).split(' '),
)
const ROLES = ['system', 'assistant', 'user', 'function', 'tool', 'developer'] as const
const CONTENT_TYPES: Readonly<Record<(typeof ROLES)[number], readonly string[]>> = {
  system: ['text'],
  developer: ['text'],
  user: ['text', 'image_url', 'input_audio', 'file'],
  assistant: ['text', 'refusal'],
  tool: ['text'],
  function: ['text'],
}
/** Models that think before they answer take `max_completion_tokens` only. */
const THINKING_MODEL = /^(?:o\d|gpt-[5-9])(?:$|[.-])/

/** @throws ApiError as OpenAI refuses it */
export function parseChatRequest(given: unknown): ChatRequest {
  const { body, model } = readBody(given, PARAMETERS)
  const { messages, stream_options: streamOptions } = body
  const isStream = body['stream'] === true
  checkLimits(body, model)
  if (messages === undefined || messages === null) throw missing('messages')
  if (!Array.isArray(messages)) throw invalidType('messages', 'an array of objects')
  if (messages.length === 0) throw emptyArray('messages')
  if (isObject(streamOptions) && !isStream) {
    throw new ApiError("The 'stream_options' parameter is only allowed when 'stream' is enabled.", { param: 'stream_options' })
  }
  const tools = parseTools(body['tools'])
  checkToolChoice(body['tool_choice'], tools)
  return {
    model,
    isStream,
    includesUsage: isObject(streamOptions) && streamOptions['include_usage'] === true,
    messages: messages.map((message: unknown, index) => parseMessage(message, `messages[${index}]`)),
    tools,
    toolChoice: body['tool_choice'],
  }
}

function checkLimits(body: JsonObject, model: string): void {
  if (body['max_tokens'] !== undefined && body['max_tokens'] !== null && THINKING_MODEL.test(model)) {
    const message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    throw new ApiError(message, { param: 'max_tokens', code: 'unsupported_parameter' })
  }
  for (const param of ['max_tokens', 'max_completion_tokens']) {
    const limit = body[param]
    if (limit === undefined || limit === null) continue
    if (typeof limit !== 'number' || !Number.isInteger(limit)) throw invalidType(param, 'an integer')
    if (limit < 1) throw new ApiError(`Invalid '${param}': integer below minimum value. Expected a value >= 1, but got ${limit} instead.`, { param, code: 'integer_below_min_value' })
  }
}

function parseMessage(message: unknown, param: string): JsonObject {
  if (!isObject(message)) throw invalidType(param, 'an object')
  if (message['role'] === undefined) throw missing(`${param}.role`)
  const role = ROLES.find((known) => known === message['role'])
  if (role === undefined) throw invalidValue({ param: `${param}.role`, value: message['role'], allowed: ROLES })
  const { content } = message
  const calls = message['tool_calls']
  if (role === 'assistant' && calls !== undefined && calls !== null) parseCalls(calls, `${param}.tool_calls`)
  if (role === 'tool' && textOf(message['tool_call_id']) === '') throw missing(`${param}.tool_call_id`)
  const mayBeEmpty = role === 'assistant' && (Array.isArray(calls) || isObject(message['function_call']) || typeof message['refusal'] === 'string')
  if (content === undefined || content === null) {
    if (mayBeEmpty) return message
    throw new ApiError("Invalid value for 'content': expected a string, got null.", { param: `${param}.content` })
  }
  checkContent(content, { param: `${param}.content`, allowed: CONTENT_TYPES[role] })
  return message
}

function checkContent(content: unknown, place: { readonly param: string; readonly allowed: readonly string[] }): void {
  const { param, allowed } = place
  if (typeof content === 'string') return
  if (!Array.isArray(content)) throw invalidType(param, 'one of a string or array of objects')
  if (content.length === 0) throw emptyArray(param)
  content.forEach((part: unknown, index) => {
    const type = isObject(part) ? part['type'] : undefined
    if (!allowed.includes(textOf(type))) throw invalidValue({ param: `${param}[${index}].type`, value: type, allowed })
  })
}

function parseCalls(calls: unknown, param: string): void {
  if (!Array.isArray(calls)) throw invalidType(param, 'an array of objects')
  if (calls.length === 0) throw emptyArray(param)
  calls.forEach((call: unknown, index) => {
    const at = `${param}[${index}]`
    if (!isObject(call) || textOf(call['id']) === '') throw missing(`${at}.id`)
    if (call['type'] !== 'function') throw call['type'] === undefined ? missing(`${at}.type`) : invalidValue({ param: `${at}.type`, value: call['type'], allowed: ['function'] })
    if (!isObject(call['function'])) throw missing(`${at}.function`)
    checkToolName(call['function']['name'], `${at}.function.name`)
    if (typeof call['function']['arguments'] !== 'string') throw missing(`${at}.function.arguments`)
  })
}

function parseTools(tools: unknown): readonly string[] {
  if (tools === undefined || tools === null) return []
  if (!Array.isArray(tools)) throw invalidType('tools', 'an array of objects')
  if (tools.length === 0) throw emptyArray('tools')
  return tools.flatMap((tool: unknown, index) => {
    if (!isObject(tool) || typeof tool['type'] !== 'string') throw missing(`tools[${index}].type`)
    if (tool['type'] !== 'function') return []
    if (!isObject(tool['function'])) throw missing(`tools[${index}].function`)
    const name = checkToolName(tool['function']['name'], `tools[${index}].function.name`)
    checkToolParameters(name, { parameters: tool['function']['parameters'], param: `tools[${index}].function.parameters` })
    return [name]
  })
}

function checkToolChoice(choice: unknown, tools: readonly string[]): void {
  if (choice === undefined || choice === null || choice === 'none') return
  if (tools.length === 0) throw new ApiError("Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.", { param: 'tool_choice' })
  const named = isObject(choice) && isObject(choice['function']) ? textOf(choice['function']['name']) : ''
  if (named !== '' && !tools.includes(named)) throw new ApiError(`Tool choice '${named}' not found in 'tools' parameter.`, { param: 'tool_choice' })
}
