import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { insertChatOf, insertPerson, insertRunningTurn } from '../../../test/support/chat-rows.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.ts'
import { readEvents } from '../../repositories/chat-event-repository.ts'
import { DeltaWriter, WriterLanes } from './chat-delta-writer.ts'
import { appendEvents } from './chat-event-log.ts'
import { type ClaimedTurn, LostTurn } from './chat-turn.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

async function newTurn(): Promise<{ turn: ClaimedTurn; writer: DeltaWriter; lanes: WriterLanes }> {
  const turn = await insertRunningTurn(database.db, await insertChatOf(database.db, await insertPerson(database.db)))
  const lanes = new WriterLanes()
  return { turn, lanes, writer: new DeltaWriter({ db: database.db, lanes, broadcast: { published: () => undefined }, turn }, { step: 1, attempt: 1 }) }
}

interface Delta {
  readonly part_id: string
  readonly offset: number
  readonly text: string
}

async function storedDeltas(turn: ClaimedTurn): Promise<{ seq: number; type: string; delta: Delta }[]> {
  const events = await readEvents(database.db.kysely, turn, { after: 0, limit: 10_000 })
  return events.map(({ seq, type, data }) => ({ seq, type, delta: JSON.parse(data) as Delta }))
}

describe('DeltaWriter', () => {
  it('stores the first delta at once, and joins what arrives while that commit is in flight', async () => {
    const { turn, writer } = await newTurn()
    for (const word of ['Hello', ', ', 'wide ', 'world']) writer.push('chunk', 'a', word)
    await appendEvents(database.db.kysely, turn, await writer.drain())
    const stored = await storedDeltas(turn)
    expect(stored.length).toBeLessThanOrEqual(2)
    expect(stored.map(({ delta }) => delta.text).join('')).toBe('Hello, wide world')
  })

  it('gives every part its own id and offsets that continue, whatever is joined', async () => {
    const { turn, writer } = await newTurn()
    for (let index = 0; index < 200; index++) {
      writer.push(index % 3 === 0 ? 'thought' : 'chunk', 'x', `${index} `)
      if (index % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await appendEvents(database.db.kysely, turn, await writer.drain())
    const stored = await storedDeltas(turn)
    expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, index) => index + 1))
    for (const type of ['thought', 'chunk']) {
      const deltas = stored.filter((event) => event.type === type).map(({ delta }) => delta)
      expect(new Set(deltas.map((delta) => delta.part_id)).size).toBe(1)
      let text = ''
      for (const delta of deltas) {
        expect(delta.offset).toBe(text.length)
        text += delta.text
      }
      expect(text.trim().split(' ').length).toBe(type === 'thought' ? 67 : 133)
    }
  })

  it('never ends a delta inside a surrogate pair', async () => {
    const { turn, writer } = await newTurn()
    const text = 'a😀b🎉c'.repeat(20)
    for (const unit of text.split('')) {
      writer.push('chunk', 'x', unit)
      await Promise.resolve()
    }
    await appendEvents(database.db.kysely, turn, await writer.drain())
    const stored = await storedDeltas(turn)
    expect(stored.every(({ delta }) => delta.text.isWellFormed())).toBe(true)
    expect(stored.map(({ delta }) => delta.text).join('')).toBe(text)
  })

  it('keeps text that JSON in the database could not hold: NUL and a lone surrogate', async () => {
    const { turn, writer } = await newTurn()
    const text = 'a\u0000b\ud800c'
    writer.push('chunk', 'x', text)
    await appendEvents(database.db.kysely, turn, await writer.drain())
    expect((await storedDeltas(turn)).map(({ delta }) => delta.text).join('')).toBe(text)
  })

  it('stores nothing once another claim has the turn, and says so at the next commit', async () => {
    const { turn, writer } = await newTurn()
    await database.db.kysely.updateTable('turns').set({ lease_epoch: 2 }).where('id', '=', turn.turnId).execute()
    writer.push('chunk', 'x', 'too late')
    await expect(writer.drain()).rejects.toBeInstanceOf(LostTurn)
    expect(await storedDeltas(turn)).toEqual([])
  })
})

describe('WriterLanes', () => {
  it('goes on after a write that failed, and keeps the writes of one chat in order', async () => {
    const lanes = new WriterLanes(1)
    const order: number[] = []
    const failed = lanes.run('a', () => Promise.reject(new Error('disk full')))
    const after = lanes.run('a', () => Promise.resolve(order.push(1)))
    await expect(failed).rejects.toThrow('disk full')
    await after
    await lanes.run('b', () => Promise.resolve(order.push(2)))
    expect(order).toEqual([1, 2])
  })
})
