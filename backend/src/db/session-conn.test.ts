import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.ts'
import type { DbConn } from './db.ts'
import { SessionConn } from './session-conn.ts'

let database: TestDatabase
let session: SessionConn
beforeAll(async () => (database = await createTestDatabase()))
beforeEach(() => (session = new SessionConn(database.db)))
afterAll(() => database[Symbol.asyncDispose]())

const slowly = (conn: DbConn): Promise<unknown> => sql`SELECT pg_sleep(0.02)`.execute(conn)
const backend = async (conn: DbConn): Promise<number | undefined> => (await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(conn)).rows[0]?.pid

it('runs the uses of one session one after the other, in the order they were asked for', async () => {
  const trace: string[] = []
  const use = (name: string) => async (conn: DbConn): Promise<void> => {
    trace.push(`${name} begins`)
    await slowly(conn)
    trace.push(`${name} ends`)
  }
  await Promise.all([session.run(use('a')), session.transaction(use('b')), session.run(use('c'))])
  expect(trace).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

it('lets different sessions run beside each other', async () => {
  const other = new SessionConn(database.db)
  const otherInside = Promise.withResolvers<undefined>()
  // Each waits for the other to be inside: this ends only if both are at the same time.
  const first = session.run(() => otherInside.promise)
  await other.run(() => Promise.resolve(otherInside.resolve(undefined)))
  await first
})

it('rejects a nested use with a clear error instead of waiting for itself for ever', async () => {
  const nested = session.run(() => session.transaction(slowly))
  await expect(nested).rejects.toThrow('not re-entrant')
})

it('allows a use that follows from an earlier one, once that has ended', async () => {
  let later: Promise<number | undefined> = Promise.resolve(undefined)
  const released = Promise.withResolvers<undefined>()
  await session.run((conn) => {
    later = released.promise.then(() => session.run(backend))
    return slowly(conn)
  })
  released.resolve(undefined)
  expect(await later).toBeTypeOf('number')
})

it('goes on after a use that failed, and gives that failure to its caller only', async () => {
  const failing = session.run(() => Promise.reject(new Error('no luck')))
  const next = session.run(backend)
  await expect(failing).rejects.toThrow('no luck')
  expect(await next).toBeTypeOf('number')
})

it('rolls a failed transaction back', async () => {
  const name = crypto.randomUUID()
  const failing = session.transaction(async (tx) => {
    await tx.insertInto('users').values({ id: crypto.randomUUID(), name, email: null }).execute()
    throw new Error('no luck')
  })
  await expect(failing).rejects.toThrow('no luck')
  expect(await session.run((conn) => conn.selectFrom('users').select('id').where('name', '=', name).execute())).toEqual([])
})

it('holds one and the same connection during a use', async () => {
  const [first, second] = await session.run(async (conn) => [await backend(conn), await backend(conn)])
  expect(first).toBe(second)
})

it('holds no connection between its uses: more sessions than connections get along', async () => {
  const sessions = Array.from({ length: 60 }, () => new SessionConn(database.db))
  await Promise.all(sessions.map((each) => each.run(backend)))
  expect(await Promise.all(sessions.map((each) => each.run(backend)))).toHaveLength(60)
})
