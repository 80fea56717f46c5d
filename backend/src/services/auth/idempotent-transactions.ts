import type { Db, DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { findIdempotentAnswer, type IdempotencyScope, storeIdempotentAnswer, takeIdempotencyKey } from '../../repositories/idempotency-repository.ts'

/** What makes a request a repeat of another one. The HTTP side makes it from the `Idempotency-Key` header. */
export interface IdempotencyKey extends IdempotencyScope {
  /** SHA-256 of the body. */
  readonly bodyHash: Buffer
}

/**
 * Effects that happen once per `Idempotency-Key`: key, effect and answer commit together. A repeat gets the stored answer; one that comes
 * while the first runs waits for it; after a failure the key is free again. Answers must be plain JSON: a repeat gets them through text.
 */
export class IdempotentTransactions {
  readonly #db: Db

  constructor(deps: { readonly db: Db }) {
    this.#db = deps.db
  }

  /** Runs `effect` in its own transaction, or answers what it answered before. Throws `conflict` when the key came with another body. */
  run<T>(key: IdempotencyKey | undefined, effect: (tx: DbConn) => Promise<T>): Promise<T> {
    return this.#db.transaction((tx) => this.within(tx, key, () => effect(tx)))
  }

  /** The same inside a transaction that is open already. */
  async within<T>(tx: DbConn, key: IdempotencyKey | undefined, effect: () => Promise<T>): Promise<T> {
    if (key === undefined) return await effect()
    if (!(await takeIdempotencyKey(tx, key, key.bodyHash))) return (await this.#stored<T>(tx, key)).answer
    const answer = await effect()
    await storeIdempotentAnswer(tx, key, JSON.stringify(answer ?? null))
    return answer
  }

  /** The answer that an earlier request stored; undefined when this one is the first. Throws `conflict` when that one had another body. */
  async find<T>(key: IdempotencyKey | undefined): Promise<{ readonly answer: T } | undefined> {
    if (key === undefined || (await findIdempotentAnswer(this.#db.kysely, key)) === undefined) return undefined
    return await this.#stored<T>(this.#db.kysely, key)
  }

  async #stored<T>(conn: DbConn, key: IdempotencyKey): Promise<{ readonly answer: T }> {
    const row = await findIdempotentAnswer(conn, key)
    if (row === undefined || row.response === null) throw new AppError('conflict', 'This Idempotency-Key expired at this very moment. Send the request with a new one.')
    if (!row.body_hash.equals(key.bodyHash)) throw new AppError('conflict', 'This Idempotency-Key was used with another body. Use a new key for a new request.')
    // Our own text of a moment ago, made from a T: parsing is the inverse of what `within` wrote.
    const answer: T = JSON.parse(row.response)
    return { answer }
  }
}
