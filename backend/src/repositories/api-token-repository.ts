import { type Selectable, sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import type { Database } from '../db/schema.ts'
import type { UserRow } from './user-repository.ts'

/** A token as lists show it: without its hash. */
export type ApiTokenRow = Omit<Selectable<Database['api_tokens']>, 'token_hash'>

export interface NewApiToken {
  readonly id: string
  readonly user_id: string
  readonly name: string
  readonly token_hash: Buffer
  readonly expires_at: Date | null
}

const VISIBLE = ['id', 'user_id', 'name', 'created_at', 'expires_at', 'last_used_at'] as const

export async function insertApiToken(tx: DbConn, token: NewApiToken): Promise<void> {
  await tx.insertInto('api_tokens').values({ ...token, last_used_at: null }).execute()
}

/** The user of an unexpired token. `usedLately`: its last use is noted already, to the minute. */
export async function findUserOfToken(conn: DbConn, hash: Buffer): Promise<{ readonly user: UserRow; readonly tokenId: string; readonly usedLately: boolean } | undefined> {
  const row = await conn
    .selectFrom('api_tokens')
    .innerJoin('users', 'users.id', 'api_tokens.user_id')
    .selectAll('users')
    .select(['api_tokens.id as token_id', sql<boolean>`coalesce(last_used_at > now() - interval '1 minute', false)`.as('used_lately')])
    .where('token_hash', '=', hash)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', sql<Date>`now()`)]))
    .executeTakeFirst()
  if (row === undefined) return undefined
  const { token_id: tokenId, used_lately: usedLately, ...user } = row
  return { user, tokenId, usedLately }
}

export async function noteTokenUse(conn: DbConn, tokenId: string): Promise<void> {
  await conn.updateTable('api_tokens').set({ last_used_at: sql<Date>`now()` }).where('id', '=', tokenId).execute()
}

/** Oldest first, after the token with id `after`. */
export function listApiTokens(conn: DbConn, page: { readonly userId: string; readonly limit: number; readonly after: string | undefined }): Promise<ApiTokenRow[]> {
  const query = conn.selectFrom('api_tokens').select(VISIBLE).where('user_id', '=', page.userId)
  return (page.after === undefined ? query : query.where('id', '>', page.after)).orderBy('id').limit(page.limit).execute()
}

/** False when the user has no such token. */
export async function deleteApiToken(tx: DbConn, token: { readonly id: string; readonly userId: string }): Promise<boolean> {
  const deleted = await tx.deleteFrom('api_tokens').where('id', '=', token.id).where('user_id', '=', token.userId).executeTakeFirst()
  return deleted.numDeletedRows > 0n
}

export async function deleteApiTokensNamed(tx: DbConn, token: { readonly userId: string; readonly name: string }): Promise<void> {
  await tx.deleteFrom('api_tokens').where('user_id', '=', token.userId).where('name', '=', token.name).execute()
}
