import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'

let workspaces: ToolWorkspaces
beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
afterAll(() => workspaces[Symbol.asyncDispose]())

interface Versions {
  readonly versions: readonly { readonly version: number; readonly size: number; readonly author: string }[]
  readonly truncated: boolean
  readonly cursor: number | null
  readonly notice: string | null
}
interface Changes {
  readonly changes: readonly { readonly seq: number; readonly kind: string; readonly path: string; readonly from_path: string | null }[]
  readonly truncated: boolean
  readonly cursor: number | null
}

describe('history', () => {
  it('lists the versions of a file, newest first, page by page', async () => {
    const workspace = await workspaces.with({ '/f': '1' })
    for (const text of ['22', '333']) await workspace.put('/f', text)
    const first = await workspace.ok<Versions>('history', { path: 'f', limit: '2' })
    expect(first).toMatchObject({ path: '/f', kind: 'versions', truncated: true, cursor: 2, notice: 'There is more. Go on with cursor: 2.' })
    expect(first.versions).toMatchObject([{ version: 3, size: 3, author: 'user', tool: null, turn_id: null }, { version: 2, size: 2 }])
    const rest = await workspace.ok<Versions>('history', { path: '/f', cursor: first.cursor })
    expect(rest).toMatchObject({ versions: [{ version: 1 }], truncated: false, cursor: null, notice: null })
    expect((await workspace.ok<Versions>('history', { path: '/f', limit: 0, cursor: 2 ** 40 })).versions).toHaveLength(3)
  })

  it('lists the latest changes of the workspace, or at and below a folder only', async () => {
    const workspace = await workspaces.with({ '/a_b/f': '1', '/axb': '2' })
    await workspace.ok('mv', { source: '/a_b/f', destination: '/g' })
    await workspace.ok('rm', { path: '/axb' })
    const all = await workspace.ok<Changes>('history', {})
    expect(all.changes.map(({ kind, path, from_path: from }) => [kind, path, from])).toEqual([
      ['deleted', '/axb', null],
      ['moved', '/g', '/a_b/f'],
      ['created', '/axb', null],
      ['created', '/a_b/f', null],
      ['created', '/a_b', null],
    ])
    const below = await workspace.ok<Changes>('history', { path: '/a_b' })
    expect(below.changes.map(({ kind, path }) => [kind, path])).toEqual([['moved', '/g'], ['created', '/a_b/f'], ['created', '/a_b']])
    const first = await workspace.ok<Changes>('history', { path: '/a_b', limit: 1 })
    expect(first).toMatchObject({ truncated: true })
    expect((await workspace.ok<Changes>('history', { path: '/a_b', cursor: first.cursor })).changes).toHaveLength(2)
  })

  it('tells what became of a path that is gone, and refuses one that never was, with near names', async () => {
    const workspace = await workspaces.with({ '/notes.md': '1', '/old.md': '2' })
    await workspace.ok('rm', { path: '/old.md' })
    expect((await workspace.ok<Changes>('history', { path: '/old.md' })).changes.map(({ kind }) => kind)).toEqual(['deleted', 'created'])
    expect(await workspace.refused('history', { path: '/note.md' })).toMatchObject({ code: 'not_found', message: expect.stringContaining('"/notes.md"') as string })
  })
})
