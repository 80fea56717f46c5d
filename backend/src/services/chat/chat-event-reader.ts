import type { Db } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { type EventRow, readEvents, readHead } from '../../repositories/chat-event-repository.ts'
import type { ChatKey } from '../../repositories/chat-repository.ts'
import type { ChatBroadcast, ChatListener } from './chat-broadcast.ts'

/** What a reader of a chat's stream gets: stored events in order, and ephemeral ones in between. */
export type StreamItem = { readonly type: 'stored'; readonly events: readonly EventRow[] } | { readonly type: 'ephemeral'; readonly event: string; readonly data: string }

export interface FollowOptions {
  /** Exclusive cursor; 0 replays everything. */
  readonly after: number
  /** End once everything is delivered and nothing is queued or running. */
  readonly untilIdle: boolean
  readonly signal: AbortSignal
}

const PAGE = 500
/** The safety net for a lost wake-up. */
const POLL_MS = 1_000
/** Ephemeral events beyond this are dropped while a reader is slow: they are outside the resume guarantee. */
const MAX_EPHEMERAL = 100

/** Reads chats' logs: replay and live are the same query, so a cut stream continues exactly where it was. */
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

  /** Events after the cursor, then live, until the signal, the end of the chat, or idleness. Ends quietly when aborted. */
  async *follow(key: ChatKey, options: FollowOptions): AsyncGenerator<StreamItem, void, void> {
    const wake = new WakeUp(options.signal)
    const unsubscribe = this.#deps.broadcast.subscribe(key.chatId, wake)
    let after = options.after
    try {
      while (!options.signal.aborted) {
        wake.reset()
        // The head is read before the events: what it counts is then certainly among them.
        const head = await readHead(this.#deps.db.kysely, key)
        if (head === undefined) return
        for await (const events of head.lastSeq > after ? this.#pages(key, after) : []) {
          yield { type: 'stored', events }
          after = events.at(-1)?.seq ?? after
          if (options.signal.aborted) return
        }
        for (const item of wake.takeEphemeral()) yield { type: 'ephemeral', ...item }
        if (options.untilIdle && !head.busy && after >= head.lastSeq) return
        await wake.wait(POLL_MS)
      }
    } finally {
      unsubscribe()
      wake.close()
    }
  }

  async *#pages(key: ChatKey, after: number): AsyncGenerator<readonly EventRow[], void, void> {
    for (let cursor = after; ; ) {
      const events = await readEvents(this.#deps.db.kysely, key, { after: cursor, limit: PAGE })
      const last = events.at(-1)
      if (last === undefined) return
      yield events
      cursor = last.seq
      if (events.length < PAGE) return
    }
  }
}

type Ephemeral = Parameters<ChatListener['ephemeral']>[0]

/** A flag that can be waited for, with the ephemeral events that came meanwhile. */
class WakeUp implements ChatListener {
  readonly #signal: AbortSignal
  #awake = false
  #resume: (() => void) | undefined
  #ephemeral: Ephemeral[] = []

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.woken, { once: true })
  }

  readonly woken = (): void => {
    this.#awake = true
    this.#resume?.()
  }

  ephemeral(item: Ephemeral): void {
    if (this.#ephemeral.length < MAX_EPHEMERAL) this.#ephemeral.push(item)
    this.woken()
  }

  takeEphemeral(): readonly Ephemeral[] {
    const taken = this.#ephemeral
    this.#ephemeral = []
    return taken
  }

  reset(): void {
    this.#awake = this.#signal.aborted
  }

  /** Resolves at the next wake-up, or after `ms`. */
  async wait(ms: number): Promise<void> {
    if (this.#awake) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#resume = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#resume = undefined
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.woken)
  }
}
