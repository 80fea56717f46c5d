/** Names that answer as the default model does, so that a client configured for a provider needs no change. */
const OPENAI_NAMES = [
  'gpt-4o',
  'gpt-4o-mini',
  'gpt-4.1',
  'gpt-4.1-mini',
  'gpt-4.1-nano',
  'gpt-5',
  'gpt-5-mini',
  'gpt-5-nano',
  'gpt-5.1',
  'gpt-5.2',
  'o3',
  'o4-mini',
] as const

/** Names of this program's own models; `load:…` names come on top, see load-model.ts. */
export const OWN_NAMES = ['rules', 'scripted'] as const

const ANTHROPIC_NAMES = ['claude-opus-4-8', 'claude-opus-4-6', 'claude-opus-4-5', 'claude-sonnet-4-6', 'claude-sonnet-4-5', 'claude-haiku-4-5'] as const

const EMBEDDING_NAMES = ['text-embedding-3-small', 'text-embedding-3-large', 'text-embedding-ada-002'] as const

export const DEFAULT_NAMES: readonly string[] = [...OWN_NAMES, ...OPENAI_NAMES, ...ANTHROPIC_NAMES, ...EMBEDDING_NAMES]

export const MODES = ['rules', 'scripted', 'load'] as const
/** Who answers to names that choose no model of their own. */
export type ModelSimMode = (typeof MODES)[number]
