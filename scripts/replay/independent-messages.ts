import { eventObjects, keptCalls, type Reading, type UsageReading } from './independent-reading.ts'
import { isObject, numberAt, objectAt, objectsAt, parseJson, stringAt, type Json, type JsonObject } from './json.ts'

/** A content block while its pieces are put together. */
interface Block {
  readonly start: JsonObject
  text: string
  thinking: string
  signature: string
  input: string
}

/** What an answer of the Anthropic Messages API says: https://docs.anthropic.com/en/api/messages. */
export function readMessagesAnswer(body: string, isStream: boolean): Reading {
  return isStream ? readStream(eventObjects(body)) : readObject(parseJson(body))
}

function readObject(json: unknown): Reading {
  if (!isObject(json) || json['type'] === 'error' || isObject(json['error'])) return { type: 'failed', code: isObject(json) ? errorType(json) : undefined }
  const blocks = objectsAt(json, 'content').map(blockOf)
  return answered(blocks, { message: json, stopReason: json['stop_reason'], usages: [objectAt(json, 'usage')] })
}

function readStream(events: readonly JsonObject[]): Reading {
  const failure = events.find((event) => event['type'] === 'error')
  const deltas = events.filter((event) => event['type'] === 'message_delta')
  const end = deltas.findLast((event) => typeof objectAt(event, 'delta')['stop_reason'] === 'string') ?? events.find((event) => event['type'] === 'message_stop')
  if (failure !== undefined && (end === undefined || events.indexOf(failure) < events.indexOf(end))) return { type: 'failed', code: errorType(failure) }
  if (end === undefined) return { type: 'cut-off' }
  const message = objectAt(events.find((event) => event['type'] === 'message_start') ?? {}, 'message')
  const blocks = new Map<number, Block>()
  for (const event of events) {
    const index = numberAt(event, 'index') ?? 0
    if (event['type'] === 'content_block_start') blocks.set(index, blockOf(objectAt(event, 'content_block')))
    const block = blocks.get(index)
    if (event['type'] === 'content_block_delta' && block !== undefined) addDelta(block, objectAt(event, 'delta'))
  }
  const usages = [...deltas.toReversed(), message].map((event) => objectAt(event, 'usage'))
  return answered([...blocks.values()], { message, stopReason: objectAt(end, 'delta')['stop_reason'], usages })
}

function blockOf(start: JsonObject): Block {
  return { start, text: stringAt(start, 'text') ?? '', thinking: stringAt(start, 'thinking') ?? '', signature: stringAt(start, 'signature') ?? '', input: '' }
}

function addDelta(block: Block, delta: JsonObject): void {
  switch (delta['type']) {
    case 'text_delta': block.text += stringAt(delta, 'text') ?? ''
      break
    case 'thinking_delta': block.thinking += stringAt(delta, 'thinking') ?? ''
      break
    case 'signature_delta': block.signature += stringAt(delta, 'signature') ?? ''
      break
    case 'input_json_delta': block.input += stringAt(delta, 'partial_json') ?? ''
      break
    default: // Citations and the like are no part of what is compared.
  }
}

interface Ending {
  readonly message: JsonObject
  readonly stopReason: Json | undefined
  /** The later ones first: they win. */
  readonly usages: readonly JsonObject[]
}

function answered(blocks: readonly Block[], { message, stopReason, usages }: Ending): Reading {
  const finishReason = finishName(stopReason)
  const isCutOff = finishReason === 'length' || finishReason === 'content_filter'
  const calls = keptCalls(blocks.filter(({ start }) => start['type'] === 'tool_use').map(({ start, input }) => ({
    id: stringAt(start, 'id') ?? '',
    name: stringAt(start, 'name') ?? '',
    text: input === '' ? start['input'] : input,
    isCutOff,
  })))
  const signatures = blocks.filter(({ start }) => start['type'] === 'thinking').map(({ signature }) => signature).filter((signature) => signature !== '')
  const responseId = stringAt(message, 'id')
  return {
    type: 'answer',
    answer: {
      text: blocks.filter(({ start }) => start['type'] === 'text').map(({ text }) => text).join(''),
      reasoning: blocks.filter(({ start }) => start['type'] === 'thinking').map(({ thinking }) => thinking).join(''),
      opaque: blocks.filter(({ start }) => start['type'] === 'redacted_thinking').map(({ start }) => stringAt(start, 'data') ?? ''),
      signatures,
      calls,
      finishReason: finishReason === 'stop' && calls.length > 0 ? 'tool_calls' : finishReason,
      usage: usageOf(usages),
    },
    responseId,
    ids: [...(responseId === undefined ? [] : [responseId]), ...calls.map(({ id }) => id), ...signatures],
    contradictions: inputContradictions(usages),
  }
}

function finishName(reason: Json | undefined): string | null {
  switch (reason) {
    case undefined:
    case null: return null
    case 'end_turn':
    case 'stop_sequence': return 'stop'
    case 'max_tokens':
    case 'model_context_window_exceeded': return 'length'
    case 'tool_use': return 'tool_calls'
    case 'refusal': return 'content_filter'
    default: return `other: ${String(reason)}`
  }
}

function usageOf(usages: readonly JsonObject[]): UsageReading | null {
  if (usages.every((usage) => Object.keys(usage).length === 0)) return null
  // Gateways repeat figures as zero or null, in one place or the other.
  const figure = (key: string) => usages.map((usage) => numberAt(usage, key) ?? 0).find((value) => value > 0) ?? 0
  const [inputTokens, outputTokens] = [figure('input_tokens'), figure('output_tokens')]
  const [cachedInputTokens, cacheCreationInputTokens] = [figure('cache_read_input_tokens'), figure('cache_creation_input_tokens')]
  const reasoningTokens = usages.map((usage) => numberAt(objectAt(usage, 'output_tokens_details'), 'thinking_tokens')).find((value) => value !== undefined) ?? 0
  const totalTokens = inputTokens + outputTokens + cachedInputTokens + cacheCreationInputTokens
  return { inputTokens, outputTokens, totalTokens, cachedInputTokens, cacheCreationInputTokens, reasoningTokens }
}

/** A stream tells the size of its input at its start and at its end, or only once. */
function inputContradictions(usages: readonly JsonObject[]) {
  const given = usages.map((usage) => numberAt(usage, 'input_tokens') ?? 0).filter((tokens) => tokens > 0)
  const [last, first] = [given[0] ?? 0, given.at(-1) ?? 0]
  // It may grow: what tools of the provider find is read too.
  return last >= first ? [] : [{ path: 'answer.usage.inputTokens', expected: first, actual: last }]
}

function errorType(payload: JsonObject): string | undefined {
  const error = objectAt(payload, 'error')
  return stringAt(error, 'type') ?? stringAt(error, 'code')
}
