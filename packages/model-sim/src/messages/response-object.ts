/** The `message` object and the usage and reasons in it. */
import type { JsonObject } from '../json.ts'
import { idField, type ModelTurn, type TurnUsage } from '../model-turn.ts'
import type { TurnIdentity } from '../wire.ts'
import type { MessagesRequest } from './request.ts'

export interface MessageState {
  readonly content: readonly JsonObject[]
  readonly stopReason: string | null
  readonly usage: JsonObject | undefined
}

export function messageObject(request: MessagesRequest, { turn, identity }: { readonly turn: ModelTurn; readonly identity: TurnIdentity }, state: MessageState): JsonObject {
  return {
    ...idField('id', { id: turn.responseId, otherwise: `msg_${identity.responseKey.slice(0, 24)}` }),
    type: 'message',
    role: 'assistant',
    model: request.model,
    content: state.content,
    stop_reason: state.stopReason,
    stop_sequence: null,
    stop_details: null,
    ...(state.usage === undefined ? {} : { usage: state.usage }),
  }
}

/** The reason as Messages words it; null when the stream ends without one. */
export function stopReason({ end, parts, finish }: ModelTurn): string | null {
  switch (end.type) {
    case 'completed':
      if (finish !== undefined) return finish
      if (parts.some((part) => part.type === 'call')) return 'tool_use'
      return parts.some((part) => part.type === 'refusal') ? 'refusal' : 'end_turn'
    case 'incomplete':
      return finish ?? STOPS[end.reason] ?? end.reason
    case 'failed':
    case 'error':
    case 'cancelled':
    case 'missing':
      return null
  }
}

const STOPS: Readonly<Record<string, string>> = { max_output_tokens: 'max_tokens', content_filter: 'refusal' }

export interface MessageUsage {
  /** What `message_start` tells. */
  readonly start: JsonObject
  /** What `message_delta` tells. */
  readonly delta: JsonObject
  /** What an answer without streaming tells. */
  readonly whole: JsonObject
}

/** Input tokens without those that the cache served or took, which stand beside them. What `usage` leaves open is estimated at four characters a token. */
export function messageUsage(usage: TurnUsage, sizes: { readonly inputChars: number; readonly outputChars: number }): MessageUsage {
  const { cachedTokens: read = 0, cacheWriteTokens: written = 0 } = usage
  const all = usage.inputTokens ?? Math.ceil(sizes.inputChars / 4)
  const output = usage.outputTokens ?? Math.ceil(sizes.outputChars / 4)
  const input = { input_tokens: Math.max(0, all - read - written), cache_creation_input_tokens: written, cache_read_input_tokens: read }
  const details = { cache_creation: { ephemeral_5m_input_tokens: written, ephemeral_1h_input_tokens: 0 }, service_tier: 'standard', inference_geo: 'global' }
  return {
    start: { ...input, ...details, output_tokens: Math.min(1, output) },
    delta: { ...input, output_tokens: output, output_tokens_details: { thinking_tokens: usage.reasoningTokens ?? 0 } },
    whole: { ...input, ...details, output_tokens: output },
  }
}
