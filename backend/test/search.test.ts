import type { FilesResource } from '@buildscale/sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../cli/src/testing/cli-process.ts'
import { indexed } from './support/indexed.ts'
import { type RunningApp, startApp } from './support/running-app.ts'

let app: RunningApp
let files: FilesResource
beforeAll(async () => {
  app = await startApp()
  files = app.client.files(app.workspaceId)
  await files.put('/src/people.ts', 'import x\n\nexport function getUserName(id: string) {\n  return names.get(id)\n}\n')
  await files.put('/docs/names.md', '# Names\n\nA user has a name.\n\n## User name\n\nShown everywhere.\n')
  await indexed(app)
})
afterAll(() => app[Symbol.asyncDispose]())

const raw = async (query: string): Promise<{ readonly status: number; readonly body: { readonly error: { readonly code: string; readonly message: string } } }> => {
  const response = await fetch(`${app.url}/api/v1/workspaces/${app.workspaceId}/search?${query}`, { headers: { authorization: `Bearer ${app.token}` } })
  return { status: response.status, body: (await response.json()) as { error: { code: string; message: string } } }
}

describe('searching a workspace', () => {
  it('finds by words what was written a moment ago, best first, with the line and what matches in it', async () => {
    const { items, truncated, notice, index } = await files.search('user name', { modes: ['text'] })
    expect(items.map(({ path, line, excerpt, sources, highlights }) => ({ path, line, excerpt, sources, marked: highlights.map(([start, end]) => excerpt.slice(start, end)) }))).toEqual([
      { path: '/docs/names.md', line: 3, excerpt: 'A user has a name.', sources: ['text'], marked: ['user', 'name'] },
      { path: '/src/people.ts', line: 3, excerpt: 'export function getUserName(id: string) {', sources: ['text'], marked: ['getUserName'] },
    ])
    expect({ truncated, notice, behind: index.behind }).toEqual({ truncated: false, notice: null, behind: false })
  })

  it('joins what several ways of searching have found in one place', async () => {
    const { items } = await files.search('getUserName', { modes: ['text', 'regex'] })
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({ path: '/src/people.ts', line: 3, sources: ['text', 'regex'] })
  })

  it('finds lines by a regular expression, in a folder or a file', async () => {
    const { items } = await files.search('^#+ .*name', { modes: ['regex'], path: '/docs' })
    expect(items.map(({ path, line, excerpt }) => `${path}:${line}: ${excerpt}`)).toEqual(['/docs/names.md:1: # Names', '/docs/names.md:5: ## User name'])
    expect((await files.search('name', { modes: ['regex'], path: '/src/people.ts' })).items.map(({ line }) => line)).toEqual([3, 4])
  })

  it('shows how far the index has followed the journal, and how much can be found by meaning', async () => {
    const { index } = await files.search('user')
    const { change_seq: seq } = await app.client.workspaces.get(app.workspaceId)
    expect(index).toMatchObject({ seq, change_seq: seq, behind: false, semantic: { offline: true, refused: 0 } })
  })

  it('also says so in /ready', async () => {
    expect((await app.client.ready()).parts).toMatchObject({ jobs: { ok: true } })
  })

  it.each([
    ['q=', 400, 'invalid_request', 'query.q'],
    ['q=%20', 400, 'invalid_request', 'query.q'],
    ['mode=text', 400, 'invalid_request', 'query.q'],
    ['q=x&mode=magic', 400, 'invalid_request', 'query.mode'],
    ['q=x&mode=', 400, 'invalid_request', 'query.mode'],
    ['q=x&limit=0', 400, 'invalid_request', 'query.limit'],
    ['q=x&limit=101', 400, 'invalid_request', 'query.limit'],
    ['q=(&mode=regex', 400, 'invalid_request', 'not a valid regular expression'],
    ['q=%00&mode=regex', 400, 'invalid_request', 'NUL'],
    ['q=!!!&mode=text', 400, 'invalid_request', 'no word to look for'],
    ['q=x&path=../..', 400, 'invalid_request', '".."'],
    ['q=x&path=/nowhere', 404, 'not_found', '/nowhere'],
  ])('%s answers %d', async (...[query, status, code, text]) => {
    const answer = await raw(query)
    expect([answer.status, answer.body.error.code]).toEqual([status, code])
    expect(answer.body.error.message).toContain(text)
  })

  it('does not let a pattern become an option of the search program', async () => {
    const { items } = await files.search('--pre=sh', { modes: ['regex'] })
    expect(items).toEqual([])
  })

  it('shows nothing of another tenant', async () => {
    const other = await app.addPerson('Eve')
    await expect(other.client.files(app.workspaceId).search('user')).rejects.toMatchObject({ status: 404 })
    await expect(other.client.files(app.workspaceId).links('/docs/names.md')).rejects.toMatchObject({ status: 404 })
    await other.client.files(other.workspaceId).put('/mine.md', 'user name of Eve')
    await indexed({ client: other.client, workspaceId: other.workspaceId })
    expect((await other.client.files(other.workspaceId).search('user name')).items.map(({ path }) => path)).toEqual(['/mine.md'])
    expect(JSON.stringify(await files.search('user name'))).not.toContain('Eve')
  })
})

describe('the command search', () => {
  const env = (): Record<string, string> => ({ BUILDSCALE_URL: app.url, BUILDSCALE_TOKEN: app.token })

  it('prints path, line and text, or the whole answer as JSON', async () => {
    const shown = await runCli(['search', 'user name', '--mode', 'text', '--path', '/src'], env())
    expect(shown).toEqual({ code: 0, stdout: '/src/people.ts:3: export function getUserName(id: string) {\n', stderr: '' })
    const json = await runCli(['search', 'user name', '--json'], env())
    expect(JSON.parse(json.stdout)).toMatchObject({ items: expect.arrayContaining([expect.objectContaining({ path: '/src/people.ts' })]), truncated: false })
  })

  it('exits 1 when nothing is found, and 2 for a mode that is none', async () => {
    expect(await runCli(['search', 'zyzzyva', '--mode', 'text'], env())).toMatchObject({ code: 1, stdout: '', stderr: 'Nothing found.\n' })
    expect(await runCli(['search', 'x', '--mode', 'magic'], env())).toMatchObject({ code: 2, stdout: '' })
  })
})
