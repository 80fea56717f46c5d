import type { Selectable } from 'kysely'
import type { DbConn } from '../db/db.ts'
import type { Database } from '../db/schema.ts'

export type UserRow = Selectable<Database['users']>

export interface NewUser {
  readonly id: string
  readonly name: string
  readonly email: string | null
}

export function insertUser(tx: DbConn, user: NewUser): Promise<UserRow> {
  return tx.insertInto('users').values(user).returningAll().executeTakeFirstOrThrow()
}

/** The first local owner wins, whoever else starts at the same moment: undefined when there is one already. */
export function insertLocalOwner(tx: DbConn, user: NewUser): Promise<UserRow | undefined> {
  return tx
    .insertInto('users')
    .values({ ...user, is_local_owner: true })
    .onConflict((conflict) => conflict.column('is_local_owner').where('is_local_owner', '=', true).doNothing())
    .returningAll()
    .executeTakeFirst()
}

export function findLocalOwner(conn: DbConn): Promise<UserRow | undefined> {
  return conn.selectFrom('users').selectAll().where('is_local_owner', '=', true).executeTakeFirst()
}

export function findUser(conn: DbConn, userId: string): Promise<UserRow | undefined> {
  return conn.selectFrom('users').selectAll().where('id', '=', userId).executeTakeFirst()
}
