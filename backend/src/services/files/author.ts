import type { AuthorKind } from '@buildscale/protocol'

/** Who made a change, as versions and the journal keep it. */
export interface Author {
  readonly kind: AuthorKind
  readonly id: string | null
  /** The turn and the tool call that an agent's change belongs to. */
  readonly turnId: string | null
  readonly toolCallId: string | null
}

/** A person who changes a file by hand. */
export function userAuthor(userId: string): Author {
  return { kind: 'user', id: userId, turnId: null, toolCallId: null }
}
