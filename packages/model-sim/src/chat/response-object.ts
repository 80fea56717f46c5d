/** The `chat.completion` object and what its chunks share with it. */
import type { JsonObject } from '../json.ts'
import { idField, reasoningWords, type ModelTurn, type OutputPart, type TurnUsage } from '../model-turn.ts'
import type { TurnIdentity } from '../wire.ts'
import type { ChatRequest } from './request.ts'

/** The fields that the object and every chunk have alike. */
export function completionBase(request: ChatRequest, turn: ModelTurn, identity: TurnIdentity): JsonObject {
  const id = idField('id', { id: turn.responseId, otherwise: `chatcmpl-${identity.responseKey}` })
  return { ...id, created: identity.createdAt, model: request.model, service_tier: 'default', system_fingerprint: 'fp_model_sim' }
}

export interface SpokenTurn {
  readonly calls: readonly JsonObject[]
  readonly finish: string | null
  readonly usage: JsonObject | undefined
}

export function completionObject(base: JsonObject, turn: ModelTurn, { calls, finish, usage }: SpokenTurn): JsonObject {
  const { parts } = turn
  const content = said(parts, 'text')
  const refusal = said(parts, 'refusal')
  const reasoning = parts.flatMap((part) => (part.type === 'reasoning' ? [reasoningWords(part)] : [])).join('\n')
  const message = {
    role: 'assistant',
    content: content ?? null,
    refusal: refusal ?? null,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
    annotations: parts.flatMap((part) => (part.type === 'text' ? (part.annotations ?? []) : [])),
  }
  return { ...base, object: 'chat.completion', choices: [{ index: 0, message, logprobs: null, finish_reason: finish }], ...(usage === undefined ? {} : { usage }) }
}

function said(parts: readonly OutputPart[], type: 'text' | 'refusal'): string | undefined {
  const words = parts.flatMap((part) => (part.type === type ? [part.deltas.join('')] : []))
  return words.length === 0 ? undefined : words.join('')
}

/** The reason as Chat Completions words it; null when the stream ends without one. */
export function finishReason({ end, parts, finish }: ModelTurn): string | null {
  switch (end.type) {
    case 'completed':
      return finish ?? (parts.some((part) => part.type === 'call') ? 'tool_calls' : 'stop')
    case 'incomplete':
      return finish ?? (end.reason === 'max_output_tokens' ? 'length' : end.reason)
    case 'failed':
    case 'error':
    case 'cancelled':
    case 'missing':
      return null
  }
}

/** What `usage` leaves open is estimated at four characters a token. */
export function usageObject(usage: TurnUsage, sizes: { readonly inputChars: number; readonly outputChars: number }): JsonObject {
  const input = usage.inputTokens ?? Math.ceil(sizes.inputChars / 4)
  const output = usage.outputTokens ?? Math.ceil(sizes.outputChars / 4)
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens ?? 0, audio_tokens: 0, ...(usage.cacheWriteTokens === undefined ? {} : { cache_write_tokens: usage.cacheWriteTokens }) },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
  }
}
