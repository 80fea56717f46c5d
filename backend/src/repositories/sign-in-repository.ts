import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import type { UserRow } from './user-repository.ts'

export async function insertSignInCode(tx: DbConn, code: { readonly code_hash: Buffer; readonly user_id: string; readonly expires_at: Date }): Promise<void> {
  await tx.deleteFrom('sign_in_codes').where('expires_at', '<', sql<Date>`now()`).execute()
  await tx.insertInto('sign_in_codes').values(code).execute()
}

/** Uses a code up: its user's id the first time and in time, undefined otherwise. */
export async function takeSignInCode(tx: DbConn, hash: Buffer): Promise<string | undefined> {
  const row = await tx.deleteFrom('sign_in_codes').where('code_hash', '=', hash).returning(['user_id', sql<boolean>`expires_at > now()`.as('valid')]).executeTakeFirst()
  return row?.valid === true ? row.user_id : undefined
}

export async function insertBrowserSession(tx: DbConn, session: { readonly session_hash: Buffer; readonly user_id: string; readonly expires_at: Date }): Promise<void> {
  await tx.deleteFrom('browser_sessions').where('expires_at', '<', sql<Date>`now()`).execute()
  await tx.insertInto('browser_sessions').values(session).execute()
}

export function findUserOfSession(conn: DbConn, hash: Buffer): Promise<UserRow | undefined> {
  return conn
    .selectFrom('browser_sessions')
    .innerJoin('users', 'users.id', 'browser_sessions.user_id')
    .selectAll('users')
    .where('session_hash', '=', hash)
    .where('expires_at', '>', sql<Date>`now()`)
    .executeTakeFirst()
}

export async function deleteBrowserSession(tx: DbConn, hash: Buffer): Promise<void> {
  await tx.deleteFrom('browser_sessions').where('session_hash', '=', hash).execute()
}
