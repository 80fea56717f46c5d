import type {
  AssistantContent, ImagePart, Message, OutputSchema, ReasoningContent, ToolCall, ToolChoice, ToolResult, ToolResultContent, UserContent,
} from '@buildscale/rig'
import { argumentsOf } from './independent-reading.ts'
import { isList, isObject, numberAt, objectAt, objectsAt, stringAt, without, type Json, type JsonObject } from './json.ts'
import {
  dataUrl, declaredSchema, detailOf, entry, joined, toolDefinition, type Entry, type RecordedRequest, type RequestReader, type RequestSource, type Settings,
} from './recorded-request.ts'

/** Fields that become settings with a name of their own, or that the runtime has to add by itself. */
const OWN_FIELDS = ['model', 'input', 'instructions', 'stream', 'tools', 'tool_choice', 'temperature', 'max_output_tokens', 'text', 'previous_response_id']
const ENCRYPTED = 'reasoning.encrypted_content'

/** Requests of the Responses API: https://platform.openai.com/docs/api-reference/responses/create. */
export const responsesReader: RequestReader = { read, messages }

function read({ body, client, siblings }: RequestSource): RecordedRequest {
  const itemForm = siblings.some((sibling) => objectsAt(sibling, 'input').some(isPlain)) ? 'plain' : 'full'
  const all = inputItems(body).map((item) => entryOf(item, itemForm))
  const [first] = all
  const instructions = stringAt(body, 'instructions')
  const systemInInput = first?.role === 'system'
  const preamble = instructions ?? (first !== undefined && systemInInput ? partTexts(first.raw).join('') : undefined)
  const previousResponseId = stringAt(body, 'previous_response_id')
  const settings: Settings = {
    ...common(body),
    ...(preamble === undefined ? {} : { preamble }),
    client: { ...client, wire: 'responses', responses: { systemInstructions: instructions === undefined && systemInInput ? 'inputSystemMessages' : 'instructions', itemForm } },
  }
  return {
    isStreaming: body['stream'] === true,
    settings,
    entries: instructions === undefined && systemInInput ? all.slice(1) : all,
    ...(previousResponseId === undefined ? {} : { previousResponseId }),
  }
}

function common(body: JsonObject): Omit<Settings, 'client'> {
  const tools = objectsAt(body, 'tools')
  const temperature = numberAt(body, 'temperature')
  const maxTokens = numberAt(body, 'max_output_tokens')
  const toolChoice = toolChoiceOf(body['tool_choice'])
  const outputSchema = outputSchemaOf(body)
  return {
    model: stringAt(body, 'model') ?? '',
    tools: tools.filter((tool) => tool['type'] === 'function').map((tool) => toolDefinition(tool, tool['parameters'])),
    hostedTools: tools.filter((tool) => tool['type'] !== 'function'),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(outputSchema === undefined ? {} : { outputSchema }),
    params: { ...without(body, OWN_FIELDS), ...includeOf(body), ...textOf(body) },
  }
}

function inputItems(body: JsonObject): readonly JsonObject[] {
  const text = stringAt(body, 'input')
  return text === undefined ? objectsAt(body, 'input') : [{ role: 'user', content: text }]
}

/** Only clients that write all items so shortly write what a user or the system says as a string. */
function isPlain({ type, role, content }: JsonObject): boolean {
  return type === 'message' && (role === 'user' || role === 'system') && typeof content === 'string'
}

function entryOf(item: JsonObject, itemForm: 'full' | 'plain'): Entry {
  if (item['type'] === 'function_call_output') return entry('result', item, { callId: stringAt(item, 'call_id') ?? '' })
  switch (item['role']) {
    case 'user': return entry('user', item)
    case 'system':
    case 'developer': return entry('system', item)
    // What a model wrote has an id and a list of parts.
    default: return entry('assistant', item, { isCallersOwn: itemForm === 'full' && item['role'] === 'assistant' && typeof item['content'] === 'string' && !('id' in item) })
  }
}

/** The runtime has to ask for encrypted reasoning by itself. */
function includeOf(body: JsonObject): JsonObject {
  const { include } = body
  if (!isList(include) || !('reasoning' in body) || include.at(-1) !== ENCRYPTED) return {}
  return { include: include.slice(0, -1) }
}

function textOf(body: JsonObject): JsonObject {
  if (!('text' in body)) return {}
  const text = outputSchemaOf(body) === undefined ? objectAt(body, 'text') : without(objectAt(body, 'text'), ['format'])
  return Object.keys(text).length === 0 ? {} : { text }
}

function outputSchemaOf(body: JsonObject): OutputSchema | undefined {
  const format = objectAt(objectAt(body, 'text'), 'format')
  const { type, name, schema, strict } = format
  if (type !== 'json_schema' || typeof name !== 'string' || !isObject(schema) || Object.keys(format).length !== 4) return undefined
  return { name, schema: declaredSchema(schema), strict: strict === true }
}

function toolChoiceOf(choice: Json | undefined): ToolChoice | undefined {
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice
  if (!isObject(choice)) return undefined
  const names = choice['type'] === 'function' ? [choice] : objectsAt(choice, 'tools')
  return { type: 'specific', functionNames: names.map((tool) => stringAt(tool, 'name') ?? '') }
}

function messages(entries: readonly Entry[]): readonly Message[] {
  const found: { role: Entry['role']; message: Message }[] = []
  for (const next of entries) {
    const last = found.at(-1)
    const message = messageOf(next)
    const isMore = last?.role === next.role && (next.role === 'assistant' || next.role === 'result')
    if (isMore) last.message = joined(last.message, message)
    else found.push({ role: next.role, message })
  }
  return found.map(({ message }) => message)
}

function messageOf({ role, raw }: Entry): Message {
  switch (role) {
    case 'system': return { role: 'system', content: partTexts(raw).join('') }
    case 'user': return { role: 'user', content: contentParts(raw).map(userPart) }
    case 'result': return { role: 'user', content: [resultPart(raw)] }
    case 'assistant': return { role: 'assistant', content: assistantParts(raw) }
  }
}

function contentParts({ content }: JsonObject): readonly JsonObject[] {
  if (typeof content === 'string') return [{ type: 'input_text', text: content }]
  return isList(content) ? content.filter(isObject) : []
}

function partTexts(item: JsonObject): readonly string[] {
  return contentParts(item).map((part) => stringAt(part, 'text') ?? '')
}

function userPart(part: JsonObject): UserContent {
  switch (part['type']) {
    case 'input_image': return imagePart(part)
    case 'input_file': return filePart(part)
    default: return { type: 'text', text: stringAt(part, 'text') ?? '' }
  }
}

function imagePart(part: JsonObject): ImagePart {
  const shown = detailOf(part)
  const url = stringAt(part, 'image_url')
  if (url === undefined) return { type: 'image', source: { kind: 'fileId', id: stringAt(part, 'file_id') ?? '' }, ...shown }
  const inline = dataUrl(url)
  if (inline === undefined) return { type: 'image', source: { kind: 'url', url }, ...shown }
  return { type: 'image', source: { kind: 'base64', data: inline.data }, mediaType: inline.mediaType, ...shown }
}

function filePart(part: JsonObject): UserContent {
  const [url, id, filename] = [stringAt(part, 'file_url'), stringAt(part, 'file_id'), stringAt(part, 'filename')]
  if (url !== undefined) return { type: 'document', source: { kind: 'url', url } }
  if (id !== undefined) return { type: 'document', source: { kind: 'fileId', id } }
  const inline = dataUrl(stringAt(part, 'file_data') ?? '')
  return {
    type: 'document',
    source: { kind: 'base64', data: inline?.data ?? '' },
    ...(inline === undefined ? {} : { mediaType: inline.mediaType }),
    ...(filename === undefined ? {} : { filename }),
  }
}

function resultPart(item: JsonObject): ToolResult {
  const callId = stringAt(item, 'call_id') ?? ''
  const { output } = item
  const content: readonly ToolResultContent[] = isList(output)
    ? output.filter(isObject).map((part) => (part['type'] === 'input_image' ? imagePart(part) : { type: 'text', text: stringAt(part, 'text') ?? '' }))
    : [{ type: 'text', text: typeof output === 'string' ? output : JSON.stringify(output ?? null) }]
  return { type: 'tool_result', id: callId, name: '', provider: { callId }, content }
}

function assistantParts(item: JsonObject): readonly AssistantContent[] {
  switch (item['type']) {
    case 'function_call': return [callPart(item)]
    case 'reasoning': return [{ type: 'reasoning', ...idOf(item), content: reasoningContent(item) }]
    case undefined:
    case 'message': return item['role'] === 'assistant' ? textParts(item) : []
    default: return [{ type: 'provider_item', provider: 'openai', raw: item }]
  }
}

/** Only items that a model wrote have an id and a list of parts; a plain string is a text of the caller. */
function textParts(item: JsonObject): readonly AssistantContent[] {
  const itemId = stringAt(item, 'id')
  const phase = stringAt(item, 'phase')
  return contentParts(item).map((part) => {
    const { annotations, logprobs } = part
    const openai = {
      ...(itemId === undefined ? {} : { itemId }),
      ...(phase === undefined ? {} : { phase }),
      ...(isList(annotations) ? { annotations } : {}),
      ...(isList(logprobs) ? { logprobs } : {}),
    }
    const text = stringAt(part, 'text') ?? stringAt(part, 'refusal') ?? ''
    return { type: 'text', text, ...(Object.keys(openai).length === 0 ? {} : { meta: { openai } }) }
  })
}

function callPart(item: JsonObject): ToolCall {
  const callId = stringAt(item, 'call_id') ?? ''
  const itemId = stringAt(item, 'id')
  const rawArguments = stringAt(item, 'arguments')
  return {
    type: 'tool_call',
    id: callId,
    function: { name: stringAt(item, 'name') ?? '', arguments: argumentsOf(item['arguments']) ?? {}, ...(rawArguments === undefined ? {} : { rawArguments }) },
    provider: { callId, ...(itemId === undefined ? {} : { itemId }) },
  }
}

function reasoningContent(item: JsonObject): readonly ReasoningContent[] {
  const data = stringAt(item, 'encrypted_content')
  return [
    ...objectsAt(item, 'summary').map((part): ReasoningContent => ({ type: 'summary', text: stringAt(part, 'text') ?? '' })),
    ...objectsAt(item, 'content').map((part): ReasoningContent => ({ type: 'text', text: stringAt(part, 'text') ?? '' })),
    ...(data === undefined ? [] : [{ type: 'encrypted', data } as const]),
  ]
}

function idOf(item: JsonObject): { readonly id?: string } {
  const id = stringAt(item, 'id')
  return id === undefined ? {} : { id }
}
