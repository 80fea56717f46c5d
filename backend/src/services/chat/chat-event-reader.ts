import type { Db } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { type EventRow, readEvents, readHead } from '../../repositories/chat-event-repository.ts'
import type { ChatKey } from '../../repositories/chat-repository.ts'
import { followLog, type FollowOptions, type StreamItem } from '../streams/follow-log.ts'
import type { ChatBroadcast } from './chat-broadcast.ts'

export type { FollowOptions } from '../streams/follow-log.ts'
export type ChatStreamItem = StreamItem<EventRow>

/** Reads chats' logs: a chat is busy while something is queued or running. */
export class ChatEventReader {
  readonly #deps: { readonly db: Pick<Db, 'kysely'>; readonly broadcast: Pick<ChatBroadcast, 'subscribe'> }

  constructor(deps: { readonly db: Pick<Db, 'kysely'>; readonly broadcast: Pick<ChatBroadcast, 'subscribe'> }) {
    this.#deps = deps
  }

  /** Throws `cursor_expired` when the cursor is beyond the head, `not_found` when the chat is gone. Answers the head. */
  async checkCursor(key: ChatKey, after: number): Promise<number> {
    const head = await readHead(this.#deps.db.kysely, key)
    if (head === undefined) throw new AppError('not_found', 'There is no such chat.')
    if (after > head.lastSeq) {
      throw new AppError('cursor_expired', `The cursor ${after} is beyond the last event ${head.lastSeq} of this chat. Read the messages again and continue after their as_of_seq.`, {
        details: { last_seq: head.lastSeq },
      })
    }
    return head.lastSeq
  }

  /** See `followLog`. */
  follow(key: ChatKey, options: FollowOptions): AsyncGenerator<ChatStreamItem, void, void> {
    const { db, broadcast } = this.#deps
    return followLog(
      {
        readHead: () => readHead(db.kysely, key),
        readPage: (page) => readEvents(db.kysely, key, page),
        subscribe: (listener) => broadcast.subscribe(key.chatId, listener),
      },
      options,
    )
  }
}
