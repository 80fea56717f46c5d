import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'
import { RESULT_LIMIT_BYTES } from './result-limit.ts'

let workspaces: ToolWorkspaces
beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
afterAll(() => workspaces[Symbol.asyncDispose]())

describe('diff', () => {
  it('shows what the latest version changed, or what lies between any two', async () => {
    const workspace = await workspaces.with({ '/f': 'a\nb\n' })
    await workspace.put('/f', 'a\nB\n')
    await workspace.put('/f', 'a\nB\nc\n')
    expect(await workspace.ok('diff', { path: '/f' })).toEqual({
      path: '/f',
      from_version: 2,
      to_version: 3,
      binary: false,
      diff: '--- a/f\tversion 2\n+++ b/f\tversion 3\n@@ -1,2 +1,3 @@\n a\n B\n+c\n',
      added: 1,
      removed: 0,
      truncated: false,
      notice: null,
    })
    expect(await workspace.ok('diff', { path: '/f', from: 1 })).toMatchObject({ from_version: 1, to_version: 3, added: 2, removed: 1 })
    expect(await workspace.ok('diff', { path: '/f', from: '0', to: '1' })).toMatchObject({ from_version: 0, to_version: 1, added: 2, removed: 0 })
    expect(await workspace.ok('diff', { path: '/f', from: 3, to: 3 })).toMatchObject({ diff: '', notice: 'These versions are the same.' })
  })

  it('gives a patch that apply_patch or any other program takes', async () => {
    const workspace = await workspaces.with({ '/f': 'one\ntwo\nthree' })
    await workspace.put('/f', 'one\n2\nthree\n')
    expect(await workspace.ok('diff', { path: '/f' })).toMatchObject({ diff: expect.stringContaining('-two\n-three\n\\ No newline at end of file\n+2\n+three\n') as string })
  })

  it('says of bytes that they are no text', async () => {
    const workspace = await workspaces.with({ '/b': Buffer.from([0, 1, 2]) })
    await workspace.put('/b', 'text')
    expect(await workspace.ok('diff', { path: '/b' })).toMatchObject({ binary: true, diff: null, notice: expect.stringContaining('not text') as string })
  })

  it('shows the beginning of a diff that is larger than a result', async () => {
    const workspace = await workspaces.with({ '/f': '' })
    await workspace.put('/f', `${'x'.repeat(99)}\n`.repeat(15_000))
    const result = await workspace.ok<{ diff: string; truncated: boolean; notice: string }>('diff', { path: '/f' })
    expect(result).toMatchObject({ truncated: true, notice: expect.stringContaining('only its beginning') as string })
    expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThan(RESULT_LIMIT_BYTES)
    expect(result.diff.endsWith('x\n')).toBe(true)
  })

  it('refuses folders, versions that there are not, and paths that are not there', async () => {
    const workspace = await workspaces.with({ '/d/f': '1' })
    expect(await workspace.refused('diff', { path: '/d' })).toMatchObject({ code: 'conflict' })
    expect(await workspace.refused('diff', { path: '/d/f', to: 9 })).toMatchObject({ code: 'not_found', message: expect.stringContaining('newest one is 1') as string })
    expect(await workspace.refused('diff', { path: '/d/g' })).toMatchObject({ code: 'not_found' })
  })
})
