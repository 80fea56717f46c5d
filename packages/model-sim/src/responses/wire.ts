/** OpenAI's `POST /v1/responses`. */
import { ApiError } from '../api-error.ts'
import { textOf, type JsonObject } from '../json.ts'
import type { ConversationEntry, ModelQuestion } from '../model-question.ts'
import type { ModelTurn, NoiseKind, TurnEnd } from '../model-turn.ts'
import { checkBearer, openaiErrorBody } from '../openai-refusals.ts'
import { ResponseMemory } from '../response-memory.ts'
import { eventFrame } from '../sse-frame.ts'
import { contentText } from '../text-content.ts'
import type { EncodedTurn, TurnIdentity, Wire, WireRequest } from '../wire.ts'
import { checkConversation } from './check-conversation.ts'
import { readCallId } from './item-id.ts'
import { parseResponsesRequest, type ResponsesRequest } from './request.ts'
import { turnEvents } from './turn-events.ts'

export class ResponsesWire implements Wire {
  readonly requestIdHeader = 'x-request-id'
  readonly checkHeaders = checkBearer
  readonly errorBody = openaiErrorBody
  readonly #memory = new ResponseMemory()

  read(body: unknown): WireRequest {
    const request = parseResponsesRequest(body, this.#memory)
    return {
      question: questionOf(request),
      isStream: request.isStream,
      variant: '',
      encode: (turn, identity) => this.#encode(request, { turn, identity }),
      check: () => checkConversation(request.input, { isStored: request.body['store'] !== false }),
    }
  }

  unknownModel(name: string): ApiError {
    return new ApiError(`The requested model '${name}' does not exist.`, { param: 'model', code: 'model_not_found' })
  }

  unaryFailure(end: TurnEnd): ApiError | undefined {
    return end.type === 'error' ? new ApiError(end.message, { status: 500, type: 'server_error', code: end.code }) : undefined
  }

  noise(kind: NoiseKind): string {
    switch (kind) {
      case 'comment':
        return ': nothing new\n\n'
      case 'ping':
        return eventFrame({ type: 'keepalive', sequence_number: 0 })
      case 'unknown':
        return eventFrame({ type: 'response.something_new', sequence_number: 0, value: { nested: [1, null] } })
      case 'malformed':
        return 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"half\n\n'
    }
  }

  #encode(request: ResponsesRequest, { turn, identity }: { readonly turn: ModelTurn; readonly identity: TurnIdentity }): EncodedTurn {
    const { frames, items, response } = turnEvents(request, turn, identity)
    const remember = (): void => this.#memory.remember(String(response['id']), { input: request.input, items })
    return { frames, body: response, ...(request.body['store'] === false ? {} : { remember }) }
  }
}

function questionOf(request: ResponsesRequest): ModelQuestion {
  const { model, input, tools, toolChoice } = request
  return { wire: 'responses', model, entries: input.flatMap((item) => entryOf(item)), tools: tools.map((tool) => tool.name), mayCallTools: toolChoice !== 'none', input }
}

function entryOf(item: JsonObject): readonly ConversationEntry[] {
  const callId = textOf(item['call_id'])
  switch (item['type']) {
    case 'message':
      return item['role'] === 'user' ? [{ type: 'user', text: contentText(item['content']) }] : []
    case 'function_call':
      return [{ type: 'call', callId, name: textOf(item['name']), arguments: textOf(item['arguments']), answer: readCallId(callId) }]
    case 'function_call_output':
      return [{ type: 'result', callId, output: contentText(item['output']) }]
    default:
      return []
  }
}
