import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ListenConnection } from '../../db/listen-connection.ts'
import { silentLog } from '../../../test/support/silent-log.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.ts'
import { CHANNEL, ChatBroadcast, packPointers } from './chat-broadcast.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

function counter() {
  let woken = 0
  const ephemeral: string[] = []
  return { woken: () => void woken++, ephemeral: (item: { event: string }) => void ephemeral.push(item.event), get count() { return woken }, seen: ephemeral }
}

describe('ChatBroadcast', () => {
  it('wakes readers of a chat on this node at once, and nobody else', () => {
    const broadcast = new ChatBroadcast({ db: database.db, nodeId: randomUUID(), log: silentLog })
    const mine = counter()
    const other = counter()
    broadcast.subscribe('a', mine)
    const leave = broadcast.subscribe('b', other)
    broadcast.published('a')
    leave()
    broadcast.published('b')
    expect([mine.count, other.count]).toEqual([1, 0])
  })

  it('wakes readers, queues and stops on another node, but not its own a second time', async () => {
    const here = new ChatBroadcast({ db: database.db, nodeId: randomUUID(), log: silentLog })
    const there = new ChatBroadcast({ db: database.db, nodeId: randomUUID(), log: silentLog })
    await using listening = { connection: await ListenConnection.open({ connection: database.connection, log: silentLog }), [Symbol.asyncDispose]() { return this.connection.close() } }
    await listening.connection.listen(CHANNEL, (payload) => {
      here.received(payload)
      there.received(payload)
    })
    const local = counter()
    const remote = counter()
    const stops: string[] = []
    let queue = 0
    here.subscribe('chat', local)
    there.subscribe('chat', remote)
    there.onQueueChanged(() => queue++)
    there.onStopRequested((turnId) => stops.push(turnId))
    here.published('chat')
    here.published('chat')
    here.queueChanged()
    here.stopRequested('turn')
    await expect.poll(() => [remote.count, queue, stops.length], { timeout: 5_000 }).toEqual([1, 1, 1])
    await sleep(50)
    expect(local.count).toBe(2)
    await here.close()
  })

  it('passes ephemeral events on to whoever reads right now', () => {
    const broadcast = new ChatBroadcast({ db: database.db, nodeId: randomUUID(), log: silentLog })
    const reader = counter()
    broadcast.subscribe('a', reader)
    broadcast.ephemeral('a', { type: 'call_progress', data: { turn_id: randomUUID(), step: 1, attempt: 1, call_id: randomUUID() } })
    expect(reader.seen).toEqual(['call_progress'])
  })
})

describe('packPointers', () => {
  it('sends nothing when there is nothing to say', () => {
    expect(packPointers('node', [])).toEqual([])
  })

  it('never exceeds what PostgreSQL accepts in one payload', () => {
    const pointers = Array.from({ length: 1_000 }, () => `c${randomUUID()}`)
    const payloads = packPointers(randomUUID(), pointers)
    expect(Math.max(...payloads.map((payload) => Buffer.byteLength(payload)))).toBeLessThan(8_000)
    expect(payloads.flatMap((payload) => payload.split(' ').slice(1))).toEqual(pointers)
  })
})
