import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'

describe('multi_edit', () => {
  let workspaces: ToolWorkspaces
  beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
  afterAll(() => workspaces[Symbol.asyncDispose]())

  it('makes all its edits as one version, each on the result of the one before', async () => {
    const workspace = await workspaces.with({ '/f': 'one two three two' })
    const edits = [{ old_string: 'one', new_string: 'two two' }, { old_string: 'two', new_string: '2', replace_all: true }, { old_string: '2 2 2', new_string: 'x' }]
    expect(await workspace.ok('multi_edit', { path: '/f', edits })).toMatchObject({ version: 2, replacements: 6, unchanged: false })
    expect(await workspace.text('/f')).toBe('x three 2')
  })

  it('keeps CRLF, a byte order mark and a missing final line break', async () => {
    const workspace = await workspaces.with({ '/f': '\uFEFFa\r\nb\r\nc' })
    await workspace.ok('multi_edit', { path: '/f', edits: [{ old_string: 'a\nb', new_string: 'x\ny' }, { old_string: 'c', new_string: 'c\nd' }] })
    expect(await workspace.text('/f')).toBe('\uFEFFx\r\ny\r\nc\r\nd')
  })

  it('makes none when one fails, and says which one and what is near', async () => {
    const workspace = await workspaces.with({ '/f': 'const a = 1\nconst b = 2\n' })
    const edits = [{ old_string: 'const a = 1', new_string: 'let a = 1\n// more' }, { old_string: 'const bb = 2', new_string: 'x' }]
    const error = await workspace.refused('multi_edit', { path: '/f', edits })
    expect(error.code).toBe('conflict')
    expect(error.message).toMatch(/^Edit 2 of 2 failed, so nothing was changed\. old_string is not in "\/f".*closest lines are:\n3: const b = 2\n[^]*Line numbers are those after edit 1\.$/)
    expect(await workspace.text('/f')).toBe('const a = 1\nconst b = 2\n')
  })

  it.each([
    ['no edit at all', [], /edits: must have at least 1 entry/],
    ['more edits than it takes', Array.from({ length: 101 }, () => ({ old_string: 'a', new_string: 'b' })), /edits: must have at most 100 entries/],
    ['an edit without its new text', [{ old_string: 'a' }], /edits\.0\.new_string: missing/],
    ['an argument that an edit does not have', [{ old_string: 'a', new_string: 'b', line: 1 }], /edits\.0: unknown argument "line"/],
    ['empty old text', [{ old_string: '', new_string: 'b' }], /Edit 1 of 1 failed.*old_string is empty/],
    ['a list of other things', [1], /edits\.0: must be an object/],
  ])('refuses %s', async (_, edits, message) => {
    const workspace = await workspaces.with({ '/f': 'a' })
    const error = await workspace.refused('multi_edit', { path: '/f', edits })
    expect(error.code).toBe('invalid_request')
    expect(error.message).toMatch(message)
  })

  it('understands edits that a model wrote as text, and a single edit', async () => {
    const workspace = await workspaces.with({ '/f': 'a b' })
    await workspace.ok('multi_edit', { path: '/f', edits: JSON.stringify([{ old_string: 'a', new_string: '1', replace_all: null }]) })
    await workspace.ok('multi_edit', { path: '/f', edits: { old_string: 'b', new_string: '2', replace_all: 'false' } })
    expect(await workspace.text('/f')).toBe('1 2')
  })

  it('refuses when the file is no longer what was read', async () => {
    const workspace = await workspaces.with({ '/f': 'a' })
    const edits = [{ old_string: 'a', new_string: 'b' }]
    expect(await workspace.refused('multi_edit', { path: '/f', edits, last_read_hash: '0'.repeat(64) })).toMatchObject({ code: 'version_mismatch' })
    const { hash } = await workspace.ok<{ hash: string }>('read', { path: '/f' })
    await workspace.ok('multi_edit', { path: '/f', edits, last_read_hash: hash.toUpperCase() })
  })

  it('B19: of two at once exactly one wins, the other is told to read again', async () => {
    const workspace = await workspaces.with({ '/f': 'a b' })
    const prepared = await Promise.all(['a', 'b'].map((letter) => workspace.prepare('multi_edit', { path: '/f', edits: [{ old_string: letter, new_string: 'x' }] })))
    const outcomes = await Promise.allSettled(prepared.map((call) => workspace.apply(call)))
    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(outcomes.find((outcome) => outcome.status === 'rejected')?.reason).toMatchObject({ code: 'version_mismatch' })
  })
})
