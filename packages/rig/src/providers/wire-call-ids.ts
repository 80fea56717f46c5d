import { createHash } from 'node:crypto'
import type { ToolCall, ToolResult } from '../completion/message-types.ts'

/** What a wire accepts as the id of a call, and what becomes of others. */
export interface CallIdFormat {
  readonly accepted: RegExp
  /** Depends on the digest of the id alone, so that a call and its result, encoded apart, still agree. */
  replace(digest: Buffer): string
}

/**
 * Which id of a call goes on the wire, on the call as on its result: the provider's, unless it gave the same one twice in one message; then
 * ours tells them apart.
 */
export class WireCallIds {
  readonly #used = new Set<string>()
  readonly #format: CallIdFormat | undefined

  constructor(format?: CallIdFormat) {
    this.#format = format
  }

  of({ id, provider }: ToolCall | ToolResult): string {
    const given = provider === undefined || this.#used.has(provider.callId) ? id : provider.callId
    this.#used.add(given)
    const format = this.#format
    return format === undefined || format.accepted.test(given) ? given : format.replace(createHash('sha256').update(given).digest())
  }
}
