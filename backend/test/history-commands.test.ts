/** `buildscale history`, `diff` and `rewind` against the whole server, after turns of an agent. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../cli/src/testing/cli-process.ts'
import { type RunningApp, startApp } from './support/running-app.ts'

const SCRIPT = {
  turns: [
    { when: { last_user: 'write', step: 0 }, times: 'always', text: 'Writing.', calls: [{ name: 'write', arguments: { path: '/notes.md', content: 'by the agent\n', overwrite: true } }, { name: 'rm', arguments: { path: '/old.md' } }] },
    { times: 'always', text: 'Done.' },
  ],
}

let app: RunningApp
let turnId: string
let quietTurnId: string
beforeAll(async () => {
  app = await startApp({ script: SCRIPT })
  const files = app.client.files(app.workspaceId)
  await files.put('/notes.md', 'by hand\n')
  await files.put('/old.md', 'old\n')
  quietTurnId = await turn('only talk')
  turnId = await turn('write it')
  await files.put('/later.md', 'later\n')
})
afterAll(() => app[Symbol.asyncDispose]())

async function turn(goal: string): Promise<string> {
  const chats = app.client.chats(app.workspaceId)
  const { chat, turn_id: id } = await chats.create({ goal })
  for await (const event of chats.events(chat.id, { until: 'idle' })) expect(event.type).not.toBe('error')
  return id ?? ''
}

const cli = (...args: string[]) => runCli(args, { BUILDSCALE_URL: app.url, BUILDSCALE_TOKEN: app.token })
const text = async (path: string) => (await app.client.files(app.workspaceId).content(path)).text()

describe('the history of files on the command line', () => {
  it('lists versions with the turn that made them, and shows what it changed', async () => {
    const { stdout } = await cli('history', '/notes.md')
    expect(stdout.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['version', 'when', 'size', 'by', 'turn'],
      ['2', expect.any(String), '13', 'agent', turnId],
      ['1', expect.any(String), '8', 'user'],
      [''],
    ])
    expect((await cli('diff', '/notes.md')).stdout).toBe('--- a/notes.md\tversion 1\n+++ b/notes.md\tversion 2\n@@ -1,1 +1,1 @@\n-by hand\n+by the agent\n')
    expect(JSON.parse((await cli('history', '/notes.md', '--json')).stdout)).toMatchObject([{ number: 2 }, { number: 1 }])
    expect(await cli('diff', '/notes.md', '--from', 'one')).toMatchObject({ code: 2, stderr: expect.stringContaining('number of a version') as string })
    expect((await cli('history', '/none')).code).toBe(1)
  })

  it('knows the message that holds the call which wrote a line', async () => {
    const { ranges } = await app.client.files(app.workspaceId).blame('/notes.md')
    const { tool_calls: calls, message_id: asked } = await app.client.chats(app.workspaceId).turn(turnId)
    expect(ranges).toMatchObject([{ line: 1, count: 1, version: 2, author: { kind: 'agent' }, turn_id: turnId, tool_call_id: calls[0]?.call_id }])
    const { items } = await app.client.chats(app.workspaceId).messages(ranges[0]?.chat_id ?? '')
    expect(items.find(({ id }) => id === ranges[0]?.message_id)).toMatchObject({ role: 'assistant', turn_id: turnId })
    expect(ranges[0]?.message_id).not.toBe(asked)
  })

  it('previews going back to before a turn, does it with --yes, and undoes it', async () => {
    const preview = await cli('rewind', '--before-turn', turnId)
    expect(preview.stdout).toBe('Back to seq 2 of 5: 3 changes\n  trash    /later.md\n  update   /notes.md (to version 1, 8 bytes)\n  restore  /old.md (version 1, 4 bytes)\n')
    expect(preview.stderr).toBe('Nothing was changed. Add --yes to do this.\n')
    expect(await text('/notes.md')).toBe('by the agent\n')
    const narrowed = await cli('rewind', '--before-turn', turnId, '--path', '/notes.md', 'old.md')
    expect(narrowed.stdout.split('\n')[0]).toBe('Back to seq 2 of 5: 2 changes')
    expect((await cli('rewind', '--before-turn', quietTurnId)).stdout.split('\n')[0]).toBe('Back to seq 2 of 5: 3 changes')
    const done = await cli('rewind', '--before-turn', turnId, '--yes')
    expect(done.stdout.split('\n').at(-2)).toBe('done: 3 changes; undo with: buildscale rewind --to-seq 5 --yes')
    expect([await text('/notes.md'), await text('/old.md')]).toEqual(['by hand\n', 'old\n'])
    expect((await cli('rewind', '--before-turn', turnId, '--yes')).stdout).toBe('Nothing to change: all is as it was at seq 2.\n')
    expect((await cli('rewind', '--to-seq', '5', '--yes')).code).toBe(0)
    expect([await text('/notes.md'), await text('/later.md')]).toEqual(['by the agent\n', 'later\n'])
    expect((await app.client.doctor({ deep: true })).ok).toBe(true)
  })

  it('takes exactly one target, and tells what is wrong with one', async () => {
    expect(await cli('rewind')).toMatchObject({ code: 2, stderr: 'error: Name either --to-seq or --before-turn\n' })
    expect(await cli('rewind', '--to-seq', 'x')).toMatchObject({ code: 2 })
    expect(await cli('rewind', '--to-seq', '999')).toMatchObject({ code: 1, stderr: expect.stringContaining('The journal of this workspace ends at') as string })
  })
})
