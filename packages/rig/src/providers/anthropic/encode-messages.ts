import { isDeepStrictEqual } from 'node:util'
import type { Document } from '../../completion/completion-request.ts'
import { isJsonObject, objectAt, stringAt, tryParseJson, type Json, type JsonObject } from '../../completion/json.ts'
import type {
  AnyMessage, AssistantContent, AssistantMessage, DocumentPart, ImagePart, ModelOrigin, Reasoning, TextPart, ToolCall,
  ToolFunction, ToolResult, ToolResultContent, UserContent, UserMessage,
} from '../../completion/message-types.ts'
import { CompletionError } from '../../errors.ts'
import { documentText } from '../document-text.ts'
import { isSameOrigin } from '../same-origin.ts'
import { WireCallIds, type CallIdFormat } from '../wire-call-ids.ts'

/** Ids of other providers that Anthropic would refuse are replaced, always by the same one. */
const CALL_IDS: CallIdFormat = { accepted: /^[a-zA-Z0-9_-]+$/, replace: (digest) => `toolu_${digest.toString('base64url').slice(0, 24)}` }

/** What decides how a message is replayed. */
export interface ReplayOptions {
  /** The model that will read it. Signatures, redacted thinking and items of tools that the provider ran are of use to their own model only. */
  readonly target: ModelOrigin
  /** Whether results of failed calls are marked `is_error`. */
  readonly replayIsError: boolean
  /** Whether thinking without a signature goes back: Anthropic refuses it, some servers that speak its wire give no other. */
  readonly replayUnsignedThinking: boolean
  /** Whether answers shall cite the documents of the conversation: all of them or none. */
  readonly citeDocuments: boolean
}

/** One content block as JSON. */
export interface Block {
  readonly type: string
  readonly json: string
}

/** The content blocks of a message, in the order of its parts; none for a message that is not sent. */
export function messageBlocks(message: AnyMessage, options: ReplayOptions): readonly Block[] {
  switch (message.role) {
    case 'system': return message.content.trim() === '' ? [] : [block({ type: 'text', text: message.content })]
    case 'user': return userBlocks(message, options)
    case 'assistant': return assistantBlocks(message, options)
  }
}

/** Whether a message has any block, without making them. */
export function hasBlocks(message: AnyMessage, options: ReplayOptions): boolean {
  switch (message.role) {
    case 'system': return message.content.trim() !== ''
    case 'user': return message.content.some((part) => !isBlankText(part))
    case 'assistant': return sentParts(message, options).length > 0
  }
}

/** Documents given beside the conversation, as blocks of the message that stands before it. */
export function documentBlock(document: Document, options: ReplayOptions): Block {
  return block(documentContent({ type: 'document', source: { kind: 'text', text: documentText(document) } }, options))
}

/** A content block as a value. */
type BlockContent = JsonObject & { readonly type: string }

function block(content: BlockContent): Block {
  return { type: content.type, json: JSON.stringify(content) }
}

/** Blocks of text without a visible character are refused. */
function isBlankText(part: UserContent | AssistantContent | ToolResultContent): boolean {
  return part.type === 'text' && part.text.trim() === ''
}

function userBlocks(message: UserMessage, options: ReplayOptions): readonly Block[] {
  const callIds = new WireCallIds(CALL_IDS)
  return message.content.filter((part) => !isBlankText(part)).map((part) => block(userContent(part, { callIds, options })))
}

function userContent(part: UserContent, { callIds, options }: { readonly callIds: WireCallIds; readonly options: ReplayOptions }) {
  switch (part.type) {
    case 'text': return { type: 'text', text: part.text }
    case 'image': return imageContent(part)
    case 'document': return documentContent(part, options)
    case 'tool_result': return resultContent(part, { toolUseId: callIds.of(part), options })
    case 'audio':
    case 'video': throw new CompletionError('request', `Unsupported message: Anthropic takes no ${part.type} input`)
  }
}

function resultContent(result: ToolResult, { toolUseId, options }: { readonly toolUseId: string; readonly options: ReplayOptions }) {
  return {
    type: 'tool_result',
    tool_use_id: toolUseId,
    content: result.content.filter((part) => !isBlankText(part)).map((part) => resultPart(part, options)),
    ...(options.replayIsError && result.isError === true ? { is_error: true } : {}),
  }
}

function resultPart(part: ToolResultContent, options: ReplayOptions): Json {
  switch (part.type) {
    case 'text': return { type: 'text', text: part.text }
    case 'json': return { type: 'text', text: JSON.stringify(part.value) }
    case 'image': return imageContent(part)
    case 'document': return documentContent(part, options)
  }
}

const IMAGE_TYPES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

function imageContent({ source, mediaType }: ImagePart) {
  switch (source.kind) {
    case 'url': return { type: 'image', source: { type: 'url', url: source.url } }
    case 'fileId': return { type: 'image', source: { type: 'file', file_id: source.id } }
    case 'base64': {
      if (mediaType === undefined) throw new CompletionError('request', 'Base64 data needs its media type')
      if (!IMAGE_TYPES.has(mediaType)) throw new CompletionError('request', `Anthropic takes no images of type ${mediaType}; it takes ${[...IMAGE_TYPES].join(', ')}`)
      return { type: 'image', source: { type: 'base64', media_type: mediaType, data: source.data } }
    }
    case 'text': throw new CompletionError('request', 'An image needs an address, a file id or base64 data')
  }
}

function documentContent(part: DocumentPart, { citeDocuments }: ReplayOptions) {
  return {
    type: 'document',
    source: documentSource(part),
    ...(part.filename === undefined ? {} : { title: part.filename }),
    ...(citeDocuments ? { citations: { enabled: true } } : {}),
  }
}

function documentSource({ source, mediaType = 'application/pdf' }: DocumentPart): JsonObject {
  switch (source.kind) {
    case 'url': return { type: 'url', url: source.url }
    case 'fileId': return { type: 'file', file_id: source.id }
    case 'text': return { type: 'text', media_type: 'text/plain', data: source.text }
    case 'base64': {
      if (mediaType.startsWith('text/')) return { type: 'text', media_type: 'text/plain', data: Buffer.from(source.data, 'base64').toString('utf8') }
      if (mediaType === 'application/pdf') return { type: 'base64', media_type: mediaType, data: source.data }
      throw new CompletionError('request', `Anthropic takes no documents of type ${mediaType}; it takes PDF and text`)
    }
  }
}

/** Blocks in wire order: thinking that is out of place, edited or left out makes the turn invalid. */
function assistantBlocks(message: AssistantMessage, options: ReplayOptions): readonly Block[] {
  const callIds = new WireCallIds(CALL_IDS)
  const isForeign = isForeignMessage(message, options)
  return sentParts(message, options).flatMap((part) => assistantPart(part, { callIds, isForeign, options }))
}

function isForeignMessage({ origin }: AssistantMessage, { target }: ReplayOptions): boolean {
  return origin !== undefined && !isSameOrigin(origin, target)
}

/** The parts that have blocks. Thinking at the very end is refused; it comes from answers that were cut off. */
function sentParts(message: AssistantMessage, options: ReplayOptions): readonly AssistantContent[] {
  const isForeign = isForeignMessage(message, options)
  const parts = message.content.filter((part) => isSent(part, { isForeign, options }))
  const last = parts.findLastIndex((part) => part.type !== 'reasoning')
  return parts.slice(0, last + 1)
}

function isSent(part: AssistantContent, { isForeign, options }: { readonly isForeign: boolean; readonly options: ReplayOptions }): boolean {
  switch (part.type) {
    case 'text': return !isBlankText(part)
    case 'reasoning': return !isForeign && thinkingContent(part, options).length > 0
    case 'provider_item': return !isForeign && part.provider === 'anthropic' && isJsonObject(part.raw)
    case 'tool_call': return true
    case 'image': throw new CompletionError('request', 'Anthropic takes no images in assistant messages')
  }
}

interface AssistantPartContext {
  readonly callIds: WireCallIds
  readonly isForeign: boolean
  readonly options: ReplayOptions
}

function assistantPart(part: AssistantContent, { callIds, isForeign, options }: AssistantPartContext): readonly Block[] {
  switch (part.type) {
    case 'text': return [block(textContent(part, isForeign))]
    case 'reasoning': return thinkingContent(part, options).map((content) => block(content))
    case 'tool_call': return [callBlock(part, { id: callIds.of(part), isForeign })]
    case 'provider_item': return isJsonObject(part.raw) ? [{ type: stringAt(part.raw, 'type') ?? '', json: JSON.stringify(part.raw) }] : []
    case 'image': return []
  }
}

function textContent({ text, meta }: TextPart, isForeign: boolean) {
  const citations = isForeign ? undefined : meta?.anthropic?.citations
  return { type: 'text', text, ...(citations === undefined || citations.length === 0 ? {} : { citations }) }
}

function thinkingContent({ content }: Reasoning, { replayUnsignedThinking }: ReplayOptions): readonly BlockContent[] {
  return content.flatMap((entry): readonly BlockContent[] => {
    switch (entry.type) {
      case 'text': {
        const { text, signature = '' } = entry
        if (signature !== '') return [{ type: 'thinking', thinking: text, signature }]
        return replayUnsignedThinking && text !== '' ? [{ type: 'thinking', thinking: text }] : []
      }
      case 'redacted': return [{ type: 'redacted_thinking', data: entry.data }]
      // Forms of other providers.
      case 'summary':
      case 'encrypted': return []
    }
  })
}

function callBlock(call: ToolCall, { id, isForeign }: { readonly id: string; readonly isForeign: boolean }): Block {
  const caller = isForeign ? undefined : objectAt(call.additionalParams ?? {}, 'caller')
  const { json } = block({ type: 'tool_use', id, name: call.function.name, ...(caller === undefined ? {} : { caller }) })
  return { type: 'tool_use', json: `${json.slice(0, -1)},"input":${inputText(call.function)}}` }
}

/** The input is an object whatever the model wrote. Its own text keeps what a value loses: figures beyond a double, the order of keys. */
function inputText({ arguments: args, rawArguments }: ToolFunction): string {
  if (rawArguments === undefined) return JSON.stringify(args)
  const written = tryParseJson(rawArguments)
  return isJsonObject(written) && isDeepStrictEqual(written, args) ? rawArguments : JSON.stringify(args)
}
