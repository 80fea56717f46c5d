import type { Document } from '../../completion/completion-request.ts'
import type { Json, JsonObject } from '../../completion/json.ts'
import type {
  AssistantContent, AssistantMessage, DocumentPart, ImagePart, ModelOrigin, Reasoning, TextPart, ToolCall,
  ToolResultContent, UserContent, UserMessage,
} from '../../completion/message-types.ts'
import { CompletionError } from '../../errors.ts'
import { dataUrl } from '../data-url.ts'
import { documentText } from '../document-text.ts'
import { isSameOrigin } from '../same-origin.ts'
import { WireCallIds } from '../wire-call-ids.ts'

/** What decides how a message is replayed. */
export interface ReplayOptions {
  /** The model that will read it. Ids and encrypted reasoning of another one are left out: it would refuse them. */
  readonly target: ModelOrigin
  /** Without stored responses a reasoning item is known by its encrypted content only. */
  readonly isStored: boolean
  readonly replayPhase: boolean
}

/** The input items of a user message, in the order of its parts: https://platform.openai.com/docs/api-reference/responses/create. */
export function userItems(message: UserMessage): readonly Json[] {
  const callIds = new WireCallIds()
  return message.content.map((part) => userItem(part, callIds))
}

/** The input items of an assistant message, in wire order. */
export function assistantItems(message: AssistantMessage, options: ReplayOptions): readonly Json[] {
  const isForeign = message.origin !== undefined && !isSameOrigin(message.origin, options.target)
  const content = withoutTrailingReasoning(message.content)
  const isReplayable = (part: Reasoning) => !isForeign && part.id !== undefined && (options.isStored || encryptedContent(part) !== undefined)
  // An item whose reasoning is missing is refused when it still has its id. Reasoning without an id never was an item.
  const keepsIds = !isForeign && content.every((part) => part.type !== 'reasoning' || part.id === undefined || isReplayable(part))
  const callIds = new WireCallIds()
  const items: JsonObject[] = []
  for (const part of content) {
    if (part.type === 'reasoning' && !isReplayable(part)) continue
    if (part.type === 'provider_item' && (isForeign || part.provider !== 'openai')) continue
    const item = assistantItem(part, { callIds, keepsIds, message, replayPhase: options.replayPhase })
    if (item !== undefined) appendItem(items, item)
  }
  return items
}

/** A system message that stays in the input. */
export function systemItem(text: string): Json {
  return { type: 'message', role: 'system', content: [{ type: 'input_text', text }] }
}

/** A document as an input item: shown before the conversation. */
export function documentItem(document: Document): Json {
  return inputMessage({ type: 'input_text', text: documentText(document) })
}

/** A reasoning item with nothing after it is refused; it comes from answers that were cut off. */
function withoutTrailingReasoning(content: readonly AssistantContent[]): readonly AssistantContent[] {
  const last = content.findLastIndex((part) => part.type !== 'reasoning' && !(part.type === 'text' && part.text === ''))
  return content.slice(0, last + 1)
}

interface AssistantItemContext {
  readonly callIds: WireCallIds
  readonly keepsIds: boolean
  readonly message: AssistantMessage
  readonly replayPhase: boolean
}

function assistantItem(part: AssistantContent, context: AssistantItemContext): JsonObject | undefined {
  switch (part.type) {
    case 'text': return part.text === '' ? undefined : textItem(part, context)
    case 'tool_call': return callItem(part, context)
    case 'reasoning': return reasoningItem(part)
    case 'provider_item': return isObject(part.raw) ? part.raw : undefined
    case 'image': throw new CompletionError('request', 'OpenAI takes no images in assistant messages')
  }
}

function textItem(part: TextPart, { keepsIds, message, replayPhase }: AssistantItemContext): JsonObject {
  const meta = part.meta?.openai
  const phase = replayPhase && keepsIds && meta?.phase !== undefined ? { phase: meta.phase } : {}
  const id = keepsIds ? (meta?.itemId ?? ownMessageId(part, message)) : undefined
  if (id === undefined) return { type: 'message', role: 'assistant', ...phase, content: part.text }
  const text = {
    type: 'output_text',
    text: part.text,
    ...(meta?.annotations === undefined || meta.annotations.length === 0 ? {} : { annotations: meta.annotations }),
    ...(meta?.logprobs === undefined || meta.logprobs.length === 0 ? {} : { logprobs: meta.logprobs }),
  }
  return { type: 'message', role: 'assistant', id, status: 'completed', ...phase, content: [text] }
}

/** The id of the message belongs to its first text only: two items with one id are refused. */
function ownMessageId(part: TextPart, message: AssistantMessage): string | undefined {
  if (message.id === undefined || message.content.find((other) => other.type === 'text') !== part) return undefined
  return message.id
}

/** Several texts of one message item go back as one item. */
function appendItem(items: JsonObject[], item: JsonObject): void {
  const previous = items.at(-1)
  const isContinuation = item['type'] === 'message' && item['id'] !== undefined && previous?.['id'] === item['id']
  if (!isContinuation) {
    items.push(item)
    return
  }
  items[items.length - 1] = { ...previous, content: [...listOf(previous['content']), ...listOf(item['content'])] }
}

function callItem(call: ToolCall, { callIds, keepsIds }: AssistantItemContext): JsonObject {
  const { name, arguments: args, rawArguments } = call.function
  const itemId = call.provider?.itemId
  return {
    type: 'function_call',
    call_id: callIds.of(call),
    name,
    arguments: rawArguments ?? JSON.stringify(args),
    status: 'completed',
    ...(keepsIds && itemId?.startsWith('fc_') === true ? { id: itemId } : {}),
  }
}

function reasoningItem(part: Reasoning): JsonObject | undefined {
  if (part.id === undefined) return undefined
  const texts = part.content.flatMap((entry) => (entry.type === 'text' ? [{ type: 'reasoning_text', text: entry.text }] : []))
  const encrypted = encryptedContent(part)
  return {
    type: 'reasoning',
    id: part.id,
    summary: part.content.flatMap((entry) => (entry.type === 'summary' ? [{ type: 'summary_text', text: entry.text }] : [])),
    ...(texts.length === 0 ? {} : { content: texts }),
    ...(encrypted === undefined ? {} : { encrypted_content: encrypted }),
  }
}

function encryptedContent({ content }: Reasoning): string | undefined {
  const entry = content.find((candidate) => candidate.type === 'encrypted')
  return entry?.type === 'encrypted' && entry.data !== '' ? entry.data : undefined
}

function userItem(part: UserContent, callIds: WireCallIds): Json {
  switch (part.type) {
    case 'text': return inputMessage({ type: 'input_text', text: part.text })
    case 'image': return inputMessage(imageContent(part))
    case 'document': return inputMessage(documentContent(part))
    case 'tool_result': return { type: 'function_call_output', call_id: callIds.of(part), output: resultOutput(part.content), status: 'completed' }
    case 'audio':
    case 'video': throw new CompletionError('request', `Unsupported message: OpenAI Responses takes no ${part.type} input`)
  }
}

function inputMessage(content: Json): Json {
  return { type: 'message', role: 'user', content: [content] }
}

function imageContent({ source, mediaType, detail = 'auto' }: ImagePart): Json {
  switch (source.kind) {
    case 'url': return { type: 'input_image', image_url: source.url, detail }
    case 'fileId': return { type: 'input_image', file_id: source.id, detail }
    case 'base64': return { type: 'input_image', image_url: dataUrl(mediaType, source.data), detail }
    case 'text': throw new CompletionError('request', 'An image needs an address, a file id or base64 data')
  }
}

function documentContent({ source, mediaType, filename }: DocumentPart): Json {
  switch (source.kind) {
    // A file name beside an address is refused.
    case 'url': return { type: 'input_file', file_url: source.url }
    case 'fileId': return { type: 'input_file', file_id: source.id }
    case 'text': return { type: 'input_text', text: source.text }
    case 'base64': return mediaType?.startsWith('text/') === true
      ? { type: 'input_text', text: Buffer.from(source.data, 'base64').toString('utf8') }
      : { type: 'input_file', file_data: dataUrl(mediaType ?? 'application/pdf', source.data), filename: filename ?? 'document.pdf' }
  }
}

function resultOutput(content: readonly ToolResultContent[]): Json {
  const [first] = content
  if (content.length === 1 && (first?.type === 'text' || first?.type === 'json')) return blockText(first)
  return content.map(resultPart)
}

function resultPart(block: ToolResultContent): Json {
  switch (block.type) {
    case 'image': return imageContent(block)
    case 'document': return documentContent(block)
    case 'text':
    case 'json': return { type: 'input_text', text: blockText(block) }
  }
}

function blockText(block: Extract<ToolResultContent, { type: 'text' | 'json' }>): string {
  return block.type === 'text' ? block.text : JSON.stringify(block.value)
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}
