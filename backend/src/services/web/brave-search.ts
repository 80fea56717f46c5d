import { z } from 'zod'
import { askSearch, optional, plainSnippet } from './search-request.ts'
import type { WebSearchHit, WebSearchProvider, WebSearchRequest } from './web-search.ts'

/** https://api-dashboard.search.brave.com/app/documentation/web-search; without any result there is no `web`. */
const ANSWER = z.object({ web: z.object({ results: z.array(z.object({ url: z.string(), title: optional, description: optional, page_age: optional, age: optional })) }).nullish() })
/** The most that the service gives in one answer. */
const MOST = 20

export class BraveSearch implements WebSearchProvider {
  readonly name = 'Brave Search'
  readonly #options: { readonly apiKey: string; readonly baseUrl: string }

  constructor({ apiKey, baseUrl = 'https://api.search.brave.com' }: { readonly apiKey: string; readonly baseUrl?: string }) {
    this.#options = { apiKey, baseUrl }
  }

  async search({ query, maxResults, signal }: WebSearchRequest): Promise<readonly WebSearchHit[]> {
    const { apiKey, baseUrl } = this.#options
    const url = new URL(`${baseUrl}/res/v1/web/search`)
    url.search = new URLSearchParams({ q: query, count: String(Math.min(maxResults, MOST)), text_decorations: 'false' }).toString()
    const headers = { accept: 'application/json', 'x-subscription-token': apiKey }
    const { web } = await askSearch({ service: this.name, setting: 'BRAVE_API_KEY', url, init: { method: 'GET', headers }, schema: ANSWER, signal })
    const results = web?.results ?? []
    return results.slice(0, maxResults).map(({ url: found, title, description, page_age: pageAge, age }) => ({ title: plainSnippet(title ?? ''), url: found, snippet: plainSnippet(description ?? ''), published: pageAge ?? age ?? null }))
  }
}
