import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'
import { jsonBytes, RESULT_LIMIT_BYTES } from './result-limit.ts'

interface CatOutput {
  readonly content: string
  readonly files: readonly { readonly path: string; readonly cursor?: number; readonly truncated?: boolean; readonly error?: { readonly code: string } }[]
  readonly truncated: boolean
  readonly notice: string | null
}

describe('cat', () => {
  let workspaces: ToolWorkspaces
  beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
  afterAll(() => workspaces[Symbol.asyncDispose]())

  const files = { '/a': 'one\n\n\n\ttwo\n', '/b': 'x\r\ny' }

  it.each([
    ['files one after another, byte for byte', {}, 'one\n\n\n\ttwo\nx\r\ny'],
    ['headers', { show_headers: true }, '==> /a <==\none\n\n\n\ttwo\n==> /b <==\nx\r\ny'],
    ['a header on a line of its own when the file before it does not end with a line break', { paths: ['/b', '/a'], show_headers: true, limit: 2 }, '==> /b <==\nx\r\ny\n==> /a <==\none\n\n'],
    ['line numbers of each file', { number_lines: true }, '     1\tone\n     2\t\n     3\t\n     4\t\ttwo\n     1\tx\r\n     2\ty'],
    ['ends', { show_ends: true }, 'one$\n$\n$\n\ttwo$\nx^M$\ny'],
    ['tabs', { show_tabs: true }, 'one\n\n\n^Itwo\nx\r\ny'],
    ['one empty line for several', { squeeze_blank: true }, 'one\n\n\ttwo\nx\r\ny'],
    ['the numbers that lines have in the file, also behind squeezed ones', { squeeze_blank: true, number_lines: true, paths: '/a' }, '     1\tone\n     2\t\n     4\t\ttwo\n'],
    ['lines from an offset on, in each file', { offset: 1 }, '\n\n\ttwo\ny'],
    ['numbers that respect the offset', { offset: '3', number_lines: 'true', paths: ['/a'] }, '     4\t\ttwo\n'],
    ['the tail of each file', { offset: -1, show_headers: 1 }, '==> /a <==\n\ttwo\n==> /b <==\ny'],
    ['a few lines of each file', { limit: 1 }, 'one\nx\r\n'],
    ['nothing behind the end', { offset: 9 }, ''],
  ])('shows %s', async (_, args, content) => {
    const workspace = await workspaces.with(files)
    expect((await workspace.ok<CatOutput>('cat', { paths: ['/a', '/b'], ...args })).content).toBe(content)
  })

  it('tells of each file its version and lines, and the content only once', async () => {
    const workspace = await workspaces.with(files)
    const output = await workspace.ok<CatOutput>('cat', { paths: ['a', '/b'], limit: 1 })
    expect(output).toEqual({
      content: 'one\nx\r\n',
      files: [
        { path: '/a', version: 1, total_lines: 4, offset: 0, truncated: true, cursor: 1 },
        { path: '/b', version: 1, total_lines: 2, offset: 0, truncated: true, cursor: 1 },
      ],
      truncated: true,
      notice: '"/a", "/b" are not shown to the end. Read on with read and the cursor of the file.',
    })
  })

  it('says in its place what cannot be shown, and shows the others', async () => {
    const workspace = await workspaces.with({ ...files, '/c/d.bin': Buffer.from([0xff, 0]) })
    const { content, files: shown } = await workspace.ok<CatOutput>('cat', { paths: ['/b', '/bb', '/c', '/c/d.bin', '../x', '/a'] })
    expect(content).toMatch(/^x\r\ny\n\[cat: There is no "\/bb"\.[^\n]*\]\n\[cat: "\/c" is a folder[^\n]*\]\n\[cat: "\/c\/d.bin" is not UTF-8[^\n]*\]\n\[cat: The path [^\n]*\]\none\n/)
    expect(shown.map((file) => file.error?.code)).toEqual([undefined, 'not_found', 'conflict', 'unsupported_media_type', 'invalid_request', undefined])
  })

  it('never gives more than 1 MiB, and says where to go on', async () => {
    const line = `${'x"\t'.repeat(30)}\n`
    const workspace = await workspaces.with({ '/big': line.repeat(12_000), '/small': 'x\n' })
    const output = await workspace.ok<CatOutput>('cat', { paths: ['/small', '/big', '/small'], number_lines: true })
    expect(jsonBytes(output)).toBeLessThanOrEqual(RESULT_LIMIT_BYTES)
    expect(output.files[1]).toMatchObject({ truncated: true })
    expect(output.notice).toContain('"/big"')
    const cursor = output.files[1]?.cursor ?? 0
    expect(output.content).toContain(`${String(cursor).padStart(6)}\t`)
    expect(output.content).not.toContain(`${String(cursor + 1).padStart(6)}\t`)
  })

  it('shows the beginning of a line that is larger than a result', async () => {
    const workspace = await workspaces.with({ '/f': '\u0001'.repeat(400_000) })
    const output = await workspace.ok<CatOutput>('cat', { paths: ['/f'] })
    expect(jsonBytes(output)).toBeLessThanOrEqual(RESULT_LIMIT_BYTES)
    expect(output).toMatchObject({ truncated: true })
    expect(output.content.length).toBeGreaterThan(100_000)
  })

  it('takes 1 to 20 files', async () => {
    const workspace = await workspaces.with(files)
    expect((await workspace.refused('cat', { paths: [] })).message).toContain('paths: must have at least 1 entry')
    expect((await workspace.refused('cat', { paths: Array.from({ length: 21 }, () => '/a') })).message).toContain('paths: must have at most 20 entries')
    expect(await workspace.ok('cat', { paths: '["/a"]' })).toMatchObject({ files: [{ path: '/a' }] })
  })
})
