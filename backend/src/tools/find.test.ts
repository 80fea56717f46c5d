import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ToolWorkspace, ToolWorkspaces } from '../../test/support/tool-workspace.ts'

interface FindOutput {
  readonly matches: readonly { readonly path: string; readonly name: string; readonly file_type: string; readonly size: number | null; readonly version: number | null; readonly updated_at: string }[]
  readonly truncated: boolean
  readonly notice: string | null
}

let workspaces: ToolWorkspaces
beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
afterAll(() => workspaces[Symbol.asyncDispose]())

const find = async (workspace: ToolWorkspace, args: unknown): Promise<readonly string[]> => (await workspace.ok<FindOutput>('find', args)).matches.map((match) => match.path)

const TREE = { '/a.md': '1', '/b.ts': '22', '/src/c.md': '333', '/src/deep/d.md': '4444', '/src/[id].tsx': '55555', '/src2/e.md': '666666' }

describe('find', () => {
  it('A104: finds by a pattern for names, at any depth, by path', async () => {
    expect(await find(await workspaces.with(TREE), { name: '*.md' })).toEqual(['/a.md', '/src/c.md', '/src/deep/d.md', '/src2/e.md'])
  })

  it('A104: finds by type, and nothing when nothing fits', async () => {
    const workspace = await workspaces.with(TREE)
    expect(await find(workspace, { file_type: 'folder' })).toEqual(['/src', '/src/deep', '/src2'])
    expect(await find(workspace, { file_type: 'file', path: '/src/deep' })).toEqual(['/src/deep/d.md'])
    expect(await find(workspace, { name: '*.rs' })).toEqual([])
  })

  it('A104: stays in its folder, without those whose names begin alike, and without what is below when told so', async () => {
    const workspace = await workspaces.with(TREE)
    expect(await find(workspace, { path: '/src' })).toEqual(['/src/[id].tsx', '/src/c.md', '/src/deep', '/src/deep/d.md'])
    expect(await find(workspace, { path: 'src/', recursive: false, name: '*.md' })).toEqual(['/src/c.md'])
    expect(await find(workspace, { recursive: 'false' })).toEqual(['/a.md', '/b.ts', '/src', '/src2'])
  })

  it('A105: finds by size, both bounds inclusive, also together and with a name', async () => {
    const workspace = await workspaces.with(TREE)
    expect(await find(workspace, { min_size: 5 })).toEqual(['/src/[id].tsx', '/src2/e.md'])
    expect(await find(workspace, { max_size: '2' })).toEqual(['/a.md', '/b.ts'])
    expect(await find(workspace, { min_size: 3, max_size: 4 })).toEqual(['/src/c.md', '/src/deep/d.md'])
    expect(await find(workspace, { min_size: 2, name: '*.md' })).toEqual(['/src/c.md', '/src/deep/d.md', '/src2/e.md'])
  })

  it('A106: finds only the new path after a move, and nothing that was removed', async () => {
    const workspace = await workspaces.with(TREE)
    await workspace.ok('mv', { source: '/a.md', destination: '/z.md' })
    await workspace.ok('rm', { path: '/src', recursive: true })
    expect(await find(workspace, { name: '*.md' })).toEqual(['/src2/e.md', '/z.md'])
  })

  it('finds by time of change, as a date, a time or an age', async () => {
    const workspace = await workspaces.with({ '/old': '1' })
    const [old] = (await workspace.ok<FindOutput>('find', {})).matches
    await workspace.put('/new', '2')
    const [created] = (await workspace.ok<FindOutput>('find', { name: 'new' })).matches
    expect(await find(workspace, { modified_since: created?.updated_at })).toContain('/new')
    expect(await find(workspace, { modified_since: '1h' })).toEqual(['/new', '/old'])
    expect(await find(workspace, { modified_since: '2020-01-01' })).toEqual(['/new', '/old'])
    expect(await find(workspace, { modified_since: '2999-01-01T00:00' })).toEqual([])
    expect(old?.file_type).toBe('document')
  })

  it.each([
    ['[id].tsx', ['/i.tsx']],
    ['\\[id\\].tsx', ['/[id].tsx']],
    ['{a,b}_%.*', ['/a_%.x', '/b_%.x']],
    ['?_%.x', ['/a_%.x', '/b_%.x']],
    ['[!a]_%.x', ['/b_%.x']],
    ['[z-a].x', []],
    ['[]^-].x', ['/^.x']],
    ['a.b', ['/a.b']],
    ['a+(b)|c$', ['/a+(b)|c$']],
    ['grüße*', ['/grüße👍']],
    ['*👍', ['/grüße👍']],
    ['***', null],
  ])('the pattern %s means to it what it means to glob', async (name, expected) => {
    const workspace = await workspaces.with({ '/a_%.x': '', '/b_%.x': '', '/[id].tsx': '', '/a.b': '', '/axb': '', '/a+(b)|c$': '', '/grüße👍': '', '/^.x': '', '/i.tsx': '' })
    const globbed = (await workspace.ok<FindOutput>('glob', { pattern: name })).matches.map((match) => match.path)
    const found = await find(workspace, { name })
    expect(found).toEqual(globbed)
    if (expected !== null) expect(found).toEqual(expected)
  })

  it('gives as many as asked and says that there are more; 0 is all', async () => {
    const workspace = await workspaces.with(Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`/f${index}`, ''])))
    const cut = await workspace.ok<FindOutput>('find', {})
    expect([cut.matches.length, cut.truncated]).toEqual([50, true])
    expect(cut.notice).toContain('more than these 50 entries')
    expect((await workspace.ok<FindOutput>('find', { limit: 0 })).matches).toHaveLength(60)
  })

  it.each([
    [{ path: '/nope' }, 'not_found', 'There is no "/nope"'],
    [{ path: '/a.md' }, 'conflict', 'is a file, not a folder'],
    [{ name: 'src/*.md' }, 'invalid_request', 'use glob'],
    [{ name: '../*' }, 'invalid_request', '".."'],
    [{ name: ' ' }, 'invalid_request', 'pattern is empty'],
    [{ min_size: 5, max_size: 4 }, 'invalid_request', 'nothing can match'],
    [{ modified_since: 'yesterday' }, 'invalid_request', '"yesterday" is not a time'],
    [{ modified_since: '2026-02-31T99:00' }, 'invalid_request', 'is not a time'],
    [{ file_type: 'symlink' }, 'invalid_request', 'file_type'],
  ])('refuses %j', async (args, code, text) => {
    const error = await (await workspaces.with(TREE)).refused('find', args)
    expect(error.code).toBe(code)
    expect(error.message).toContain(text)
  })
})
