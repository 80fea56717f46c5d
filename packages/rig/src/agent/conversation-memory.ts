import type { AnyMessage } from '../completion/message-types.ts'
import { MemoryError } from '../errors.ts'

/** Where conversations are kept between runs. */
export interface ConversationMemory {
  /** Everything said so far; empty for a conversation that is not known. */
  load(conversationId: string): Promise<readonly AnyMessage[]>
  /** Adds what one run has said, its prompt first. */
  append(conversationId: string, messages: readonly AnyMessage[]): Promise<void>
  clear(conversationId: string): Promise<void>
}

/** One conversation of a memory. */
export class RememberedConversation {
  readonly #memory: ConversationMemory
  readonly #id: string

  constructor(memory: ConversationMemory, id: string) {
    this.#memory = memory
    this.#id = id
  }

  /** Throws `MemoryError`: answering without what was said before would be worse than not answering. */
  async load(): Promise<readonly AnyMessage[]> {
    try {
      return await this.#memory.load(this.#id)
    } catch (error) {
      throw new MemoryError('load', this.#id, { cause: error })
    }
  }

  /** `undefined` when it worked: the answer is there, so a failure is something to be told of, not to throw away the answer for. */
  async append(messages: readonly AnyMessage[]): Promise<MemoryError | undefined> {
    try {
      await this.#memory.append(this.#id, messages)
      return undefined
    } catch (error) {
      return new MemoryError('append', this.#id, { cause: error })
    }
  }
}
