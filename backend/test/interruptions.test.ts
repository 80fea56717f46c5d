import { startModelSim } from '@buildscale/model-sim'
import { type BuildScaleClient, createClient, SdkError } from '@buildscale/sdk'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { findProcess } from '../src/db/running-process.ts'
import { runServerToItsEnd, type ServerProcess, startServerProcess, temporaryDataDir } from './support/server-process.ts'
import { createTestDatabase } from './support/test-database.ts'
import { writeTurn, type WriteTurn } from './support/write-script.ts'

async function clientOf(server: ServerProcess): Promise<{ client: BuildScaleClient; workspaceId: string }> {
  const client = createClient({ url: server.url, token: server.token })
  return { client, workspaceId: (await client.me()).workspaces[0]?.id ?? '' }
}

/** Waits for the turn's end, whatever happens to the server's database meanwhile. */
async function untilDone({ client, workspaceId }: Awaited<ReturnType<typeof clientOf>>, turnId: string): Promise<string> {
  for (;;) {
    const status = await client.chats(workspaceId).turn(turnId).then((turn) => turn.status, (error: unknown) => (error instanceof SdkError && error.isTransient ? 'running' : Promise.reject(error)))
    if (status !== 'running' && status !== 'queued') return status
    await sleep(100)
  }
}

async function expectAllWritten(server: ServerProcess, turn: WriteTurn): Promise<void> {
  const { client, workspaceId } = await clientOf(server)
  for (const path of turn.files.keys()) {
    expect((await client.files(workspaceId).versions(path)).items.map((version) => version.number)).toEqual([1])
  }
  expect(await client.doctor({ deep: true })).toMatchObject({ ok: true })
}

describe('a server that is asked to stop', () => {
  it('ends with code 0 within ten seconds in the middle of a turn, which goes on at the next start', { timeout: 60_000 }, async () => {
    using data = temporaryDataDir()
    await using database = await createTestDatabase()
    const turn = writeTurn({ folder: '/parked', writes: 12, stepDelayMs: 120 })
    const model = await startModelSim({ script: turn.script, models: 'any' })
    const env = { ...database.env, OPENAI_BASE_URL: model.url }
    const first = await startServerProcess({ dataDir: data.path, env })
    const { client, workspaceId } = await clientOf(first)
    const { turn_id: turnId } = await client.chats(workspaceId).create({ goal: 'Write the files of /parked' })
    await sleep(600)
    const startedAt = performance.now()
    expect(await first.end('SIGTERM')).toBe(0)
    expect(performance.now() - startedAt).toBeLessThan(10_000)
    await using second = await startServerProcess({ dataDir: data.path, env })
    expect(await untilDone(await clientOf(second), turnId ?? '')).toBe('done')
    await expectAllWritten(second, turn)
    await model.close()
  })

  it('stops the database that it started', { timeout: 60_000 }, async () => {
    using data = temporaryDataDir()
    const server = await startServerProcess({ dataDir: data.path })
    const { postgres_pid: pid } = JSON.parse(readFileSync(join(data.path, 'server.json'), 'utf8')) as { postgres_pid: number }
    expect(await server.end('SIGTERM')).toBe(0)
    // Dead at once; its number is free as soon as the system has reaped it, which is not the server's to do once it has ended itself.
    expect(findProcess(pid)).toBeUndefined()
  })
})

describe('a database that dies in the middle of a turn', () => {
  it('is started again, and the turn goes on by itself with every write once', { timeout: 90_000 }, async () => {
    using data = temporaryDataDir()
    const turn = writeTurn({ folder: '/outage', writes: 16, stepDelayMs: 150 })
    const model = await startModelSim({ script: turn.script, models: 'any' })
    await using server = await startServerProcess({ dataDir: data.path, env: { OPENAI_BASE_URL: model.url } })
    const { client, workspaceId } = await clientOf(server)
    const { turn_id: turnId } = await client.chats(workspaceId).create({ goal: 'Write the files of /outage' })
    const { postgres_pid: pid } = JSON.parse(readFileSync(join(data.path, 'server.json'), 'utf8')) as { postgres_pid: number }
    await sleep(800)
    process.kill(pid, 'SIGKILL')
    expect(await untilDone({ client, workspaceId }, turnId ?? '')).toBe('done')
    await expectAllWritten(server, turn)
    await model.close()
  })
})

describe('a kill of everything in the middle of a turn', () => {
  it('loses nothing: the next start finds its data, repairs what is half done, and the turn ends by itself', { timeout: 90_000 }, async () => {
    using data = temporaryDataDir()
    const turn = writeTurn({ folder: '/power-cut', writes: 16, stepDelayMs: 60 })
    const model = await startModelSim({ script: turn.script, models: 'any' })
    const env = { OPENAI_BASE_URL: model.url }
    const first = await startServerProcess({ dataDir: data.path, env })
    const { client, workspaceId } = await clientOf(first)
    const { turn_id: turnId } = await client.chats(workspaceId).create({ goal: 'Write the files of /power-cut' })
    const { postgres_pid: pid } = JSON.parse(readFileSync(join(data.path, 'server.json'), 'utf8')) as { postgres_pid: number }
    await sleep(300 + Math.random() * 500)
    process.kill(pid, 'SIGKILL')
    await first.end('SIGKILL')
    await using second = await startServerProcess({ dataDir: data.path, env })
    expect(await untilDone(await clientOf(second), turnId ?? '')).toBe('done')
    await expectAllWritten(second, turn)
    await model.close()
  })
})

describe('a port that is taken', () => {
  it('ends the start with code 1, naming the port, and leaves nothing running', { timeout: 60_000 }, async () => {
    using data = temporaryDataDir()
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const address = holder.address()
    const port = typeof address === 'object' && address !== null ? String(address.port) : ''
    await using database = await createTestDatabase()
    const ended = await runServerToItsEnd({ dataDir: data.path, env: { ...database.env, PORT: port } })
    holder.close()
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toContain(`Port ${port}`)
  })
})
