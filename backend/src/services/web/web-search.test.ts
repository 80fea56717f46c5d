import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { startWebServer, type WebServer } from '../../../test/support/web-server.ts'
import { AppError } from '../../errors.ts'
import { BraveSearch } from './brave-search.ts'
import { configuredSearch } from './configured-search.ts'
import { SearxngSearch } from './searxng-search.ts'
import { TavilySearch } from './tavily-search.ts'
import type { WebSearchProvider } from './web-search.ts'

const KEY = 'key-that-nobody-may-see'
const HITS = Array.from({ length: 12 }, (_, index) => ({ title: `Title ${index}`, url: `https://example.com/${index}`, text: `Text ${index}` }))

/** What is different between the services; the rest of this file is the same for each. */
const SERVICES = [
  {
    name: 'SearXNG',
    connect: (baseUrl: string): WebSearchProvider => new SearxngSearch({ baseUrl }),
    answer: (hits: typeof HITS) => ({ query: 'q', results: hits.map(({ title, url, text }, index) => ({ title, url, content: text, engine: 'x', publishedDate: index === 0 ? '2026-01-02T00:00:00' : null })) }),
    none: { query: 'q', results: [] },
    expectRequest: ({ requests }: WebServer) => expect(requests).toEqual(['GET /search?q=two+words+%26+%22more%22&format=json']),
    setting: 'BUILDSCALE_SEARXNG_URL',
  },
  {
    name: 'Brave Search',
    connect: (baseUrl: string): WebSearchProvider => new BraveSearch({ apiKey: KEY, baseUrl }),
    answer: (hits: typeof HITS) => ({ type: 'search', web: { results: hits.map(({ title, url, text }, index) => ({ title, url, description: text, ...(index === 0 && { page_age: '2026-01-02T00:00:00' }) })) } }),
    none: { type: 'search' },
    expectRequest: ({ requests, headers }: WebServer) => {
      expect(requests).toEqual(['GET /res/v1/web/search?q=two+words+%26+%22more%22&count=5&text_decorations=false'])
      expect(headers[0]?.['x-subscription-token']).toBe(KEY)
    },
    setting: 'BRAVE_API_KEY',
  },
  {
    name: 'Tavily',
    connect: (baseUrl: string): WebSearchProvider => new TavilySearch({ apiKey: KEY, baseUrl }),
    answer: (hits: typeof HITS) => ({ query: 'q', results: hits.map(({ title, url, text }, index) => ({ title, url, content: text, score: 0.9, ...(index === 0 && { published_date: '2026-01-02T00:00:00' }) })) }),
    none: { query: 'q', results: [] },
    expectRequest: ({ requests, headers, bodies }: WebServer) => {
      expect(requests).toEqual(['POST /search'])
      expect(headers[0]?.authorization).toBe(`Bearer ${KEY}`)
      expect(JSON.parse(bodies[0] ?? '')).toEqual({ query: 'two words & "more"', max_results: 5 })
    },
    setting: 'TAVILY_API_KEY',
  },
]

const json = (value: unknown) => (response: ServerResponse) => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))

describe.each(SERVICES)('searching the web with $name', ({ name, connect, answer, none, expectRequest, setting }) => {
  const search = async (reply: (response: ServerResponse) => void, use: (provider: WebSearchProvider, server: WebServer) => Promise<void>): Promise<void> => {
    await using server = await startWebServer((_, response) => reply(response))
    await use(connect(server.url), server)
  }
  const ask = (provider: WebSearchProvider, maxResults = 5, signal = new AbortController().signal) => provider.search({ query: 'two words & "more"', maxResults, signal })

  it('sends the question as the service wants it, and gives what it found, in its order and as much as was asked for', async () => {
    await search(json(answer(HITS)), async (provider, server) => {
      const hits = await ask(provider)
      expectRequest(server)
      expect(provider.name).toBe(name)
      expect(hits).toHaveLength(5)
      expect(hits[0]).toEqual({ title: 'Title 0', url: 'https://example.com/0', snippet: 'Text 0', published: '2026-01-02T00:00:00' })
      expect(hits[4]).toMatchObject({ title: 'Title 4', published: null })
    })
  })

  it('gives text without tags', async () => {
    await search(json(answer([{ title: '<strong>A</strong> &amp; B', url: 'https://example.com', text: 'one <b>two</b>\n &#x27;x&#x27; &lt;p&gt;' }])), async (provider) => {
      expect((await ask(provider))[0]).toMatchObject({ title: 'A & B', snippet: "one two 'x' <p>" })
    })
  })

  it('finds nothing', () => search(json(none), async (provider) => expect(await ask(provider)).toEqual([])))

  it.each([
    { status: 401, headers: {}, code: 'unavailable', words: setting },
    { status: 403, headers: {}, code: 'unavailable', words: setting },
    { status: 429, headers: { 'retry-after': '17' }, code: 'rate_limited', words: 'Try again in 17 seconds.' },
    { status: 429, headers: { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }, code: 'rate_limited', words: 'Try again in ' },
    { status: 429, headers: {}, code: 'rate_limited', words: 'Try again later.' },
    { status: 500, headers: {}, code: 'unavailable', words: 'failed (500)' },
    { status: 302, headers: { location: 'http://127.0.0.1:1/' }, code: 'unavailable', words: 'could not be reached' },
  ])('tells what $status means', async ({ status, headers, code, words }) => {
    await search((response) => void response.writeHead(status, headers).end(`{"error": "${KEY}"}`), async (provider) => {
      const error = await refused(ask(provider))
      expect(error).toMatchObject({ code, message: expect.stringContaining(words) as string })
    })
  })

  it.each([['no JSON', '<html>'], ['another form', '{"results": "none", "web": 1}'], ['results without addresses', JSON.stringify({ results: [{ title: 'x' }], web: { results: [{ title: 'x' }] } })], ['cut off', '{"results": [']])('tells of an answer that is %s', async (_what, body) => {
    await search((response) => void response.end(body), async (provider) => expect(await refused(ask(provider))).toMatchObject({ code: 'unavailable', message: expect.stringContaining(setting) as string }))
  })

  it('tells when the service is not there, and rejects with the reason of an abort', async () => {
    await search((response) => void response.destroy(), async (provider) => expect(await refused(ask(provider))).toMatchObject({ code: 'unavailable', message: expect.stringContaining('could not be reached') as string }))
    await search(() => undefined, async (provider) => {
      const reason = new Error('stopped')
      await expect(ask(provider, 5, AbortSignal.abort(reason))).rejects.toBe(reason)
    })
  })
})

it('takes the service that is configured, one’s own first', () => {
  expect(configuredSearch({ searxngUrl: undefined, braveApiKey: undefined, tavilyApiKey: undefined })).toBeUndefined()
  expect(configuredSearch({ searxngUrl: undefined, braveApiKey: undefined, tavilyApiKey: KEY })?.name).toBe('Tavily')
  expect(configuredSearch({ searxngUrl: undefined, braveApiKey: KEY, tavilyApiKey: KEY })?.name).toBe('Brave Search')
  expect(configuredSearch({ searxngUrl: 'http://127.0.0.1:8888', braveApiKey: KEY, tavilyApiKey: KEY })?.name).toBe('SearXNG')
})

async function refused(call: Promise<unknown>): Promise<AppError> {
  const error: unknown = await call.catch((reason: unknown) => reason)
  if (!(error instanceof AppError)) throw new Error(`no refusal: ${JSON.stringify(error)}`)
  expect(`${error.message} ${JSON.stringify(error.details)}`).not.toContain(KEY)
  return error
}
