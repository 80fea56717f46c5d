/** Searching the web through a service that the operator has chosen. */

export interface WebSearchRequest {
  readonly query: string
  readonly maxResults: number
  readonly signal: AbortSignal
}

export interface WebSearchHit {
  readonly title: string
  readonly url: string
  readonly snippet: string
  /** As the service says it; null when it does not. */
  readonly published: string | null
}

export interface WebSearchProvider {
  /** For people and models: who found this. */
  readonly name: string
  /** At most `maxResults`, best first. Throws `AppError` in words for a model, never with the key in it; rejects with the signal's reason when aborted. */
  search(request: WebSearchRequest): Promise<readonly WebSearchHit[]>
}

export interface WebSearchSettings {
  readonly searxngUrl: string | undefined
  readonly braveApiKey: string | undefined
  readonly tavilyApiKey: string | undefined
}
