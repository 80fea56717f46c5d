/** The namespace `anthropic` of the package. */
export { AnthropicCompletionModel, type AnthropicModelOptions } from './anthropic-completion-model.ts'
export { Client, type ClientOptions } from './client.ts'
export { type RequestOptions } from './encode-request.ts'
export {
  ANTHROPIC_VERSION_2023_06_01, CLAUDE_3_5_HAIKU, CLAUDE_3_5_SONNET, CLAUDE_3_7_SONNET, CLAUDE_4_OPUS, CLAUDE_4_SONNET, CLAUDE_HAIKU_4_5,
  CLAUDE_OPUS_4_5, CLAUDE_OPUS_4_6, CLAUDE_OPUS_4_7, CLAUDE_OPUS_4_8, CLAUDE_SONNET_4_5, CLAUDE_SONNET_4_6,
} from './models.ts'
export { type CacheTtl, type PromptCaching } from './prompt-caching.ts'
