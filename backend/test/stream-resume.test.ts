import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RawFrame, readRawStream } from './support/sse-client.ts'
import { type RunningApp, startApp } from './support/running-app.ts'
import { writeTurn } from './support/write-script.ts'

const long = writeTurn({ folder: '/long', writes: 12, stepDelayMs: 60, eventDelayMs: 3 })

let app: RunningApp
beforeAll(async () => {
  app = await startApp({ script: long.script })
})
afterAll(() => app[Symbol.asyncDispose]())

const stored = (frames: readonly RawFrame[]): RawFrame[] => frames.filter((frame) => frame.id !== null)

function eventsUrl(chatId: string, query = ''): string {
  return `${app.url}/api/v1/workspaces/${app.workspaceId}/chats/${chatId}/events${query}`
}

/** Follows to idleness over as many connections as the cuts make, resuming from the last whole frame as a browser does. */
async function followWithCuts(chatId: string, mostCuts: number): Promise<{ frames: readonly RawFrame[]; cuts: number }> {
  const frames: RawFrame[] = []
  for (let cuts = 0; ; cuts++) {
    const last = frames.at(-1)?.id
    const result = await readRawStream({
      url: eventsUrl(chatId, '?until=idle'),
      token: app.token,
      ...(typeof last === 'number' && { lastEventId: last }),
      ...(cuts < mostCuts && { cutAfterBytes: 600 + Math.floor(Math.random() * 900) }),
    })
    expect(result.status).toBe(200)
    expect(result.frames[0]?.event ?? 'session_init').toBe('session_init')
    frames.push(...stored(result.frames))
    if (result.ended) return { frames, cuts }
  }
}

describe('the event stream of a chat', () => {
  it('gives a client that was cut at random 200 times, frame by frame, what an uncut one got', { timeout: 60_000 }, async () => {
    const { chat } = await app.client.chats(app.workspaceId).create({ goal: 'Write the files of /long' })
    const [uncut, cut] = await Promise.all([readRawStream({ url: eventsUrl(chat.id, '?until=idle'), token: app.token }), followWithCuts(chat.id, 200)])
    let cuts = cut.cuts
    expect(cut.frames.map((frame) => frame.text)).toEqual(stored(uncut.frames).map((frame) => frame.text))
    // The turn may end before all cuts were made: the rest of them falls on replays.
    while (cuts < 200) {
      const again = await followWithCuts(chat.id, 200 - cuts)
      cuts += again.cuts
      expect(again.frames.map((frame) => frame.text)).toEqual(stored(uncut.frames).map((frame) => frame.text))
    }
    const ids = stored(uncut.frames).map((frame) => frame.id)
    expect(ids).toEqual(ids.map((_, index) => index + 1))
    expect(uncut.ended).toBe(true)
  })

  it('replays to a latecomer, byte for byte, what was sent live', async () => {
    const { chat } = await app.client.chats(app.workspaceId).create({ goal: 'Write the files of /long' })
    const live = await readRawStream({ url: eventsUrl(chat.id, '?until=idle'), token: app.token })
    const late = await readRawStream({ url: eventsUrl(chat.id, '?after=0&until=idle'), token: app.token })
    expect(stored(late.frames)).toEqual(stored(live.frames))
  })

  it('prefers Last-Event-ID to ?after, and refuses cursors that are none', async () => {
    const { chat } = await app.client.chats(app.workspaceId).create({ goal: 'Write the files of /long' })
    await app.client.chats(app.workspaceId).stop(chat.id, { all: true })
    const { frames } = await readRawStream({ url: eventsUrl(chat.id, '?after=0&until=idle'), token: app.token, lastEventId: 1 })
    expect(stored(frames)[0]?.id).toBe(2)
    const answer = async (query: string, headers: Record<string, string> = {}) => {
      const response = await fetch(eventsUrl(chat.id, query), { headers: { authorization: `Bearer ${app.token}`, ...headers } })
      const body = (await response.json()) as { error: { code: string; details?: { last_seq?: number } } }
      return [response.status, body.error.code, body.error.details?.last_seq] as const
    }
    expect((await answer('?after=minus')).slice(0, 2)).toEqual([400, 'invalid_request'])
    expect((await answer('', { 'last-event-id': 'abc' })).slice(0, 2)).toEqual([400, 'invalid_request'])
    const { last_seq: head } = await app.client.chats(app.workspaceId).get(chat.id)
    expect(await answer(`?after=${head + 1}`)).toEqual([409, 'cursor_expired', head])
  })

  it('says where it stands in its first frame, which has no id', async () => {
    const { chat } = await app.client.chats(app.workspaceId).create({ title: 'empty' })
    const { frames } = await readRawStream({ url: eventsUrl(chat.id, '?until=idle'), token: app.token })
    expect(frames).toHaveLength(1)
    expect(frames[0]).toMatchObject({ id: null, event: 'session_init' })
    expect(frames[0]?.text).toContain('"last_seq":0')
  })
})
