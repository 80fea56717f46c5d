/** Model ids by name. Every place that takes a model id takes any string; these only save typing. */
export const CLAUDE_OPUS_4_8 = 'claude-opus-4-8'
export const CLAUDE_OPUS_4_7 = 'claude-opus-4-7'
export const CLAUDE_OPUS_4_6 = 'claude-opus-4-6'
export const CLAUDE_OPUS_4_5 = 'claude-opus-4-5'
export const CLAUDE_SONNET_4_6 = 'claude-sonnet-4-6'
export const CLAUDE_SONNET_4_5 = 'claude-sonnet-4-5'
export const CLAUDE_HAIKU_4_5 = 'claude-haiku-4-5'
export const CLAUDE_4_OPUS = 'claude-opus-4-0'
export const CLAUDE_4_SONNET = 'claude-sonnet-4-0'
export const CLAUDE_3_7_SONNET = 'claude-3-7-sonnet-latest'
export const CLAUDE_3_5_SONNET = 'claude-3-5-sonnet-latest'
export const CLAUDE_3_5_HAIKU = 'claude-3-5-haiku-latest'

/** The version of the wire that this package speaks. */
export const ANTHROPIC_VERSION_2023_06_01 = '2023-06-01'

/** The first pattern that fits decides. Gateways put a vendor before the name and a dot between the figures. */
const MAX_TOKENS: readonly (readonly [RegExp, number])[] = [
  [/opus-4[.-][678]/, 128_000],
  [/opus-4[.-]5/, 64_000],
  // The first two of the family, by their short names and by their dates.
  [/opus-4/, 32_000],
  [/sonnet-4|haiku-4|3[.-]7-sonnet/, 64_000],
  [/3[.-]5-(?:sonnet|haiku)/, 8192],
  [/claude-3-(?:opus|sonnet|haiku)/, 4096],
  // A name that is newer than this table: every model since the fourth generation takes this much.
  [/claude/, 32_000],
]

/** What a model that is not one of Anthropic's is asked for. */
const FALLBACK_MAX_TOKENS = 2048

/**
 * The `max_tokens` of a request that names none, for the wire requires one: the most that the model can say. Names that begin like one of
 * Anthropic's and are not known get 32000, all others 2048: say what you want in the request, or in the client's `defaultMaxTokens`.
 */
export function defaultMaxTokens(model: string): number {
  return MAX_TOKENS.find(([pattern]) => pattern.test(model))?.[1] ?? FALLBACK_MAX_TOKENS
}

/** Whether a model reads system messages in the middle of a conversation where they stand. */
export function takesInlineSystem(model: string): boolean {
  return /opus-4[.-]8/.test(model)
}
