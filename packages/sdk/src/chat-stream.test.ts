import type { SseEvent } from '@buildscale/protocol'
import { describe, expect, it } from 'vitest'
import { FIXTURE_TOKEN, FixtureServer } from '../test/support/fixture-server.ts'
import type { FixtureChat } from '../test/support/fixture-chat.ts'
import { createClient } from './buildscale-client.ts'
import type { ChatEventsOptions } from './chat-stream.ts'
import type { ConnectionChange } from './event-stream.ts'

const RETRY = { min: 1, max: 20 }

function chatsOf(server: FixtureServer) {
  return createClient({ url: server.url, token: FIXTURE_TOKEN }).chats(server.main.id)
}

/** A chat with `count` deltas of text that is wide in UTF-8, after which nothing runs. */
function chatWithDeltas(server: FixtureServer, count: number): FixtureChat {
  const chat = server.main.createChat({})
  const turn = { turn_id: chat.info.id, step: 1, attempt: 1 }
  for (let index = 0; index < count; index += 1) {
    chat.append({ type: index % 3 === 0 ? 'thought' : 'chunk', data: { ...turn, part_id: chat.info.id, offset: index, text: `日本語 🎉 ${index}\n` } })
  }
  return chat
}

async function collect(events: AsyncIterable<SseEvent>): Promise<SseEvent[]> {
  const all: SseEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

function stored(events: readonly SseEvent[]): SseEvent[] {
  return events.filter(({ id }) => id !== null)
}

async function firstEvents(events: AsyncIterable<SseEvent>, count: number): Promise<SseEvent[]> {
  const all: SseEvent[] = []
  for await (const event of events) {
    if (event.id !== null) all.push(event)
    if (all.length === count) break
  }
  return all
}

/** Numbers from 0 to 1 that are the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
}

describe('the events of a chat', () => {
  it('come in order, with the connection first, and end when the chat is idle', async () => {
    await using server = await FixtureServer.start()
    const chat = chatWithDeltas(server, 3)

    const events = await collect(chatsOf(server).events(chat.info.id, { until: 'idle' }))

    expect(events.map(({ id }) => id)).toEqual([null, 1, 2, 3])
    expect(events[0]).toMatchObject({ type: 'session_init', data: { last_seq: 3 } })
    expect(stored(events)).toEqual(chat.events)
  })

  it('start after the cursor', async () => {
    await using server = await FixtureServer.start()
    const chat = chatWithDeltas(server, 5)
    expect(stored(await collect(chatsOf(server).events(chat.info.id, { after: 3, until: 'idle' }))).map(({ id }) => id)).toEqual([4, 5])
  })

  it('follow a turn while it runs', async () => {
    await using server = await FixtureServer.start()
    const chats = chatsOf(server)
    const { chat, after } = await chats.create({ goal: 'hello' })

    const events = await collect(chats.events(chat.id, { after, until: 'idle' }))

    expect(events.at(1)).toMatchObject({ type: 'message', data: { content: 'hello' } })
    expect(events.at(-1)).toMatchObject({ type: 'done' })
  })

  it.for(['reset', 'end'] as const)('are exactly those of an uncut stream when the connection is cut 200 times by %s', async (cutBy) => {
    await using server = await FixtureServer.start()
    const chat = chatWithDeltas(server, 3000)
    const uncut = await collect(chatsOf(server).events(chat.info.id, { until: 'idle' }))
    const random = randomNumbers(7)
    let cuts = 0
    server.faults.cutBy = cutBy
    server.faults.cutAfter = () => (cuts++ < 200 ? 1 + Math.floor(random() * 5000) : undefined)

    const events = await collect(chatsOf(server).events(chat.info.id, { until: 'idle', retryMs: RETRY }))

    expect(cuts).toBe(201)
    expect(stored(events)).toEqual(stored(uncut))
  })

  it('survive cuts while a turn is running', async () => {
    await using server = await FixtureServer.start()
    const chats = chatsOf(server)
    const random = randomNumbers(11)
    server.faults.cutAfter = () => 300 + Math.floor(random() * 900)
    const { chat } = await chats.create({ goal: 'slow and long' })
    setTimeout(() => void chats.stop(chat.id), 300)

    const events = await collect(chats.events(chat.id, { until: 'idle', retryMs: RETRY }))

    expect(stored(events)).toEqual(server.main.chats.get(chat.id)?.events)
    expect(events.at(-1)?.type).toBe('stopped')
  })

  it('continue on a server that was away and came back on the same port', async () => {
    const first = await FixtureServer.start()
    const chat = chatWithDeltas(first, 2)
    const changes: ConnectionChange['type'][] = []
    const events = chatsOf(first).events(chat.info.id, { retryMs: RETRY, onConnection: ({ type }) => changes.push(type) })
    const before = await firstEventsWithoutClosing(events, 2)
    const port = first.port
    await first[Symbol.asyncDispose]()
    await new Promise((done) => setTimeout(done, 50))
    await using second = await FixtureServer.start({ port })
    second.workspaces.splice(0, 1, first.main)
    chat.append({ type: 'message', data: { message_id: chat.info.id, role: 'user', content: 'still there?', position: 0 } })
    chat.append({ type: 'message', data: { message_id: chat.info.id, role: 'user', content: 'good', position: 0 } })

    const after = await firstEvents(events, 2)

    expect([...before, ...after].map(({ id }) => id)).toEqual([1, 2, 3, 4])
    expect(changes.filter((type) => type === 'lost').length).toBeGreaterThan(0)
  })

  it('take a connection on which nothing comes for dead and open another one', async () => {
    await using server = await FixtureServer.start()
    const chat = chatWithDeltas(server, 2)
    server.faults.silent = true
    const onConnection: ChatEventsOptions['onConnection'] = ({ type }) => {
      if (type === 'lost') server.faults.silent = false
    }

    const events = await collect(chatsOf(server).events(chat.info.id, { until: 'idle', idleMs: 50, retryMs: RETRY, onConnection }))

    expect(stored(events)).toEqual(chat.events)
    expect(server.requests.filter(({ url }) => url.includes('/events')).length).toBe(2)
  })

  it('leave out types that this version does not know, count them, and move on past them', async () => {
    await using server = await FixtureServer.start()
    const chat = chatWithDeltas(server, 1)
    chat.append({ type: 'mood_changed', data: { mood: 'sunny' } } as never)
    const changes: ConnectionChange[] = []

    const events = await collect(chatsOf(server).events(chat.info.id, { until: 'idle', onConnection: (change) => changes.push(change) }))

    expect(stored(events).map(({ id }) => id)).toEqual([1])
    expect(changes).toContainEqual({ type: 'skipped', event: 'mood_changed', skipped: 1 })
    expect(server.requests.filter(({ url }) => url.includes('/events')).length).toBe(1)
  })

  it('hold ephemeral events with id null', async () => {
    await using server = await FixtureServer.start()
    const chat = chatWithDeltas(server, 0)
    server.faults.preamble = 'event: call_progress\ndata: {"type":"call_progress","data":{"call_id":"c"}}\n\n'
    const events = await collect(chatsOf(server).events(chat.info.id, { until: 'idle' }))
    expect(events.at(1)).toEqual({ id: null, type: 'call_progress', data: { call_id: 'c' } })
  })

  it.for([
    ['id: first\ndata: {"type":"chunk","data":{}}\n\n', /not a whole number/],
    ['id: 1\ndata: <html>\n\n', /data is not/],
    ['id: 1\ndata: {"type":"chunk"}\n\n', /data is not/],
  ] as const)('fail on a frame that no server of this API writes: %j', async ([frame, message]) => {
    await using server = await FixtureServer.start()
    const chat = chatWithDeltas(server, 0)
    server.faults.preamble = frame
    await expect(collect(chatsOf(server).events(chat.info.id))).rejects.toMatchObject({ code: 'invalid_response', message: expect.stringMatching(message) as string })
  })

  it('fail when the cursor is beyond the end of the chat', async () => {
    await using server = await FixtureServer.start()
    const chat = chatWithDeltas(server, 2)
    await expect(collect(chatsOf(server).events(chat.info.id, { after: 9 }))).rejects.toMatchObject({ code: 'cursor_expired', status: 409 })
  })

  it.for(['unauthenticated', 'forbidden', 'not_found'] as const)('fail at once on %s, which a new connection would not mend', async (code) => {
    await using server = await FixtureServer.start()
    server.faults.answer = code
    await expect(collect(chatsOf(server).events('any'))).rejects.toMatchObject({ code })
    expect(server.requests.length).toBe(1)
  })

  it.for(['unavailable', 'rate_limited', 'internal'] as const)('wait for a server that answers %s', async (code) => {
    await using server = await FixtureServer.start()
    const chat = chatWithDeltas(server, 2)
    server.faults.answer = code
    setTimeout(() => (server.faults.answer = undefined), 40)
    expect(stored(await collect(chatsOf(server).events(chat.info.id, { until: 'idle', retryMs: RETRY })))).toEqual(chat.events)
  })

  it('give up after the longest outage that the caller accepts', async () => {
    await using server = await FixtureServer.start()
    const { url } = server
    await server[Symbol.asyncDispose]()
    const events = createClient({ url, token: FIXTURE_TOKEN }).chats('w').events('c', { retryMs: RETRY, maxOutageMs: 60 })
    await expect(collect(events)).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('close their connection when the loop is left', async () => {
    await using server = await FixtureServer.start()
    const chat = chatWithDeltas(server, 5)
    await firstEvents(chatsOf(server).events(chat.info.id), 2)
    await expect.poll(() => server.openStreams).toBe(0)
  })

  it('end with the reason of the signal, also while they wait for the next event', async () => {
    await using server = await FixtureServer.start()
    const chat = chatWithDeltas(server, 1)
    const abort = new AbortController()
    setTimeout(() => abort.abort(new Error('enough')), 30)
    await expect(collect(chatsOf(server).events(chat.info.id, { signal: abort.signal }))).rejects.toThrow('enough')
    await expect.poll(() => server.openStreams).toBe(0)
  })

  it('let an error of the caller’s own callback through', async () => {
    await using server = await FixtureServer.start()
    const chat = chatWithDeltas(server, 1)
    const onConnection = (): void => {
      throw new TypeError('a bug in the callback')
    }
    await expect(collect(chatsOf(server).events(chat.info.id, { onConnection }))).rejects.toThrow('a bug in the callback')
  })
})

async function firstEventsWithoutClosing(events: AsyncIterator<SseEvent>, count: number): Promise<SseEvent[]> {
  const all: SseEvent[] = []
  while (all.length < count) {
    const next = await events.next()
    if (next.done === true) break
    if (next.value.id !== null) all.push(next.value)
  }
  return all
}
