import type { FinishReason, RawStreamingChoice, StreamFinal } from '../../completion/completion-event.ts'
import { arrayAt, isJsonObject, numberAt, objectAt, stringAt, type Json, type JsonObject } from '../../completion/json.ts'
import type { OpenAiPartMeta, ReasoningContent } from '../../completion/message-types.ts'
import { ZERO_USAGE, type Usage } from '../../completion/usage.ts'

/** What the object of a finished response says about it as a whole. Reads only what is needed: servers differ in everything else. */
export function responseFinal(response: JsonObject, providerRequestId: string | undefined): StreamFinal {
  const usage = objectAt(response, 'usage')
  const responseId = stringAt(response, 'id')
  const model = stringAt(response, 'model')
  const finishReason = finishReasonOf(response)
  return {
    usage: usage === undefined ? ZERO_USAGE : usageOf(usage),
    usageKnown: usage !== undefined,
    ...(responseId === undefined ? {} : { responseId }),
    ...(model === undefined ? {} : { model }),
    ...(finishReason === undefined ? {} : { finishReason }),
    ...(providerRequestId === undefined ? {} : { providerRequestId }),
  }
}

function finishReasonOf(response: JsonObject): FinishReason | undefined {
  const status = stringAt(response, 'status')
  switch (status) {
    case 'completed': return 'stop'
    case 'incomplete': {
      const reason = stringAt(objectAt(response, 'incomplete_details') ?? {}, 'reason')
      if (reason === 'max_output_tokens' || reason === undefined) return 'length'
      return reason === 'content_filter' ? 'content_filter' : { other: reason }
    }
    case 'failed':
    case 'cancelled': return { other: status }
    default: return undefined
  }
}

function usageOf(usage: JsonObject): Usage {
  const input = objectAt(usage, 'input_tokens_details') ?? {}
  const output = objectAt(usage, 'output_tokens_details') ?? {}
  const inputTokens = numberAt(usage, 'input_tokens') ?? 0
  const outputTokens = numberAt(usage, 'output_tokens') ?? 0
  return {
    inputTokens,
    outputTokens,
    totalTokens: numberAt(usage, 'total_tokens') ?? inputTokens + outputTokens,
    cachedInputTokens: numberAt(input, 'cached_tokens') ?? 0,
    cacheCreationInputTokens: numberAt(input, 'cache_write_tokens') ?? 0,
    reasoningTokens: numberAt(output, 'reasoning_tokens') ?? 0,
    toolUsePromptTokens: 0,
  }
}

/** Where a finished output item belongs. */
export interface ItemPlace {
  /** Names the part; texts after the first of one message get a suffix. */
  readonly key: string
  readonly position: number
  /** Whether the answer was cut off: then arguments that make no sense are those of half a call. */
  readonly isCutOff: boolean
}

/** A finished output item as choices, complete: parts that are open under `key` are ended by them, others are opened first. */
export function itemChoices(item: JsonObject, place: ItemPlace): readonly RawStreamingChoice[] {
  switch (stringAt(item, 'type')) {
    case 'message': return messageChoices(item, place)
    case 'function_call': return callChoices(item, place)
    case 'reasoning': return reasoningChoices(item, place)
    default: return [{ type: 'provider_item', provider: 'openai', raw: item, position: place.position }]
  }
}

/** The key of the text at `index` within its message. */
export function textKey(key: string, index: number): string {
  return index === 0 ? key : `${key}:${index}`
}

function messageChoices(item: JsonObject, { key, position }: ItemPlace): readonly RawStreamingChoice[] {
  return arrayAt(item, 'content').flatMap((content, index): readonly RawStreamingChoice[] => {
    if (!isJsonObject(content)) return []
    const refusal = stringAt(content, 'refusal')
    const id = textKey(key, index)
    return [
      { type: 'text_start', id, position: position + index / 1000 },
      { type: 'text_end', id, text: refusal ?? stringAt(content, 'text') ?? '', meta: { openai: textMeta(item, content) } },
    ]
  })
}

function textMeta(item: JsonObject, content: JsonObject): OpenAiPartMeta {
  const itemId = stringAt(item, 'id')
  const phase = stringAt(item, 'phase')
  const annotations = arrayAt(content, 'annotations')
  const logprobs = arrayAt(content, 'logprobs')
  return {
    ...(itemId === undefined || itemId === '' ? {} : { itemId }),
    ...(phase === undefined ? {} : { phase }),
    ...(annotations.length === 0 ? {} : { annotations }),
    ...(logprobs.length === 0 ? {} : { logprobs }),
    ...(stringAt(content, 'refusal') === undefined ? {} : { refusal: true }),
  }
}

function callChoices(item: JsonObject, { key, position, isCutOff }: ItemPlace): readonly RawStreamingChoice[] {
  const name = stringAt(item, 'name') ?? ''
  const provider = callIds(item)
  const onUnparseable = isCutOff || stringAt(item, 'status') === 'incomplete' ? 'drop' : 'error'
  return [
    { type: 'tool_start', id: key, name, position, ...provider },
    { type: 'tool_end', id: key, name, arguments: argumentsText(item['arguments']), onUnparseable, ...provider },
  ]
}

/** The ids of a call, when the wire has any. */
export function callIds(item: JsonObject): { readonly provider?: { readonly callId: string; readonly itemId?: string } } {
  const itemId = stringAt(item, 'id')
  const callId = stringAt(item, 'call_id') || itemId
  if (callId === undefined || callId === '') return {}
  return { provider: { callId, ...(itemId === undefined || itemId === '' ? {} : { itemId }) } }
}

/** Arguments are text on the wire; some servers send the object itself. */
function argumentsText(value: Json | undefined): string {
  if (typeof value === 'string') return value
  return value === undefined || value === null ? '' : JSON.stringify(value)
}

function reasoningChoices(item: JsonObject, { key, position }: ItemPlace): readonly RawStreamingChoice[] {
  const providerId = stringAt(item, 'id')
  return [
    { type: 'reasoning_start', id: key, position, ...(providerId === undefined || providerId === '' ? {} : { providerId }) },
    { type: 'reasoning_end', id: key, restated: reasoningContent(item) },
  ]
}

function reasoningContent(item: JsonObject): readonly ReasoningContent[] {
  const encrypted = stringAt(item, 'encrypted_content') ?? ''
  return [
    ...textsOf(item, 'summary').map((text): ReasoningContent => ({ type: 'summary', text })),
    ...textsOf(item, 'content').map((text): ReasoningContent => ({ type: 'text', text })),
    ...(encrypted === '' ? [] : [{ type: 'encrypted', data: encrypted } as const]),
  ]
}

function textsOf(item: JsonObject, key: string): readonly string[] {
  return arrayAt(item, key).flatMap((entry) => (isJsonObject(entry) ? [stringAt(entry, 'text') ?? ''] : []))
}
