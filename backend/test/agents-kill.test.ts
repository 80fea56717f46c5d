import { startModelSim } from '@buildscale/model-sim'
import { createClient } from '@buildscale/sdk'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { startServerProcess, temporaryDataDir } from './support/server-process.ts'
import { createTestDatabase } from './support/test-database.ts'

const agentFile = (persona: string, tools: string) => `---\ndescription: Lists.\ntools: ${tools}\n---\n${persona}\n`
const SCRIPT = {
  turns: [
    { when: { step: 0 }, times: 'always', calls: [{ name: 'ls', arguments: { path: '/' } }], delay_ms: 300 },
    { when: { step: 1 }, times: 'always', calls: [{ name: 'ls', arguments: { path: '/system' } }], delay_ms: 1_500 },
    { when: { step: 2 }, times: 'always', text: 'Listed.' },
  ],
}

it('a turn whose server is killed goes on with the definitions that it began with, though the files are others by then', { timeout: 90_000 }, async () => {
  await using database = await createTestDatabase()
  using data = temporaryDataDir()
  const model = await startModelSim({ script: SCRIPT, models: 'any' })
  const start = () => startServerProcess({ dataDir: data.path, env: { DATABASE_URL: database.url, OPENAI_BASE_URL: model.url, BUILDSCALE_MODEL: 'openai:gpt-4o', PORT: '0' } })
  try {
    let server = await start()
    let client = createClient({ url: server.url, token: server.token })
    const workspaceId = (await client.me()).workspaces[0]?.id ?? ''
    const put = (path: string, text: string) => client.files(workspaceId).put(path, text)
    await put('/system/agents/lister/AGENT.md', agentFile('You are the first lister.', '[ls, read]'))
    await put('/system/skills/style/SKILL.md', '---\nname: style\ndescription: The first style.\n---\n')
    const { chat, turn_id: turnId } = await client.chats(workspaceId).create({ goal: 'list', agent: 'lister' })
    await sleep(900)
    await put('/system/agents/lister/AGENT.md', agentFile('You are the second lister.', '[read]'))
    await client.files(workspaceId).remove('/system/skills/style')
    await server.end('SIGKILL')
    const asked = model.requests().length

    server = await start()
    client = createClient({ url: server.url, token: server.token })
    for await (const event of client.chats(workspaceId).events(chat.id, { until: 'idle' })) if (event.type === 'error') throw new Error(JSON.stringify(event.data))
    const turn = await client.chats(workspaceId).turn(turnId ?? '')
    expect(turn).toMatchObject({ status: 'done', agent: { name: 'lister', version: 1 }, skills: [{ name: 'style', version: 1 }] })
    expect(turn.attempt).toBeGreaterThan(1)
    expect(turn.tool_calls.map(({ tool, status }) => [tool, status])).toEqual([['ls', 'ok'], ['ls', 'ok']])
    const resumed = model.requests().slice(asked).map((request) => JSON.stringify(request.body)).filter((body) => body.includes('"instructions"'))
    expect(resumed.length).toBeGreaterThan(0)
    for (const body of resumed) {
      expect(body).toContain('You are the first lister.')
      expect(body).toContain('The first style.')
    }
    expect(await server.end('SIGTERM')).toBe(0)
  } finally {
    await model.close()
  }
})
