import { AsyncLocalStorage } from 'node:async_hooks'
import type { Db, DbConn } from './db.ts'

/**
 * The mutex of one session around a `DbConn`: its database uses run one at a time, in the order they were asked for, so that they never interleave.
 * A pooled connection is taken only while a use runs, and given back however it ends. Not for child processes, network or model calls: do those outside.
 */
export class SessionConn {
  readonly #db: Db
  #last: Promise<unknown> = Promise.resolve()
  readonly #current = new AsyncLocalStorage<{ active: boolean }>()

  constructor(db: Db) {
    this.#db = db
  }

  /** Runs `use` on one connection, without a transaction. Rejects when called from within another use of this session. */
  run<T>(use: (conn: DbConn) => Promise<T>): Promise<T> {
    return this.#exclusive(() => this.#db.kysely.connection().execute(use))
  }

  /** Runs `use` in a transaction. Rejects when called from within another use of this session. */
  transaction<T>(use: (tx: DbConn) => Promise<T>): Promise<T> {
    return this.#exclusive(() => this.#db.transaction(use))
  }

  async #exclusive<T>(work: () => Promise<T>): Promise<T> {
    // A nested use would wait for itself for ever; the caller's mistake is named instead. Work that outlives the use that started it is not nested.
    if (this.#current.getStore()?.active === true) throw new Error('SessionConn is not re-entrant: use the connection that the running call was given')
    const use = { active: true }
    const result = this.#last.then(() => this.#current.run(use, work)).finally(() => (use.active = false))
    // The queue goes on after a failure; the failure itself belongs to the caller.
    this.#last = result.catch(() => undefined)
    return result
  }
}
