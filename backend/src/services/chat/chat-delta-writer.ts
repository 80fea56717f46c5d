/**
 * Group commit for the deltas of a model's answer. The first delta of a quiet step is stored at once; what arrives while a commit is in flight is
 * joined into one event per part and stored by the next one. So a slow disk makes events larger, never later than one commit, and a fast model
 * costs a few rows a second.
 */
import type { Db } from '../../db/db.ts'
import { uuidv7 } from 'uuidv7'
import type { NewEventRow } from '../../repositories/chat-event-repository.ts'
import type { ChatBroadcast } from './chat-broadcast.ts'
import { appendFenced, newEvent } from './chat-event-log.ts'
import type { ClaimedTurn, DeltaKind } from './chat-turn.ts'

/** All deltas of a node are stored through a few lanes, so that a thousand streaming chats do not take the whole pool from everything else. */
export class WriterLanes {
  readonly #tails: Promise<unknown>[]

  constructor(count = 4) {
    this.#tails = Array.from({ length: count }, () => Promise.resolve())
  }

  /** Runs `write` after what the chat's lane already has to do. */
  run<T>(chatId: string, write: () => Promise<T>): Promise<T> {
    const lane = hash(chatId) % this.#tails.length
    const result = (this.#tails[lane] ?? Promise.resolve()).then(write, write)
    // The lane goes on after a failure; the failure itself belongs to whoever asked.
    this.#tails[lane] = result.catch(() => undefined)
    return result
  }
}

function hash(text: string): number {
  let value = 0
  for (let index = 0; index < text.length; index++) value = (Math.imul(value, 31) + text.charCodeAt(index)) >>> 0
  return value
}

export interface DeltaWriterDeps {
  readonly db: Pick<Db, 'kysely'>
  readonly lanes: WriterLanes
  readonly broadcast: Pick<ChatBroadcast, 'published'>
  readonly turn: ClaimedTurn
}

interface Part {
  readonly kind: DeltaKind
  readonly id: string
  text: string
  /** UTF-16 units that are already in events. */
  taken: number
}

/** What an unfinished step has said so far. */
export interface PartialPart {
  readonly kind: DeltaKind
  readonly id: string
  readonly text: string
}

/** The deltas of one attempt at one step. */
export class DeltaWriter {
  readonly #deps: DeltaWriterDeps
  readonly #position: { readonly step: number; readonly attempt: number }
  readonly #parts = new Map<string, Part>()
  /** Parts with text that is in no event yet, oldest first. */
  readonly #waiting = new Set<Part>()
  #flushing: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(deps: DeltaWriterDeps, position: { readonly step: number; readonly attempt: number }) {
    this.#deps = deps
    this.#position = position
  }

  push(kind: DeltaKind, key: string, text: string): void {
    if (text === '') return
    const name = `${kind} ${key}`
    let part = this.#parts.get(name)
    if (part === undefined) {
      part = { kind, id: uuidv7(), text: '', taken: 0 }
      this.#parts.set(name, part)
    }
    part.text += text
    this.#waiting.add(part)
    this.#flushing ??= this.#flush()
  }

  ids(kind: DeltaKind): readonly string[] {
    return [...this.#parts.values()].filter((part) => part.kind === kind).map((part) => part.id)
  }

  partial(): readonly PartialPart[] {
    return [...this.#parts.values()].map(({ kind, id, text }) => ({ kind, id, text }))
  }

  /** Waits for the commit in flight and hands over the events that are not stored yet; nothing may be pushed afterwards. Throws what a commit failed with. */
  async drain(): Promise<readonly NewEventRow[]> {
    while (this.#flushing !== undefined) await this.#flushing
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#take({ whole: true })
  }

  async #flush(): Promise<void> {
    await this.#deps.lanes.run(this.#deps.turn.chatId, async () => {
      const events = this.#take({ whole: false })
      if (events.length === 0) return
      const { db, broadcast, turn } = this.#deps
      try {
        await appendFenced(db.kysely, turn, { events, fence: turn })
        broadcast.published(turn.chatId)
      } catch (error) {
        this.#failure ??= { error }
        this.#waiting.clear()
      }
    })
    this.#flushing = undefined
    if (this.#hasTakeable() && this.#failure === undefined) this.#flushing = this.#flush()
  }

  #hasTakeable(): boolean {
    return [...this.#waiting].some((part) => takeableEnd(part, false) > part.taken)
  }

  #take({ whole }: { readonly whole: boolean }): readonly NewEventRow[] {
    const events: NewEventRow[] = []
    for (const part of this.#waiting) {
      const end = takeableEnd(part, whole)
      if (end === part.taken) continue
      const data = { turn_id: this.#deps.turn.turnId, ...this.#position, part_id: part.id, offset: part.taken, text: part.text.slice(part.taken, end) }
      events.push(newEvent(part.kind, this.#deps.turn.turnId, data))
      part.taken = end
      if (end === part.text.length) this.#waiting.delete(part)
    }
    return events
  }
}

/** Up to where a part's text may be sent: a surrogate pair is never cut, so a trailing high surrogate waits for its other half. */
function takeableEnd(part: Part, whole: boolean): number {
  const { length } = part.text
  if (whole || length === 0) return length
  const last = part.text.charCodeAt(length - 1)
  return last >= 0xd800 && last <= 0xdbff ? length - 1 : length
}
