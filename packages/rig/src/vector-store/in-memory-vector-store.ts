import type { Embedding, EmbeddingModel } from '../embeddings/embedding-model.ts'
import type { EmbeddedDocument } from '../embeddings/embeddings-builder.ts'
import { matchesFilter } from './filter.ts'
import { candidateIndex, checkStrategy, type CandidateIndex, type IndexStrategy } from './index-strategy.ts'
import { TopN, type Ranked } from './top-n.ts'
import { cosine, unitVector } from './unit-vectors.ts'
import { VectorStoreError } from './vector-store-error.ts'
import type { VectorSearchRequest, VectorSearchResult, VectorStoreIndex } from './vector-store-index.ts'

/** A document under an id, with its embeddings. */
export type EmbeddedDocumentWithId<T> = readonly [id: string, document: T, embeddings: readonly Embedding[]]

export interface InMemoryVectorStoreOptions {
  /** Brute force unless given. */
  readonly strategy?: IndexStrategy
}

interface Entry<T> {
  readonly id: string
  readonly document: T
  /** Of length 1 each. */
  readonly vectors: readonly Float32Array[]
  /** Grows with every entry: the older of two equally good ones comes first. */
  readonly sequence: number
}

interface RankedEntry<T> extends Ranked {
  readonly entry: Entry<T>
}

/**
 * Documents with their embeddings in the memory of this process. A document is as similar to a query as the most similar of its embeddings, by
 * cosine: from -1 to 1. A document without embeddings is kept and never found. A search runs in one go, so it holds up whatever else the process
 * does in proportion to what it compares with.
 */
export class InMemoryVectorStore<T> {
  readonly #strategy: IndexStrategy
  readonly #entries = new Map<string, Entry<T>>()
  /** What the first vector settles; forgotten with the last document. */
  #space: { readonly ndims: number; readonly index: CandidateIndex<Entry<T>> } | undefined
  #sequence = 0
  #nextId = 0

  /** Throws `VectorStoreError` for a strategy with settings out of their ranges. */
  constructor({ strategy = { type: 'bruteForce' } }: InMemoryVectorStoreOptions = {}) {
    checkStrategy(strategy)
    this.#strategy = strategy
  }

  /** A store with `documents` under the ids `doc0`, `doc1` and so on. */
  static fromDocuments<T>(documents: Iterable<EmbeddedDocument<T>>, options?: InMemoryVectorStoreOptions): InMemoryVectorStore<T> {
    return new InMemoryVectorStore<T>(options).addDocuments(documents)
  }

  static fromDocumentsWithIds<T>(documents: Iterable<EmbeddedDocumentWithId<T>>, options?: InMemoryVectorStoreOptions): InMemoryVectorStore<T> {
    return new InMemoryVectorStore<T>(options).addDocumentsWithIds(documents)
  }

  /** A store with `documents` under the ids that `idOf` gives them. */
  static fromDocumentsWithIdF<T>(
    documents: Iterable<EmbeddedDocument<T>>, idOf: (document: T) => string, options?: InMemoryVectorStoreOptions,
  ): InMemoryVectorStore<T> {
    return new InMemoryVectorStore<T>(options).addDocumentsWithIdF(documents, idOf)
  }

  get size(): number {
    return this.#entries.size
  }

  /** Adds documents under ids of the form `doc7` that no document here has. */
  addDocuments(documents: Iterable<EmbeddedDocument<T>>): this {
    return this.addDocumentsWithIds(Array.from(documents, ([document, embeddings]) => [this.#freeId(), document, embeddings]))
  }

  /**
   * Adds documents; one with the id of another replaces it. Throws `VectorStoreError` when a vector has another number of coordinates than
   * those before it or one that is not finite; then none of the documents is added.
   */
  addDocumentsWithIds(documents: Iterable<EmbeddedDocumentWithId<T>>): this {
    let ndims = this.#space?.ndims
    const entries: Entry<T>[] = []
    for (const [id, document, embeddings] of documents) {
      for (const { vec } of embeddings) ndims = checkedNdims(id, vec.length, ndims)
      entries.push({ id, document, vectors: embeddings.map(({ vec }) => unitVector(vec)), sequence: this.#sequence++ })
    }
    if (ndims !== undefined) this.#space ??= { ndims, index: candidateIndex(this.#strategy, ndims) }
    for (const entry of entries) this.#put(entry)
    return this
  }

  /** Adds documents under the ids that `idOf` gives them, as `addDocumentsWithIds` does. */
  addDocumentsWithIdF(documents: Iterable<EmbeddedDocument<T>>, idOf: (document: T) => string): this {
    return this.addDocumentsWithIds(Array.from(documents, ([document, embeddings]) => [idOf(document), document, embeddings]))
  }

  /** Whether there was such a document. An index finds it no longer. */
  removeDocument(id: string): boolean {
    const entry = this.#entries.get(id)
    if (entry === undefined) return false
    this.#entries.delete(id)
    this.#space?.index.remove(entry)
    if (this.#entries.size === 0) this.#space = undefined
    return true
  }

  getDocument(id: string): T | undefined {
    return this.#entries.get(id)?.document
  }

  /**
   * An index that embeds queries by `model`, which must be the one that embedded the documents. It searches the store as it is at the time of each
   * search. Throws `VectorStoreError` when the model's vectors cannot be compared with those of the store.
   */
  index(model: EmbeddingModel): VectorStoreIndex<T> {
    if (model.ndims > 0) this.#checkComparable(model.ndims)
    const topN: VectorStoreIndex<T>['topN'] = async (request, options) => {
      checkRequest(request)
      const { vec } = await model.embedText(request.query, options)
      this.#checkComparable(vec.length)
      return this.#search(unitVector(vec), request)
    }
    return {
      topN,
      topNIds: async (request, options) => (await topN(request, options)).map(({ score, id }) => ({ score, id })),
    }
  }

  #freeId(): string {
    while (this.#entries.has(`doc${this.#nextId}`)) this.#nextId++
    return `doc${this.#nextId++}`
  }

  #put(entry: Entry<T>): void {
    const previous = this.#entries.get(entry.id)
    if (previous !== undefined) this.#space?.index.remove(previous)
    this.#entries.set(entry.id, entry)
    if (entry.vectors.length > 0) this.#space?.index.add(entry)
  }

  #checkComparable(ndims: number): void {
    if (this.#space === undefined || this.#space.ndims === ndims) return
    throw new VectorStoreError('dimensions', `The model's vectors have ${ndims} coordinates, those of the store ${this.#space.ndims}: use the model that embedded the documents`)
  }

  #search(query: Float32Array, { samples, threshold = -1, filter }: VectorSearchRequest): readonly VectorSearchResult<T>[] {
    const top = new TopN<RankedEntry<T>>(samples)
    for (const entry of this.#space?.index.candidates(query) ?? []) {
      if (filter !== undefined && !matchesFilter(entry.document, filter)) continue
      const score = bestCosine(query, entry.vectors)
      if (score >= threshold) top.offer({ score, sequence: entry.sequence, entry })
    }
    return top.best().map(({ score, entry: { id, document } }) => ({ score, id, document }))
  }
}

function bestCosine(query: Float32Array, vectors: readonly Float32Array[]): number {
  let best = -1
  for (const vector of vectors) best = Math.max(best, cosine(query, vector))
  return best
}

function checkedNdims(id: string, ndims: number, expected: number | undefined): number {
  if (ndims === 0) throw new VectorStoreError('vector', `Document "${id}" has a vector without coordinates`)
  if (expected === undefined || ndims === expected) return ndims
  throw new VectorStoreError('dimensions', `Document "${id}" has a vector of ${ndims} coordinates where the others have ${expected}`)
}

function checkRequest({ samples, threshold = 0 }: VectorSearchRequest): void {
  if (!Number.isInteger(samples) || samples < 1) throw new VectorStoreError('request', `samples ${samples}: use a whole number from 1`)
  if (Number.isNaN(threshold)) throw new VectorStoreError('request', 'The threshold is not a number')
}
