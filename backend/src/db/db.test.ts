import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLog } from '../../test/support/silent-log.ts'
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.ts'
import { AppError, publicError } from '../errors.ts'
import { createDb } from './db.ts'
import { isForeignKeyViolation, isUniqueViolation } from './sql-state.ts'

let database: TestDatabase
beforeAll(async () => (database = await createTestDatabase()))
afterAll(() => database[Symbol.asyncDispose]())

const newUser = (name: string, email: string | null = null) => ({ id: crypto.randomUUID(), name, email })

describe('values', () => {
  it('reads int8 as a number, bytea as a Buffer, timestamptz as a Date', async () => {
    const { rows } = await sql<object>`SELECT 9007199254740991::int8 AS big, '\\x00ff'::bytea AS bytes, '2026-01-02T03:04:05Z'::timestamptz AS at`.execute(database.db.kysely)
    expect(rows[0]).toEqual({ big: Number.MAX_SAFE_INTEGER, bytes: Buffer.from([0, 255]), at: new Date('2026-01-02T03:04:05Z') })
  })

  it('refuses an int8 that a number cannot hold instead of rounding it, and the connection stays usable', async () => {
    const wide = sql`SELECT 9007199254740993::int8 AS big`.execute(database.db.kysely)
    await expect(wide).rejects.toThrow(/9007199254740993 does not fit/)
    const { rows } = await sql<{ one: number }>`SELECT 1 AS one`.execute(database.db.kysely)
    expect(rows[0]?.one).toBe(1)
  })

  it('keeps text with every kind of quote, line and astral character', async () => {
    const name = `O'Brien "the\\" \n\t😀 é é`
    const user = newUser(name)
    await database.db.kysely.insertInto('users').values(user).execute()
    const read = await database.db.kysely.selectFrom('users').select('name').where('id', '=', user.id).executeTakeFirstOrThrow()
    expect(read.name).toBe(name)
  })
})

describe('transactions', () => {
  const count = async (name: string): Promise<number> => {
    const rows = await database.db.kysely.selectFrom('users').select('id').where('name', '=', name).execute()
    return rows.length
  }

  it('keep everything when the work resolves', async () => {
    await database.db.transaction((tx) => tx.insertInto('users').values(newUser('kept')).execute())
    expect(await count('kept')).toBe(1)
  })

  it('keep nothing when the work rejects, and pass its error on', async () => {
    const failing = database.db.transaction(async (tx) => {
      await tx.insertInto('users').values(newUser('lost')).execute()
      throw new AppError('conflict', 'not this time')
    })
    await expect(failing).rejects.toMatchObject({ code: 'conflict' })
    expect(await count('lost')).toBe(0)
  })

  it('are invisible to others until they commit', async () => {
    await database.db.transaction(async (tx) => {
      await tx.insertInto('users').values(newUser('unseen')).execute()
      expect(await count('unseen')).toBe(0)
    })
    expect(await count('unseen')).toBe(1)
  })

  it('run at the isolation level that was asked for', async () => {
    const level = await database.db.transaction(async (tx) => (await sql<{ level: string }>`SELECT current_setting('transaction_isolation') AS level`.execute(tx)).rows[0]?.level, {
      isolation: 'serializable',
    })
    expect(level).toBe('serializable')
  })
})

describe('errors', () => {
  it('say which index refused a row', async () => {
    await database.db.kysely.insertInto('users').values(newUser('first', 'a@example.org')).execute()
    const error: unknown = await database.db.kysely.insertInto('users').values(newUser('second', 'a@example.org')).execute().catch((caught: unknown) => caught)
    expect(isUniqueViolation(error)).toBe(true)
    expect(isUniqueViolation(error, 'users_email_key')).toBe(true)
    expect(isUniqueViolation(error, 'users_pkey')).toBe(false)
    expect(isForeignKeyViolation(error)).toBe(false)
  })

  it('turn a server that cannot be reached into unavailable', async () => {
    const db = createDb({ type: 'parts', host: '/nowhere', port: 1, user: 'nobody', database: 'none' }, { log: silentLog })
    await expect(db.kysely.selectFrom('users').selectAll().execute()).rejects.toMatchObject({ code: 'unavailable' })
    await db.close()
  })

  it('of a server that ends every connection leave the process alive, and the pool serves again', async () => {
    const db = createDb(database.connection, { log: silentLog })
    const endOthers = sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
    const inUse = db.transaction(async (tx) => {
      await sql`SELECT 1`.execute(tx)
      await endOthers.execute(database.db.kysely)
      // The driver has noticed: the connection is dead while nobody asks it anything.
      await sleep(50)
      await sql`SELECT 1`.execute(tx)
    })
    await expect(inUse).rejects.toThrow()
    await sql`SELECT 1`.execute(db.kysely)
    await endOthers.execute(database.db.kysely)
    await expect.poll(() => sql`SELECT 1`.execute(db.kysely).then(() => 'served', () => 'refused'), { timeout: 5_000 }).toBe('served')
    await db.close()
  })

  it('of a statement whose connection is ended under it are unavailable to clients', async () => {
    const running = database.db.kysely.connection().execute((conn) => sql`SELECT pg_terminate_backend(pg_backend_pid())`.execute(conn))
    expect(publicError(await running.catch((error: unknown) => error))).toMatchObject({ code: 'unavailable' })
  })
})

it('reaches the database by the URL that child processes get', async () => {
  const db = createDb({ type: 'url', url: database.url }, { log: silentLog })
  const { rows } = await sql<{ name: string }>`SELECT current_database() AS name`.execute(db.kysely)
  expect(database.url).toContain(rows[0]?.name)
  await db.close()
})
