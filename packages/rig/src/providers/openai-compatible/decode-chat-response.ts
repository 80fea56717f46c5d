import type { FinishReason, StreamFinal } from '../../completion/completion-event.ts'
import { numberAt, objectAt, stringAt, type JsonObject } from '../../completion/json.ts'
import { PartsAccumulator } from '../../completion/parts-accumulator.ts'
import { ZERO_USAGE, type Usage } from '../../completion/usage.ts'
import { CompletionError } from '../../errors.ts'
import type { DecodedResponse, DecodeOptions } from '../wire.ts'
import { ChatAnswer } from './chat-answer.ts'
import { chatError, firstChoice } from './chat-error.ts'

/** What a decoder has to know of the server. */
export interface ChatDecoderOptions extends DecodeOptions {
  /** Names the server in errors. */
  readonly provider: string
  readonly thinkTags: boolean
}

/** A whole answer. Throws `CompletionError` when it tells of an error, or says nothing without a reason. */
export function decodeChatResponse(answer: JsonObject, { provider, thinkTags, providerRequestId, includeRaw = false }: ChatDecoderOptions): DecodedResponse {
  const choice = firstChoice(answer)
  const error = chatError(answer, { provider, providerRequestId, choice })
  if (error !== undefined) throw error
  if (choice === undefined) throw new CompletionError('response', 'The answer has no choice', { bodyJson: answer })
  const finishReason = finishReasonOf(choice)
  const parts = new PartsAccumulator()
  const reader = new ChatAnswer((part) => parts.accept(part), { thinkTags, isWhole: true })
  reader.accept(objectAt(choice, 'message') ?? objectAt(choice, 'delta') ?? {})
  reader.end(finishReason)
  const content = parts.finish({ isComplete: !isCutOff(finishReason) })
  if (content.length === 0 && !isCutOff(finishReason)) throw new CompletionError('response', 'The answer is empty', { bodyJson: answer })
  const final = chatFinal({ responseId: stringAt(answer, 'id'), model: stringAt(answer, 'model'), usage: usageIn(answer, choice), finishReason, providerRequestId })
  return { ...final, choice: content, ...(includeRaw ? { raw: answer } : {}) }
}

export interface ChatEnding {
  readonly responseId: string | undefined
  readonly model: string | undefined
  readonly usage: Usage | undefined
  readonly finishReason: FinishReason | undefined
  readonly providerRequestId: string | undefined
}

/** What is said about the answer as a whole. */
export function chatFinal({ responseId, model, usage, finishReason, providerRequestId }: ChatEnding): StreamFinal {
  return {
    usage: usage ?? ZERO_USAGE,
    usageKnown: usage !== undefined,
    ...(responseId === undefined ? {} : { responseId }),
    ...(model === undefined ? {} : { model }),
    ...(finishReason === undefined ? {} : { finishReason }),
    ...(providerRequestId === undefined ? {} : { providerRequestId }),
  }
}

/** Why a choice ended; `undefined` while it has not. */
export function finishReasonOf(choice: JsonObject): FinishReason | undefined {
  const reason = stringAt(choice, 'finish_reason')
  switch (reason) {
    case undefined:
    case '': return undefined
    case 'stop': return 'stop'
    case 'length':
    case 'max_tokens':
    case 'model_length': return 'length'
    case 'tool_calls':
    case 'function_call': return 'tool_calls'
    case 'content_filter': return 'content_filter'
    default: return { other: reason }
  }
}

/** Whether an answer with this end may be half of one. */
export function isCutOff(reason: FinishReason | undefined): boolean {
  return reason === 'length' || reason === 'content_filter'
}

/** The token figures of an answer or chunk, wherever the server puts them: Groq has an object of its own, Moonshot the choice. */
export function usageIn(payload: JsonObject, choice: JsonObject | undefined): Usage | undefined {
  const own = objectAt(payload, 'x_groq') ?? choice
  const usage = objectAt(payload, 'usage') ?? (own === undefined ? undefined : objectAt(own, 'usage'))
  return usage === undefined ? undefined : usageOf(usage)
}

function usageOf(usage: JsonObject): Usage {
  const input = objectAt(usage, 'prompt_tokens_details') ?? {}
  const output = objectAt(usage, 'completion_tokens_details') ?? {}
  const inputTokens = numberAt(usage, 'prompt_tokens') ?? 0
  const outputTokens = numberAt(usage, 'completion_tokens') ?? 0
  return {
    inputTokens,
    outputTokens,
    totalTokens: numberAt(usage, 'total_tokens') ?? inputTokens + outputTokens,
    // DeepSeek counts hits of its cache beside the details, Moonshot too under the plain name.
    cachedInputTokens: numberAt(input, 'cached_tokens') ?? numberAt(usage, 'prompt_cache_hit_tokens') ?? numberAt(usage, 'cached_tokens') ?? 0,
    cacheCreationInputTokens: numberAt(input, 'cache_write_tokens') ?? 0,
    reasoningTokens: numberAt(output, 'reasoning_tokens') ?? 0,
    toolUsePromptTokens: 0,
  }
}
