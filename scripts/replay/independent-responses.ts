import {
  eventObjects, keptCalls, totalContradictions, type AnswerReading, type Reading, type UsageReading,
} from './independent-reading.ts'
import { isObject, numberAt, objectAt, objectsAt, parseJson, stringAt, type JsonObject } from './json.ts'

/** What an answer of the Responses API says: https://platform.openai.com/docs/api-reference/responses. */
export function readResponsesAnswer(body: string, isStream: boolean): Reading {
  return isStream ? readStream(eventObjects(body)) : readObject(parseJson(body))
}

function readObject(json: unknown): Reading {
  if (!isObject(json)) return { type: 'failed', code: undefined }
  const items = objectsAt(json, 'output')
  const status = stringAt(json, 'status')
  if (isObject(json['error']) || status === 'failed' || status === 'cancelled') return { type: 'failed', code: errorCode(json) ?? status }
  if (items.length === 0 && status !== 'incomplete') return { type: 'failed', code: undefined }
  return answered(json, items, status)
}

/** Events that end a stream, and the status of the response where it does not say so itself. */
const ENDS: Readonly<Record<string, string>> = {
  'response.completed': 'completed',
  'response.incomplete': 'incomplete',
  'response.failed': 'failed',
  'response.cancelled': 'cancelled',
}

function readStream(events: readonly JsonObject[]): Reading {
  const failure = events.find((event) => event['type'] === 'error')
  if (failure !== undefined) return { type: 'failed', code: errorCode(failure) ?? stringAt(failure, 'code') }
  const end = events.find((event) => (stringAt(event, 'type') ?? '') in ENDS)
  if (end === undefined) return { type: 'cut-off' }
  const response = objectAt(end, 'response')
  const status = stringAt(response, 'status') ?? ENDS[stringAt(end, 'type') ?? '']
  if (status === 'failed' || status === 'cancelled') return { type: 'failed', code: errorCode(response) ?? status }
  const streamed = streamedItems(events)
  return answered(response, streamed.length > 0 ? streamed : objectsAt(response, 'output'), status)
}

/** The items as they were when they were done; text of an item that never was done comes from its deltas. */
function streamedItems(events: readonly JsonObject[]): readonly JsonObject[] {
  const items = new Map<number, JsonObject>()
  const texts = new Map<number, string>()
  for (const event of events) {
    const index = numberAt(event, 'output_index') ?? 0
    if (event['type'] === 'response.output_item.done') items.set(numberAt(event, 'output_index') ?? items.size, objectAt(event, 'item'))
    const isText = event['type'] === 'response.output_text.delta' || event['type'] === 'response.refusal.delta'
    if (isText) texts.set(index, (texts.get(index) ?? '') + (stringAt(event, 'delta') ?? ''))
  }
  for (const [index, text] of texts) if (!items.has(index)) items.set(index, { type: 'message', content: [{ type: 'output_text', text }] })
  return [...items].toSorted(([left], [right]) => left - right).map(([, item]) => item)
}

function answered(response: JsonObject, items: readonly JsonObject[], status: string | undefined): Reading {
  const calls = keptCalls(items.filter((item) => item['type'] === 'function_call').map((item) => ({
    id: stringAt(item, 'call_id') || (stringAt(item, 'id') ?? ''),
    name: stringAt(item, 'name') ?? '',
    text: item['arguments'],
    isCutOff: status === 'incomplete' || item['status'] === 'incomplete',
  })))
  const said = items.filter((item) => item['type'] === 'message').flatMap((item) => objectsAt(item, 'content'))
  const reasoning = items.filter((item) => item['type'] === 'reasoning')
  const plain = reasoning.length === 0 ? (stringAt(response, 'reasoning') ?? '') : ''
  const usage = usageOf(response)
  const answer: AnswerReading = {
    text: said.map((part) => stringAt(part, 'refusal') ?? stringAt(part, 'text') ?? '').join(''),
    reasoning: plain + reasoning.flatMap((item) => [...objectsAt(item, 'summary'), ...objectsAt(item, 'content')]).map((part) => stringAt(part, 'text') ?? '').join(''),
    opaque: reasoning.map((item) => stringAt(item, 'encrypted_content') ?? '').filter((data) => data !== ''),
    signatures: [],
    calls,
    finishReason: finishReason(response, status, calls.length > 0),
    usage,
  }
  const responseId = stringAt(response, 'id')
  const ids = [responseId, ...items.flatMap((item) => [stringAt(item, 'id'), stringAt(item, 'call_id')])]
  return { type: 'answer', answer, responseId, ids: ids.flatMap((id) => (id === undefined || id === '' ? [] : [id])), contradictions: totalContradictions(usage) }
}

function finishReason(response: JsonObject, status: string | undefined, hasCalls: boolean): string | null {
  if (status === 'completed') return hasCalls ? 'tool_calls' : 'stop'
  if (status !== 'incomplete') return null
  const reason = stringAt(objectAt(response, 'incomplete_details'), 'reason') ?? 'max_output_tokens'
  if (reason === 'max_output_tokens') return 'length'
  return reason === 'content_filter' ? reason : `other: ${reason}`
}

function usageOf(response: JsonObject): UsageReading | null {
  const usage = response['usage']
  if (!isObject(usage)) return null
  const [input, output] = [numberAt(usage, 'input_tokens') ?? 0, numberAt(usage, 'output_tokens') ?? 0]
  const details = objectAt(usage, 'input_tokens_details')
  return {
    inputTokens: input,
    outputTokens: output,
    totalTokens: numberAt(usage, 'total_tokens') ?? input + output,
    cachedInputTokens: numberAt(details, 'cached_tokens') ?? 0,
    cacheCreationInputTokens: numberAt(details, 'cache_write_tokens') ?? 0,
    reasoningTokens: numberAt(objectAt(usage, 'output_tokens_details'), 'reasoning_tokens') ?? 0,
  }
}

function errorCode(payload: JsonObject): string | undefined {
  const error = objectAt(payload, 'error')
  return stringAt(error, 'code') ?? stringAt(error, 'type')
}
