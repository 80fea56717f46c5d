/** Anthropic's `POST /v1/messages`. */
import { ApiError } from '../api-error.ts'
import { textOf, type JsonObject } from '../json.ts'
import type { ConversationEntry } from '../model-question.ts'
import type { NoiseKind, TurnEnd } from '../model-turn.ts'
import type { Script } from '../script.ts'
import { eventFrame } from '../sse-frame.ts'
import { contentText } from '../text-content.ts'
import type { Wire, WireRequest } from '../wire.ts'
import { checkConversation } from './check-conversation.ts'
import { anthropicErrorBody } from './refusals.ts'
import { parseMessagesRequest, type Message } from './request.ts'
import { scriptedSecrets } from './secret.ts'
import { turnEvents } from './turn-events.ts'

export class MessagesWire implements Wire {
  readonly requestIdHeader = 'request-id'
  readonly errorBody = anthropicErrorBody
  readonly #secrets: ReadonlySet<string>

  constructor(script: Script | undefined) {
    this.#secrets = scriptedSecrets(script)
  }

  read(body: unknown): WireRequest {
    const request = parseMessagesRequest(body)
    const { model, messages, tools, mayCallTools } = request
    return {
      question: { wire: 'messages', model, entries: messages.flatMap((message, index) => entriesOf(message, index)), tools, mayCallTools, input: request.body['messages'] },
      isStream: request.isStream,
      variant: '',
      check: () => checkConversation(request, this.#secrets),
      encode: (turn, identity) => turnEvents(request, turn, identity),
    }
  }

  checkHeaders(headers: Readonly<Record<string, unknown>>, apiKey: string | undefined): void {
    const { 'x-api-key': key, authorization, 'anthropic-version': version } = headers
    if (apiKey !== undefined && key !== apiKey && (key !== undefined || authorization !== `Bearer ${apiKey}`)) {
      throw new ApiError(key === undefined && authorization === undefined ? 'x-api-key header is required' : 'invalid x-api-key', { status: 401 })
    }
    if (version === undefined) throw new ApiError('anthropic-version: header is required')
  }

  unknownModel(name: string): ApiError {
    return new ApiError(`model: ${name}`, { status: 404, type: 'not_found_error' })
  }

  unaryFailure(end: TurnEnd): ApiError | undefined {
    if (end.type !== 'error' && end.type !== 'failed') return undefined
    return new ApiError(end.message, { status: end.code === 'overloaded_error' ? 529 : 500, type: end.code })
  }

  noise(kind: NoiseKind): string {
    switch (kind) {
      case 'comment':
        return ': nothing new\n\n'
      case 'ping':
        return eventFrame({ type: 'ping' })
      case 'unknown':
        return eventFrame({ type: 'something_new', index: 0, value: { nested: [1, null] } })
      case 'malformed':
        return 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"half\n\n'
    }
  }
}

function entriesOf({ role, content }: Message, index: number): readonly ConversationEntry[] {
  const text = role === 'user' ? contentText(content.filter((block) => block['type'] === 'text')) : ''
  const entries = content.flatMap((block) => toolEntry(block, index))
  const isWords = role === 'user' && (text !== '' || entries.length === 0)
  return isWords ? [...entries, { type: 'user', text }] : entries
}

function toolEntry(block: JsonObject, index: number): readonly ConversationEntry[] {
  switch (block['type']) {
    case 'tool_use':
      return [{ type: 'call', callId: textOf(block['id']), name: textOf(block['name']), arguments: block['input'], answer: `message ${index}` }]
    case 'tool_result':
      return [{ type: 'result', callId: textOf(block['tool_use_id']), output: contentText(block['content']) }]
    default:
      return []
  }
}
