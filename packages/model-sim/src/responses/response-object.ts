/** The `response` object: an echo of the request with what has been produced so far. */
import type { JsonObject } from '../json.ts'
import { idField, type ChosenId, type TurnEnd, type TurnUsage } from '../model-turn.ts'
import type { ResponsesRequest } from './request.ts'

export interface ResponseState {
  readonly id: string
  /** What a script says in place of `id`. */
  readonly chosenId: ChosenId | undefined
  readonly createdAt: number
  readonly output: readonly JsonObject[]
  /** Undefined while the response is being made. */
  readonly end: TurnEnd | undefined
  readonly usage: JsonObject | null
}

export function responseObject(request: Pick<ResponsesRequest, 'model' | 'body'>, state: ResponseState): JsonObject {
  const { body } = request
  const { end } = state
  return {
    ...idField('id', { id: state.chosenId, otherwise: state.id }),
    object: 'response',
    created_at: state.createdAt,
    status: statusOf(end),
    background: false,
    completed_at: end?.type === 'completed' ? state.createdAt : null,
    error: end?.type === 'failed' ? { code: end.code, message: end.message } : null,
    incomplete_details: end?.type === 'incomplete' ? { reason: end.reason } : null,
    instructions: body['instructions'] ?? null,
    max_output_tokens: body['max_output_tokens'] ?? null,
    max_tool_calls: body['max_tool_calls'] ?? null,
    model: request.model,
    output: state.output,
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    previous_response_id: body['previous_response_id'] ?? null,
    prompt_cache_key: body['prompt_cache_key'] ?? null,
    reasoning: body['reasoning'] ?? { effort: null, summary: null },
    safety_identifier: body['safety_identifier'] ?? null,
    service_tier: end === undefined ? 'auto' : 'default',
    store: body['store'] ?? true,
    temperature: body['temperature'] ?? 1,
    text: body['text'] ?? { format: { type: 'text' }, verbosity: 'medium' },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: body['tools'] ?? [],
    top_logprobs: body['top_logprobs'] ?? 0,
    top_p: body['top_p'] ?? 1,
    truncation: body['truncation'] ?? 'disabled',
    usage: state.usage,
    user: body['user'] ?? null,
    metadata: body['metadata'] ?? {},
  }
}

function statusOf(end: TurnEnd | undefined): string {
  if (end === undefined) return 'in_progress'
  return end.type === 'error' || end.type === 'missing' ? 'failed' : end.type
}

/** Usage as OpenAI reports it; what `usage` leaves open is estimated at four characters a token. */
export function usageObject(usage: TurnUsage, sizes: { readonly inputChars: number; readonly outputChars: number }): JsonObject {
  const input = usage.inputTokens ?? Math.ceil(sizes.inputChars / 4)
  const output = usage.outputTokens ?? Math.ceil(sizes.outputChars / 4)
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cachedTokens ?? 0, ...(usage.cacheWriteTokens === undefined ? {} : { cache_write_tokens: usage.cacheWriteTokens }) },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: input + output,
  }
}
