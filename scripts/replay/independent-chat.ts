import { eventObjects, keptCalls, totalContradictions, type Reading, type UsageReading } from './independent-reading.ts'
import { isList, isObject, numberAt, objectAt, objectsAt, parseJson, stringAt, type Json, type JsonObject } from './json.ts'

/** A call while its pieces are put together. */
interface CallDraft {
  id: string
  name: string
  text: Json | undefined
}

interface MessageDraft {
  text: string
  refusal: string
  reasoning: string
  /** Reasoning in parts, as OpenRouter gives it, by kind and index. */
  readonly details: Map<string, DetailDraft>
  readonly calls: CallDraft[]
}

interface DetailDraft {
  text: string
  data: string
  signature: string
}

/** What an answer of the Chat Completions API says: https://platform.openai.com/docs/api-reference/chat. */
export function readChatAnswer(body: string, isStream: boolean): Reading {
  return isStream ? readStream(eventObjects(body)) : readObject(parseJson(body))
}

function readObject(json: unknown): Reading {
  if (!isObject(json)) return { type: 'failed', code: undefined }
  const [choice] = objectsAt(json, 'choices')
  if (choice === undefined) return { type: 'failed', code: errorCode(json) }
  const draft: MessageDraft = { text: '', refusal: '', reasoning: '', details: new Map(), calls: [] }
  addTexts(draft, objectAt(choice, 'message'))
  draft.calls.push(...objectsAt(objectAt(choice, 'message'), 'tool_calls').map(callOf))
  const isCut = ['length', 'content_filter'].includes(finishName(choice['finish_reason']) ?? '')
  if (!isCut && draft.text + draft.refusal + draft.reasoning === '' && draft.details.size + draft.calls.length === 0) return { type: 'failed', code: undefined }
  return answered(draft, choice['finish_reason'], json)
}

function readStream(chunks: readonly JsonObject[]): Reading {
  const draft: MessageDraft = { text: '', refusal: '', reasoning: '', details: new Map(), calls: [] }
  const open = new Map<number, CallDraft>()
  let finish: Json | undefined
  let last: JsonObject = {}
  for (const chunk of chunks) {
    const choice = objectsAt(chunk, 'choices').find((candidate) => (numberAt(candidate, 'index') ?? 0) === 0)
    if (choice === undefined && isObject(chunk['error'])) return { type: 'failed', code: errorCode(chunk) }
    last = { ...last, ...Object.fromEntries(Object.entries(chunk).filter(([, value]) => value !== null)) }
    if (choice === undefined) continue
    const delta = objectAt(choice, 'delta')
    addTexts(draft, delta)
    for (const piece of objectsAt(delta, 'tool_calls')) addCallPiece(draft, open, piece)
    if (typeof choice['finish_reason'] === 'string' && choice['finish_reason'] !== '') finish = choice['finish_reason']
  }
  return finish === undefined ? { type: 'cut-off' } : answered(draft, finish, last)
}

function addTexts(draft: MessageDraft, message: JsonObject): void {
  draft.text += textOf(message['content'])
  draft.refusal += stringAt(message, 'refusal') ?? ''
  draft.reasoning += (stringAt(message, 'reasoning_content') || stringAt(message, 'reasoning') || '') + thinkingOf(message['content'])
  for (const [place, detail] of objectsAt(message, 'reasoning_details').entries()) addDetail(draft.details, detail, place)
}

function textOf(content: Json | undefined): string {
  if (isList(content)) return content.filter(isObject).map((part) => stringAt(part, 'text') ?? '').join('')
  return typeof content === 'string' ? content : ''
}

/** Mistral's models think in parts of the content. */
function thinkingOf(content: Json | undefined): string {
  if (!isList(content)) return ''
  return content.filter(isObject).flatMap((part) => objectsAt(part, 'thinking')).map((part) => stringAt(part, 'text') ?? '').join('')
}

function addDetail(details: Map<string, DetailDraft>, detail: JsonObject, place: number): void {
  const isSealed = detail['type'] === 'reasoning.encrypted'
  const key = `${String(detail['type'])} ${String(detail['index'] ?? 0)} ${isSealed ? `${details.size} ${place}` : ''}`
  const known = details.get(key) ?? { text: '', data: '', signature: '' }
  details.set(key, {
    text: known.text + (stringAt(detail, 'text') ?? stringAt(detail, 'summary') ?? ''),
    data: stringAt(detail, 'data') ?? known.data,
    signature: stringAt(detail, 'signature') ?? known.signature,
  })
}

/** Pieces belong to the call with their index; another id with another name begins a new one there. */
function addCallPiece(draft: MessageDraft, open: Map<number, CallDraft>, piece: JsonObject): void {
  const index = numberAt(piece, 'index') ?? 0
  const next = callOf(piece)
  const known = open.get(index)
  const isNew = known === undefined || (next.id !== '' && next.id !== known.id && next.name !== '' && next.name !== known.name)
  if (isNew) {
    open.set(index, next)
    draft.calls.push(next)
    return
  }
  if (next.id !== '') known.id = next.id
  if (next.name !== '') known.name = next.name
  if (typeof next.text === 'string' && typeof known.text === 'string') known.text += next.text
  else known.text = next.text ?? known.text
}

function callOf(call: JsonObject): CallDraft {
  const { name, arguments: text } = objectAt(call, 'function')
  return { id: stringAt(call, 'id') ?? '', name: typeof name === 'string' ? name : '', text }
}

function answered({ text, refusal, reasoning, details, calls }: MessageDraft, finish: Json | undefined, body: JsonObject): Reading {
  const finishReason = finishName(finish)
  const isCutOff = finishReason === 'length' || finishReason === 'content_filter'
  // Who stops in the middle of a call has not made it.
  const kept = keptCalls(calls.filter((call) => !isCutOff || call.text !== '').map((call) => ({ ...call, isCutOff: isCutOff || finishReason === 'stop' })))
  const parts = [...details.values()]
  const detailed = parts.map((part) => part.text).join('')
  const usage = usageOf(body)
  const responseId = stringAt(body, 'id')
  return {
    type: 'answer',
    answer: {
      text: text === '' ? refusal : text,
      reasoning: detailed === '' ? reasoning : detailed,
      opaque: parts.map(({ data }) => data).filter((data) => data !== ''),
      signatures: parts.map(({ signature }) => signature).filter((signature) => signature !== ''),
      calls: kept,
      finishReason: finishReason === 'stop' && kept.length > 0 ? 'tool_calls' : finishReason,
      usage,
    },
    responseId,
    ids: kept.map(({ id }) => id).filter((id) => id !== ''),
    contradictions: totalContradictions(usage, numberAt(objectAt(objectAt(body, 'usage'), 'prompt_tokens_details'), 'audio_tokens')),
  }
}

function finishName(finish: Json | undefined): string | null {
  switch (finish) {
    case undefined:
    case null:
    case '': return null
    case 'stop':
    case 'content_filter':
    case 'tool_calls': return finish
    case 'function_call': return 'tool_calls'
    case 'length':
    case 'max_tokens':
    case 'model_length': return 'length'
    default: return `other: ${String(finish)}`
  }
}

function usageOf(body: JsonObject): UsageReading | null {
  // Groq and Moonshot have places of their own.
  const usage = body['usage'] ?? objectAt(body, 'x_groq')['usage'] ?? objectsAt(body, 'choices')[0]?.['usage']
  if (!isObject(usage)) return null
  const [input, output] = [numberAt(usage, 'prompt_tokens') ?? 0, numberAt(usage, 'completion_tokens') ?? 0]
  const details = objectAt(usage, 'prompt_tokens_details')
  return {
    inputTokens: input,
    outputTokens: output,
    totalTokens: numberAt(usage, 'total_tokens') ?? input + output,
    cachedInputTokens: numberAt(details, 'cached_tokens') ?? numberAt(usage, 'prompt_cache_hit_tokens') ?? numberAt(usage, 'cached_tokens') ?? 0,
    cacheCreationInputTokens: numberAt(details, 'cache_write_tokens') ?? 0,
    reasoningTokens: numberAt(objectAt(usage, 'completion_tokens_details'), 'reasoning_tokens') ?? 0,
  }
}

function errorCode(payload: JsonObject): string | undefined {
  const error = objectAt(payload, 'error')
  const code = error['code']
  return typeof code === 'string' || typeof code === 'number' ? String(code) : stringAt(error, 'type')
}
