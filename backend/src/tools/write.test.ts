import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'

describe('write', () => {
  let workspaces: ToolWorkspaces
  beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
  afterAll(() => workspaces[Symbol.asyncDispose]())

  it.each([
    ['JSON', '/package.json', '{"b":1.0, "a":[1e3]}'],
    ['a JSON word', '/x', 'null'],
    ['CRLF', '/x', 'a\r\nb'],
    ['escaped line breaks', '/x', 'a\\nb'],
    ['a name with brackets', '/app/[id].tsx', 'x'],
    ['a name in mixed case', '/__Tests__/README.MD', 'x'],
    ['an emoji name', '/👩‍💻.md', '👍'],
  ])('stores %s exactly, with the folders above it', async (_, path, content) => {
    const workspace = await workspaces.with()
    expect(await workspace.ok('write', { path, content })).toMatchObject({ path, version: 1, created: true, unchanged: false })
    expect(await workspace.text(path)).toBe(content)
  })

  it('does not overwrite unless told to, and says how', async () => {
    const workspace = await workspaces.with({ '/a.md': 'old' })
    const error = await workspace.refused('write', { path: '/a.md', content: 'new' })
    expect(error).toMatchObject({ code: 'conflict' })
    expect(error.message).toMatch(/edit.*overwrite: true/)
    expect(await workspace.text('/a.md')).toBe('old')
    expect(await workspace.ok('write', { path: '/a.md', content: 'new', overwrite: '1' })).toMatchObject({ version: 2, created: false })
    expect(await workspace.text('/a.md')).toBe('new')
  })

  it('makes no version of the same bytes', async () => {
    const workspace = await workspaces.with({ '/a.md': 'same' })
    expect(await workspace.ok('write', { path: '/a.md', content: 'same', overwrite: true })).toMatchObject({ version: 1, unchanged: true })
  })

  it('does not overwrite what another writer created between preparing and applying', async () => {
    const workspace = await workspaces.with()
    const prepared = await workspace.prepare('write', { path: '/a.md', content: 'mine' })
    await workspace.put('/a.md', 'theirs')
    await expect(workspace.apply(prepared)).rejects.toMatchObject({ code: 'conflict' })
    expect(await workspace.text('/a.md')).toBe('theirs')
  })

  it('creates a folder for file_type folder', async () => {
    const workspace = await workspaces.with()
    expect(await workspace.ok('write', { path: '/a/b', content: '', file_type: 'folder' })).toMatchObject({ created: true, version: null })
    expect(await workspace.ok('file_info', { path: '/a/b' })).toMatchObject({ file_type: 'folder' })
    expect((await workspace.refused('write', { path: '/c', content: 'x', file_type: 'folder' })).message).toContain('A folder has no content')
  })

  it('keeps the type of a file, and refuses to change it', async () => {
    const workspace = await workspaces.with()
    await workspace.ok('write', { path: '/p.plan', content: 'a', file_type: 'plan' })
    await workspace.ok('write', { path: '/p.plan', content: 'b', overwrite: true })
    expect(await workspace.ok('file_info', { path: '/p.plan' })).toMatchObject({ file_type: 'plan', version: 2 })
    expect((await workspace.refused('write', { path: '/p.plan', content: 'c', overwrite: true, file_type: 'memory' })).message).toContain('of type plan')
  })

  it.each([
    ['a folder', { path: '/src', content: 'x', overwrite: true }, /is a folder/],
    ['the workspace itself', { path: '/', content: 'x' }, /workspace itself/],
    ['a path below a file', { path: '/src/a.ts/b', content: 'x' }, /file/],
    ['an unknown type', { path: '/x', content: 'x', file_type: 'virtual' }, /file_type: must be one of document, plan, memory, folder/],
    ['content that is not text', { path: '/x', content: { a: 1 } }, /content: must be text/],
    ['half a character', { path: '/x', content: '\ud83d' }, /surrogate/],
  ])('refuses %s', async (_, args, expected) => {
    const workspace = await workspaces.with({ '/src/a.ts': 'x' })
    expect((await workspace.refused('write', args)).message).toMatch(expected)
    expect(await workspace.paths()).toEqual(['/src', '/src/a.ts'])
  })
})
