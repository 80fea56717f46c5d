import { arrayAt, isJsonObject, type Json, type JsonObject } from '../../completion/json.ts'
import type {
  AnyMessage, AssistantMessage, AudioPart, DocumentPart, ImagePart, ModelOrigin, Reasoning, ToolCall, ToolResult, ToolResultContent, UserContent, UserMessage,
} from '../../completion/message-types.ts'
import { CompletionError } from '../../errors.ts'
import { dataUrl } from '../data-url.ts'
import { isSameOrigin } from '../same-origin.ts'
import { WireCallIds, type CallIdFormat } from '../wire-call-ids.ts'
import type { ChatDialect } from './chat-dialect.ts'

/** What decides how a message is written. */
export interface ChatMessageOptions {
  /** The model that will read it. What only its author understands is left out for another one. */
  readonly target: ModelOrigin
  readonly dialect: ChatDialect
}

/** The messages of one message, in the order of its parts: https://platform.openai.com/docs/api-reference/chat/create. */
export function chatMessages(message: AnyMessage, options: ChatMessageOptions): readonly JsonObject[] {
  switch (message.role) {
    case 'system': return message.content.trim() === '' ? [] : [systemMessage(message.content, options.dialect)]
    case 'user': return userMessages(message, options.dialect)
    case 'assistant': return assistantMessages(message, options)
  }
}

/** A system message in the form that the dialect wants. */
export function systemMessage(text: string, { systemRole, systemContent, stringContentOnly }: ChatDialect): JsonObject {
  return { role: systemRole, content: systemContent === 'string' || stringContentOnly ? text : [textPart(text)] }
}

/** One user message of texts; a single one is a plain string. */
export function userTexts(texts: readonly string[], dialect: ChatDialect): JsonObject {
  return { role: 'user', content: userContent(texts.map((text) => ({ type: 'text', text })), dialect) }
}

type Said = Exclude<UserContent, ToolResult>

function userMessages({ content }: UserMessage, dialect: ChatDialect): readonly JsonObject[] {
  const callIds = new WireCallIds(callIdFormat(dialect))
  const messages: JsonObject[] = []
  let said: Said[] = []
  /** What results show and cannot hold, until the results end: nothing may stand between them. */
  let shown: Said[] = []
  const endSaid = () => {
    if (said.length > 0) messages.push({ role: 'user', content: userContent(said, dialect) })
    said = []
  }
  for (const part of content) {
    if (part.type !== 'tool_result') {
      said.push(...shown, part)
      shown = []
      continue
    }
    endSaid()
    const id = callIds.of(part)
    messages.push({ role: 'tool', tool_call_id: id, content: resultContent(part.content, dialect) })
    const media = part.content.filter((block) => isMediaBehind(block, dialect))
    if (media.length > 0) shown.push({ type: 'text', text: `Shown by the result of ${part.name} (${id}):` }, ...media)
  }
  said.push(...shown)
  endSaid()
  return messages
}

function userContent(said: readonly Said[], { stringContentOnly }: ChatDialect): Json {
  const parts = said.map(saidPart)
  const [first] = parts
  if (first !== undefined && parts.length === 1 && typeof first['text'] === 'string') return first['text']
  if (!stringContentOnly) return parts
  return parts.map((part) => {
    if (typeof part['text'] !== 'string') throw new CompletionError('request', 'This server takes texts only: no images, audio or files')
    return part['text']
  }).join('\n')
}

function saidPart(part: Said): JsonObject {
  switch (part.type) {
    case 'text': return textPart(part.text)
    case 'image': return imagePart(part)
    case 'audio': return audioPart(part)
    case 'document': return documentPart(part)
    case 'video': throw new CompletionError('request', 'Unsupported message: Chat Completions takes no video input')
  }
}

function textPart(text: string): JsonObject {
  return { type: 'text', text }
}

function imagePart({ source, mediaType, detail = 'auto' }: ImagePart): JsonObject {
  switch (source.kind) {
    case 'url': return { type: 'image_url', image_url: { url: source.url, detail } }
    case 'base64': return { type: 'image_url', image_url: { url: dataUrl(mediaType, source.data), detail } }
    case 'fileId':
    case 'text': throw new CompletionError('request', 'An image needs an address or base64 data: Chat Completions knows no other source')
  }
}

/** The names of the formats where they are not those of the media types. */
const AUDIO_FORMATS = new Map([['mpeg', 'mp3'], ['x-wav', 'wav'], ['wave', 'wav'], ['vnd.wave', 'wav'], ['mp4', 'm4a']])

function audioPart({ source, mediaType }: AudioPart): JsonObject {
  if (source.kind !== 'base64') throw new CompletionError('request', 'Audio goes as base64 data: Chat Completions knows no other source')
  if (mediaType === undefined) throw new CompletionError('request', 'Base64 data needs its media type')
  const format = mediaType.slice(mediaType.indexOf('/') + 1)
  return { type: 'input_audio', input_audio: { data: source.data, format: AUDIO_FORMATS.get(format) ?? format } }
}

function documentPart({ source, mediaType, filename }: DocumentPart): JsonObject {
  switch (source.kind) {
    case 'fileId': return { type: 'file', file: { file_id: source.id } }
    case 'text': return textPart(source.text)
    case 'base64': return mediaType?.startsWith('text/') === true
      ? textPart(Buffer.from(source.data, 'base64').toString('utf8'))
      : { type: 'file', file: { file_data: dataUrl(mediaType ?? 'application/pdf', source.data), filename: filename ?? 'document.pdf' } }
    case 'url': throw new CompletionError('request', 'A document goes as base64 data, a file id or text: Chat Completions fetches no addresses')
  }
}

function resultContent(content: readonly ToolResultContent[], dialect: ChatDialect): Json {
  const parts = content.filter((block) => !isMediaBehind(block, dialect)).map((block) => resultPart(block, dialect))
  const isText = parts.every((part) => part['type'] === 'text')
  if (!isText || (dialect.toolResultArrayContent && !dialect.stringContentOnly && parts.length > 1)) return parts
  return content.flatMap((block) => (isMedia(block) ? [] : [blockText(block)])).join('\n')
}

function resultPart(block: ToolResultContent, { toolResultImages, stringContentOnly }: ChatDialect): JsonObject {
  if (!isMedia(block)) return textPart(blockText(block))
  if (block.type !== 'image' || !toolResultImages || stringContentOnly) throw new CompletionError('request', `This server takes no ${block.type}s in tool results: return text, or the address of the ${block.type}`)
  return imagePart(block)
}

/** Media that the results of this dialect cannot hold, and that follow them. */
function isMediaBehind(block: ToolResultContent, { toolResultImages, toolMediaFollows, stringContentOnly }: ChatDialect): block is Media {
  return isMedia(block) && toolMediaFollows && !stringContentOnly && !(block.type === 'image' && toolResultImages)
}

type Media = ImagePart | DocumentPart

function isMedia(block: ToolResultContent): block is Media {
  return block.type === 'image' || block.type === 'document'
}

function blockText(block: Exclude<ToolResultContent, Media>): string {
  return block.type === 'text' ? block.text : JSON.stringify(block.value)
}

/** Text, calls and reasoning of a turn are one message; a turn with none of the first two is not sent: servers refuse it. */
function assistantMessages(message: AssistantMessage, options: ChatMessageOptions): readonly JsonObject[] {
  const { dialect, target } = options
  const isOwn = message.origin === undefined || isSameOrigin(message.origin, target)
  const callIds = new WireCallIds(callIdFormat(dialect))
  const texts: string[] = []
  const calls: JsonObject[] = []
  for (const part of message.content) {
    if (part.type === 'image') throw new CompletionError('request', 'Chat Completions takes no images in assistant messages')
    if (part.type === 'text' && part.text !== '') texts.push(part.text)
    if (part.type === 'tool_call') calls.push(toolCall(part, callIds, isOwn))
  }
  if (texts.length === 0 && calls.length === 0) return []
  const isString = dialect.assistantContent === 'string' || dialect.stringContentOnly
  return [{
    role: 'assistant',
    ...reasoningFields(message, { ...options, isOwn }),
    ...(texts.length === 0 ? emptyContent(dialect) : { content: isString ? texts.join('') : texts.map(textPart) }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  }]
}

function emptyContent({ emptyContent: form }: ChatDialect): JsonObject {
  return form === 'string' ? { content: '' } : {}
}

function toolCall(call: ToolCall, callIds: WireCallIds, isOwn: boolean): JsonObject {
  return {
    ...(isOwn ? call.additionalParams : {}), // Such as Gemini's thought signatures, which only their author can read.
    id: callIds.of(call),
    type: 'function',
    function: { name: call.function.name, arguments: argumentsText(call) },
  }
}

/** The text of the model itself, so that prompt caches keep hitting; but never one that is no object: servers that parse it refuse the whole request. */
function argumentsText({ function: { arguments: args, rawArguments, argumentsError } }: ToolCall): string {
  const isObject = argumentsError === undefined && rawArguments?.trimStart().startsWith('{') === true
  return isObject && rawArguments !== undefined ? rawArguments : JSON.stringify(args)
}

function reasoningFields(message: AssistantMessage, { dialect, target, isOwn }: ChatMessageOptions & { readonly isOwn: boolean }): JsonObject {
  const field = dialect.replayReasoning
  // Another model of the same server can read plain reasoning; what another provider calls reasoning is nothing to this one.
  const isKin = message.origin === undefined || (message.origin.provider === target.provider && message.origin.api === target.api)
  if (field === 'none' || !isKin) return {}
  const parts = message.content.filter((part) => part.type === 'reasoning')
  const details = isOwn && field === 'reasoning_details' ? parts.flatMap(detailsOf) : []
  if (details.length > 0) return { reasoning_details: details }
  const text = parts.flatMap(({ content }) => content.flatMap((entry) => (entry.type === 'text' || entry.type === 'summary' ? [entry.text] : []))).join('\n')
  return text === '' ? {} : { [field === 'reasoning_content' ? field : 'reasoning']: text }
}

/** Reasoning details as the server sent them. */
function detailsOf({ meta }: Reasoning): readonly Json[] {
  const chat = meta?.['chat']
  return isJsonObject(chat) ? arrayAt(chat, 'reasoningDetails') : []
}

const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

function callIdFormat({ toolIdFormat }: ChatDialect): CallIdFormat | undefined {
  return toolIdFormat === undefined ? undefined : { accepted: toolIdFormat, replace: nineCharacters }
}

/** Nine letters and digits: what the one server takes that minds. */
function nineCharacters(digest: Buffer): string {
  return [...digest.subarray(0, 9)].map((byte) => LETTERS_AND_DIGITS.charAt(byte % LETTERS_AND_DIGITS.length)).join('')
}
