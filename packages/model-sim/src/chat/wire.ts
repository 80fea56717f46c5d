/** OpenAI's `POST /v1/chat/completions`, which most other providers speak too. */
import { ApiError } from '../api-error.ts'
import { isObject, objectsOf, textOf, type JsonObject } from '../json.ts'
import type { ConversationEntry } from '../model-question.ts'
import type { NoiseKind, TurnEnd } from '../model-turn.ts'
import { checkBearer, openaiErrorBody } from '../openai-refusals.ts'
import { dataFrame } from '../sse-frame.ts'
import { contentText } from '../text-content.ts'
import type { Wire, WireRequest } from '../wire.ts'
import { checkConversation } from './check-conversation.ts'
import { parseChatRequest } from './request.ts'
import { turnEvents } from './turn-events.ts'

export class ChatWire implements Wire {
  readonly requestIdHeader = 'x-request-id'
  readonly checkHeaders = checkBearer
  readonly errorBody = openaiErrorBody

  read(body: unknown): WireRequest {
    const request = parseChatRequest(body)
    const { model, messages, tools, toolChoice } = request
    return {
      question: { wire: 'chat', model, entries: messages.flatMap((message, index) => entriesOf(message, index)), tools, mayCallTools: toolChoice !== 'none', input: messages },
      isStream: request.isStream,
      variant: request.includesUsage ? 'usage' : '',
      check: () => checkConversation(messages),
      encode: (turn, identity) => turnEvents(request, turn, identity),
    }
  }

  unknownModel(name: string): ApiError {
    return new ApiError(`The model \`${name}\` does not exist or you do not have access to it.`, { status: 404, code: 'model_not_found' })
  }

  unaryFailure(end: TurnEnd): ApiError | undefined {
    return end.type === 'error' || end.type === 'failed' ? new ApiError(end.message, { status: 500, type: 'server_error', code: end.code }) : undefined
  }

  noise(kind: NoiseKind): string {
    switch (kind) {
      case 'comment':
        return ': nothing new\n\n'
      case 'ping':
        return ': PROCESSING\n\n' // what compatible services send to keep a connection alive
      case 'unknown':
        return dataFrame({ object: 'chat.something.new', choices: [], value: { nested: [1, null] } })
      case 'malformed':
        return 'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"half\n\n'
    }
  }
}

function entriesOf(message: JsonObject, index: number): readonly ConversationEntry[] {
  switch (message['role']) {
    case 'user':
      return [{ type: 'user', text: contentText(message['content']) }]
    case 'assistant':
      return objectsOf(message['tool_calls']).map((call) => callEntry(call, index))
    case 'tool':
      return [{ type: 'result', callId: textOf(message['tool_call_id']), output: contentText(message['content']) }]
    default:
      return []
  }
}

function callEntry(call: JsonObject, index: number): ConversationEntry {
  const named = isObject(call['function']) ? call['function'] : {}
  return { type: 'call', callId: textOf(call['id']), name: textOf(named['name']), arguments: textOf(named['arguments']), answer: `message ${index}` }
}
