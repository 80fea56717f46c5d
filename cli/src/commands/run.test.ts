import { describe, expect, it } from 'vitest'
import { FIXTURE_TOKEN, FixtureServer } from '../../../packages/sdk/test/support/fixture-server.ts'
import { CliProcess, runCli } from '../testing/cli-process.ts'

function envOf(server: FixtureServer): Record<string, string> {
  return { BUILDSCALE_URL: server.url, BUILDSCALE_TOKEN: FIXTURE_TOKEN }
}

function jsonLines(text: string): Record<string, unknown>[] {
  return text.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('buildscale run', () => {
  it('prints the answer on stdout and how it came to be on stderr', async () => {
    await using server = await FixtureServer.start()
    const { code, stdout, stderr } = await runCli(['run', 'write /a.md hello'], envOf(server))
    expect(code).toBe(0)
    expect(stdout).toBe('You said “write /a.md hello”. 日本語 🎉\n')
    expect(stderr).toBe('I look at the request. 🧐\n→ write /a.md\n✓ write /a.md 12 ms\noffline:rules · 10 tokens in, 20 out · 0.0 s\n')
  })

  it('prints every event as a line of JSON and the result last', async () => {
    await using server = await FixtureServer.start()
    const { code, stdout } = await runCli(['run', 'hello', '--json'], envOf(server))
    const lines = jsonLines(stdout)
    const [chat] = [...server.main.chats.values()]

    expect(code).toBe(0)
    expect(lines[0]).toMatchObject({ id: null, type: 'session_init' })
    expect(lines.slice(1, -1)).toEqual(chat?.events)
    const done = lines.at(-2) as { data: { message_id: string; turn_id: string; usage: object } }
    expect(lines.at(-1)).toEqual({
      type: 'result',
      status: 'done',
      chat_id: chat?.info.id,
      turn_id: done.data.turn_id,
      message_id: done.data.message_id,
      text: 'You said “hello”. 日本語 🎉',
      usage: done.data.usage,
    })
  })

  it('prints the same when its connection is cut again and again', async () => {
    await using server = await FixtureServer.start()
    let size = 400
    server.faults.cutAfter = () => (size += 150)
    const { code, stdout } = await runCli(['run', 'hello', '--json'], envOf(server))
    const [chat] = [...server.main.chats.values()]
    expect(code).toBe(0)
    expect(jsonLines(stdout).filter(({ id }) => typeof id === 'number')).toEqual(chat?.events)
    expect(size).toBeGreaterThan(700)
  })

  it('asks the server to stop on Ctrl-C, prints the end and exits 3', async () => {
    await using server = await FixtureServer.start()
    await using cli = new CliProcess(['run', 'slow please', '--json'], envOf(server))
    await expect.poll(() => cli.stdout, { timeout: 10_000 }).toContain('still here')
    cli.interrupt()
    cli.interrupt() // a launcher passes the same press on once more

    expect(await cli.exited).toBe(3)
    expect(jsonLines(cli.stdout).at(-1)).toMatchObject({ type: 'result', status: 'stopped' })
    expect([...server.main.chats.values()][0]?.isIdle).toBe(true)
  })

  it('exits 1 when the turn ends with an error, and shows it', async () => {
    await using server = await FixtureServer.start()
    const { code, stderr } = await runCli(['run', 'fail now'], envOf(server))
    expect(code).toBe(1)
    expect(stderr).toContain('error: The model does not answer. (unavailable)')
  })

  it('exits 4 when the turn waits for a person', async () => {
    await using server = await FixtureServer.start()
    const { code, stdout } = await runCli(['run', 'ask me', '--json'], envOf(server))
    expect(code).toBe(4)
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'result', status: 'waiting' })
  })

  it('says which command starts a server when there is none', async () => {
    const server = await FixtureServer.start()
    const env = envOf(server)
    await server[Symbol.asyncDispose]()
    const { code, stderr } = await runCli(['run', 'hello'], env)
    expect(code).toBe(1)
    expect(stderr).toBe(`error: no server at ${env['BUILDSCALE_URL']}; run npm start\n`)
  })

  it('names the workspaces that there are when the asked one is not', async () => {
    await using server = await FixtureServer.start()
    const { code, stderr } = await runCli(['run', 'hello', '--workspace', 'nope'], envOf(server))
    expect(code).toBe(1)
    expect(stderr).toBe('error: No workspace nope. There is: main\n')
  })

  it('takes a workspace by its id', async () => {
    await using server = await FixtureServer.start()
    expect((await runCli(['run', 'hello', '--workspace', server.main.id], envOf(server))).code).toBe(0)
  })

  it.for([[], ['run'], ['fly'], ['run', 'hello', '--nope']])('exits 2 on a usage error: %j', async (args) => {
    const { code, stderr } = await runCli(args, {})
    expect(code).toBe(2)
    expect(stderr).toContain('--help')
  })

  it('shows help with examples and exits 0', async () => {
    const { code, stdout } = await runCli(['run', '--help'], {})
    expect(code).toBe(0)
    expect(stdout).toContain('Examples:')
  })
})
