import type { FilesResource } from '@buildscale/sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { indexed } from './support/indexed.ts'
import { type RunningApp, startApp } from './support/running-app.ts'

let app: RunningApp
beforeAll(async () => void (app = await startApp()))
afterAll(() => app[Symbol.asyncDispose]())

async function workspaceWith(contents: Readonly<Record<string, string>>): Promise<{ readonly files: FilesResource; readonly settle: () => Promise<void> }> {
  const { id: workspaceId } = await app.client.workspaces.create({ name: `links ${Math.random()}` })
  const files = app.client.files(workspaceId)
  const settle = (): Promise<void> => indexed({ client: app.client, workspaceId })
  for (const [path, text] of Object.entries(contents)) await files.put(path, text)
  await settle()
  return { files, settle }
}

async function targets(files: FilesResource, path: string): Promise<readonly (string | null)[]> {
  return (await files.links(path)).links.map((link) => link.path)
}

async function sources(files: FilesResource, path: string): Promise<readonly string[]> {
  return (await files.links(path)).backlinks.map((link) => link.path)
}

describe('the graph of links', () => {
  it('A58: shows the links of a file and, at its target, the link back', async () => {
    const { files } = await workspaceWith({ '/a.md': '# A\n\nSee [[b]] and [the web](https://a.b).\n', '/docs/b.md': 'Back to [A](../a.md#top).\n' })
    const a = await files.links('/a.md')
    expect(a.links).toEqual([
      { kind: 'wiki', target: 'b', text: 'b', line: 3, path: '/docs/b.md' },
      { kind: 'url', target: 'https://a.b', text: 'the web', line: 3, path: null },
    ])
    expect(a.backlinks).toEqual([{ kind: 'link', target: '../a.md#top', text: 'A', line: 1, path: '/docs/b.md' }])
    expect(a).toMatchObject({ truncated: false, index: { behind: false } })
    expect((await files.links('/docs/b.md')).backlinks).toEqual([{ kind: 'wiki', target: 'b', text: 'b', line: 3, path: '/a.md' }])
  })

  it('resolves a link when the file that it names appears, goes, and comes again elsewhere', async () => {
    const { files, settle } = await workspaceWith({ '/a.md': '[[later]] [x](sub/later.md)' })
    expect(await targets(files, '/a.md')).toEqual([null, null])
    await files.put('/sub/later.md', 'here')
    await settle()
    expect(await targets(files, '/a.md')).toEqual(['/sub/later.md', '/sub/later.md'])
    expect(await sources(files, '/sub/later.md')).toEqual(['/a.md', '/a.md'])
    await files.remove('/sub')
    expect(await targets(files, '/a.md')).toEqual([null, null])
    await files.put('/other/later.md', 'again')
    await settle()
    expect(await targets(files, '/a.md')).toEqual(['/other/later.md', null])
  })

  it('resolves the links of moved files anew, and wiki links to them where they are', async () => {
    const { files, settle } = await workspaceWith({ '/x/a.md': '[b](b.md) [[b]]', '/x/b.md': 'b', '/y/b.md': 'other b' })
    expect(await targets(files, '/x/a.md')).toEqual(['/x/b.md', '/x/b.md'])
    await files.move('/x/a.md', '/y/a.md')
    await settle()
    expect(await targets(files, '/y/a.md')).toEqual(['/y/b.md', '/y/b.md'])
    expect(await sources(files, '/x/b.md')).toEqual([])
    await files.move('/y', '/z')
    await settle()
    expect(await targets(files, '/z/a.md')).toEqual(['/z/b.md', '/z/b.md'])
    expect(await sources(files, '/z/b.md')).toEqual(['/z/a.md', '/z/a.md'])
  })

  it('forgets links that a new version does not have', async () => {
    const { files, settle } = await workspaceWith({ '/a.md': '[[b]]', '/b.md': 'b' })
    await files.put('/a.md', 'nothing')
    await settle()
    expect(await targets(files, '/a.md')).toEqual([])
    expect(await sources(files, '/b.md')).toEqual([])
  })

  it('knows no links of files that are no Markdown, and no backlinks from itself', async () => {
    const { files } = await workspaceWith({ '/a.ts': '// [[b]]', '/b.md': '[[b]] [self](#x)' })
    expect(await targets(files, '/a.ts')).toEqual([])
    expect(await targets(files, '/b.md')).toEqual(['/b.md', '/b.md'])
    expect(await sources(files, '/b.md')).toEqual([])
  })

  it('answers 404 for what is not there and 409 for a folder', async () => {
    const { files } = await workspaceWith({ '/x/a.md': '' })
    await expect(files.links('/nope.md')).rejects.toMatchObject({ status: 404 })
    await expect(files.links('/x')).rejects.toMatchObject({ status: 409 })
    await expect(files.links('/')).rejects.toMatchObject({ status: 409 })
  })
})
