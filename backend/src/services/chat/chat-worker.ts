/** Keeps this node working on turns: takes the node's lease, lets the queue claim under it, and takes it again when the connection was lost. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { DbConnection } from '../../db/db-connection.ts'
import { NodeLease } from './chat-lease.ts'
import type { ChatTurnQueue } from './chat-turn-queue.ts'

export interface ChatWorkerDeps {
  readonly connection: DbConnection
  readonly nodeId: string
  readonly queue: ChatTurnQueue
  readonly log: { info(details: object, message: string): void; warn(details: object, message: string): void }
}

/** A server that was killed a moment ago may still hold the lock until PostgreSQL notices. */
const FIRST_TAKE_MS = 8_000
const RETRY_MS = 250

export class ChatWorker {
  readonly #deps: ChatWorkerDeps
  readonly #stopping = new AbortController()
  #lease: NodeLease | undefined
  #supervision: Promise<void> = Promise.resolve()

  constructor(deps: ChatWorkerDeps) {
    this.#deps = deps
  }

  /** False when another process works as this node. */
  async start(): Promise<boolean> {
    const lease = await this.#take(Date.now() + FIRST_TAKE_MS)
    if (lease === undefined) return false
    this.#supervision = this.#supervise(lease)
    return true
  }

  /** True while this node claims turns. */
  get isWorking(): boolean {
    return this.#lease !== undefined
  }

  /** Parks running turns, so that they go on after a restart or on another node, and gives the lease back. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#deps.queue.pause('shutdown')
    await this.#lease?.close()
    await this.#supervision
  }

  async #supervise(first: NodeLease): Promise<void> {
    for (let lease: NodeLease | undefined = first; lease !== undefined && !this.#stopping.signal.aborted; lease = await this.#take(Infinity)) {
      this.#lease = lease
      this.#deps.queue.start(lease)
      const lost = await Promise.race([lease.lost, aborted(this.#stopping.signal)])
      if (this.#stopping.signal.aborted) return
      this.#lease = undefined
      this.#deps.log.warn({ err: lost }, 'the connection that holds this node’s lock was lost; its turns are aborted until it is back')
      await this.#deps.queue.pause('lease_lost')
    }
  }

  async #take(until: number): Promise<NodeLease | undefined> {
    const { connection, nodeId, log } = this.#deps
    while (!this.#stopping.signal.aborted) {
      try {
        const lease = await NodeLease.take(connection, nodeId)
        if (lease !== undefined) return lease
      } catch (error) {
        if (until !== Infinity) throw error
        log.info({ err: error }, 'waiting for the database')
      }
      if (Date.now() >= until) return undefined
      await sleep(RETRY_MS)
    }
    return undefined
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }))
}
