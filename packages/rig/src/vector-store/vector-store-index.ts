import type { CallOptions } from '../completion/completion-request.ts'
import type { Json, JsonObject } from '../completion/json.ts'
import type { Filter } from './filter.ts'

/** What to look for. */
export interface VectorSearchRequest {
  /** The text whose neighbours are wanted. */
  readonly query: string
  /** How many results at most, 1 or more. */
  readonly samples: number
  /** Results with a lower score are left out. */
  readonly threshold?: number
  readonly filter?: Filter
  /** What only a certain store understands, by its own names. */
  readonly additionalParams?: JsonObject
}

/** A found document. */
export interface VectorSearchResult<T> extends VectorSearchMatch {
  readonly document: T
}

/** A found document's id. `score`: how similar, the higher the more; what its range is depends on the store. */
export interface VectorSearchMatch {
  readonly score: number
  readonly id: string
}

/** Documents that can be found by meaning. Results come best first. Throws `VectorStoreError`, and what embedding the query throws. */
export interface VectorStoreIndex<T = Json> {
  topN(request: VectorSearchRequest, options?: CallOptions): Promise<readonly VectorSearchResult<T>[]>
  /** As `topN`, without the documents. */
  topNIds(request: VectorSearchRequest, options?: CallOptions): Promise<readonly VectorSearchMatch[]>
}
