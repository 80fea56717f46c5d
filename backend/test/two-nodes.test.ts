import type { SseEvent } from '@buildscale/protocol'
import { createClient } from '@buildscale/sdk'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningApp, startApp } from './support/running-app.ts'

const SCRIPT = {
  turns: [
    { when: { last_user: 'slow' }, times: 'always', text: 'A long answer that somebody on the other node will stop before it has come to its end.', event_delay_ms: 80 },
    { when: { last_user: 'write', step: 0 }, times: 'always', text: 'Writing. ', calls: [{ name: 'write', arguments: { path: '/shared.txt', content: 'from a turn' } }], delay_ms: 100 },
    { when: { last_user: 'write', step: 1 }, times: 'always', text: 'Written.', delay_ms: 100 },
    { times: 'always', text: 'Short answer.', delay_ms: 30 },
  ],
}

let first: RunningApp
let second: RunningApp
beforeAll(async () => {
  first = await startApp({ script: SCRIPT })
  second = await startApp({ script: SCRIPT, beside: first })
})
afterAll(async () => {
  await second[Symbol.asyncDispose]()
  await first[Symbol.asyncDispose]()
})

/** The same person on either node. */
const chatsOn = (app: RunningApp) => createClient({ url: app.url, token: first.token }).chats(first.workspaceId)

async function follow(app: RunningApp, chatId: string): Promise<SseEvent[]> {
  const events: SseEvent[] = []
  for await (const event of chatsOn(app).events(chatId, { until: 'idle' })) if (event.id !== null) events.push(event)
  return events
}

describe('two nodes on one database', () => {
  it('show a turn to readers of both, event by event the same, while it runs on one', async () => {
    const { chat } = await chatsOn(first).create({ goal: 'write it' })
    const [here, there] = await Promise.all([follow(first, chat.id), follow(second, chat.id)])
    expect(there).toEqual(here)
    expect(here.at(-1)?.type).toBe('done')
  })

  it('let a person stop from one what runs on the other, within a second', async () => {
    const { chat, turn_id: turnId } = await chatsOn(first).create({ goal: 'slow please' })
    await sleep(500)
    const startedAt = performance.now()
    // One of the two nodes runs it; a stop from each would both be fine, and one of them crosses over.
    expect(await chatsOn(second).stop(chat.id)).toEqual({ turn_id: turnId, status: 'stopped' })
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    expect((await follow(first, chat.id)).filter((event) => event.type === 'stopped')).toHaveLength(1)
  })

  it('answer messages sent to both once each and in order', async () => {
    const { chat } = await chatsOn(first).create({ title: 'both' })
    await Promise.all(Array.from({ length: 10 }, (_, index) => chatsOn(index % 2 === 0 ? first : second).send(chat.id, { content: `message ${index}` })))
    const events = await follow(second, chat.id)
    const bounds = events.filter((event) => event.type === 'turn_started' || event.type === 'done').map((event) => event.type)
    expect(bounds).toEqual(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'turn_started' : 'done')))
  })

  it('show the changes of files to readers of both, whichever node made them, without waiting for a poll', async () => {
    const { id } = await createClient({ url: first.url, token: first.token }).workspaces.create({ name: 'streamed' })
    const filesOn = (app: RunningApp) => createClient({ url: app.url, token: first.token }).files(id)
    const [here, there] = [filesOn(first).events(), filesOn(second).events()]
    expect([(await here.next()).value, (await there.next()).value]).toMatchObject([{ type: 'session_init' }, { type: 'session_init' }])
    const startedAt = performance.now()
    for (let index = 0; index < 6; index += 1) {
      await filesOn(index % 2 === 0 ? first : second).put('/f', `text ${index}`)
      const event = (await here.next()).value
      expect(event).toMatchObject({ id: index + 1, data: { path: '/f', version: index + 1 } })
      expect((await there.next()).value).toEqual(event)
    }
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    await Promise.all([here.return(undefined), there.return(undefined)])
  })

  it('each keep a copy of the files on disk, which catches up by the journal before it is used', async () => {
    const { chat } = await chatsOn(first).create({ goal: 'write it' })
    await follow(first, chat.id)
    for (const app of [first, second]) {
      const { ok, workspaces } = await createClient({ url: app.url, token: first.token }).doctor({ deep: true })
      expect(ok, JSON.stringify(workspaces)).toBe(true)
      expect(readFileSync(join(app.dataDir, 'workspaces', first.workspaceId, 'shared.txt'), 'utf8')).toBe('from a turn')
    }
  })

  it('let an edit on the disk of one become a version, which comes to the disk of the other', async () => {
    const onDisk = (app: RunningApp, name: string): string => join(app.dataDir, 'workspaces', first.workspaceId, name)
    await createClient({ url: first.url, token: first.token }).files(first.workspaceId).put('/notes.txt', 'from the API')
    await expect.poll(() => existsSync(onDisk(second, 'notes.txt')), { timeout: 10_000 }).toBe(true)
    writeFileSync(onDisk(second, 'notes.txt'), 'edited on the second disk')
    await expect.poll(() => readFileSync(onDisk(first, 'notes.txt'), 'utf8'), { timeout: 10_000 }).toBe('edited on the second disk')
    const { items } = await createClient({ url: first.url, token: first.token }).files(first.workspaceId).versions('/notes.txt')
    expect(items.map(({ number, author }) => [number, author.kind])).toEqual([[2, 'disk'], [1, 'user']])
  })
})
