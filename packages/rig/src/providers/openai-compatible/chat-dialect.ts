import type { JsonObject } from '../../completion/json.ts'

/**
 * In what a server that speaks Chat Completions differs from OpenAI. One codec serves all of them; answers are read leniently whatever the
 * dialect, so most of this is about requests.
 */
export interface ChatDialect {
  /** The field for the longest answer. `auto`: `max_completion_tokens` for the OpenAI models that refuse the older name, `max_tokens` for all others. */
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens' | 'auto'
  /** The role of system messages; `developer` is what OpenAI's reasoning models call it. */
  readonly systemRole: 'system' | 'developer'
  /** `string` for servers whose chat templates take a system text only as one string (llama.cpp, older Mistral and vLLM templates). */
  readonly systemContent: 'parts' | 'string'
  /** The same for the texts of assistant messages. */
  readonly assistantContent: 'parts' | 'string'
  /** What stands for the text of a turn of calls without any: nothing, or an empty string for servers that miss the field (DeepSeek). */
  readonly emptyContent: 'omit' | 'string'
  /** For servers without content parts at all (DeepSeek): texts are joined, images and files are refused here. */
  readonly stringContentOnly: boolean
  /** Whether usage is asked for with `stream_options`; Mistral and Perplexity send it unasked, and refuse or ignore the field. */
  readonly streamOptions: boolean
  /**
   * The field in which an assistant message carries its own reasoning back. DeepSeek refuses a turn of tool calls without
   * `reasoning_content`; OpenRouter wants `reasoning_details` as it sent them; Groq refuses any such field.
   */
  readonly replayReasoning: 'reasoning_content' | 'reasoning' | 'reasoning_details' | 'none'
  /** Whether a tool result of several blocks goes as a list of text parts; otherwise as lines of one string, which every server takes. */
  readonly toolResultArrayContent: boolean
  /** Whether tool results may hold images; OpenAI refuses them. */
  readonly toolResultImages: boolean
  /** Whether images and files that a tool result cannot hold follow the results as a message of the user; otherwise they are refused here. Mistral takes no user behind a tool. */
  readonly toolMediaFollows: boolean
  /** Whether the server knows `strict` on a function; it is left out otherwise, since some refuse fields that they do not know. */
  readonly strictTools: boolean
  /** Reads a leading `<think>…</think>` of the text as reasoning: for servers without a reasoning parser. */
  readonly thinkTags: boolean
  /** Whether the server takes tools at all; Perplexity does not. */
  readonly tools: boolean
  /** `string` for servers that only know `auto`, `none` and `required` (llama.cpp): a choice of functions is then expressed by offering only those. */
  readonly toolChoice: 'full' | 'string'
  /** Whether several functions can be named in the tool choice (`allowed_tools`, OpenAI only). */
  readonly allowedTools: boolean
  /** What tool call ids have to look like (Mistral: nine letters and digits), without the flags g and y. Others are replaced by nine letters and digits derived from them. */
  readonly toolIdFormat?: RegExp
  /** `json_object` for servers that only promise some JSON (DeepSeek): the schema is then told in a system message. */
  readonly responseFormat: 'json_schema' | 'json_object'
  /** Whether tools are still called when an output format is set. Local servers constrain the grammar, which rules calls out. */
  readonly outputWithTools: boolean
  /** Whether an output format may go together with a forced tool choice; Mistral refuses that. */
  readonly outputWithForcedTools: boolean
  /** Fields of every request that nothing else sets, such as OpenRouter's `usage`. */
  readonly extraBody?: JsonObject
}

/** OpenAI's own Chat Completions. */
export const OPENAI_DIALECT: ChatDialect = {
  maxTokensField: 'auto',
  systemRole: 'system',
  systemContent: 'parts',
  assistantContent: 'parts',
  emptyContent: 'omit',
  stringContentOnly: false,
  streamOptions: true,
  replayReasoning: 'reasoning_content',
  toolResultArrayContent: false,
  toolResultImages: false,
  toolMediaFollows: true,
  strictTools: true,
  thinkTags: false,
  tools: true,
  toolChoice: 'full',
  allowedTools: true,
  responseFormat: 'json_schema',
  outputWithTools: true,
  outputWithForcedTools: true,
}

/** What a server is taken for that nothing more is known about: only what nearly all of them understand. */
export const PLAIN_DIALECT: ChatDialect = {
  ...OPENAI_DIALECT,
  maxTokensField: 'max_tokens',
  systemContent: 'string',
  assistantContent: 'string',
  replayReasoning: 'none',
  strictTools: false,
  allowedTools: false,
}

const NEEDS_NEW_FIELD = /^(?:o\d|gpt-[5-9](?:$|[.-]))/

/** The field that carries the longest answer for `model`. */
export function maxTokensField({ maxTokensField: field }: ChatDialect, model: string): 'max_tokens' | 'max_completion_tokens' {
  if (field !== 'auto') return field
  return NEEDS_NEW_FIELD.test(model) ? 'max_completion_tokens' : 'max_tokens'
}
