/** Commands of `buildscale` against a real server: what they print, what they leave, how they exit. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../cli/src/testing/cli-process.ts'
import { type RunningApp, startApp } from './support/running-app.ts'

let app: RunningApp
beforeAll(async () => void (app = await startApp()))
afterAll(() => app[Symbol.asyncDispose]())

const run = (...args: string[]) => runCli(args, { BUILDSCALE_URL: app.url, BUILDSCALE_TOKEN: app.token })
const files = () => app.client.files(app.workspaceId)

describe('buildscale trash', () => {
  it('lists what was removed, puts it back by path, and says when there is nothing', async () => {
    expect(await run('trash', 'list')).toEqual({ code: 0, stdout: '', stderr: 'The trash is empty.\n' })
    await files().put('/docs/a.md', 'a')
    await files().remove('/docs')
    expect((await run('trash', 'list')).stdout).toMatch(/^\S+Z {2}[0-9a-f-]{36} {2}\/docs\/\n$/)
    expect(await run('trash', 'restore', 'docs/')).toEqual({ code: 0, stdout: 'restored /docs\n', stderr: '' })
    expect(await (await files().content('/docs/a.md')).text()).toBe('a')
  })

  it('puts it elsewhere when its place is taken', async () => {
    await files().put('/b.md', 'old')
    await files().remove('/b.md')
    await files().put('/b.md', 'new')
    const { code, stderr } = await run('trash', 'restore', '/b.md')
    expect([code, stderr]).toEqual([1, expect.stringContaining('"/b.md" exists') as string])
    expect((await run('trash', 'restore', '/b.md', '--to', '/old/b.md')).stdout).toBe('restored /old/b.md\n')
  })

  it('destroys nothing without --yes', async () => {
    await files().put('/c.md', 'c')
    await files().remove('/c.md')
    for (const args of [['purge', '/c.md'], ['empty']]) expect(await run('trash', ...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--yes') as string })
    expect((await run('trash', 'purge', '/c.md', '--yes')).stdout).toBe('purged /c.md\n')
    expect(await run('trash', 'restore', '/c.md')).toMatchObject({ code: 1, stderr: expect.stringContaining('is not in the trash') as string })
    expect((await run('trash', 'empty', '--yes')).code).toBe(0)
    expect(JSON.parse((await run('trash', 'list', '--json')).stdout)).toEqual([])
  })
})

describe('buildscale workspace', () => {
  it('makes, lists, renames, bounds and deletes', async () => {
    const id = (await run('workspace', 'create', 'research')).stdout.trim()
    expect((await run('workspace', 'rename', 'research', 'lab')).stdout).toBe('lab\n')
    expect((await run('workspace', 'quota', 'lab', '10M')).stdout).toBe('10000000 bytes\n')
    expect((await run('workspace', 'list')).stdout).toMatch(new RegExp(`${id} {2}owner {3}\\s+0 bytes of 10000000 {2}lab\n`))
    expect((await run('workspace', 'quota', 'lab', 'none')).stdout).toBe('no quota\n')
    expect(await run('workspace', 'quota', 'lab', 'much')).toMatchObject({ code: 2, stderr: expect.stringContaining('Not a size: much') as string })
    expect(await run('workspace', 'delete', 'lab')).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') as string })
    expect((await run('workspace', 'delete', 'lab', '--yes')).stdout).toBe('deleted lab\n')
    expect(await run('workspace', 'delete', 'lab', '--yes')).toMatchObject({ code: 1, stderr: expect.stringContaining('No workspace lab') as string })
  })
})
