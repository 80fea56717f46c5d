import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'

describe('edit', () => {
  let workspaces: ToolWorkspaces
  beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
  afterAll(() => workspaces[Symbol.asyncDispose]())

  it.each([
    ['replaces text that is there once', 'one two three', { old_string: 'two', new_string: '2' }, 'one 2 three'],
    ['replaces text wherever it is, when told to', 'a b a\na', { old_string: 'a', new_string: 'x', replace_all: true }, 'x b x\nx'],
    ['removes text', 'one two', { old_string: ' two', new_string: '' }, 'one'],
    ['takes new text literally', 'a', { old_string: 'a', new_string: '$& $1' }, '$& $1'],
    ['leaves JSON around the edit alone', '{ "b": 1.0,\n  "a": 1 }', { old_string: '"a": 1', new_string: '"a": 2' }, '{ "b": 1.0,\n  "a": 2 }'],
    ['keeps CRLF for an edit that is written with LF', 'a\r\nb\r\nc\r\n', { old_string: 'a\nb', new_string: 'x\ny\nz' }, 'x\r\ny\r\nz\r\nc\r\n'],
    ['keeps CRLF in one replaced line', 'a\r\nb\r\n', { old_string: 'b', new_string: 'b\nc' }, 'a\r\nb\r\nc\r\n'],
    ['keeps mixed line breaks as they are', 'a\r\nb\nc\n', { old_string: 'b\nc', new_string: 'x\ny' }, 'a\r\nx\ny\n'],
    ['keeps a missing final line break', 'a\nb', { old_string: 'b', new_string: 'c' }, 'a\nc'],
    ['keeps a byte order mark', '\uFEFFa\n', { insert_line: 0, insert_content: 'first' }, '\uFEFFfirst\na\n'],
    ['inserts before the first line', 'a\nb\n', { insert_line: 0, insert_content: 'x' }, 'x\na\nb\n'],
    ['inserts in the middle', 'a\nb\n', { insert_line: '1', insert_content: 'x\ny\n' }, 'a\nx\ny\nb\n'],
    ['inserts at the end', 'a\nb\n', { insert_line: 2, insert_content: 'x' }, 'a\nb\nx\n'],
    ['inserts at the end of a file without final line break', 'a\nb', { insert_line: 2, insert_content: 'x' }, 'a\nb\nx'],
    ['inserts an empty line', 'a\nb\n', { insert_line: 1, insert_content: '\n' }, 'a\n\nb\n'],
    ['inserts into an empty file', '', { insert_line: 0, insert_content: 'x' }, 'x'],
    ['inserts CRLF lines into a CRLF file', 'a\r\nb', { insert_line: 1, insert_content: 'x' }, 'a\r\nx\r\nb'],
  ])('%s', async (...[, before, args, after]) => {
    const workspace = await workspaces.with({ '/f': before })
    expect(await workspace.ok('edit', { path: '/f', ...args })).toMatchObject({ path: '/f', version: 2, unchanged: false })
    expect(await workspace.text('/f')).toBe(after)
  })

  it.each([
    ['text that is not there, with the closest lines', { old_string: 'function  hallo()', new_string: 'x' }, 'conflict', /closest lines are:\n3: function hello\(\) \{/],
    ['text of several lines, with the block that is most like it', { old_string: 'function hallo() {\n  return 1\n}', new_string: 'x' }, 'conflict', /closest lines are:\n3: function hello\(\) \{\n4: \}/],
    ['text with other white space, with the lines as they are', { old_string: '  const a =  1\n\tconst b = 2', new_string: 'x' }, 'conflict', /other white space or line breaks:\n1: const a = 1\n2: const b = 2\n/],
    ['text with the line numbers that cat shows', { old_string: '     1\tconst a = 1', new_string: 'x' }, 'conflict', /line numbers, which are not part of the file/],
    ['text that is nowhere to be replaced everywhere', { old_string: 'zzz', new_string: 'x', replace_all: true }, 'conflict', /No line is like it/],
    ['text that is there several times, with their lines', { old_string: 'const', new_string: 'let' }, 'conflict', /2 times, at lines 1, 2 /],
    ['empty text', { old_string: '', new_string: 'x' }, 'invalid_request', /old_string is empty/],
    ['a replacement that changes nothing', { old_string: 'const a', new_string: 'const a' }, 'invalid_request', /the same/],
    ['both ways at once', { old_string: 'a', new_string: 'b', insert_line: 0, insert_content: 'x' }, 'invalid_request', /not both/],
    ['neither way', {}, 'invalid_request', /nothing to do/],
    ['old text without new', { old_string: 'a' }, 'invalid_request', /new_string is missing/],
    ['a line without content', { insert_line: 1 }, 'invalid_request', /insert_content is missing/],
    ['content without a line', { insert_content: 'x' }, 'invalid_request', /insert_line is missing/],
    ['empty content', { insert_line: 1, insert_content: '' }, 'invalid_request', /empty line give "\\n"/],
    ['a line behind the end', { insert_line: 9, insert_content: 'x' }, 'invalid_request', /has 4 lines: use 0 .* to 4/],
    ['a negative line', { insert_line: -1, insert_content: 'x' }, 'invalid_request', /insert_line: must be at least 0/],
    ['a hash of another version', { old_string: 'const a', new_string: 'x', last_read_hash: 'f'.repeat(64) }, 'version_mismatch', /Read it again/],
  ])('refuses %s', async (...[, args, code, expected]) => {
    const text = 'const a = 1\nconst b = 2\nfunction hello() {\n}\n'
    const workspace = await workspaces.with({ '/f': text })
    const error = await workspace.refused('edit', { path: '/f', ...args })
    expect(error.code).toBe(code)
    expect(error.message).toMatch(expected)
    expect(await workspace.text('/f')).toBe(text)
  })

  it('counts matches that overlap, since they are ambiguous too', async () => {
    const workspace = await workspaces.with({ '/f': 'aaa' })
    expect((await workspace.refused('edit', { path: '/f', old_string: 'aa', new_string: 'b' })).message).toContain('2 times')
  })

  it('accepts the hash that read gave', async () => {
    const workspace = await workspaces.with({ '/f': 'a' })
    const { hash } = await workspace.ok<{ hash: string }>('read', { path: '/f' })
    await workspace.ok('edit', { path: '/f', old_string: 'a', new_string: 'b', last_read_hash: hash })
    expect(await workspace.text('/f')).toBe('b')
  })

  it('B19: lets one of two edits made at once win, and tells the other to read again', async () => {
    const workspace = await workspaces.with({ '/f': 'a b' })
    const first = await workspace.prepare('edit', { path: '/f', old_string: 'a', new_string: '1' })
    const second = await workspace.prepare('edit', { path: '/f', old_string: 'b', new_string: '2' })
    const outcomes = await Promise.allSettled([workspace.apply(first), workspace.apply(second)])
    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected'])
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    expect(failed?.reason).toMatchObject({ code: 'version_mismatch', message: expect.stringContaining('Read it again') as string })
    expect(['1 b', 'a 2']).toContain(await workspace.text('/f'))
  })

  it('refuses files that are not text, which it would destroy, and folders', async () => {
    const workspace = await workspaces.with({ '/a/b.bin': Buffer.from([0xff, 0xfe, 0x00]) })
    expect(await workspace.refused('edit', { path: '/a/b.bin', insert_line: 0, insert_content: 'x' })).toMatchObject({ code: 'unsupported_media_type' })
    expect(await workspace.refused('edit', { path: '/a', insert_line: 0, insert_content: 'x' })).toMatchObject({ code: 'conflict' })
  })
})
