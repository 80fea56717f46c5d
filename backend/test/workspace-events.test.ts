import type { WorkspaceEvent } from '@buildscale/protocol'
import { createClient, type Fetch } from '@buildscale/sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningApp, startApp } from './support/running-app.ts'
import { type RawFrame, readRawStream } from './support/sse-client.ts'

let app: RunningApp
beforeAll(async () => void (app = await startApp()))
afterAll(() => app[Symbol.asyncDispose]())

const newWorkspace = async (): Promise<string> => (await app.client.workspaces.create({ name: `w${Math.random()}` })).id
const eventsUrl = (workspaceId: string, query = ''): string => `${app.url}/api/v1/workspaces/${workspaceId}/events${query}`
const stored = (frames: readonly RawFrame[]): RawFrame[] => frames.filter((frame) => frame.id !== null)

async function write(workspaceId: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await app.client.files(workspaceId).put(`/f${index}.txt`, `text ${index}`)
}

/** Reads until `last` has come. */
async function readTo(workspaceId: string, { last, query = '', cutAfterBytes }: { readonly last: number; readonly query?: string; readonly cutAfterBytes?: number }): Promise<WorkspaceEvent[]> {
  const client = createClient({ url: app.url, token: app.token, ...(cutAfterBytes !== undefined && { fetch: cuttingFetch(cutAfterBytes) }) })
  const events: WorkspaceEvent[] = []
  const after = Number(new URLSearchParams(query).get('after') ?? 0)
  for await (const event of client.files(workspaceId).events({ after, retryMs: { min: 1, max: 5 } })) {
    events.push(event)
    if (event.id === last) break
  }
  return events
}

/** A line that breaks after so many bytes of every answer. */
function cuttingFetch(bytes: number): Fetch {
  return async (url, init) => {
    const response = await fetch(url, init)
    let left = bytes
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(chunk.subarray(0, left))
        left -= chunk.length
        if (left <= 0) controller.error(new Error('cut'))
      },
    })
    return new Response(response.body?.pipeThrough(cut) ?? null, { status: response.status, headers: response.headers })
  }
}

describe('the event stream of a workspace', () => {
  it('begins with where it stands, replays the journal, and goes on live', async () => {
    const workspaceId = await newWorkspace()
    await write(workspaceId, 2)
    const reading = readTo(workspaceId, { last: 4 })
    await app.client.files(workspaceId).move('/f0.txt', '/g.txt')
    await app.client.files(workspaceId).remove('/g.txt')
    const [first, ...events] = await reading
    expect(first).toMatchObject({ id: null, type: 'session_init', data: { workspace_id: workspaceId } })
    expect(events.map(({ id, type }) => [id, type])).toEqual([[1, 'file_updated'], [2, 'file_updated'], [3, 'file_updated'], [4, 'file_updated']])
    expect(events[2]?.data).toMatchObject({ change_seq: 3, kind: 'moved', path: '/g.txt', from_path: '/f0.txt', version: 1, file_type: 'document', author: { kind: 'user', id: app.userId }, call_id: null, turn_id: null })
    const { items } = await app.client.files(workspaceId).changes()
    expect(items.map(({ seq, path, kind }) => [seq, path, kind])).toEqual(events.flatMap(({ data }) => ('change_seq' in data ? [[data.change_seq, data.path, data.kind]] : [])))
  })

  it('tells of a write within a moment, not only at the next poll', async () => {
    const workspaceId = await newWorkspace()
    const reading = readTo(workspaceId, { last: 1 })
    await new Promise((done) => setTimeout(done, 200))
    const startedAt = performance.now()
    await write(workspaceId, 1)
    await reading
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })

  it('gives a client whose line breaks again and again every change once and in order', async () => {
    const workspaceId = await newWorkspace()
    await write(workspaceId, 40)
    const [events] = await Promise.all([readTo(workspaceId, { last: 60, cutAfterBytes: 1_500 }), write(workspaceId, 60)])
    const ids = events.flatMap(({ id }) => id ?? [])
    expect(ids).toEqual(Array.from({ length: 60 }, (_, index) => index + 1))
    expect(events.filter(({ id }) => id === null).length).toBeGreaterThan(5)
  })

  it('is resumed by Last-Event-ID rather than ?after, and refuses cursors that are none', async () => {
    const workspaceId = await newWorkspace()
    await write(workspaceId, 5)
    const { frames } = await readRawStream({ url: eventsUrl(workspaceId, '?after=0'), token: app.token, lastEventId: 3, cutAfterBytes: 900 })
    expect(stored(frames)[0]?.id).toBe(4)
    const answer = async (query: string, headers: Record<string, string> = {}) => {
      const response = await fetch(eventsUrl(workspaceId, query), { headers: { authorization: `Bearer ${app.token}`, ...headers } })
      const body = (await response.json()) as { error: { code: string; details?: { last_seq?: number } } }
      return [response.status, body.error.code, body.error.details?.last_seq] as const
    }
    expect((await answer('?after=minus')).slice(0, 2)).toEqual([400, 'invalid_request'])
    expect((await answer('', { 'last-event-id': 'abc' })).slice(0, 2)).toEqual([400, 'invalid_request'])
    expect(await answer('?after=6')).toEqual([409, 'cursor_expired', 5])
    await expect(readTo(workspaceId, { last: 99, query: 'after=6' })).rejects.toMatchObject({ code: 'cursor_expired' })
  })

  it('does not exist for strangers', async () => {
    const stranger = await app.addPerson('stranger')
    const events = stranger.client.files(app.workspaceId).events()
    await expect(events.next()).rejects.toMatchObject({ code: 'not_found' })
  })

  it('ends when the server stops, and goes on where it was on the next one', async () => {
    const workspaceId = await newWorkspace()
    await write(workspaceId, 3)
    const other = await startApp({ beside: app })
    const follow = createClient({ url: other.url, token: app.token }).files(workspaceId).events({ retryMs: { min: 1, max: 5 }, maxOutageMs: 100 })
    const seen: (number | null)[] = []
    for (let index = 0; index < 4; index += 1) seen.push((await follow.next()).value?.id ?? null)
    await other[Symbol.asyncDispose]()
    await expect(follow.next()).rejects.toMatchObject({ code: 'unavailable' })
    expect(seen).toEqual([null, 1, 2, 3])
    await write(workspaceId, 5)
    expect((await readTo(workspaceId, { last: 5, query: 'after=3' })).flatMap(({ id }) => id ?? [])).toEqual([4, 5])
  })
})
