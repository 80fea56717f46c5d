/**
 * Wakes whoever waits for something in the database: readers of a chat's events, the turn queue, a running turn that must stop, followers of a workspace's journal on other nodes.
 * In this process directly; on other nodes through `NOTIFY`, after the commit, at most one per 25 ms for everything together. A lost one is
 * harmless: each waiter also polls. Notifications carry pointers, never content.
 */
import type { EphemeralEvent } from '@buildscale/protocol'
import { sql } from 'kysely'
import type { Db } from '../../db/db.ts'
import type { LogListener } from '../streams/follow-log.ts'

/** What a notification says. */
type Pointer =
  | { readonly kind: 'chat'; readonly id: string }
  | { readonly kind: 'queue' }
  | { readonly kind: 'stop'; readonly id: string }
  | { readonly kind: 'journal'; readonly workspaceId: string; readonly seq: number }

/** Called when another node has committed to a workspace's journal. */
type JournalReader = (workspaceId: string, seq: number) => void

export interface BroadcastDeps {
  readonly db: Pick<Db, 'kysely'>
  readonly nodeId: string
  readonly log: { warn(details: object, message: string): void }
}

export const CHANNEL = 'buildscale'
const NOTIFY_INTERVAL_MS = 25
/** PostgreSQL refuses payloads of 8,000 bytes. */
const MAX_PAYLOAD_BYTES = 7_500

export class ChatBroadcast {
  readonly #deps: BroadcastDeps
  readonly #chats = new Map<string, Set<LogListener>>()
  readonly #queue = new Set<() => void>()
  readonly #stops = new Set<(turnId: string) => void>()
  readonly #journals = new Set<JournalReader>()
  readonly #outbox = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #sending: Promise<void> = Promise.resolve()

  constructor(deps: BroadcastDeps) {
    this.#deps = deps
  }

  /** Something was committed to the chat's log. */
  published(chatId: string): void {
    this.#wake({ kind: 'chat', id: chatId })
    this.#send(`c${chatId}`)
  }

  /** A turn was queued, or one ended: there may be something to claim. */
  queueChanged(): void {
    this.#wake({ kind: 'queue' })
    this.#send('q')
  }

  /** A running turn, wherever it runs, must stop. */
  stopRequested(turnId: string): void {
    this.#wake({ kind: 'stop', id: turnId })
    this.#send(`s${turnId}`)
  }

  /** A workspace's journal has grown on this node, whose own followers know: tells the others. */
  journalChanged(workspaceId: string, seq: number): void {
    this.#send(`w${workspaceId}:${seq}`)
  }

  /** Passes an event on to whoever reads the chat on this node right now. */
  ephemeral(chatId: string, event: EphemeralEvent): void {
    const listeners = this.#chats.get(chatId)
    if (listeners === undefined) return
    const item = { event: event.type, data: JSON.stringify({ type: event.type, data: event.data }) }
    for (const listener of listeners) listener.ephemeral(item)
  }

  /** Listens to one chat; call the answer to leave. */
  subscribe(chatId: string, listener: LogListener): () => void {
    const listeners = this.#chats.get(chatId) ?? new Set()
    this.#chats.set(chatId, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#chats.get(chatId) === listeners) this.#chats.delete(chatId)
    }
  }

  onQueueChanged(wake: () => void): () => void {
    this.#queue.add(wake)
    return () => this.#queue.delete(wake)
  }

  onStopRequested(stop: (turnId: string) => void): () => void {
    this.#stops.add(stop)
    return () => this.#stops.delete(stop)
  }

  /** Calls `read` when another node says that a journal has grown. */
  onJournalChanged(read: JournalReader): () => void {
    this.#journals.add(read)
    return () => this.#journals.delete(read)
  }

  /** A notification from the database, on `CHANNEL`: `<node id> <pointer> <pointer> …`. */
  received(payload: string): void {
    const [from, ...pointers] = payload.split(' ')
    if (from === this.#deps.nodeId) return
    for (const text of pointers) {
      const pointer = parsePointer(text)
      if (pointer !== undefined) this.#wake(pointer)
    }
  }

  /** After the listening connection was lost, anything may have been missed. */
  wakeAll(): void {
    for (const listeners of this.#chats.values()) for (const listener of listeners) listener.woken()
    this.#wake({ kind: 'queue' })
  }

  /** Sends what is left. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#flush()
    await this.#sending
  }

  #wake(pointer: Pointer): void {
    switch (pointer.kind) {
      case 'chat':
        for (const listener of this.#chats.get(pointer.id) ?? []) listener.woken()
        return
      case 'queue':
        for (const wake of this.#queue) wake()
        return
      case 'stop':
        for (const stop of this.#stops) stop(pointer.id)
        return
      case 'journal':
        for (const read of this.#journals) read(pointer.workspaceId, pointer.seq)
        return
    }
  }

  #send(pointer: string): void {
    this.#outbox.add(pointer)
    this.#timer ??= setTimeout(() => this.#flush(), NOTIFY_INTERVAL_MS).unref()
  }

  #flush(): void {
    this.#timer = undefined
    const payloads = packPointers(this.#deps.nodeId, [...this.#outbox])
    this.#outbox.clear()
    if (payloads.length === 0) return
    this.#sending = this.#sending.then(() => this.#notify(payloads))
  }

  async #notify(payloads: readonly string[]): Promise<void> {
    try {
      await sql`SELECT pg_notify(${CHANNEL}, payload) FROM unnest(${payloads}::text[]) AS payload`.execute(this.#deps.db.kysely)
    } catch (error) {
      // Other nodes find out by their polls, at most a second later.
      this.#deps.log.warn({ err: error }, 'could not notify other nodes')
    }
  }
}

/** Joins pointers into as few payloads as the size limit allows. */
export function packPointers(nodeId: string, pointers: readonly string[]): string[] {
  const payloads: string[] = []
  let current = nodeId
  for (const pointer of pointers) {
    if (current.length + pointer.length + 1 > MAX_PAYLOAD_BYTES) {
      payloads.push(current)
      current = nodeId
    }
    current += ` ${pointer}`
  }
  return current === nodeId ? payloads : [...payloads, current]
}

function parsePointer(text: string): Pointer | undefined {
  if (text === 'q') return { kind: 'queue' }
  if (text.startsWith('c')) return { kind: 'chat', id: text.slice(1) }
  if (text.startsWith('s')) return { kind: 'stop', id: text.slice(1) }
  if (text.startsWith('w')) return journalPointer(text.slice(1))
  return undefined
}

function journalPointer(text: string): Pointer | undefined {
  const [workspaceId = '', seq = ''] = text.split(':')
  return /^\d+$/.test(seq) ? { kind: 'journal', workspaceId, seq: Number(seq) } : undefined
}
