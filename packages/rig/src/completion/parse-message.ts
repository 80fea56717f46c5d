import { isJsonArray, isJsonObject, objectAt, stringAt, type Json, type JsonObject } from './json.ts'
import type {
  AnyMessage, AssistantContent, DocumentPart, ImagePart, MediaSource, OpenAiPartMeta, PartMeta, ProviderCallIds,
  Reasoning, ReasoningContent, TextPart, ToolCall, ToolResult, ToolResultContent, UserContent,
} from './message-types.ts'

/**
 * Reads one stored message. Accepts what this package writes and what Rig 0.29 wrote: `toolresult` and `toolcall` as tags,
 * `call_id`, `media_type`, untagged assistant parts, content as a bare string or a single object.
 * Unknown keys are dropped; a message that cannot be understood throws `TypeError` with the path of the offending value.
 */
export function parseMessage(json: unknown): AnyMessage {
  const message = expectObject(json, 'message')
  const role = stringAt(message, 'role')
  if (role === 'system') return { role, content: expectString(message['content'], 'message.content') }
  if (role === 'user') return { role, content: parts(message['content']).map((part, index) => userPart(part, `message.content[${index}]`)) }
  if (role !== 'assistant') throw new TypeError('message.role: expected "system", "user" or "assistant"')
  const id = stringAt(message, 'id')
  const responseId = stringAt(message, 'responseId')
  const origin = objectAt(message, 'origin')
  return {
    role,
    content: parts(message['content']).map((part, index) => assistantPart(part, `message.content[${index}]`)),
    ...(id === undefined ? {} : { id }),
    ...(responseId === undefined ? {} : { responseId }),
    ...(origin === undefined ? {} : { origin: parseOrigin(origin) }),
  }
}

function parts(content: Json | undefined): readonly Json[] {
  if (content === undefined || content === null) return []
  return isJsonArray(content) ? content : [content]
}

function userPart(json: Json, path: string): UserContent {
  if (typeof json === 'string') return { type: 'text', text: json }
  const part = expectObject(json, path)
  switch (stringAt(part, 'type')) {
    case 'text': return textPart(part, path)
    case 'image': return imagePart(part, path)
    case 'document': return documentPart(part, path)
    case 'audio': return { type: 'audio', ...media(part, path) }
    case 'video': return { type: 'video', ...media(part, path) }
    case 'tool_result':
    case 'toolresult': return toolResult(part, path)
    default: throw new TypeError(`${path}.type: not a user part`)
  }
}

function assistantPart(json: Json, path: string): AssistantContent {
  if (typeof json === 'string') return { type: 'text', text: json }
  const part = expectObject(json, path)
  switch (stringAt(part, 'type') ?? untaggedType(part)) {
    case 'text': return textPart(part, path)
    case 'image': return imagePart(part, path)
    case 'tool_call':
    case 'toolcall': return toolCall(part, path)
    case 'reasoning': return reasoning(part, path)
    case 'provider_item': return { type: 'provider_item', provider: expectString(part['provider'], `${path}.provider`), raw: part['raw'] ?? null }
    default: throw new TypeError(`${path}.type: not an assistant part`)
  }
}

/** Rig 0.29 wrote assistant parts without a tag: their keys tell them apart. */
function untaggedType(part: JsonObject): string | undefined {
  if ('function' in part) return 'tool_call'
  if ('reasoning' in part) return 'reasoning'
  if ('text' in part) return 'text'
  return 'data' in part ? 'image' : undefined
}

function textPart(part: JsonObject, path: string): TextPart {
  return { type: 'text', text: expectString(part['text'], `${path}.text`), ...metaOf(part) }
}

function imagePart(part: JsonObject, path: string): ImagePart {
  const detail = part['detail']
  return {
    type: 'image',
    ...media(part, path),
    ...(detail === 'auto' || detail === 'low' || detail === 'high' ? { detail } : {}),
    ...metaOf(part),
  }
}

function documentPart(part: JsonObject, path: string): DocumentPart {
  return { type: 'document', ...media(part, path), ...optionalString(part, 'filename'), ...metaOf(part) }
}

function media(part: JsonObject, path: string): { source: MediaSource; mediaType?: string } {
  const mediaType = stringAt(part, 'mediaType') ?? stringAt(part, 'media_type')
  return { source: mediaSource(part, path), ...(mediaType === undefined ? {} : { mediaType: mediaType.includes('/') ? mediaType : longMediaType(mediaType) }) }
}

/** Rig 0.29 stored `jpeg` and `pdf` where the wire wants `image/jpeg` and `application/pdf`. */
function longMediaType(short: string): string {
  if (short === 'pdf') return 'application/pdf'
  if (short === 'txt') return 'text/plain'
  return ['jpeg', 'png', 'gif', 'webp', 'heic', 'heif'].includes(short) ? `image/${short}` : short === 'svg' ? 'image/svg+xml' : `text/${short}`
}

function mediaSource(part: JsonObject, path: string): MediaSource {
  const source = objectAt(part, 'source') ?? {}
  const old = objectAt(part, 'data') ?? {}
  const kind = stringAt(source, 'kind') ?? stringAt(old, 'type')
  const value = (key: string) => expectString(source[key] ?? old['value'], `${path}.source`)
  switch (kind) {
    case 'url': return { kind, url: value('url') }
    case 'base64': return { kind, data: value('data') }
    case 'fileId': return { kind, id: value('id') }
    case 'text':
    case 'string': return { kind: 'text', text: value('text') }
    default: throw new TypeError(`${path}.source.kind: unknown`)
  }
}

function toolCall(part: JsonObject, path: string): ToolCall {
  const call = expectObject(part['function'], `${path}.function`)
  const wireArguments = call['arguments'] ?? {}
  const rawArguments = stringAt(call, 'rawArguments')
  const argumentsError = stringAt(call, 'argumentsError')
  const additionalParams = objectAt(part, 'additionalParams') ?? objectAt(part, 'additional_params')
  return {
    type: 'tool_call',
    id: expectString(part['id'], `${path}.id`),
    function: {
      name: expectString(call['name'], `${path}.function.name`),
      arguments: isJsonObject(wireArguments) ? wireArguments : {},
      ...(rawArguments === undefined ? {} : { rawArguments }),
      ...(argumentsError === undefined ? {} : { argumentsError }),
    },
    ...providerIds(part),
    ...optionalString(part, 'signature'),
    ...(additionalParams === undefined ? {} : { additionalParams }),
  }
}

function toolResult(part: JsonObject, path: string): ToolResult {
  return {
    type: 'tool_result',
    id: expectString(part['id'], `${path}.id`),
    // Rig 0.29 did not store the name; OpenAI does not need it.
    name: stringAt(part, 'name') ?? '',
    ...providerIds(part),
    content: parts(part['content']).map((content, index) => toolResultContent(content, `${path}.content[${index}]`)),
    ...(part['isError'] === true ? { isError: true } : {}),
  }
}

function toolResultContent(json: Json, path: string): ToolResultContent {
  if (typeof json === 'string') return { type: 'text', text: json }
  const part = expectObject(json, path)
  switch (stringAt(part, 'type') ?? untaggedType(part)) {
    case 'text': return textPart(part, path)
    case 'json': return { type: 'json', value: part['value'] ?? null }
    case 'image': return imagePart(part, path)
    case 'document': return documentPart(part, path)
    default: throw new TypeError(`${path}.type: not a part of a tool result`)
  }
}

function providerIds(part: JsonObject): { provider?: ProviderCallIds } {
  const provider = objectAt(part, 'provider')
  const callId = provider === undefined ? stringAt(part, 'call_id') : stringAt(provider, 'callId')
  if (callId === undefined) return {}
  return { provider: { callId, ...(provider === undefined ? {} : optionalString(provider, 'itemId')) } }
}

function reasoning(part: JsonObject, path: string): Reasoning {
  const old = part['reasoning']
  const content = old === undefined ? parts(part['content']) : parts(old)
  return {
    type: 'reasoning',
    ...optionalString(part, 'id'),
    content: content.map((entry, index) => reasoningContent(entry, `${path}.content[${index}]`)),
    ...metaOf(part),
  }
}

function reasoningContent(json: Json, path: string): ReasoningContent {
  if (typeof json === 'string') return { type: 'text', text: json }
  const part = expectObject(json, path)
  switch (stringAt(part, 'type')) {
    case 'text': return { type: 'text', text: expectString(part['text'], `${path}.text`), ...optionalString(part, 'signature') }
    case 'summary': return { type: 'summary', text: expectString(part['text'], `${path}.text`) }
    case 'encrypted': return { type: 'encrypted', data: expectString(part['data'], `${path}.data`) }
    case 'redacted': return { type: 'redacted', data: expectString(part['data'], `${path}.data`) }
    default: throw new TypeError(`${path}.type: not a part of reasoning`)
  }
}

function metaOf(part: JsonObject): { meta?: PartMeta } {
  const meta = objectAt(part, 'meta')
  if (meta === undefined) return {}
  const openai = objectAt(meta, 'openai')
  const anthropic = objectAt(meta, 'anthropic')
  const { openai: _openai, anthropic: _anthropic, ...others } = meta
  const citations = anthropic?.['citations']
  return {
    meta: {
      ...others,
      ...(openai === undefined ? {} : { openai: openAiMeta(openai) }),
      ...(isJsonArray(citations) ? { anthropic: { citations } } : {}),
    },
  }
}

function openAiMeta(meta: JsonObject): OpenAiPartMeta {
  const { annotations, logprobs } = meta
  return {
    ...optionalString(meta, 'itemId'),
    ...optionalString(meta, 'phase'),
    ...(isJsonArray(annotations) ? { annotations } : {}),
    ...(isJsonArray(logprobs) ? { logprobs } : {}),
    ...(meta['refusal'] === true ? { refusal: true } : {}),
  }
}

function parseOrigin(origin: JsonObject): { provider: string; api: string; model: string } {
  const field = (key: string) => expectString(origin[key], `message.origin.${key}`)
  return { provider: field('provider'), api: field('api'), model: field('model') }
}

function optionalString<Key extends string>(object: JsonObject, key: Key): { [K in Key]?: string } {
  const value = stringAt(object, key)
  const result: { [K in Key]?: string } = {}
  if (value !== undefined) result[key] = value
  return result
}

function expectObject(value: unknown, path: string): JsonObject {
  if (!isJsonObject(value)) throw new TypeError(`${path}: expected an object`)
  return value
}

function expectString(value: unknown, path: string): string {
  if (typeof value !== 'string') throw new TypeError(`${path}: expected a string`)
  return value
}
