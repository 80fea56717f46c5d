import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'
import type { ListedEntry } from './ls.ts'

interface LsOutput {
  readonly path: string
  readonly entries: readonly ListedEntry[]
  readonly truncated: boolean
  readonly cursor: string | null
  readonly notice: string | null
}

describe('ls', () => {
  let workspaces: ToolWorkspaces
  beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
  afterAll(() => workspaces[Symbol.asyncDispose]())

  const paths = (output: LsOutput): readonly string[] => output.entries.map((entry) => entry.path)

  it('lists the whole workspace by default: folders first, then files by name, with size and version', async () => {
    const workspace = await workspaces.with({ '/b.md': 'hello', '/a.md': '', '/src/main.ts': 'x' })
    const output = await workspace.ok<LsOutput>('ls', {})
    expect(paths(output)).toEqual(['/src', '/a.md', '/b.md'])
    expect(output.entries[2]).toMatchObject({ name: 'b.md', file_type: 'document', size: 5, version: 1 })
    expect(output).toMatchObject({ path: '/', truncated: false, cursor: null, notice: null })
  })

  it('lists everything below a folder, and not its neighbours with a longer name', async () => {
    const workspace = await workspaces.with({ '/src/a.ts': '1', '/src/lib/b.ts': '2', '/src2/c.ts': '3', '/srcXa.ts': '4' })
    expect(paths(await workspace.ok<LsOutput>('ls', { path: 'src', recursive: 'true' }))).toEqual(['/src/a.ts', '/src/lib', '/src/lib/b.ts'])
  })

  it('goes on where the previous result ended', async () => {
    const workspace = await workspaces.with(Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`/f${n}`, 'x'])))
    const first = await workspace.ok<LsOutput>('ls', { limit: '2' })
    expect(first).toMatchObject({ truncated: true })
    expect(first.notice).toContain('cursor')
    const rest = await workspace.ok<LsOutput>('ls', { limit: 0, cursor: first.cursor })
    expect([...paths(first), ...paths(rest)]).toEqual(['/f0', '/f1', '/f2', '/f3', '/f4'])
    expect(rest).toMatchObject({ truncated: false, cursor: null })
  })

  it('shows 50 entries unless told otherwise, and all with limit 0', async () => {
    const workspace = await workspaces.with(Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`/f${n}`, 'x'])))
    expect(paths(await workspace.ok<LsOutput>('ls', null))).toHaveLength(50)
    expect(paths(await workspace.ok<LsOutput>('ls', { limit: 0 }))).toHaveLength(60)
  })

  it('shows an empty folder as empty', async () => {
    const workspace = await workspaces.with()
    expect(await workspace.ok<LsOutput>('ls', { path: '/' })).toMatchObject({ entries: [], truncated: false })
  })

  it('sends a model that named a file to read and file_info', async () => {
    const workspace = await workspaces.with({ '/a.md': 'x' })
    const error = await workspace.refused('ls', { path: '/a.md' })
    expect(error).toMatchObject({ code: 'conflict' })
    expect(error.message).toMatch(/is a file.*read/)
  })

  it('names what is there when the folder is not', async () => {
    const workspace = await workspaces.with({ '/source/main.ts': 'x' })
    const error = await workspace.refused('ls', { path: '/sources' })
    expect(error).toMatchObject({ code: 'not_found' })
    expect(error.message).toContain('Did you mean "/source"?')
  })
})
