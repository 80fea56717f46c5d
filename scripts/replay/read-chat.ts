import type { AssistantContent, ImagePart, Message, OutputSchema, Reasoning, ReasoningContent, ToolCall, ToolChoice, ToolResult, ToolResultContent, UserContent } from '@buildscale/rig'
import { argumentsOf } from './independent-reading.ts'
import { isList, isObject, numberAt, objectAt, objectsAt, stringAt, without, type Json, type JsonObject } from './json.ts'
import {
  dataUrl, declaredSchema, detailOf, entry, joined, toolDefinition, type ChatForm, type Entry, type RecordedRequest, type RequestReader, type RequestSource, type Settings,
} from './recorded-request.ts'

/** Fields that become settings with a name of their own, or that the runtime has to add by itself. */
const OWN_FIELDS = ['model', 'messages', 'stream', 'stream_options', 'tools', 'tool_choice', 'temperature', 'response_format', 'max_tokens', 'max_completion_tokens']
/** OpenAI's models that only know the newer name of the limit. */
const NEEDS_NEW_FIELD = /^(?:o\d|gpt-[5-9](?:$|[.-]))/

/** Requests of the Chat Completions API: https://platform.openai.com/docs/api-reference/chat/create. */
export const chatReader: RequestReader = { read, messages }

function read({ body, client, siblings }: RequestSource): RecordedRequest {
  const all = objectsAt(body, 'messages').map(entryOf)
  const [first] = all
  const hasPreamble = first?.role === 'system'
  const isStreaming = body['stream'] === true
  const temperature = numberAt(body, 'temperature')
  const maxTokens = numberAt(body, 'max_tokens') ?? numberAt(body, 'max_completion_tokens')
  const toolChoice = toolChoiceOf(body['tool_choice'])
  const outputSchema = outputSchemaOf(body)
  const tools = objectsAt(body, 'tools')
  const settings: Settings = {
    model: stringAt(body, 'model') ?? '',
    ...(first !== undefined && hasPreamble ? { preamble: textsOf(first.raw['content']).join('') } : {}),
    tools: tools.filter((tool) => tool['type'] === 'function').map((tool) => toolDefinition(objectAt(tool, 'function'), objectAt(tool, 'function')['parameters'])),
    hostedTools: tools.filter((tool) => tool['type'] !== 'function'),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(outputSchema === undefined ? {} : { outputSchema }),
    params: {
      ...without(body, OWN_FIELDS),
      ...unnamedOf(body, { response_format: outputSchema, temperature, tool_choice: toolChoice }),
      ...streamOptionsOf(body),
    },
    client: { ...client, wire: 'chat', chat: formOf(siblings) },
  }
  return { isStreaming, settings, entries: hasPreamble ? all.slice(1) : all }
}

function entryOf(message: JsonObject): Entry {
  switch (message['role']) {
    case 'system':
    case 'developer': return entry('system', message)
    case 'tool': return entry('result', message, { callId: stringAt(message, 'tool_call_id') ?? '' })
    case 'assistant': return entry('assistant', message)
    default: return entry('user', message)
  }
}

/** Fields whose setting has no place for what was recorded in them: servers have values of their own, and callers pass on what they like. */
function unnamedOf(body: JsonObject, named: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(named).flatMap(([key, setting]) => (setting === undefined && body[key] !== undefined ? [[key, body[key]]] : [])))
}

/** The runtime asks for usage by itself. */
function streamOptionsOf(body: JsonObject): JsonObject {
  const options = without(objectAt(body, 'stream_options'), ['include_usage'])
  return Object.keys(options).length === 0 ? {} : { stream_options: options }
}

/** What the requests of a file show of the client that sent them. */
function formOf(bodies: readonly JsonObject[]): ChatForm {
  const all = bodies.flatMap((body) => objectsAt(body, 'messages'))
  const system = all.find(({ role }) => role === 'system' || role === 'developer')
  const assistants = all.filter(({ role }) => role === 'assistant')
  const saying = assistants.find(({ content }) => (typeof content === 'string' && content !== '') || isList(content))
  const streamed = bodies.find((body) => body['stream'] === true)
  const replayReasoning = (['reasoning_details', 'reasoning_content', 'reasoning'] as const).find((field) => assistants.some((message) => field in message))
  const newField = bodies.some((body) => 'max_completion_tokens' in body && !NEEDS_NEW_FIELD.test(stringAt(body, 'model') ?? ''))
  return {
    ...(system === undefined ? {} : { systemRole: system['role'] === 'developer' ? 'developer' : 'system', systemContent: formOfContent(system) }),
    ...(saying === undefined ? {} : { assistantContent: formOfContent(saying) }),
    ...(assistants.some((message) => message['content'] === '' && 'tool_calls' in message) ? { emptyContent: 'string' } : {}),
    ...(newField ? { maxTokensField: 'max_completion_tokens' } : {}),
    ...(streamed === undefined ? {} : { streamOptions: objectAt(streamed, 'stream_options')['include_usage'] === true }),
    ...(replayReasoning === undefined ? {} : { replayReasoning }),
    ...(all.some(({ role, content }) => role === 'tool' && isList(content)) ? { toolResultArrayContent: true } : {}),
    ...(all.some(({ role, content }) => role === 'tool' && partsOf(content).some(isImage)) ? { toolResultImages: true } : {}),
  }
}

function formOfContent({ content }: JsonObject): 'parts' | 'string' {
  return typeof content === 'string' ? 'string' : 'parts'
}

function outputSchemaOf(body: JsonObject): OutputSchema | undefined {
  const format = objectAt(body, 'response_format')
  const { name, schema, strict, ...others } = objectAt(format, 'json_schema')
  if (format['type'] !== 'json_schema' || Object.keys(others).length > 0) return undefined
  if (typeof name !== 'string' || !isObject(schema) || typeof strict !== 'boolean') return undefined
  return { name, schema: declaredSchema(schema), strict }
}

function toolChoiceOf(choice: Json | undefined): ToolChoice | undefined {
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice
  if (!isObject(choice)) return undefined
  const named = choice['type'] === 'function' ? [choice] : objectsAt(objectAt(choice, 'allowed_tools'), 'tools')
  return { type: 'specific', functionNames: named.map((tool) => stringAt(objectAt(tool, 'function'), 'name') ?? '') }
}

function messages(entries: readonly Entry[]): readonly Message[] {
  const found: Message[] = []
  for (const [index, next] of entries.entries()) {
    const message = messageOf(next)
    const last = found.at(-1)
    // All results of one turn are one message of the runtime.
    const isMoreResults = next.role === 'result' && entries[index - 1]?.role === 'result'
    if (isMoreResults && last !== undefined) found[found.length - 1] = joined(last, message)
    else found.push(message)
  }
  return found
}

function messageOf({ role, raw }: Entry): Message {
  switch (role) {
    case 'system': return { role: 'system', content: textsOf(raw['content']).join('') }
    case 'user': return { role: 'user', content: partsOf(raw['content']).map(userPart) }
    case 'result': return { role: 'user', content: [resultPart(raw)] }
    case 'assistant': return { role: 'assistant', content: assistantParts(raw) }
  }
}

function partsOf(content: Json | undefined): readonly JsonObject[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return isList(content) ? content.filter(isObject) : []
}

function textsOf(content: Json | undefined): readonly string[] {
  return partsOf(content).map((part) => stringAt(part, 'text') ?? stringAt(part, 'refusal') ?? '')
}

function userPart(part: JsonObject): UserContent {
  switch (part['type']) {
    case 'image_url': return imagePart(objectAt(part, 'image_url'))
    case 'input_audio': {
      const { data, format } = objectAt(part, 'input_audio')
      return { type: 'audio', source: { kind: 'base64', data: String(data) }, mediaType: `audio/${String(format)}` }
    }
    case 'file': return filePart(objectAt(part, 'file'))
    default: return { type: 'text', text: stringAt(part, 'text') ?? '' }
  }
}

function imagePart(image: JsonObject): ImagePart {
  const { url } = image
  const shown = detailOf(image)
  const address = typeof url === 'string' ? url : ''
  const inline = dataUrl(address)
  if (inline === undefined) return { type: 'image', source: { kind: 'url', url: address }, ...shown }
  return { type: 'image', source: { kind: 'base64', data: inline.data }, mediaType: inline.mediaType, ...shown }
}

function filePart(file: JsonObject): UserContent {
  const id = stringAt(file, 'file_id')
  if (id !== undefined) return { type: 'document', source: { kind: 'fileId', id } }
  const inline = dataUrl(stringAt(file, 'file_data') ?? '')
  const filename = stringAt(file, 'filename')
  return {
    type: 'document',
    source: { kind: 'base64', data: inline?.data ?? '' },
    ...(inline === undefined ? {} : { mediaType: inline.mediaType }),
    ...(filename === undefined ? {} : { filename }),
  }
}

function resultPart(message: JsonObject): ToolResult {
  const callId = stringAt(message, 'tool_call_id') ?? ''
  return { type: 'tool_result', id: callId, name: '', provider: { callId }, content: partsOf(message['content']).map(resultContent) }
}

function isImage({ type }: JsonObject): boolean {
  return type === 'image_url'
}

function resultContent(part: JsonObject): ToolResultContent {
  return isImage(part) ? imagePart(objectAt(part, 'image_url')) : { type: 'text', text: stringAt(part, 'text') ?? '' }
}

function assistantParts(message: JsonObject): readonly AssistantContent[] {
  const refusal = stringAt(message, 'refusal')
  const texts = refusal === undefined ? textsOf(message['content']) : [...textsOf(message['content']), refusal]
  return [
    ...reasoningParts(message),
    ...texts.map((text) => ({ type: 'text', text }) as const),
    ...objectsAt(message, 'tool_calls').map(callPart),
  ]
}

function reasoningParts(message: JsonObject): readonly Reasoning[] {
  const details = objectsAt(message, 'reasoning_details')
  if (details.length > 0) return [{ type: 'reasoning', content: details.map(detailContent), meta: { chat: { reasoningDetails: details } } }]
  const text = stringAt(message, 'reasoning_content') ?? stringAt(message, 'reasoning')
  return text === undefined ? [] : [{ type: 'reasoning', content: [{ type: 'text', text }] }]
}

function detailContent(detail: JsonObject): ReasoningContent {
  switch (detail['type']) {
    case 'reasoning.encrypted': return { type: 'encrypted', data: stringAt(detail, 'data') ?? '' }
    case 'reasoning.summary': return { type: 'summary', text: stringAt(detail, 'summary') ?? '' }
    default: return { type: 'text', text: stringAt(detail, 'text') ?? '' }
  }
}

function callPart(call: JsonObject): ToolCall {
  const callId = stringAt(call, 'id') ?? ''
  const { name, arguments: text } = objectAt(call, 'function')
  const extras = without(call, ['id', 'type', 'function'])
  return {
    type: 'tool_call',
    id: callId,
    function: { name: typeof name === 'string' ? name : '', arguments: argumentsOf(text) ?? {}, ...(typeof text === 'string' ? { rawArguments: text } : {}) },
    provider: { callId },
    ...(Object.keys(extras).length === 0 ? {} : { additionalParams: extras }),
  }
}
