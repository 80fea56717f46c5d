import { startModelSim } from '@buildscale/model-sim'
import { createClient } from '@buildscale/sdk'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { startServerProcess, temporaryDataDir } from './support/server-process.ts'
import { createTestDatabase } from './support/test-database.ts'

const COMMAND = 'echo started; sleep 1.5; echo line >> log.txt; mkdir -p out; mv in.txt out/in.txt'
const SCRIPT = {
  turns: [
    { when: { step: 0, last_user: 'Run it' }, times: 'always', text: 'Running. ', calls: [{ name: 'shell', arguments: { command: COMMAND } }] },
    { when: { step: 1, last_user: 'Run it' }, times: 'always', text: 'Done.' },
  ],
}

it('a script in the middle of which the server is killed runs again after the restart, and its changes are there once', { timeout: 120_000 }, async () => {
  await using database = await createTestDatabase()
  using data = temporaryDataDir()
  const model = await startModelSim({ script: SCRIPT, models: 'any' })
  const start = async () => {
    const server = await startServerProcess({ dataDir: data.path, env: { DATABASE_URL: database.url, OPENAI_BASE_URL: model.url, BUILDSCALE_MODEL: 'openai:gpt-4o' } })
    const client = createClient({ url: server.url, token: server.token })
    return { server, client, workspaceId: (await client.me()).workspaces[0]?.id ?? '' }
  }
  const first = await start()
  await first.client.tools(first.workspaceId).run('write', { path: '/in.txt', content: 'moved' })
  const { chat, turn_id: turnId } = await first.client.chats(first.workspaceId).create({ goal: 'Run it' })
  for await (const event of first.client.chats(first.workspaceId).events(chat.id)) if (event.type === 'call') break
  await sleep(700)
  await first.server.end('SIGKILL')

  const { server, client, workspaceId } = await start()
  for await (const event of client.chats(workspaceId).events(chat.id, { until: 'idle' })) if (event.type === 'done') break
  const turn = await client.chats(workspaceId).turn(turnId ?? '')
  expect(turn.status).toBe('done')
  expect(turn.tool_calls).toMatchObject([{ tool: 'shell', effect: 'write', status: 'ok', output: { exit_code: 0, stdout: 'started\n' } }])
  const files = client.files(workspaceId)
  expect((await files.versions('/log.txt')).items.map(({ number, tool_call_id: call }) => [number, call])).toEqual([[1, turn.tool_calls[0]?.call_id]])
  expect((await files.versions('/out/in.txt')).items).toHaveLength(1)
  expect(await client.doctor({ deep: true })).toMatchObject({ ok: true })
  expect(await server.end('SIGTERM')).toBe(0)
  await model.close()
})
