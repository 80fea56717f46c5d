/** What Anthropic demands of a replayed conversation: results right after their calls, thinking as it was signed, few cache markers. */
import { ApiError } from '../api-error.ts'
import { isObject, textOf, type JsonObject } from '../json.ts'
import { invalid } from './refusals.ts'
import type { Message, MessagesRequest } from './request.ts'
import { signatureOf } from './secret.ts'

const MAXIMUM_MARKERS = 4

/**
 * @param secrets signatures and redacted data that are accepted besides this program's own
 * @throws ApiError 400 with Anthropic's sentence
 */
export function checkConversation({ messages, body }: MessagesRequest, secrets: ReadonlySet<string>): void {
  checkMarkers(body)
  messages.forEach((message, index) => {
    checkContent(message, { index, isLast: index === messages.length - 1 })
    checkThinking(message, { index, secrets })
  })
  checkCallPairs(joined(messages))
}

function checkMarkers(body: JsonObject): void {
  const found = markersIn([body['system'], body['tools'], body['messages']]) + (isObject(body['cache_control']) ? 1 : 0)
  if (found > MAXIMUM_MARKERS) throw new ApiError(`A maximum of ${MAXIMUM_MARKERS} blocks with cache_control may be provided. Found ${found}.`)
}

/** Markers on blocks at any depth; the input of a call and a tool's schema are the client's own words. */
function markersIn(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, entry: unknown) => sum + markersIn(entry), 0)
  return isObject(value) ? (isObject(value['cache_control']) ? 1 : 0) + markersIn(value['content']) : 0
}

function checkContent({ role, content }: Message, { index, isLast }: { readonly index: number; readonly isLast: boolean }): void {
  if (content.length === 0) {
    if (role === 'user') throw invalid(`messages.${index}`, 'user messages must have non-empty content')
    if (!isLast) throw invalid(`messages.${index}`, 'all messages must have non-empty content except for the optional final assistant message')
  }
  if (role !== 'assistant' || !isLast) return
  const last = content.at(-1)
  if (last?.['type'] === 'text' && textOf(last['text']) !== textOf(last['text']).trimEnd()) throw new ApiError('messages: final assistant content cannot end with trailing whitespace')
}

function checkThinking({ content }: Message, { index, secrets }: { readonly index: number; readonly secrets: ReadonlySet<string> }): void {
  content.forEach((block, position) => {
    const place = `messages.${index}.content.${position}`
    if (block['type'] === 'thinking') {
      const signature = textOf(block['signature'])
      if (!secrets.has(signature) && signature !== signatureOf(textOf(block['thinking']))) throw invalid(place, 'Invalid `signature` in `thinking` block')
    }
    if (block['type'] === 'redacted_thinking' && !secrets.has(textOf(block['data']))) throw invalid(place, 'Invalid `data` in `redacted_thinking` block')
  })
}

interface JoinedMessage extends Message {
  /** Place of the first of the messages that were joined. */
  readonly index: number
}

/** Messages of one role in a row count as one. */
function joined(messages: readonly Message[]): readonly JoinedMessage[] {
  const result: JoinedMessage[] = []
  messages.forEach((message, index) => {
    const last = result.at(-1)
    if (last?.role === message.role) result[result.length - 1] = { ...last, content: [...last.content, ...message.content] }
    else result.push({ ...message, index })
  })
  return result
}

function checkCallPairs(messages: readonly JoinedMessage[]): void {
  const known = new Set<string>()
  messages.forEach((message, place) => {
    const calls = callIds(message)
    for (const id of calls) {
      if (known.has(id)) throw new ApiError('messages: `tool_use` ids must be unique')
      known.add(id)
    }
    checkResults(message, messages[place - 1])
    if (calls.length > 0) checkAnswered(calls, message.index, messages[place + 1])
  })
}

/** Results that stand behind anything else are not found: they have to come first. */
function checkAnswered(calls: readonly string[], index: number, next: JoinedMessage | undefined): void {
  const content = next?.content ?? []
  const behind = content.findIndex((block) => block['type'] !== 'tool_result')
  const leading = behind === -1 ? content : content.slice(0, behind)
  const open = calls.filter((id) => !leading.some((block) => block['tool_use_id'] === id))
  if (open.length === 0) return
  const message = `\`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`
  throw invalid(`messages.${index}`, message)
}

function checkResults(message: JoinedMessage, previous: JoinedMessage | undefined): void {
  const asked = previous === undefined ? [] : callIds(previous)
  const answered = new Set<string>()
  message.content.forEach((block, position) => {
    if (block['type'] !== 'tool_result') return
    const id = textOf(block['tool_use_id'])
    const place = `messages.${message.index}.content.${position}`
    if (answered.has(id)) throw invalid(place, `each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${id}`)
    answered.add(id)
    if (asked.includes(id)) return
    throw invalid(place, `unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`)
  })
}

function callIds(message: Message): readonly string[] {
  return message.content.filter((block) => block['type'] === 'tool_use').map((block) => textOf(block['id']))
}
