import { setTimeout as sleep } from 'node:timers/promises'
import type { DbConnection } from './db-connection.ts'
import type { DbLog } from './db-log.ts'
import { DedicatedConnection } from './dedicated-connection.ts'

export interface ListenOptions {
  readonly connection: DbConnection
  readonly log: DbLog
}

/** Receives the payload of one notification. Must not throw. */
export type NotificationHandler = (payload: string) => void

const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5_000

/**
 * The node's one connection for `LISTEN`. It reconnects by itself and listens again to everything. Notifications that were sent in between are lost
 * (PostgreSQL keeps none), so whoever listens also looks at the tables in `onRestored`, and polls slowly as a safety net.
 */
export class ListenConnection {
  readonly #options: ListenOptions
  readonly #handlers = new Map<string, Set<NotificationHandler>>()
  readonly #lostHandlers = new Set<() => void>()
  readonly #restoredHandlers = new Set<() => void>()
  readonly #stop = new AbortController()
  #current: DedicatedConnection | undefined
  #supervision: Promise<void> = Promise.resolve()

  private constructor(options: ListenOptions) {
    this.#options = options
  }

  /** Connects; rejects when the server cannot be reached now. Later losses are repaired. */
  static async open(options: ListenOptions): Promise<ListenConnection> {
    const listening = new ListenConnection(options)
    const first = await listening.#connect()
    listening.#supervision = listening.#supervise(first)
    return listening
  }

  /** Calls `handler` for every notification on `channel` from now on. Resolves when the server listens; the result ends it. */
  async listen(channel: string, handler: NotificationHandler): Promise<() => void> {
    const handlers = this.#handlers.get(channel) ?? new Set()
    this.#handlers.set(channel, handlers.add(handler))
    // While the connection is away this waits for nothing: the reconnect listens to every channel of the map.
    if (handlers.size === 1) await this.#current?.query(listenTo(channel))
    return () => handlers.delete(handler)
  }

  /** Calls `handler` when the connection is lost. The result ends it. */
  onLost(handler: () => void): () => void {
    this.#lostHandlers.add(handler)
    return () => this.#lostHandlers.delete(handler)
  }

  /** Calls `handler` when it listens again after a loss: notifications may have been missed. The result ends it. */
  onRestored(handler: () => void): () => void {
    this.#restoredHandlers.add(handler)
    return () => this.#restoredHandlers.delete(handler)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#current?.close()
    await this.#supervision
  }

  async #connect(): Promise<DedicatedConnection> {
    const opened = await DedicatedConnection.open(this.#options.connection)
    opened.onNotification((channel, payload) => {
      for (const handler of this.#handlers.get(channel) ?? []) handler(payload)
    })
    // Set before listening, so that a channel added meanwhile is listened to by one of the two.
    this.#current = opened
    for (const channel of this.#handlers.keys()) await opened.query(listenTo(channel))
    return opened
  }

  async #supervise(first: DedicatedConnection): Promise<void> {
    const stopped = new Promise<undefined>((done) => this.#stop.signal.addEventListener('abort', () => done(undefined)))
    let current: DedicatedConnection | undefined = first
    while (current !== undefined) {
      const reason = await Promise.race([current.lost, stopped])
      if (reason === undefined) return
      this.#current = undefined
      this.#options.log.warn({ err: reason }, 'the listening database connection was lost')
      for (const handler of this.#lostHandlers) handler()
      current = await this.#reconnect()
      if (current !== undefined) for (const handler of this.#restoredHandlers) handler()
    }
  }

  /** Tries until it succeeds; undefined when `close()` came first. */
  async #reconnect(): Promise<DedicatedConnection | undefined> {
    for (let delay = FIRST_RETRY_MS; !this.#stop.signal.aborted; delay = Math.min(delay * 2, LAST_RETRY_MS)) {
      try {
        const opened = await this.#connect()
        if (!this.#stop.signal.aborted) return opened
        await opened.close()
      } catch (error) {
        this.#current = undefined
        this.#options.log.info({ err: error, retryInMs: delay }, 'the database cannot be listened to yet')
        await sleep(delay, undefined, { signal: this.#stop.signal }).catch(() => undefined) // aborted: the loop ends
      }
    }
    return undefined
  }
}

/** Channel names are identifiers, quoted as such; they are ours, not a user's. */
function listenTo(channel: string): string {
  return `LISTEN "${channel.replaceAll('"', '""')}"`
}
