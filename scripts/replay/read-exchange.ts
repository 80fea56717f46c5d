import { readChatAnswer } from './independent-chat.ts'
import { isSuccess, type Reading } from './independent-reading.ts'
import { readMessagesAnswer } from './independent-messages.ts'
import { readResponsesAnswer } from './independent-responses.ts'
import { isObject, parseJson, type JsonObject } from './json.ts'
import { RecordingError, type Exchange } from './load-recording.ts'
import { chatReader } from './read-chat.ts'
import { messagesReader } from './read-messages.ts'
import { responsesReader } from './read-responses.ts'
import { lookupPath, readLookup } from './lookup.ts'
import type { ClientSettings, RecordedRequest, RequestReader, WireName } from './recorded-request.ts'

/** A recorded exchange, understood: what was asked and what was answered. */
export interface ReadExchange {
  readonly request: RecordedRequest
  readonly reading: Reading
  readonly reader: RequestReader
}

/** An exchange before it is understood. */
type ParsedExchange = Exchange & { readonly call: { readonly wire: Wire; readonly body: JsonObject } | undefined }

interface Wire {
  /** What the path ends in. */
  readonly path: string
  readonly reader: RequestReader
  readonly readAnswer: (body: string, isStream: boolean) => Reading
}

const WIRES: Readonly<Record<WireName, Wire>> = {
  responses: { path: '/responses', reader: responsesReader, readAnswer: readResponsesAnswer },
  chat: { path: '/chat/completions', reader: chatReader, readAnswer: readChatAnswer },
  messages: { path: '/v1/messages', reader: messagesReader, readAnswer: readMessagesAnswer },
}

/** Headers that are settings of the caller. */
const CALLER_HEADERS = ['anthropic-version', 'anthropic-beta']

/**
 * Understands all exchanges of a file. Throws `RecordingError` for one that is not a model call of a wire that is known, or, unless only
 * answers are of interest, whose request has no JSON.
 */
export function readExchanges(exchanges: readonly Exchange[], { answersOnly }: { readonly answersOnly: boolean }): readonly ReadExchange[] {
  const parsed = exchanges.map((exchange, index): ParsedExchange => {
    const isLookup = lookupPath(exchange.request) !== undefined
    return { ...exchange, call: isLookup ? undefined : parseRequest(exchange, { index, answersOnly }) }
  })
  return parsed.map(({ call, ...exchange }) => {
    const { request, answer } = exchange
    if (call === undefined) return readLookup(exchange, clientOf(request, lookupPath(request) ?? ''))
    const { wire, body } = call
    const client = clientOf(request, wire.path)
    const siblings = parsed.flatMap((other) => (other.call?.wire === wire ? [other.call.body] : []))
    const recorded = wire.reader.read({ body, client, siblings })
    // Without a request the answer shows whether it was streamed.
    const isStreaming = recorded.isStreaming || (answersOnly && answer.headers.get('content-type')?.startsWith('text/event-stream') === true)
    const reading: Reading = isSuccess(answer.status) ? wire.readAnswer(answer.body, isStreaming) : { type: 'refused', status: answer.status, body: answer.body }
    return { request: { ...recorded, isStreaming }, reading, reader: wire.reader }
  })
}

/** `path`: what the wire appends to the base address. */
function clientOf({ path: whole, query, headers }: Exchange['request'], path: string): Pick<ClientSettings, 'basePath' | 'query' | 'headers'> {
  return {
    basePath: whole.slice(0, -path.length),
    query: Object.fromEntries(query),
    headers: Object.fromEntries([...headers].filter(([name]) => CALLER_HEADERS.includes(name))),
  }
}

function parseRequest(
  { request }: Exchange,
  { index, answersOnly }: { readonly index: number; readonly answersOnly: boolean },
): { readonly wire: Wire; readonly body: JsonObject } {
  const wire = Object.values(WIRES).find(({ path }) => request.path.endsWith(path))
  if (wire === undefined || request.method !== 'POST') throw new RecordingError(`exchange ${index}: unknown wire: ${request.method} ${request.path}`)
  const body = parseJson(request.body)
  if (isObject(body)) return { wire, body }
  if (!answersOnly) throw new RecordingError(`exchange ${index}: the body of the request is not a JSON object`)
  return { wire, body: {} }
}
