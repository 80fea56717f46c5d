import type { ConversationMemory } from '../agent/conversation-memory.ts'
import type { AnyMessage } from '../completion/message-types.ts'

/** Conversations for as long as the process lives: for tests, demos and single-process tools. */
export class InMemoryConversationMemory implements ConversationMemory {
  readonly #conversations = new Map<string, readonly AnyMessage[]>()

  load(conversationId: string): Promise<readonly AnyMessage[]> {
    return Promise.resolve(this.#conversations.get(conversationId) ?? [])
  }

  append(conversationId: string, messages: readonly AnyMessage[]): Promise<void> {
    this.#conversations.set(conversationId, [...(this.#conversations.get(conversationId) ?? []), ...messages])
    return Promise.resolve()
  }

  clear(conversationId: string): Promise<void> {
    this.#conversations.delete(conversationId)
    return Promise.resolve()
  }
}
