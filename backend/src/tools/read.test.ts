import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'
import { PDF, png } from '../../test/support/sample-media.ts'
import { READ_LIMIT_BYTES } from './read.ts'
import { jsonBytes, RESULT_LIMIT_BYTES } from './result-limit.ts'
import { IMAGE_LIMIT_BYTES } from './shown-media.ts'

interface ReadOutput {
  readonly content: string
  readonly hash: string
  readonly total_lines: number
  readonly truncated: boolean
  readonly offset: number
  readonly cursor: number
  readonly notice: string | null
}

describe('read', () => {
  let workspaces: ToolWorkspaces
  beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
  afterAll(() => workspaces[Symbol.asyncDispose]())

  const lines = (count: number): string => Array.from({ length: count }, (_, n) => `line ${n}\n`).join('')

  it.each([
    ['a final line break', 'a\nb\n'],
    ['no final line break', 'a\nb'],
    ['CRLF', 'a\r\nb\r\n'],
    ['mixed line breaks', 'a\r\nb\nc\r'],
    ['a byte order mark', '\uFEFFa\n'],
    ['JSON, as it was written', '{ "b": 1.0, "a": 1e3 }'],
    ['emoji', 'grüße 👩‍💻\n'],
    ['nothing', ''],
  ])('gives a file with %s back exactly', async (_, text) => {
    const workspace = await workspaces.with({ '/f': text })
    expect(await workspace.ok<ReadOutput>('read', { path: '/f' })).toMatchObject({ content: text, truncated: false, notice: null })
  })

  it('shows 500 lines by default, says how many there are and where to go on', async () => {
    const workspace = await workspaces.with({ '/f': lines(600) })
    const output = await workspace.ok<ReadOutput>('read', { path: '/f' })
    expect(output).toMatchObject({ total_lines: 600, truncated: true, offset: 0, cursor: 500 })
    expect(output.content).toBe(lines(500))
    expect(output.notice).toBe('Lines 1 to 500 of 600. Read on with cursor: 500.')
    expect(await workspace.ok<ReadOutput>('read', { path: '/f', limit: 0 })).toMatchObject({ content: lines(600), truncated: false, cursor: 600 })
  })

  it.each([
    ['from the middle', { offset: 10, limit: 2 }, { content: 'line 10\nline 11\n', offset: 10, cursor: 12 }],
    ['the tail', { offset: -2 }, { content: 'line 98\nline 99\n', offset: 98, cursor: 100, truncated: false }],
    ['the first lines of the tail', { offset: '-10', limit: '1' }, { content: 'line 90\n', offset: 90 }],
    ['from the start when the tail is longer than the file', { offset: -200, limit: 1 }, { content: 'line 0\n', offset: 0 }],
    ['nothing behind the end', { offset: 100 }, { content: '', offset: 100, truncated: false }],
    ['all from an offset with limit 0', { offset: 98, limit: 0 }, { content: 'line 98\nline 99\n' }],
    ['on from a cursor', { cursor: 50, limit: 1 }, { content: 'line 50\n', cursor: 51 }],
    ['forward from a cursor', { cursor: 50, offset: 10, limit: 1 }, { content: 'line 60\n', cursor: 61 }],
    ['backward from a cursor', { cursor: 50, offset: -20, limit: 1 }, { content: 'line 30\n', cursor: 31 }],
    ['backward no further than the start', { cursor: 5, offset: -20, limit: 1 }, { content: 'line 0\n' }],
  ])('reads %s', async (_, args, expected) => {
    const workspace = await workspaces.with({ '/f': lines(100) })
    expect(await workspace.ok('read', { path: '/f', ...args })).toMatchObject(expected)
  })

  it('gives the hash of the whole file, however little is shown', async () => {
    const workspace = await workspaces.with({ '/f': lines(100) })
    const whole = await workspace.ok<ReadOutput>('read', { path: '/f' })
    const part = await workspace.ok<ReadOutput>('read', { path: '/f', limit: 1 })
    expect(part.hash).toBe(whole.hash)
    expect(whole.hash).toMatch(/^[0-9a-f]{64}$/)
  })

  it('never gives more than 1 MiB, and can be read on until everything was seen', async () => {
    const text = `${'x"\t'.repeat(300)}\n`.repeat(3000)
    const workspace = await workspaces.with({ '/f': text })
    let seen = ''
    for (let cursor = 0, last = -1; cursor !== last; ) {
      last = cursor
      const output = await workspace.ok<ReadOutput>('read', { path: '/f', limit: 0, cursor })
      expect(jsonBytes(output)).toBeLessThanOrEqual(RESULT_LIMIT_BYTES)
      seen += output.content
      cursor = output.cursor
    }
    expect(seen).toBe(text)
  })

  it('shows the beginning of a line that is larger than a result, and says so', async () => {
    const workspace = await workspaces.with({ '/f': `${'\u0001👍'.repeat(500_000)}\nend` })
    const output = await workspace.ok<ReadOutput>('read', { path: '/f' })
    expect(jsonBytes(output)).toBeLessThanOrEqual(RESULT_LIMIT_BYTES)
    expect(output).toMatchObject({ truncated: true, cursor: 1 })
    expect(output.content.isWellFormed()).toBe(true)
    expect(output.notice).toMatch(/too long.*grep/)
  })

  it.each([
    ['an image', '/a.png', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2]), /binary|not UTF-8/],
    ['text in another encoding', '/a.txt', Buffer.from('grüße', 'latin1'), /not UTF-8 text/],
    ['bytes with NUL', '/a.bin', Buffer.from('a\0b'), /binary/],
  ])('says what %s is instead of showing garbage', async (...[, path, bytes, expected]) => {
    const workspace = await workspaces.with({ [path]: bytes })
    const error = await workspace.refused('read', { path })
    expect(error).toMatchObject({ code: 'unsupported_media_type' })
    expect(error.message).toMatch(expected)
    expect(error.message).toContain(`${bytes.length} bytes`)
  })

  it('tells of an image what it is, by its bytes and not by its name; the bytes are for whoever shows them', async () => {
    const bytes = png({ width: 300, height: 20 })
    const workspace = await workspaces.with({ '/photo.txt': bytes, '/paper': PDF })
    const { hash } = await workspace.ok<{ hash: string }>('file_info', { path: '/photo.txt' })
    expect(await workspace.ok('read', { path: '/photo.txt', offset: 3 })).toEqual({ kind: 'image', path: '/photo.txt', mime: 'image/png', size: bytes.length, width: 300, height: 20, version: 1, hash, notice: null })
    expect(await workspace.ok('read', { path: '/paper' })).toMatchObject({ kind: 'document', mime: 'application/pdf', width: null, notice: null })
  })

  it.each([
    ['an image that ends early', png().subarray(0, 40), 'unsupported_media_type', /image\/png, 40 bytes\), but it is broken: it ends before its end/],
    ['an image of more bytes than models are shown', png({ padding: IMAGE_LIMIT_BYTES }), 'payload_too_large', /at most 3,932,160 bytes.*smaller copy/],
    ['an image of too many pixels', png({ width: 8_001 }), 'payload_too_large', /8001 × 2 pixels.*at most 8,000/],
    ['an image without pixels', png({ width: 0 }), 'unsupported_media_type', /no pixels/],
  ])('shows no model %s, which would spoil the conversation', async (...[, bytes, code, message]) => {
    const workspace = await workspaces.with({ '/x.png': bytes })
    const error = await workspace.refused('read', { path: '/x.png' })
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
  })

  it('sends whoever wants an image as text, or wants to edit it, to read', async () => {
    const workspace = await workspaces.with({ '/x.png': png() })
    expect((await workspace.refused('edit', { path: '/x.png', old_string: 'a', new_string: 'b' })).message).toContain('read shows what is on it')
    expect(await workspace.ok('cat', { paths: ['/x.png'] })).toMatchObject({ files: [{ error: { code: 'unsupported_media_type' } }] })
  })

  it('sends a model to grep for a file that is too large', async () => {
    const workspace = await workspaces.with({ '/f.log': Buffer.alloc(READ_LIMIT_BYTES + 1, 'x') })
    const error = await workspace.refused('read', { path: '/f.log' })
    expect(error).toMatchObject({ code: 'payload_too_large' })
    expect(error.message).toContain('grep')
  })

  it('names near names when the file is not there, and the folder that is missing', async () => {
    const workspace = await workspaces.with({ '/src/README.md': 'x', '/src/main.ts': 'y' })
    expect((await workspace.refused('read', { path: '/src/readme.md' })).message).toContain('Did you mean "/src/README.md"?')
    expect((await workspace.refused('read', { path: '/scr/main.ts' })).message).toMatch(/no folder "\/scr".*Did you mean "\/src"|no folder "\/scr".*src/)
    expect((await workspace.refused('read', { path: '/src/main.ts/x' })).message).toContain('is a file, not a folder')
    expect((await workspace.refused('read', { path: '/src' })).message).toContain('Use ls')
  })
})
