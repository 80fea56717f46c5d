import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'

/** Scope of a key: one user, one method, one path. */
export interface IdempotencyScope {
  readonly userId: string
  readonly method: string
  readonly path: string
  readonly key: string
}

/** How long an answer is repeated. */
const LIFETIME = sql`interval '24 hours'`

/**
 * Takes the key for this transaction: true when it is free or too old. While another transaction holds it, this waits for that one's end.
 * False: somebody's effect is committed under it.
 */
export async function takeIdempotencyKey(tx: DbConn, scope: IdempotencyScope, bodyHash: Buffer): Promise<boolean> {
  await forgetOldKeys(tx)
  const result = await sql`
    INSERT INTO idempotency_keys AS held (user_id, method, path, key, body_hash)
    VALUES (${scope.userId}, ${scope.method}, ${scope.path}, ${scope.key}, ${bodyHash})
    ON CONFLICT (user_id, method, path, key) DO UPDATE SET body_hash = excluded.body_hash, response = NULL, created_at = now()
      WHERE held.created_at < now() - ${LIFETIME}
    RETURNING true`.execute(tx)
  return result.rows.length > 0
}

/** `response` is JSON text. */
export async function storeIdempotentAnswer(tx: DbConn, scope: IdempotencyScope, response: string): Promise<void> {
  await tx
    .updateTable('idempotency_keys')
    .set({ response })
    .where('user_id', '=', scope.userId)
    .where('method', '=', scope.method)
    .where('path', '=', scope.path)
    .where('key', '=', scope.key)
    .execute()
}

/** What a committed request stored under the key; undefined when there is none, or only one that is too old. */
export function findIdempotentAnswer(conn: DbConn, scope: IdempotencyScope): Promise<{ readonly body_hash: Buffer; readonly response: string | null } | undefined> {
  return conn
    .selectFrom('idempotency_keys')
    .select(['body_hash', 'response'])
    .where('user_id', '=', scope.userId)
    .where('method', '=', scope.method)
    .where('path', '=', scope.path)
    .where('key', '=', scope.key)
    .where('created_at', '>=', sql<Date>`now() - ${LIFETIME}`)
    .executeTakeFirst()
}

/** A few at each use instead of a worker: the table stays as small as a day's keys. Rows that others hold are left to them. */
async function forgetOldKeys(tx: DbConn): Promise<void> {
  await sql`
    DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM idempotency_keys WHERE created_at < now() - ${LIFETIME} - interval '1 hour' LIMIT 20 FOR UPDATE SKIP LOCKED
    ))`.execute(tx)
}
