import { startModelSim } from '@buildscale/model-sim'
import { type BuildScaleClient, createClient } from '@buildscale/sdk'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServerProcess, startServerProcess, temporaryDataDir } from './support/server-process.ts'
import { parseFrames, type RawFrame, readRawStream } from './support/sse-client.ts'
import { createTestDatabase, type TestDatabase } from './support/test-database.ts'
import { type WriteTurn, writeTurn } from './support/write-script.ts'

/** Kills in this run; more of them make the same promise harder to keep: `KILL_ROUNDS=30 npm test -- backend/test/kill-and-resume`. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 4)
const WRITES = 20

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

interface Place {
  readonly client: BuildScaleClient
  readonly server: ServerProcess
  readonly workspaceId: string
}

async function start(dataDir: string, modelUrl: string, port = '0'): Promise<Place> {
  const server = await startServerProcess({ dataDir, env: { DATABASE_URL: database.url, OPENAI_BASE_URL: modelUrl, BUILDSCALE_MODEL: 'openai:gpt-4o', PORT: port } })
  const client = createClient({ url: server.url, token: server.token })
  const { workspaces } = await client.me()
  const workspaceId = workspaces[0]?.id ?? ''
  return { client, server, workspaceId }
}

/** Of equal length: no folder's name is the beginning of another's, which the script could not tell apart. */
const folderOf = (round: number): string => `/round-${String(round).padStart(3, '0')}`

describe('a server that is killed in the middle of a turn', () => {
  it(`finishes the turn by itself after the restart, with every write exactly once (${ROUNDS} kills)`, { timeout: 60_000 + ROUNDS * 20_000 }, async () => {
    using data = temporaryDataDir()
    const turns = Array.from({ length: ROUNDS }, (_, round) => writeTurn({ folder: folderOf(round), writes: WRITES, stepDelayMs: 15 }))
    await using model = await disposableModel(turns)
    let place = await start(data.path, model.url)
    for (const [round, turn] of turns.entries()) {
      const { chat, turn_id: turnId } = await place.client.chats(place.workspaceId).create({ goal: `Write the files of ${folderOf(round)}` })
      const seen: RawFrame[] = []
      const watching = watch(place, chat.id, seen)
      await sleep(Math.random() * 1_200)
      await place.server.end('SIGKILL')
      await watching
      place = await start(data.path, model.url)
      await replay(place, chat.id)
      await expectWholeTurn(place, { chatId: chat.id, turnId: turnId ?? '', turn, seen, dataDir: data.path })
    }
    expect(await place.server.end('SIGTERM')).toBe(0)
  })
})

describe('a client that follows a turn through kills of the server', () => {
  it('gets every event once, in order, as one replay gives them afterwards', { timeout: 120_000 }, async () => {
    using data = temporaryDataDir()
    const turn = writeTurn({ folder: '/followed', writes: WRITES, stepDelayMs: 60 })
    await using model = await disposableModel([turn])
    let place = await start(data.path, model.url)
    const { port } = new URL(place.server.url)
    const { chat } = await place.client.chats(place.workspaceId).create({ goal: 'Write the files of /followed' })
    const followed: (readonly [number, string])[] = []
    const following = follow(place, chat.id, followed)
    for (let kill = 0; kill < 3; kill++) {
      await sleep(150 + Math.random() * 300)
      await place.server.end('SIGKILL')
      place = await start(data.path, model.url, port)
    }
    await following
    const replayed = await replay(place, chat.id)
    expect(followed).toEqual(replayed.map((frame) => [frame.id, frame.event]))
    expect(replayed.filter((frame) => frame.event === 'step_restarted').length).toBeGreaterThan(0)
    expect(await place.server.end('SIGTERM')).toBe(0)
  })
})

/** The SDK's own stream: it reconnects and resumes by itself, whatever happens to the server. */
async function follow({ client, workspaceId }: Place, chatId: string, into: (readonly [number, string])[]): Promise<void> {
  for await (const event of client.chats(workspaceId).events(chatId, { until: 'idle' })) {
    if (event.id !== null) into.push([event.id, event.type])
  }
}

async function disposableModel(turns: readonly WriteTurn[]) {
  const script = { turns: turns.flatMap((turn) => (turn.script as { turns: object[] }).turns) }
  const model = await startModelSim({ script, models: 'any' })
  return { url: model.url, [Symbol.asyncDispose]: () => model.close() }
}

/** Reads the stream as a client would until the server dies. */
async function watch({ server, workspaceId }: Place, chatId: string, seen: RawFrame[]): Promise<void> {
  try {
    const { frames } = await readRawStream({ url: `${server.url}/api/v1/workspaces/${workspaceId}/chats/${chatId}/events`, token: server.token })
    seen.push(...frames)
  } catch {
    // The kill came before the connection: nothing was seen.
  }
}

async function expectWholeTurn(place: Place, of: { chatId: string; turnId: string; turn: WriteTurn; seen: readonly RawFrame[]; dataDir: string }): Promise<void> {
  const { client, workspaceId } = place
  const turn = await client.chats(workspaceId).turn(of.turnId)
  expect(turn.status).toBe('done')
  expect(turn.steps.map((step) => step.number)).toEqual(Array.from({ length: of.turn.steps }, (_, index) => index + 1))
  expect(turn.tool_calls.map((call) => call.status)).toEqual(Array.from({ length: WRITES }, () => 'ok'))

  const files = client.files(workspaceId)
  for (const [path, content] of of.turn.files) {
    const { items: versions } = await files.versions(path)
    expect(versions.map((version) => version.number)).toEqual([1])
    expect(turn.tool_calls.map((call) => call.call_id)).toContain(versions[0]?.tool_call_id)
    expect(readFileSync(join(of.dataDir, 'workspaces', workspaceId, path), 'utf8')).toBe(content)
  }
  expect(await client.doctor({ deep: true })).toMatchObject({ ok: true })

  const events = await replay(place, of.chatId)
  expect(events.map((event) => event.id)).toEqual(events.map((_, index) => index + 1))
  expect(events.slice(0, of.seen.filter((frame) => frame.id !== null).length).map((frame) => frame.text)).toEqual(of.seen.filter((frame) => frame.id !== null).map((frame) => frame.text))
  expect(events.filter((event) => ['done', 'stopped', 'error'].includes(event.event))).toHaveLength(1)
  expect(textOf(events)).toBe((await client.chats(workspaceId).messages(of.chatId)).items.at(-1)?.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(''))
}

async function replay({ server, workspaceId }: Place, chatId: string): Promise<readonly RawFrame[]> {
  const answer = await fetch(`${server.url}/api/v1/workspaces/${workspaceId}/chats/${chatId}/events?after=0&until=idle`, { headers: { authorization: `Bearer ${server.token}` } })
  return parseFrames(await answer.text()).filter((frame) => frame.id !== null)
}

/** The answer's text as a client folds it: deltas that a restart declared void do not count. */
function textOf(events: readonly RawFrame[]): string {
  const parsed = events.map((event) => ({ id: event.id ?? 0, type: event.event, data: (JSON.parse(event.text.slice(event.text.indexOf('data: ') + 6)) as { data: { text?: string; void_from_seq?: number } }).data }))
  const voids = parsed.filter((event) => event.type === 'step_restarted').map((event) => ({ from: event.data.void_from_seq ?? 0, to: event.id }))
  return parsed
    .filter((event) => event.type === 'chunk' && !voids.some((range) => event.id >= range.from && event.id < range.to))
    .map((event) => event.data.text ?? '')
    .join('')
}
