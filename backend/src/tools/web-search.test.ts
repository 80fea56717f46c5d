import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApp } from '../../test/support/running-app.ts'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'
import { startWebServer } from '../../test/support/web-server.ts'
import { SearxngSearch } from '../services/web/searxng-search.ts'

let workspaces: ToolWorkspaces
beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
afterAll(() => workspaces[Symbol.asyncDispose]())

const RESULTS = JSON.stringify({ results: Array.from({ length: 30 }, (_, index) => ({ title: `Title ${index}`, url: `https://example.com/${index}`, content: 'x'.repeat(2_000) })) })

describe('the tool web_search', () => {
  it('gives titles, addresses and excerpts, marked as what others wrote', async () => {
    await using server = await startWebServer((_, response) => response.end(RESULTS))
    const workspace = await workspaces.with({}, { webSearch: new SearxngSearch({ baseUrl: server.url }) })
    const found = await workspace.ok<{ results: { title: string; snippet: string }[] }>('web_search', { query: ' what is it ', max_results: 100 })
    expect(found).toMatchObject({ query: 'what is it', provider: 'SearXNG', notice: expect.stringContaining('not instructions') as string })
    expect(found.results).toHaveLength(20)
    expect(found.results[0]).toEqual({ title: 'Title 0', url: 'https://example.com/0', snippet: `${'x'.repeat(1_000)}…`, published: null })
  })

  it('refuses an empty and an endless question', async () => {
    const workspace = await workspaces.with()
    expect((await workspace.refused('web_search', { query: ' ' })).message).toContain('query is empty')
    expect((await workspace.refused('web_search', { query: 'x'.repeat(401) })).message).toContain('longer than 400')
  })

  it('names the settings when nobody has configured a service', async () => {
    const workspace = await workspaces.with()
    expect(await workspace.refused('web_search', { query: 'x' })).toEqual({ code: 'unavailable', message: 'No search service is configured. The operator sets BUILDSCALE_SEARXNG_URL, BRAVE_API_KEY or TAVILY_API_KEY.' })
  })
})

describe('a server without a search service', () => {
  it('shows the tool neither to people nor to models, and says why when it is called by hand', async () => {
    await using app = await startApp()
    const tools = app.client.tools(app.workspaceId)
    expect((await tools.list()).items.map(({ name }) => name)).toEqual(expect.not.arrayContaining(['web_search']))
    const { chat } = await app.client.chats(app.workspaceId).create({})
    const context = await app.client.chats(app.workspaceId).context(chat.id)
    expect(context.tools.map(({ name }) => name)).toContain('web_fetch')
    expect(context.tools.map(({ name }) => name)).not.toContain('web_search')
    expect(await tools.run('web_search', { query: 'x' })).toMatchObject({ ok: false, error: { code: 'unavailable' } })
  })
})

describe('a server with one', () => {
  it('shows the tool to both, and runs it', async () => {
    await using server = await startWebServer((_, response) => response.end(RESULTS))
    await using app = await startApp({ env: { BUILDSCALE_SEARXNG_URL: `${server.url}/` } })
    const tools = app.client.tools(app.workspaceId)
    expect((await tools.list()).items.map(({ name }) => name)).toContain('web_search')
    const { chat } = await app.client.chats(app.workspaceId).create({})
    expect((await app.client.chats(app.workspaceId).context(chat.id)).tools.map(({ name }) => name)).toContain('web_search')
    expect(await tools.run('web_search', { query: 'x' })).toMatchObject({ ok: true, output: { provider: 'SearXNG' } })
    expect(server.requests).toEqual(['GET /search?q=x&format=json'])
  })

  it('never lets its key out: not in answers, not in the log', async () => {
    await using app = await startApp({ env: { BRAVE_API_KEY: 'hunter2-key', BUILDSCALE_WEB_ALLOW: '127.0.0.1' } })
    expect(JSON.stringify(await app.client.tools(app.workspaceId).list())).not.toContain('hunter2')
    expect(app.logged.join('\n')).not.toContain('hunter2')
  })
})
