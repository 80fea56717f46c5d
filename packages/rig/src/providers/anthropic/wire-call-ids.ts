import { createHash } from 'node:crypto'
import type { ToolCall, ToolResult } from '../../completion/message-types.ts'

const ACCEPTED = /^[a-zA-Z0-9_-]+$/

/**
 * Which id of a call goes on the wire, on the call as on its result: the provider's, unless it gave the same one twice in one message;
 * then ours tells them apart. Ids of other providers that Anthropic would refuse are replaced, always by the same one.
 */
export class WireCallIds {
  readonly #used = new Set<string>()

  of({ id, provider }: ToolCall | ToolResult): string {
    const given = provider === undefined || this.#used.has(provider.callId) ? id : provider.callId
    this.#used.add(given)
    return ACCEPTED.test(given) ? given : `toolu_${createHash('sha256').update(given).digest('base64url').slice(0, 24)}`
  }
}
