/** What the search by meaning is to the rest: it is told of texts that changed, and answers which passages are near a question. */

/** A file's text as it is now. */
export interface IndexedText {
  readonly workspaceId: string
  readonly fileId: string
  readonly path: string
  /** SHA-256 of the whole file: the same hash is the same text. */
  readonly hash: Buffer
  readonly mime: string
  readonly text: string
}

export interface SemanticHit {
  readonly fileId: string
  readonly path: string
  /** Lines count from 1; `endLine` is the last one that belongs to the passage. */
  readonly startLine: number
  readonly endLine: number
  /** The heading under which the passage stands. */
  readonly heading: string | null
  readonly excerpt: string
  /** The nearer, the higher. */
  readonly score: number
}

export interface SemanticQuery {
  readonly workspaceId: string
  readonly query: string
  /** The folder (or file) to look in; `/` is everywhere. */
  readonly folder: string
  readonly limit: number
  readonly signal: AbortSignal
}

/** How much of a workspace can be found by meaning already. */
export interface SemanticStatus {
  readonly chunks: number
  readonly embedded: number
  readonly pending: number
  /** Passages that the embedder does not take; they are found by their words alone. */
  readonly refused: number
  /** The embedder's id, as `provider:model`. */
  readonly embedder: string
  /** True for the embedder that needs no key: it compares words and knows nothing of what they mean. */
  readonly isOffline: boolean
  /** Why nothing can be embedded at the moment. */
  readonly lastError: string | null
}

/** An index of passages by meaning. An outage of the model behind it delays it, and nothing else. */
export interface SemanticIndex {
  /** Takes over the latest texts of these files: again is harmless, and what has not changed costs nothing. */
  update(files: readonly IndexedText[], signal: AbortSignal): Promise<void>
  /** Forgets files. Unknown ids are fine. */
  remove(workspaceId: string, fileIds: readonly string[]): Promise<void>
  /** Passages near the query, best first. */
  search(request: SemanticQuery): Promise<readonly SemanticHit[]>
  status(workspaceId: string): Promise<SemanticStatus>
}
