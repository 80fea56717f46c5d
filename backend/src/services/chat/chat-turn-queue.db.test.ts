import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { insertChatOf, insertPerson, insertQueuedTurn } from '../../../test/support/chat-rows.ts'
import { silentLog } from '../../../test/support/silent-log.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.ts'
import { readEvents } from '../../repositories/chat-event-repository.ts'
import { endTurn, findTurn } from '../../repositories/turn-repository.ts'
import { ChatBroadcast } from './chat-broadcast.ts'
import { NodeLease } from './chat-lease.ts'
import { ChatTurnQueue } from './chat-turn-queue.ts'
import { type ClaimedTurn, TurnAborted } from './chat-turn.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

interface Node {
  readonly queue: ChatTurnQueue
  readonly lease: NodeLease
  readonly broadcast: ChatBroadcast
  readonly ran: ClaimedTurn[]
  readonly aborts: string[]
}

const nodes: Node[] = []
afterEach(async () => {
  for (const node of nodes.splice(0)) {
    await node.queue.pause('shutdown')
    await node.lease.close()
    await node.broadcast.close()
  }
  await database.db.kysely.deleteFrom('turns').execute()
})

/** What a turn does here: ends after a moment, or goes on until it is aborted. */
type Behaviour = 'ends' | 'hangs'

async function startNode(behaviour: Behaviour, nodeId = randomUUID()): Promise<Node> {
  const ran: ClaimedTurn[] = []
  const aborts: string[] = []
  const broadcast = new ChatBroadcast({ db: database.db, nodeId, log: silentLog })
  const runTurn = async (turn: ClaimedTurn, signal: AbortSignal): Promise<void> => {
    ran.push(turn)
    if (behaviour === 'hangs') await new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve())))
    if (signal.aborted) return void aborts.push(signal.reason instanceof TurnAborted ? signal.reason.why : 'unknown')
    await new Promise((resolve) => setTimeout(resolve, 15))
    await endTurn(database.db.kysely, turn.turnId, { status: 'done', usage: null, cost: null, error: null, firstDeltaAt: null })
  }
  const queue = new ChatTurnQueue({ db: database.db, broadcast, nodeId, runTurn, log: silentLog, maxRunning: 8 })
  const lease = await NodeLease.take(database.connection, nodeId)
  if (lease === undefined) throw new Error('the lock is held')
  queue.start(lease)
  const node = { queue, lease, broadcast, ran, aborts }
  nodes.push(node)
  return node
}

const newChat = async () => insertChatOf(database.db, await insertPerson(database.db))
const statusOf = async (workspaceId: string, turnId: string) => (await findTurn(database.db.kysely, { workspaceId, turnId }))?.status

describe('ChatTurnQueue', () => {
  it('runs the turns of a chat one at a time, in order, and chats side by side, on two nodes', async () => {
    const chats = [await newChat(), await newChat(), await newChat()]
    for (const chat of chats) for (let number = 1; number <= 6; number++) await insertQueuedTurn(database.db, chat, number)
    const both = [await startNode('ends'), await startNode('ends')]
    await expect.poll(() => both.flatMap((node) => node.ran).length, { timeout: 10_000 }).toBe(18)
    for (const chat of chats) {
      const started = await database.db.kysely.selectFrom('turns').select(['number', 'started_at', 'ended_at']).where('chat_id', '=', chat.chatId).orderBy('number').execute()
      for (const [index, turn] of started.entries()) {
        const before = started[index - 1]
        if (before !== undefined) expect(turn.started_at?.getTime()).toBeGreaterThanOrEqual(before.ended_at?.getTime() ?? Infinity)
      }
    }
  })

  it('leaves the turns behind a running one alone', async () => {
    const chat = await newChat()
    await insertQueuedTurn(database.db, chat, 1)
    const second = await insertQueuedTurn(database.db, chat, 2)
    const node = await startNode('hangs')
    await expect.poll(() => node.ran.length).toBe(1)
    node.broadcast.queueChanged()
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(node.ran).toHaveLength(1)
    expect(await statusOf(chat.workspaceId, second.turnId)).toBe('queued')
  })

  it('announces a turn once, and a later attempt as a restarted step', async () => {
    const chat = await newChat()
    await insertQueuedTurn(database.db, chat)
    const nodeId = randomUUID()
    const first = await startNode('hangs', nodeId)
    await expect.poll(() => first.ran.length).toBe(1)
    await first.queue.pause('lease_lost')
    await first.lease.close()
    const second = await startNode('hangs', nodeId)
    await expect.poll(() => second.ran.length, { timeout: 5_000 }).toBe(1)
    expect(second.ran[0]).toMatchObject({ attempt: 2, epoch: 2 })
    const events = await readEvents(database.db.kysely, chat, { after: 0, limit: 10 })
    expect(events.map((event) => event.type)).toEqual(['turn_started', 'step_restarted'])
    expect(JSON.parse(events[1]?.data ?? '')).toMatchObject({ attempt: 2, step: 1, void_from_seq: 2 })
  })

  it('takes a turn of another node only when its lease has run out', async () => {
    const chat = await newChat()
    const { turnId } = await insertQueuedTurn(database.db, chat)
    const running = { status: 'running' as const, owner: randomUUID(), lease_epoch: 1, attempt: 1 }
    await database.db.kysely.updateTable('turns').set({ ...running, lease_expires_at: new Date(Date.now() + 60_000) }).where('id', '=', turnId).execute()
    const node = await startNode('hangs')
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(node.ran).toHaveLength(0)
    await database.db.kysely.updateTable('turns').set({ lease_expires_at: new Date(Date.now() - 1) }).where('id', '=', turnId).execute()
    node.broadcast.queueChanged()
    await expect.poll(() => node.ran.length).toBe(1)
  })

  it('aborts a turn at once when a person stops it', async () => {
    const chat = await newChat()
    const { turnId } = await insertQueuedTurn(database.db, chat)
    const node = await startNode('hangs')
    await expect.poll(() => node.ran.length).toBe(1)
    node.broadcast.stopRequested(turnId)
    await expect.poll(() => node.aborts).toEqual(['stopped'])
  })

  it('aborts a turn that another claim has taken over, at the next renewal', { timeout: 20_000 }, async () => {
    const chat = await newChat()
    const { turnId } = await insertQueuedTurn(database.db, chat)
    const node = await startNode('hangs')
    await expect.poll(() => node.ran.length).toBe(1)
    await database.db.kysely.updateTable('turns').set({ lease_epoch: 9, owner: randomUUID() }).where('id', '=', turnId).execute()
    await expect.poll(() => node.aborts, { timeout: 12_000 }).toEqual(['lease_lost'])
  })
})

describe('NodeLease', () => {
  it('is held by one process at a time and free again when that one is gone', async () => {
    const nodeId = randomUUID()
    const first = await NodeLease.take(database.connection, nodeId)
    expect(await NodeLease.take(database.connection, nodeId)).toBeUndefined()
    await first?.close()
    const second = await NodeLease.take(database.connection, nodeId)
    expect(second).toBeDefined()
    await second?.close()
  })

  it('says when its connection is lost', async () => {
    const lease = await NodeLease.take(database.connection, randomUUID())
    // Only this file's database: other tests hold locks of their own.
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_try_advisory_lock%' AND pid <> pg_backend_pid()`.execute(database.db.kysely)
    expect(await lease?.lost).toBeInstanceOf(Error)
    await lease?.close()
  })
})
