import type { FinishReason, RawStreamingChoice, StreamFinal } from '../../completion/completion-event.ts'
import { arrayAt, isJsonObject, numberAt, objectAt, stringAt, type Json, type JsonObject } from '../../completion/json.ts'
import { PartsAccumulator } from '../../completion/parts-accumulator.ts'
import { ZERO_USAGE, type Usage } from '../../completion/usage.ts'
import { CompletionError } from '../../errors.ts'
import type { DecodedResponse, DecodeOptions } from '../wire.ts'
import { messagesError } from './messages-error.ts'

/** The message object of a whole answer. Throws `CompletionError` for one that is an error, or no message at all. */
export function decodeMessage(json: JsonObject, { providerRequestId, includeRaw = false }: DecodeOptions): DecodedResponse {
  if (json['type'] === 'error' || objectAt(json, 'error') !== undefined) throw messagesError(json, providerRequestId)
  if (!Array.isArray(json['content'])) throw new CompletionError('response', 'The answer has no content', { bodyJson: json })
  const final = messageFinal(json, providerRequestId)
  const parts = new PartsAccumulator()
  for (const [position, block] of arrayAt(json, 'content').entries()) {
    if (!isJsonObject(block)) continue
    for (const choice of blockChoices(block, { key: `block ${position}`, position, isCutOff: isCutOff(final.finishReason) })) parts.accept(choice)
  }
  return { ...final, choice: parts.finish({ isComplete: !isCutOff(final.finishReason) }), ...(includeRaw ? { raw: json } : {}) }
}

/** What a message object says about the answer as a whole. Reads only what is needed: servers differ in everything else. */
export function messageFinal(message: JsonObject, providerRequestId: string | undefined): StreamFinal {
  const usage = objectAt(message, 'usage')
  const messageId = stringAt(message, 'id')
  const model = stringAt(message, 'model')
  const finishReason = finishReasonOf(stringAt(message, 'stop_reason'))
  return {
    usage: usage === undefined ? ZERO_USAGE : usageOf(usage),
    usageKnown: Object.values(usage ?? {}).some((figure) => typeof figure === 'number'),
    ...(messageId === undefined || messageId === '' ? {} : { messageId }),
    ...(model === undefined ? {} : { model }),
    ...(finishReason === undefined ? {} : { finishReason }),
    ...(providerRequestId === undefined ? {} : { providerRequestId }),
  }
}

function finishReasonOf(stopReason: string | undefined): FinishReason | undefined {
  switch (stopReason) {
    case undefined: return undefined
    case 'end_turn':
    case 'stop_sequence': return 'stop'
    case 'tool_use': return 'tool_calls'
    case 'max_tokens':
    case 'model_context_window_exceeded': return 'length'
    case 'refusal': return 'content_filter'
    default: return { other: stopReason }
  }
}

/** Whether the model was stopped in the middle of what it was saying. */
export function isCutOff(finishReason: FinishReason | undefined): boolean {
  return finishReason === 'length' || finishReason === 'content_filter'
}

/** Tokens read from the cache and written to it come on top of `input_tokens`. */
function usageOf(usage: JsonObject): Usage {
  const inputTokens = numberAt(usage, 'input_tokens') ?? 0
  const outputTokens = numberAt(usage, 'output_tokens') ?? 0
  const cachedInputTokens = numberAt(usage, 'cache_read_input_tokens') ?? 0
  const cacheCreationInputTokens = numberAt(usage, 'cache_creation_input_tokens') ?? 0
  return {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + cachedInputTokens + cacheCreationInputTokens + outputTokens,
    cachedInputTokens,
    cacheCreationInputTokens,
    reasoningTokens: numberAt(objectAt(usage, 'output_tokens_details') ?? {}, 'thinking_tokens') ?? 0,
    toolUsePromptTokens: 0,
  }
}

/** Where a content block belongs. */
export interface BlockPlace {
  /** Names the part. */
  readonly key: string
  readonly position: number
  /** Whether the answer was cut off: then arguments that make no sense are those of half a call. */
  readonly isCutOff: boolean
}

/** A whole content block. What is not known, tools that the provider runs among it, is kept as it is. */
export function blockChoices(block: JsonObject, { key, position, isCutOff: isHalf }: BlockPlace): readonly RawStreamingChoice[] {
  switch (block['type']) {
    case 'text': return [{ type: 'text_start', id: key, position }, { type: 'text_end', id: key, text: stringAt(block, 'text') ?? '', ...citationsMeta(arrayAt(block, 'citations')) }]
    case 'thinking': {
      const restated = thinkingContent(stringAt(block, 'thinking') ?? '', stringAt(block, 'signature') ?? '')
      return [{ type: 'reasoning_start', id: key, position }, { type: 'reasoning_end', id: key, restated }]
    }
    case 'redacted_thinking': {
      const data = stringAt(block, 'data') ?? ''
      return [{ type: 'reasoning_start', id: key, position }, { type: 'reasoning_end', id: key, restated: data === '' ? [] : [{ type: 'redacted', data }] }]
    }
    case 'tool_use': return [callStart(block, { key, position }), { ...callEnd(block, key), arguments: argumentsText(block['input']), onUnparseable: isHalf ? 'drop' : 'error' }]
    default: return [{ type: 'provider_item', provider: 'anthropic', raw: block, position }]
  }
}

/** Thinking without text is kept for its signature: it has to go back. */
export function thinkingContent(text: string, signature: string) {
  if (text === '' && signature === '') return []
  return [{ type: 'text', text, ...(signature === '' ? {} : { signature }) } as const]
}

/** The citations of a text, when there are any. */
export function citationsMeta(citations: readonly Json[]): { readonly meta?: { readonly anthropic: { readonly citations: readonly Json[] } } } {
  return citations.length === 0 ? {} : { meta: { anthropic: { citations } } }
}

/** The beginning of a call. */
export function callStart(block: JsonObject, { key, position }: Pick<BlockPlace, 'key' | 'position'>): RawStreamingChoice {
  const callId = stringAt(block, 'id') ?? ''
  return { type: 'tool_start', id: key, position, name: stringAt(block, 'name') ?? '', ...(callId === '' ? {} : { provider: { callId } }) }
}

/** The end of a call, without what its arguments decide. A call that code of the provider's made has to name its caller when it goes back. */
export function callEnd(block: JsonObject, key: string) {
  const caller = objectAt(block, 'caller')
  const isDirect = caller === undefined || caller['type'] === 'direct'
  return { type: 'tool_end', id: key, ...(isDirect ? {} : { additionalParams: { caller } }) } as const
}

/** Input is an object on the wire; some servers send its text. Nothing stands for no arguments, as in a stream. */
export function argumentsText(input: Json | undefined): string {
  if (typeof input === 'string') return input
  if (input === undefined || input === null) return ''
  return isJsonObject(input) && Object.keys(input).length === 0 ? '' : JSON.stringify(input)
}
