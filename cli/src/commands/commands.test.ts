import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FIXTURE_TOKEN, FixtureServer } from '../../../packages/sdk/test/support/fixture-server.ts'
import { FixtureWorkspace } from '../../../packages/sdk/test/support/fixture-workspace.ts'
import { CliProcess, runCli } from '../testing/cli-process.ts'

function envOf(server: FixtureServer): Record<string, string> {
  return { BUILDSCALE_URL: server.url, BUILDSCALE_TOKEN: FIXTURE_TOKEN }
}

class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'buildscale-cli-test-'))

  write(name: string, content: string | Uint8Array): this {
    mkdirSync(dirname(join(this.path, name)), { recursive: true })
    writeFileSync(join(this.path, name), content)
    return this
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true })
  }
}

describe('buildscale import', () => {
  it('keeps bytes and names, leaves out .git, links and special files, and counts', async () => {
    await using server = await FixtureServer.start()
    using folder = new Folder()
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    folder.write('a b/ü%20#?.bin', bytes).write('empty.txt', '').write('.git/HEAD', 'ref').write('sub/.git', 'gitdir: x').write('sub/keep', 'k')
    symlinkSync('/etc/passwd', join(folder.path, 'link'))

    const { code, stdout, stderr } = await runCli(['import', folder.path, '--to', 'in/here'], envOf(server))

    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'imported 3 files, 257 bytes, 3 skipped\n', stderr: 'skipped link: a symbolic link\n' })
    expect([...server.main.files.keys()].sort()).toEqual(['/in/here/a b/ü%20#?.bin', '/in/here/empty.txt', '/in/here/sub/keep'])
    expect(server.main.files.get('/in/here/a b/ü%20#?.bin')?.versions[0]?.bytes).toEqual(Buffer.from(bytes))
  })

  it('leaves out what the .gitignore files of each folder say, the deeper one having the last word', async () => {
    await using server = await FixtureServer.start()
    using folder = new Folder()
    folder.write('.gitignore', '*.log\nbuild/\n/only-here\n').write('x.log', '1').write('build/out', '2').write('only-here', '3')
    folder.write('sub/.gitignore', '!kept.log\n').write('sub/kept.log', '4').write('sub/other.log', '5').write('sub/only-here', '6')

    const { stdout } = await runCli(['import', folder.path, '--gitignore'], envOf(server))

    expect([...server.main.files.keys()].sort()).toEqual(['/.gitignore', '/sub/.gitignore', '/sub/kept.log', '/sub/only-here'])
    expect(stdout).toMatch(/^imported 4 files, \d+ bytes, 4 skipped\n$/)
  })

  it('reports names that the server refuses and goes on', async () => {
    await using server = await FixtureServer.start()
    using folder = new Folder()
    folder.write('back\\slash', 'x').write('good', 'y')
    const { code, stdout, stderr } = await runCli(['import', folder.path], envOf(server))
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'imported 1 files, 1 bytes, 1 skipped\n', stderr: 'skipped back\\slash: A path may not contain a backslash\n' })
  })

  it('reports names that are not UTF-8', async () => {
    await using server = await FixtureServer.start()
    using folder = new Folder()
    writeFileSync(Buffer.concat([Buffer.from(`${folder.path}/`), Buffer.from([0xff, 0xfe])]), 'x')
    const { stdout, stderr } = await runCli(['import', folder.path], envOf(server))
    expect(stdout).toBe('imported 0 files, 0 bytes, 1 skipped\n')
    expect(stderr).toContain('its name is not UTF-8')
  })

  it('ends with the error when the server does not take us', async () => {
    await using server = await FixtureServer.start()
    using folder = new Folder()
    folder.write('a', 'x')
    const { code, stderr } = await runCli(['import', folder.path], { ...envOf(server), BUILDSCALE_TOKEN: 'wrong' })
    expect(code).toBe(1)
    expect(stderr).toContain('Set BUILDSCALE_TOKEN')
  })

  it('exits 2 when there is no such folder', async () => {
    const { code, stderr } = await runCli(['import', '/no/such/folder'], { BUILDSCALE_TOKEN: 'x' })
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'error: Not a folder: /no/such/folder\n' })
  })
})

describe('buildscale doctor', () => {
  it('exits 0 when database and mirror agree', async () => {
    await using server = await FixtureServer.start()
    const { code, stdout } = await runCli(['doctor'], envOf(server))
    expect(code).toBe(0)
    expect(stdout).toBe('workspace   changes   on disk  differences\nmain              0         0  0\nDatabase and mirror agree.\n')
  })

  it('names what differs and exits 1; repairs when asked', async () => {
    await using server = await FixtureServer.start()
    server.workspaces.push(new FixtureWorkspace('damaged'))
    const broken = await runCli(['doctor'], envOf(server))
    expect(broken.code).toBe(1)
    expect(broken.stdout).toContain('damaged: other content     /a.txt')
    expect((await runCli(['doctor', '--repair'], envOf(server))).code).toBe(0)
  })

  it('prints the report as JSON', async () => {
    await using server = await FixtureServer.start()
    const { stdout } = await runCli(['doctor', '--json'], envOf(server))
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, workspaces: [{ id: server.main.id, differences: [] }] })
  })
})

describe('buildscale login and user', () => {
  it('prints a sign-in link, and nothing else on stdout', async () => {
    await using server = await FixtureServer.start()
    const { code, stdout } = await runCli(['login'], envOf(server))
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${server.url}/sign-in#code=fixture-code\n` })
  })

  it('adds a user, gives a token and a membership', async () => {
    await using server = await FixtureServer.start()
    const { code, stdout } = await runCli(['user', 'add', 'ada', '--workspace', 'main', '--role', 'viewer', '--json'], envOf(server))
    const added = JSON.parse(stdout) as { user_id: string; token: string }
    expect(code).toBe(0)
    expect(added.token).toBe('bs_command line')
    expect(server.requests.at(-1)).toMatchObject({ method: 'PUT', url: `/api/v1/workspaces/${server.main.id}/members/${added.user_id}` })
  })

  it('refuses a role that does not exist before anybody is created', async () => {
    await using server = await FixtureServer.start()
    const { code, stderr } = await runCli(['user', 'add', 'ada', '--workspace', 'main', '--role', 'king'], envOf(server))
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'error: No role king. There are: viewer, editor, admin, owner\n' })
    expect(server.requests.some(({ method }) => method === 'POST')).toBe(false)
  })
})

describe('buildscale chat', () => {
  it('answers each line of its input in order and ends with it', async () => {
    await using server = await FixtureServer.start()
    await using cli = new CliProcess(['chat'], envOf(server))
    cli.type('one\ntwo\n')
    cli.closeStdin()
    expect(await cli.exited).toBe(0)
    expect(cli.stdout).toBe('You said “one”. 日本語 🎉\nYou said “two”. 日本語 🎉\n')
  })

  it('stops the running turn on /stop and leaves on /exit', async () => {
    await using server = await FixtureServer.start()
    await using cli = new CliProcess(['chat'], envOf(server))
    cli.type('slow talk\n')
    await expect.poll(() => cli.stdout, { timeout: 10_000 }).toContain('still here')
    cli.type('/stop\n')
    await expect.poll(() => cli.stderr, { timeout: 10_000 }).toContain('stopped')
    cli.type('/exit\n')
    expect(await cli.exited).toBe(0)
  })

  it('shows the chat that it continues', async () => {
    await using server = await FixtureServer.start()
    const chat = server.main.createChat({})
    chat.post('earlier')
    await expect.poll(() => chat.isIdle).toBe(true)
    await using cli = new CliProcess(['chat', '--chat', chat.info.id], envOf(server))
    await expect.poll(() => cli.stdout, { timeout: 10_000 }).toContain('You said “earlier”')
    expect(cli.stderr).toContain('> earlier')
    cli.type('/exit\n')
    expect(await cli.exited).toBe(0)
  })
})
