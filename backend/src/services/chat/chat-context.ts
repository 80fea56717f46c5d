/**
 * What goes into a turn, in which order, under which budget. A `ContextMap` is an ordered map from a key to content with a priority: under pressure
 * what has the highest number goes first, what is essential never goes. Pure.
 */

/** The keys of a context. Those with an argument may occur more than once. */
export const ContextKey = {
  SystemPersona: 'system_persona',
  ActiveSkill: (id: string) => `active_skill:${id}` as const,
  WorkspaceFile: (id: string) => `workspace_file:${id}` as const,
  Environment: 'environment',
  ChatHistory: 'chat_history',
  UserRequest: 'user_request',
} as const

export type ContextKey =
  | typeof ContextKey.SystemPersona
  | ReturnType<typeof ContextKey.ActiveSkill>
  | ReturnType<typeof ContextKey.WorkspaceFile>
  | typeof ContextKey.Environment
  | typeof ContextKey.ChatHistory
  | typeof ContextKey.UserRequest

export interface ContextEntry {
  readonly content: string
  /** Higher numbers are dropped first. */
  readonly priority: number
  /** Estimated tokens of `content`. */
  readonly tokens: number
  /** Never dropped. */
  readonly isEssential: boolean
}

/** What each kind of entry is worth, unless its maker says otherwise. */
export const PRIORITY = { persona: 0, request: 0, environment: 10, skill: 20, history: 30, file: 40 } as const

/** An ordered map of context entries. Immutable: every change answers a new map. */
export class ContextMap {
  readonly #entries: ReadonlyMap<ContextKey, ContextEntry>

  constructor(entries: Iterable<readonly [ContextKey, ContextEntry]> = []) {
    this.#entries = new Map(entries)
  }

  /** The map with an entry added at the end, or replaced in its place. */
  with(key: ContextKey, entry: Omit<ContextEntry, 'tokens'> & { readonly tokens?: number }): ContextMap {
    const tokens = entry.tokens ?? estimateTokens(entry.content)
    return new ContextMap([...this.#entries, [key, { ...entry, tokens }]])
  }

  get(key: ContextKey): ContextEntry | undefined {
    return this.#entries.get(key)
  }

  entries(): readonly (readonly [ContextKey, ContextEntry])[] {
    return [...this.#entries]
  }

  get tokens(): number {
    return [...this.#entries.values()].reduce((sum, entry) => sum + entry.tokens, 0)
  }

  /**
   * Drops what is least important until the map fits `limit` tokens. `excess` is by how many tokens the essential rest is still too large; 0 when it fits.
   */
  optimizeForLimit(limit: number): { readonly map: ContextMap; readonly dropped: readonly ContextKey[]; readonly excess: number } {
    const dropped = new Set<ContextKey>()
    let tokens = this.tokens
    for (const [key, entry] of this.#droppable()) {
      if (tokens <= limit) break
      dropped.add(key)
      tokens -= entry.tokens
    }
    const map = new ContextMap([...this.#entries].filter(([key]) => !dropped.has(key)))
    return { map, dropped: [...dropped], excess: Math.max(0, tokens - limit) }
  }

  /** All contents in order, separated by a blank line: for people who look at a context. */
  render(): string {
    return [...this.#entries.values()].map((entry) => entry.content).join('\n\n')
  }

  /** Least important first; of equals, the later one first. */
  #droppable(): readonly (readonly [ContextKey, ContextEntry])[] {
    return [...this.#entries]
      .filter(([, entry]) => !entry.isEssential)
      .reverse()
      .sort(([, a], [, b]) => b.priority - a.priority)
  }
}

/** About four characters a token in source code and English prose (measured: 4.12). Good enough for budgets, free of a tokenizer's cost. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4)
}
