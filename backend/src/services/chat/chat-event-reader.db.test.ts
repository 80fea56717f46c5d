import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { insertChatOf, insertPerson, insertQueuedTurn } from '../../../test/support/chat-rows.ts'
import { silentLog } from '../../../test/support/silent-log.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.ts'
import type { ChatKey } from '../../repositories/chat-repository.ts'
import { ChatBroadcast } from './chat-broadcast.ts'
import { appendEvents, newEvent } from './chat-event-log.ts'
import { ChatEventReader, type FollowOptions } from './chat-event-reader.ts'

let database: TestDatabase
let broadcast: ChatBroadcast
let reader: ChatEventReader
beforeAll(async () => {
  database = await createTestDatabase()
  broadcast = new ChatBroadcast({ db: database.db, nodeId: randomUUID(), log: silentLog })
  reader = new ChatEventReader({ db: database.db, broadcast })
})
afterAll(async () => {
  await broadcast.close()
  await database[Symbol.asyncDispose]()
})

const newChat = async () => insertChatOf(database.db, await insertPerson(database.db))

async function append(key: ChatKey, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, index) => newEvent('message', null, { message_id: randomUUID(), role: 'user', content: String(index), position: 0 }))
  await database.db.transaction((tx) => appendEvents(tx, key, events))
  broadcast.published(key.chatId)
}

async function collect(key: ChatKey, options: Partial<FollowOptions> & { readonly until?: number }): Promise<number[]> {
  const controller = new AbortController()
  const seqs: number[] = []
  for await (const item of reader.follow(key, { after: 0, untilIdle: false, signal: controller.signal, ...options })) {
    if (item.type === 'stored') seqs.push(...item.events.map((event) => event.seq))
    if (options.until !== undefined && (seqs.at(-1) ?? 0) >= options.until) controller.abort()
  }
  return seqs
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe('ChatEventReader', () => {
  it('replays everything after the cursor, however many pages that is, and ends when the chat is idle', async () => {
    const key = await newChat()
    await append(key, 1_234)
    expect(await collect(key, { untilIdle: true })).toEqual(range(1, 1_234))
    expect(await collect(key, { untilIdle: true, after: 1_200 })).toEqual(range(1_201, 1_234))
  })

  it('goes from replay to live without a gap or a repeat while writers write', async () => {
    const key = await newChat()
    await append(key, 10)
    const reading = Promise.all([collect(key, { until: 310 }), collect(key, { until: 310, after: 5 })])
    await Promise.all(range(1, 30).map(() => append(key, 10)))
    const [all, rest] = await reading
    expect(all).toEqual(range(1, 310))
    expect(rest).toEqual(range(6, 310))
  })

  it('does not end while a turn waits or runs', async () => {
    const key = await newChat()
    const { turnId } = await insertQueuedTurn(database.db, key)
    await append(key, 1)
    let isEnded = false
    const reading = collect(key, { untilIdle: true }).then((seqs) => {
      isEnded = true
      return seqs
    })
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(isEnded).toBe(false)
    await database.db.kysely.updateTable('turns').set({ status: 'done' }).where('id', '=', turnId).execute()
    await append(key, 1)
    expect(await reading).toEqual([1, 2])
  })

  it('finds events by itself when their wake-up was lost', async () => {
    const key = await newChat()
    const reading = collect(key, { until: 1 })
    await new Promise((resolve) => setTimeout(resolve, 50))
    await database.db.transaction((tx) => appendEvents(tx, key, [newEvent('message', null, { message_id: randomUUID(), role: 'user', content: '', position: 0 })]))
    expect(await reading).toEqual([1])
  })

  it('refuses a cursor beyond the head, naming the head', async () => {
    const key = await newChat()
    await append(key, 3)
    expect(await reader.checkCursor(key, 3)).toBe(3)
    await expect(reader.checkCursor(key, 4)).rejects.toMatchObject({ code: 'cursor_expired', details: { last_seq: 3 } })
  })

  it('does not know a chat of another workspace', async () => {
    const key = await newChat()
    await append(key, 1)
    const stranger = await newChat()
    await expect(reader.checkCursor({ workspaceId: stranger.workspaceId, chatId: key.chatId }, 0)).rejects.toMatchObject({ code: 'not_found' })
    expect(await collect({ workspaceId: stranger.workspaceId, chatId: key.chatId }, { untilIdle: true })).toEqual([])
  })
})
