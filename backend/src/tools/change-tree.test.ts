import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'

let workspaces: ToolWorkspaces
beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
afterAll(() => workspaces[Symbol.asyncDispose]())

describe('mkdir', () => {
  it('creates a folder with those above it; an existing one stays the same', async () => {
    const workspace = await workspaces.with()
    const first = await workspace.ok('mkdir', { path: '/A/b/[c]' })
    expect(first).toMatchObject({ path: '/A/b/[c]', created: true })
    expect(await workspace.ok('mkdir', { path: 'A/b/[c]/' })).toEqual({ ...first, created: false })
    expect(await workspace.paths()).toEqual(['/A', '/A/b', '/A/b/[c]'])
  })

  it('refuses a folder below a file', async () => {
    const workspace = await workspaces.with({ '/a': 'x' })
    expect(await workspace.refused('mkdir', { path: '/a/b' })).toMatchObject({ code: 'conflict' })
  })
})

describe('touch', () => {
  it('creates an empty file, and leaves the content of an existing one alone', async () => {
    const workspace = await workspaces.with({ '/a.md': 'text' })
    expect(await workspace.ok('touch', { path: '/new/b.md' })).toMatchObject({ created: true, version: 1 })
    expect(await workspace.text('/new/b.md')).toBe('')
    expect(await workspace.ok('touch', { path: '/a.md' })).toMatchObject({ created: false, version: 1 })
    expect(await workspace.text('/a.md')).toBe('text')
  })

  it('refuses the workspace itself', async () => {
    const workspace = await workspaces.with()
    expect(await workspace.refused('touch', { path: '/' })).toMatchObject({ code: 'invalid_request' })
  })
})

describe('rm', () => {
  it('removes exactly the file that is named', async () => {
    const workspace = await workspaces.with({ '/a_b': '1', '/axb': '2', '/a_b.md': '3' })
    expect(await workspace.ok('rm', { path: '/a_b' })).toMatchObject({ path: '/a_b', removed: 1 })
    expect(await workspace.paths()).toEqual(['/a_b.md', '/axb'])
  })

  it('removes an empty folder, and a full one only with recursive: true', async () => {
    const workspace = await workspaces.with({ '/full/a': 'x', '/full2/b': 'x' })
    await workspace.ok('mkdir', { path: '/empty' })
    await workspace.ok('rm', { path: '/empty' })
    const error = await workspace.refused('rm', { path: '/full' })
    expect(error).toMatchObject({ code: 'conflict' })
    expect(error.message).toMatch(/not empty.*recursive: true/)
    expect(await workspace.ok('rm', { path: '/full', recursive: 'TRUE' })).toMatchObject({ removed: 2 })
    expect(await workspace.paths()).toEqual(['/full2', '/full2/b'])
  })

  it('does not remove a folder that got content after the call was prepared', async () => {
    const workspace = await workspaces.with()
    await workspace.ok('mkdir', { path: '/empty' })
    const prepared = await workspace.prepare('rm', { path: '/empty' })
    await workspace.put('/empty/new.md', 'x')
    await expect(workspace.apply(prepared)).rejects.toMatchObject({ code: 'conflict' })
    expect(await workspace.paths()).toEqual(['/empty', '/empty/new.md'])
  })

  it('names near names for what is not there, and refuses the workspace itself', async () => {
    const workspace = await workspaces.with({ '/notes.md': 'x' })
    expect((await workspace.refused('rm', { path: '/note.md' })).message).toContain('Did you mean "/notes.md"?')
    expect(await workspace.refused('rm', { path: '/', recursive: true })).toMatchObject({ code: 'invalid_request' })
  })
})

describe('mv', () => {
  it.each([
    ['renames a file', '/a.md', '/B.md', '/B.md'],
    ['moves into a folder that exists', '/a.md', '/src', '/src/a.md'],
    ['moves into a folder that is named with a slash, creating it', '/a.md', '/new/', '/new/a.md'],
    ['moves to a new path, creating the folders', '/a.md', '/x/y/z.md', '/x/y/z.md'],
    ['moves to the root', '/src/main.ts', '/', '/main.ts'],
    ['moves a folder with its content', '/src', '/lib', '/lib'],
  ])('%s', async (...[, source, destination, target]) => {
    const workspace = await workspaces.with({ '/a.md': 'x', '/src/main.ts': 'y', '/srcX/z': 'z' })
    expect(await workspace.ok('mv', { source, destination })).toMatchObject({ from_path: source, to_path: target })
    const paths = await workspace.paths()
    expect(paths).toContain(target)
    expect(paths).not.toContain(source)
    expect(paths).toContain('/srcX/z')
  })

  it.each([
    ['an existing file', '/a.md', '/b.md', 'conflict', /exists already/],
    ['a name that the folder has already', '/a.md', '/src', 'conflict', /"\/src\/a.md" exists already/],
    ['a file as if it were a folder', '/a.md', '/b.md/', 'conflict', /is a file/],
    ['a folder into itself', '/src', '/src', 'invalid_request', /same/],
    ['a folder into its own folder', '/src', '/src/deep/x', 'invalid_request', /into itself/],
    ['the workspace itself', '/', '/x', 'invalid_request', /workspace itself/],
    ['what is not there', '/A.md', '/x', 'not_found', /Did you mean "\/a.md"/],
    ['to the place where it is', '/a.md', '/', 'invalid_request', /same/],
  ])('refuses %s', async (...[, source, destination, code, expected]) => {
    const workspace = await workspaces.with({ '/a.md': '1', '/b.md': '2', '/src/a.md': '3' })
    const before = await workspace.paths()
    const error = await workspace.refused('mv', { source, destination })
    expect(error.code).toBe(code)
    expect(error.message).toMatch(expected)
    expect(await workspace.paths()).toEqual(before)
  })
})

describe('file_info', () => {
  it('tells size, lines, hash, version and type', async () => {
    const workspace = await workspaces.with({ '/grüße.md': 'ä\nb' })
    expect(await workspace.ok('file_info', { path: '/grüße.md' })).toMatchObject({
      name: 'grüße.md', file_type: 'document', size: 4, line_count: 2, version: 1, mime: 'text/markdown', hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
    })
  })

  it('counts no lines of files that are not text, nor of folders', async () => {
    const workspace = await workspaces.with({ '/a/b.png': Buffer.from([0x89, 0xff, 0]), '/empty': '' })
    expect(await workspace.ok('file_info', { path: '/a/b.png' })).toMatchObject({ size: 3, line_count: null, mime: 'image/png' })
    expect(await workspace.ok('file_info', { path: '/a' })).toMatchObject({ file_type: 'folder', size: null, line_count: null, hash: null })
    expect(await workspace.ok('file_info', { path: '/empty' })).toMatchObject({ size: 0, line_count: 0 })
    expect(await workspace.ok('file_info', { path: '/' })).toMatchObject({ file_type: 'folder' })
  })
})
