import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.ts'
import { insertUser } from '../../repositories/user-repository.ts'
import { type IdempotencyKey, IdempotentTransactions } from './idempotent-transactions.ts'

let database: TestDatabase
let userId: string
beforeAll(async () => {
  database = await createTestDatabase()
  userId = (await insertUser(database.db.kysely, { id: uuidv7(), name: 'somebody', email: null })).id
})
afterAll(() => database[Symbol.asyncDispose]())

const idempotent = () => new IdempotentTransactions({ db: database.db })
const keyOf = (key: string, body = 1): IdempotencyKey => ({ userId, method: 'POST', path: '/api/v1/things', key, bodyHash: Buffer.alloc(32, body) })

/** An effect that leaves a row, so that it can be counted. */
function effect(name: string, answer: object = { name }) {
  return async (tx: TestDatabase['db']['kysely']) => {
    await insertUser(tx, { id: uuidv7(), name, email: null })
    return answer
  }
}
const happened = async (name: string): Promise<number> => (await database.db.kysely.selectFrom('users').select('id').where('name', '=', name).execute()).length

it('runs an effect once and repeats its answer', async () => {
  expect(await idempotent().run(keyOf('a'), effect('a', { list: [1, 'ü\u0000'] }))).toEqual({ list: [1, 'ü\u0000'] })
  expect(await idempotent().run(keyOf('a'), effect('a'))).toEqual({ list: [1, 'ü\u0000'] })
  expect(await happened('a')).toBe(1)
})

it('runs every effect that has no key', async () => {
  await idempotent().run(undefined, effect('b'))
  await idempotent().run(undefined, effect('b'))
  expect(await happened('b')).toBe(2)
})

it('lets a repeat wait for the first one while that still runs', async () => {
  const gate = Promise.withResolvers<undefined>()
  const started = Promise.withResolvers<undefined>()
  const first = idempotent().run(keyOf('c'), async (tx) => {
    started.resolve(undefined)
    await gate.promise
    return await effect('c', { winner: 'first' })(tx)
  })
  await started.promise
  let isRepeatDone = false
  const repeat = idempotent().run(keyOf('c'), effect('c', { winner: 'repeat' })).finally(() => (isRepeatDone = true))
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(isRepeatDone).toBe(false)
  gate.resolve(undefined)
  expect(await Promise.all([first, repeat])).toEqual([{ winner: 'first' }, { winner: 'first' }])
  expect(await happened('c')).toBe(1)
})

it('frees the key when the effect fails, and rolls all of it back', async () => {
  const failing = idempotent().run(keyOf('d'), async (tx) => {
    await effect('d')(tx)
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(await idempotent().run(keyOf('d'), effect('d'))).toEqual({ name: 'd' })
  expect(await happened('d')).toBe(1)
})

it('refuses another body under the same key', async () => {
  await idempotent().run(keyOf('e', 1), effect('e'))
  await expect(idempotent().run(keyOf('e', 2), effect('e'))).rejects.toMatchObject({ code: 'conflict' })
})

it('keeps keys of other users, methods and paths apart', async () => {
  await idempotent().run(keyOf('f'), effect('f'))
  await idempotent().run({ ...keyOf('f'), path: '/api/v1/others' }, effect('f'))
  expect(await happened('f')).toBe(2)
})

it('forgets a key after 24 hours', async () => {
  await idempotent().run(keyOf('g'), effect('g'))
  await database.db.kysely.updateTable('idempotency_keys').set({ created_at: new Date(Date.now() - 24.5 * 3_600_000) } as never).where('key', '=', 'g').execute()
  expect(await idempotent().find(keyOf('g'))).toBeUndefined()
  await idempotent().run(keyOf('g', 9), effect('g'))
  expect(await happened('g')).toBe(2)
})

it('removes old keys while others are used', async () => {
  await idempotent().run(keyOf('h'), effect('h'))
  await database.db.kysely.updateTable('idempotency_keys').set({ created_at: new Date(Date.now() - 26 * 3_600_000) } as never).where('key', '=', 'h').execute()
  await idempotent().run(keyOf('i'), effect('i'))
  expect(await database.db.kysely.selectFrom('idempotency_keys').select('key').where('key', '=', 'h').execute()).toEqual([])
})
