/**
 * Tokens of one model call, or of several added up. Figures are the provider's own: with OpenAI `cachedInputTokens` is a part of
 * `inputTokens`, with Anthropic it comes on top.
 */
export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly totalTokens: number
  readonly cachedInputTokens: number
  readonly cacheCreationInputTokens: number
  readonly reasoningTokens: number
  readonly toolUsePromptTokens: number
}

/** No tokens: the start of a sum. */
export const ZERO_USAGE: Usage = {
  inputTokens: 0, outputTokens: 0, totalTokens: 0, cachedInputTokens: 0, cacheCreationInputTokens: 0, reasoningTokens: 0, toolUsePromptTokens: 0,
}

/** The field-wise sum. */
export function addUsage(left: Usage, right: Usage): Usage {
  return {
    inputTokens: left.inputTokens + right.inputTokens,
    outputTokens: left.outputTokens + right.outputTokens,
    totalTokens: left.totalTokens + right.totalTokens,
    cachedInputTokens: left.cachedInputTokens + right.cachedInputTokens,
    cacheCreationInputTokens: left.cacheCreationInputTokens + right.cacheCreationInputTokens,
    reasoningTokens: left.reasoningTokens + right.reasoningTokens,
    toolUsePromptTokens: left.toolUsePromptTokens + right.toolUsePromptTokens,
  }
}
