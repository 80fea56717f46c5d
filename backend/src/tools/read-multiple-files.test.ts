import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'
import { jsonBytes, RESULT_LIMIT_BYTES } from './result-limit.ts'

interface Output {
  readonly files: readonly { readonly path: string; readonly success: boolean; readonly content?: string; readonly truncated?: boolean; readonly cursor?: number }[]
  readonly notice: string | null
}

describe('read_multiple_files', () => {
  let workspaces: ToolWorkspaces
  beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
  afterAll(() => workspaces[Symbol.asyncDispose]())

  it('reads all of them, each with the hash to edit it with', async () => {
    const workspace = await workspaces.with({ '/a': 'one\r\ntwo', '/b/c': '' })
    const { hash } = await workspace.ok<{ hash: string }>('read', { path: '/a' })
    expect(await workspace.ok('read_multiple_files', { paths: ['/a', 'b//c'] })).toMatchObject({
      files: [
        { path: '/a', success: true, content: 'one\r\ntwo', hash, version: 1, total_lines: 2, truncated: false, cursor: 2 },
        { path: '/b/c', success: true, content: '', total_lines: 0, truncated: false },
      ],
      notice: null,
    })
  })

  it('gives each file that cannot be read its own error', async () => {
    const workspace = await workspaces.with({ '/a': 'x', '/b/c': 'y' })
    const { files } = await workspace.ok<Output>('read_multiple_files', { paths: ['/aa', '/b', '/../x', '/a'] })
    expect(files).toMatchObject([
      { path: '/aa', success: false, error: { code: 'not_found' } },
      { path: '/b', success: false, error: { code: 'conflict' } },
      { path: '/../x', success: false, error: { code: 'invalid_request' } },
      { path: '/a', success: true, content: 'x' },
    ])
  })

  it('succeeds even when no file can be read', async () => {
    const workspace = await workspaces.with()
    expect(await workspace.ok('read_multiple_files', { paths: ['/a'] })).toMatchObject({ files: [{ success: false }] })
  })

  it('shows 500 lines of each by default, fewer or all on request', async () => {
    const text = 'x\n'.repeat(600)
    const workspace = await workspaces.with({ '/a': text, '/b': text })
    const shown = async (limit?: unknown) => (await workspace.ok<Output>('read_multiple_files', { paths: ['/a', '/b'], limit })).files.map((file) => [file.cursor, file.truncated])
    expect(await shown()).toEqual([[500, true], [500, true]])
    expect(await shown('2')).toEqual([[2, true], [2, true]])
    expect(await shown(0)).toEqual([[600, false], [600, false]])
  })

  it('never gives more than 1 MiB, gives every file its share, and says what was cut', async () => {
    const big = `${'"\t'.repeat(50)}\n`.repeat(20_000)
    const paths = Array.from({ length: 50 }, (_, index) => `/${index}`)
    const workspace = await workspaces.with(Object.fromEntries(paths.map((path, index) => [path, index % 10 === 0 ? big : 'small\n'])))
    const output = await workspace.ok<Output>('read_multiple_files', { paths, limit: 0 })
    expect(jsonBytes(output)).toBeLessThanOrEqual(RESULT_LIMIT_BYTES)
    expect(jsonBytes(output)).toBeGreaterThan(RESULT_LIMIT_BYTES / 8)
    expect(output.files.filter((file) => file.truncated === true).map((file) => file.path)).toEqual(['/0', '/10', '/20', '/30', '/40'])
    expect(output.files.every((file) => file.content !== '')).toBe(true)
    expect(output.notice).toContain('"/0", "/10", "/20", "/30", "/40" are not shown whole')
  })

  it('stays below 1 MiB with long paths and long errors', async () => {
    const workspace = await workspaces.with()
    const output = await workspace.ok('read_multiple_files', { paths: Array.from({ length: 50 }, (_, index) => `/${'\u0001'.repeat(4000)}${index}`) })
    expect(jsonBytes(output)).toBeLessThanOrEqual(RESULT_LIMIT_BYTES)
  })

  it('takes 1 to 50 files', async () => {
    const workspace = await workspaces.with()
    expect((await workspace.refused('read_multiple_files', { paths: [] })).message).toContain('at least 1 entry')
    expect((await workspace.refused('read_multiple_files', { paths: Array.from({ length: 51 }, () => '/a') })).message).toContain('at most 50 entries')
  })
})
