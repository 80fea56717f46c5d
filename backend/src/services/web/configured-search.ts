import { BraveSearch } from './brave-search.ts'
import { SearxngSearch } from './searxng-search.ts'
import { TavilySearch } from './tavily-search.ts'
import type { WebSearchProvider, WebSearchSettings } from './web-search.ts'

/** The service that the operator has configured; of several, the one that is their own first. Undefined: none. */
export function configuredSearch({ searxngUrl, braveApiKey, tavilyApiKey }: WebSearchSettings): WebSearchProvider | undefined {
  if (searxngUrl !== undefined) return new SearxngSearch({ baseUrl: searxngUrl })
  if (braveApiKey !== undefined) return new BraveSearch({ apiKey: braveApiKey })
  return tavilyApiKey === undefined ? undefined : new TavilySearch({ apiKey: tavilyApiKey })
}
