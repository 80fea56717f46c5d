import { z } from 'zod'
import { askSearch, optional, plainSnippet } from './search-request.ts'
import type { WebSearchHit, WebSearchProvider, WebSearchRequest } from './web-search.ts'

/** https://docs.tavily.com/documentation/api-reference/endpoint/search */
const ANSWER = z.object({ results: z.array(z.object({ url: z.string(), title: optional, content: optional, published_date: optional })) })
/** The most that the service gives in one answer. */
const MOST = 20

export class TavilySearch implements WebSearchProvider {
  readonly name = 'Tavily'
  readonly #options: { readonly apiKey: string; readonly baseUrl: string }

  constructor({ apiKey, baseUrl = 'https://api.tavily.com' }: { readonly apiKey: string; readonly baseUrl?: string }) {
    this.#options = { apiKey, baseUrl }
  }

  async search({ query, maxResults, signal }: WebSearchRequest): Promise<readonly WebSearchHit[]> {
    const { apiKey, baseUrl } = this.#options
    const headers = { accept: 'application/json', 'content-type': 'application/json', authorization: `Bearer ${apiKey}` }
    const body = JSON.stringify({ query, max_results: Math.min(maxResults, MOST) })
    const { results } = await askSearch({ service: this.name, setting: 'TAVILY_API_KEY', url: new URL(`${baseUrl}/search`), init: { method: 'POST', headers, body }, schema: ANSWER, signal })
    return results.slice(0, maxResults).map(({ url: found, title, content, published_date: date }) => ({ title: plainSnippet(title ?? ''), url: found, snippet: plainSnippet(content ?? ''), published: date ?? null }))
  }
}
