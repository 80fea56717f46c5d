import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silentLog } from '../../test/support/silent-log.ts'
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.ts'
import { DedicatedConnection } from './dedicated-connection.ts'
import { ListenConnection } from './listen-connection.ts'

let database: TestDatabase
beforeAll(async () => (database = await createTestDatabase()))
afterAll(() => database[Symbol.asyncDispose]())

const open = (): Promise<ListenConnection> => ListenConnection.open({ connection: database.connection, log: silentLog })
const notify = (channel: string, payload: string): Promise<unknown> => sql`SELECT pg_notify(${channel}, ${payload})`.execute(database.db.kysely)
const cutListeners = (): Promise<unknown> =>
  sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`.execute(database.db.kysely)

it('delivers what is sent to a channel, in order, to every handler of it and to no other', async () => {
  await using listening = closing(await open())
  const [first, second, other]: [string[], string[], string[]] = [[], [], []]
  await listening.listen('Turns "queued"', (payload) => first.push(payload))
  await listening.listen('Turns "queued"', (payload) => second.push(payload))
  await listening.listen('other', (payload) => other.push(payload))
  for (const payload of ['1', '2', '']) await notify('Turns "queued"', payload)
  await expect.poll(() => second).toEqual(['1', '2', ''])
  expect(first).toEqual(['1', '2', ''])
  expect(other).toEqual([])
})

it('stops delivering to a handler that was ended', async () => {
  await using listening = closing(await open())
  const [ended, kept]: [string[], string[]] = [[], []]
  const end = await listening.listen('news', (payload) => ended.push(payload))
  await listening.listen('news', (payload) => kept.push(payload))
  end()
  await notify('news', 'x')
  await expect.poll(() => kept).toEqual(['x'])
  expect(ended).toEqual([])
})

it('listens again by itself after a loss, and says both', async () => {
  await using listening = closing(await open())
  const received: string[] = []
  const phases: string[] = []
  listening.onLost(() => phases.push('lost'))
  listening.onRestored(() => phases.push('restored'))
  await listening.listen('after', (payload) => received.push(payload))
  await cutListeners()
  await expect.poll(() => phases, { timeout: 5_000 }).toEqual(['lost', 'restored'])
  await notify('after', 'still here')
  await expect.poll(() => received).toEqual(['still here'])
})

it('gives an advisory lock to one connection at a time, until that ends', async () => {
  await using first = await DedicatedConnection.open(database.connection)
  await using second = await DedicatedConnection.open(database.connection)
  expect(await first.tryLock('node 1')).toBe(true)
  expect(await second.tryLock('node 1')).toBe(false)
  expect(await second.tryLock('node 2')).toBe(true)
  await first.close()
  await expect.poll(() => second.tryLock('node 1')).toBe(true)
})

it('says that a dedicated connection was lost, and why', async () => {
  await using held = await DedicatedConnection.open(database.connection)
  const [row] = await held.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  await sql`SELECT pg_terminate_backend(${row?.pid ?? 0}::int)`.execute(database.db.kysely)
  expect((await held.lost).message).toContain('terminating connection')
})

function closing(listening: ListenConnection): ListenConnection & AsyncDisposable {
  return Object.assign(listening, { [Symbol.asyncDispose]: () => listening.close() })
}
