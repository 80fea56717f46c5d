import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ToolWorkspace, ToolWorkspaces } from '../../test/support/tool-workspace.ts'

interface MemoryOutput {
  readonly path: string
  readonly file_id: string
  readonly version: number
  readonly tags: readonly string[]
  readonly created_at: string
}
interface Matches {
  readonly matches: readonly { readonly key: string; readonly preview: string }[]
  readonly total: number
}

describe('memories', () => {
  let workspaces: ToolWorkspaces
  beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
  afterAll(() => workspaces[Symbol.asyncDispose]())

  const name = { scope: 'global', category: 'style', key: 'code' }
  const set = (workspace: ToolWorkspace, args: object = {}): Promise<MemoryOutput> => workspace.ok<MemoryOutput>('memory_set', { ...name, title: 'Code style', content: 'No semicolons.\n', ...args })

  it('are readable files: those for everybody below /memories, those of a person below the person', async () => {
    const workspace = await workspaces.with()
    expect(await set(workspace, { tags: ['a', ' b ', 'a', ''] })).toMatchObject({ path: '/memories/style/code.md', version: 1, ...name, title: 'Code style', tags: ['a', 'b'], created: true })
    expect(await workspace.text('/memories/style/code.md')).toMatch(/^---\ntitle: Code style\ncategory: style\nscope: global\ntags:\n {2}- a\n {2}- b\ncreated_at: \S+Z\nupdated_at: \S+Z\n---\nNo semicolons\.\n$/)
    const own = await set(workspace, { scope: 'user' })
    expect(own.path).toMatch(/^\/users\/[0-9a-f-]{36}\/memories\/style\/code\.md$/)
    expect(await workspace.ok('file_info', { path: own.path })).toMatchObject({ file_type: 'memory' })
  })

  it('are recalled whole, with what is known of them', async () => {
    const workspace = await workspaces.with()
    await set(workspace, { content: '---\nodd\r\n' })
    expect(await workspace.ok('memory_get', name)).toMatchObject({ ...name, title: 'Code style', tags: [], content: '---\nodd\r\n', version: 1, truncated: false, notice: null })
    expect(await workspace.ok('memory_get', { ...name, key: 'code.md' })).toMatchObject({ title: 'Code style' })
  })

  it('are set again in the same file, which keeps the time of its making, other keys, and tags that are not given', async () => {
    const workspace = await workspaces.with()
    const first = await set(workspace, { tags: ['x'] })
    const { created_at: createdAt } = await workspace.ok<MemoryOutput>('memory_get', name)
    await workspace.ok('edit', { path: first.path, old_string: 'title: Code', new_string: '# by hand\nowner: Ada\ntitle: Code' })
    expect(await set(workspace, { title: 'New', content: 'Two spaces.' })).toMatchObject({ file_id: first.file_id, version: 3, created: false, tags: ['x'] })
    expect(await workspace.ok('memory_get', name)).toMatchObject({ title: 'New', content: 'Two spaces.', tags: ['x'], created_at: createdAt })
    expect(await workspace.text(first.path)).toMatch(/^---\n# by hand\nowner: Ada\ntitle: New\n/)
    expect(await set(workspace, { title: 'New', content: 'Two spaces.', tags: null })).toMatchObject({ version: 3, unchanged: true })
    expect(await set(workspace, { title: 'New', content: 'Two spaces.', tags: [] })).toMatchObject({ version: 4, tags: [] })
  })

  it.each(['c++', 'C#', 'a/b', '..', '.', '.hidden', '50%', 'a%2Fb', 'back\\slash', 'Ünï 👍', 'new\nline', 'two  spaces', 'x.md.md'])('B15: keep the name %j exactly, and stay in their folder', async (key) => {
    const workspace = await workspaces.with()
    const { path } = await set(workspace, { category: key, key, content: key })
    expect(path.startsWith('/memories/')).toBe(true)
    expect(path.split('/')).toHaveLength(4)
    const bare = key.replace(/\.md$/, '')
    expect(await workspace.ok('memory_list', { list_type: 'memories' })).toMatchObject({ memories: [{ category: key, key: bare }], total: 1 })
    expect(await workspace.ok('memory_list', { list_type: 'memories', category: key })).toMatchObject({ total: 1 })
    expect(await workspace.ok('memory_get', { scope: 'global', category: key, key })).toMatchObject({ content: key })
    expect(await workspace.ok('memory_delete', { scope: 'global', category: key, key })).toMatchObject({ category: key, key, path })
  })

  it('keep names apart that differ only in case or in a sign', async () => {
    const workspace = await workspaces.with()
    for (const key of ['c', 'C', 'c+', 'c_', 'c ']) await set(workspace, { key, title: key.trim() })
    expect(await workspace.ok('memory_list', { list_type: 'memories' })).toMatchObject({ total: 4 })
  })

  it.each([
    ['memory_set', { ...name, title: 't', content: ' \n' }, 'invalid_request', /content is empty/],
    ['memory_set', { ...name, title: ' ', content: 'x' }, 'invalid_request', /title: give one line/],
    ['memory_set', { ...name, title: 'two\nlines', content: 'x' }, 'invalid_request', /title: give one line/],
    ['memory_set', { ...name, key: ' ', title: 't', content: 'x' }, 'invalid_request', /key is empty/],
    ['memory_set', { ...name, category: '', title: 't', content: 'x' }, 'invalid_request', /category is empty/],
    ['memory_set', { ...name, key: 'x'.repeat(300), title: 't', content: 'x' }, 'invalid_request', /longer than 255 bytes/],
    ['memory_set', { ...name, key: '\ud83d', title: 't', content: 'x' }, 'invalid_request', /not valid Unicode/],
    ['memory_set', { ...name, scope: 'ada', title: 't', content: 'x' }, 'invalid_request', /scope: must be one of user, global/],
    ['memory_set', { category: 'c', title: 't' }, 'invalid_request', /content: missing/],
    ['memory_get', { ...name, key: 'cod' }, 'not_found', /Did you mean "\/memories\/style\/code\.md"/],
    ['memory_delete', { ...name, category: 'other' }, 'not_found', /no folder "\/memories\/other"/],
    ['memory_get', { ...name, key: 'broken' }, 'unprocessable', /line 2, column 1: "tags" must be a list/],
  ])('%s refuses %j', async (...[tool, args, code, message]) => {
    const workspace = await workspaces.with({ '/memories/style/broken.md': '---\ntags: x\n---\n' })
    await set(workspace)
    const error = await workspace.refused(tool, args)
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
  })

  it('are forgotten into the trash, and can be set anew', async () => {
    const workspace = await workspaces.with()
    const { file_id: fileId } = await set(workspace)
    expect(await workspace.ok('memory_delete', name)).toEqual({ path: '/memories/style/code.md', file_id: fileId, ...name })
    expect(await workspace.refused('memory_get', name)).toMatchObject({ code: 'not_found' })
    expect(await set(workspace)).toMatchObject({ created: true, version: 1 })
  })

  it('are not lost when two writers set one at the same time', async () => {
    const workspace = await workspaces.with()
    const prepared = await Promise.all(['a', 'b'].map((content) => workspace.prepare('memory_set', { ...name, title: 't', content })))
    const outcomes = await Promise.allSettled(prepared.map((call) => workspace.apply(call)))
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  describe('of others', () => {
    it('cannot be named: the scope user is always the caller’s', async () => {
      const workspace = await workspaces.with({ '/users/somebody/memories/style/code.md': 'theirs' })
      expect(await workspace.refused('memory_get', { ...name, scope: 'user' })).toMatchObject({ code: 'not_found' })
      expect(await workspace.ok('memory_search', { pattern: 'theirs' })).toMatchObject({ matches: [], total: 0 })
      expect(await workspace.ok('memory_list', { list_type: 'memories' })).toMatchObject({ total: 0 })
      for (const category of ['../../somebody/memories/style', '/users/somebody/memories/style']) expect(await workspace.refused('memory_get', { scope: 'user', category, key: 'code' })).toMatchObject({ code: 'not_found' })
    })
  })

  describe('are searched', () => {
    async function filled(): Promise<ToolWorkspace> {
      const workspace = await workspaces.with({ '/memories/notes.md': 'not in a category', '/memories/a/b/c.md': 'too deep', '/memories/style/x.txt': 'no memory', '/memories/style/broken.md': '---\ntags: 1\n---\nTabs' })
      await set(workspace, { key: 'tabs', title: 'Indentation', content: `${'word '.repeat(100)}We use TABS here, ${'word '.repeat(200)}`, tags: ['team', 'Format'] })
      await set(workspace, { key: 'colour', title: 'Tabs or not', content: 'Blue.', tags: ['team'], scope: 'user' })
      await set(workspace, { category: 'people', key: 'ada', title: 'Ada', content: 'Likes tea.', tags: ['format'] })
      return workspace
    }

    it.each([
      ['a word, the title counting more than the text', { pattern: 'tabs' }, ['tabs', 'colour']],
      ['words in any order and place', { pattern: 'here indentation' }, ['tabs']],
      ['case, when told to', { pattern: 'Tabs', case_sensitive: true }, ['colour']],
      ['a category', { pattern: '', category: 'people' }, ['ada']],
      ['all of several tags', { pattern: '', tags: ['TEAM', 'format'] }, ['tabs']],
      ['a scope', { pattern: '', scope: 'user' }, ['colour']],
      ['what is a sign elsewhere, as text', { pattern: '.*' }, []],
      ['nothing that is not there', { pattern: 'zebra' }, []],
    ])('by %s', async (_, args, keys) => {
      const workspace = await filled()
      const { matches, total } = await workspace.ok<Matches>('memory_search', args)
      expect(matches.map(({ key }) => key).sort()).toEqual([...keys].sort())
      expect(total).toBe(keys.length)
    })

    it('with the part of the text that matches, and no more than asked for', async () => {
      const workspace = await filled()
      const { matches } = await workspace.ok<Matches>('memory_search', { pattern: 'use tabs' })
      expect(matches[0]?.preview).toMatch(/^….*We use TABS here.*…$/s)
      expect(matches[0]?.preview.length).toBeLessThan(700)
      expect(await workspace.ok('memory_search', { pattern: '', limit: 1 })).toMatchObject({ matches: [{}], total: 4, truncated: true })
    })

    it('and listed: categories, tags and memories, page by page, nothing behind the end', async () => {
      const workspace = await filled()
      expect(await workspace.ok('memory_list', { list_type: 'categories' })).toMatchObject({ categories: [{ name: 'style', count: 3 }, { name: 'people', count: 1 }], total: 2, truncated: false })
      expect(await workspace.ok('memory_list', { list_type: 'categories', scope: 'user' })).toMatchObject({ categories: [{ name: 'style', count: 1 }] })
      expect(await workspace.ok('memory_list', { list_type: 'tags' })).toMatchObject({ tags: [{ name: 'team', count: 2 }, { name: 'Format', count: 1 }, { name: 'format', count: 1 }] })
      expect(await workspace.ok('memory_list', { list_type: 'memories', tags: 'team' })).toMatchObject({ memories: [{ key: 'colour' }, { key: 'tabs' }], total: 2 })
      expect(await workspace.ok('memory_list', { list_type: 'memories', category: 'style', limit: 2, offset: 1 })).toMatchObject({ memories: [{ key: 'tabs' }, { key: 'broken', problem: 'Line 2, column 1: "tags" must be a list.' }], total: 3 })
      expect(await workspace.ok('memory_list', { list_type: 'memories', limit: 1 })).toMatchObject({ truncated: true, notice: '4 in all; go on with offset: 1.' })
      expect(await workspace.ok('memory_list', { list_type: 'memories', offset: 9 })).toMatchObject({ memories: [], total: 4, truncated: false })
    })
  })
})
