import { z } from 'zod'
import { askSearch, optional, plainSnippet } from './search-request.ts'
import type { WebSearchHit, WebSearchProvider, WebSearchRequest } from './web-search.ts'

/** https://docs.searxng.org/dev/search_api.html */
const ANSWER = z.object({ results: z.array(z.object({ url: z.string(), title: optional, content: optional, publishedDate: optional })) })

/** A SearXNG of the operator's own, which must have the format `json` enabled. */
export class SearxngSearch implements WebSearchProvider {
  readonly name = 'SearXNG'
  readonly #baseUrl: string

  constructor({ baseUrl }: { readonly baseUrl: string }) {
    this.#baseUrl = baseUrl
  }

  async search({ query, maxResults, signal }: WebSearchRequest): Promise<readonly WebSearchHit[]> {
    const url = new URL(`${this.#baseUrl}/search`)
    url.search = new URLSearchParams({ q: query, format: 'json' }).toString()
    const { results } = await askSearch({ service: this.name, setting: 'BUILDSCALE_SEARXNG_URL, and that its settings.yml allows the format json', url, init: { method: 'GET', headers: { accept: 'application/json' } }, schema: ANSWER, signal })
    return results.slice(0, maxResults).map(({ url: found, title, content, publishedDate }) => ({ title: plainSnippet(title ?? ''), url: found, snippet: plainSnippet(content ?? ''), published: publishedDate ?? null }))
  }
}
