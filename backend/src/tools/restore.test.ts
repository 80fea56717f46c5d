import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'

let workspaces: ToolWorkspaces
beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
afterAll(() => workspaces[Symbol.asyncDispose]())

describe('restore', () => {
  it('B28: brings an old version back as the new one', async () => {
    const workspace = await workspaces.with({ '/f': 'old' })
    await workspace.put('/f', 'new')
    expect(await workspace.ok('restore', { path: '/f', version: 1 })).toMatchObject({ path: '/f', version: 3, size: 3, from_trash: false })
    expect(await workspace.text('/f')).toBe('old')
  })

  it('brings a removed file back by its path, the same file with its versions, and a folder with what went with it', async () => {
    const workspace = await workspaces.with({ '/d/f': '1', '/d/e/g': '2' })
    await workspace.put('/d/f', 'two')
    await workspace.ok('rm', { path: '/d', recursive: true })
    expect(await workspace.ok('restore', { path: '/d/e/g' })).toMatchObject({ path: '/d/e/g', version: 1, from_trash: true })
    expect(await workspace.paths()).toEqual(['/d', '/d/e', '/d/e/g'])
    await workspace.ok('rm', { path: '/d', recursive: true })
    expect(await workspace.ok('restore', { path: '/d/f', version: 1 })).toMatchObject({ version: 3, from_trash: true })
    expect(await workspace.text('/d/f')).toBe('1')
  })

  it('of several files that were removed at a path takes the last one', async () => {
    const workspace = await workspaces.with({ '/f': 'first' })
    await workspace.ok('rm', { path: '/f' })
    await workspace.put('/f', 'second')
    await workspace.ok('rm', { path: '/f' })
    await workspace.ok('restore', { path: '/f' })
    expect(await workspace.text('/f')).toBe('second')
  })

  it('refuses what is there when no version is named, folders, unknown versions, and what was never there', async () => {
    const workspace = await workspaces.with({ '/d/f': '1' })
    expect(await workspace.refused('restore', { path: '/d/f' })).toMatchObject({ code: 'conflict', message: expect.stringContaining('Name the version') as string })
    expect(await workspace.refused('restore', { path: '/d', version: 1 })).toMatchObject({ code: 'conflict' })
    expect(await workspace.refused('restore', { path: '/d/f', version: 7 })).toMatchObject({ code: 'not_found' })
    expect(await workspace.refused('restore', { path: '/d/g' })).toMatchObject({ code: 'not_found' })
  })

  it('finds out when somebody else was faster', async () => {
    const workspace = await workspaces.with({ '/f': '1' })
    await workspace.ok('rm', { path: '/f' })
    const prepared = await workspace.prepare('restore', { path: '/f' })
    await workspace.put('/f', 'another')
    await expect(workspace.apply(prepared)).rejects.toMatchObject({ code: 'conflict' })
    expect(await workspace.text('/f')).toBe('another')
  })
})
