import { LshIndex } from './lsh-index.ts'
import { VectorStoreError } from './vector-store-error.ts'

/**
 * How a search finds what to compare with. `bruteForce` compares with every vector and is exact. `lsh` (locality-sensitive hashing) compares only
 * with vectors that fall on the same side as the query of all hyperplanes of at least one table; it is **approximate**: near documents may be
 * missed, far ones almost always are, so that a search may find fewer than it was asked for.
 */
export type IndexStrategy =
  | { readonly type: 'bruteForce' }
  | {
    readonly type: 'lsh'
    /** 1 or more. More tables find more, and cost more memory and time. */
    readonly numTables: number
    /** 1 to 30 for each table. More hyperplanes compare with less and miss more. */
    readonly numHyperplanes: number
    /** The hyperplanes are random; equal seeds give equal ones. 0 unless given. */
    readonly seed?: number
  }

/** Something stored with its vectors of length 1. */
export interface HasVectors {
  readonly vectors: readonly Float32Array[]
}

/** Keeps the entries of a store so that those worth a comparison are found. An entry must not be added twice. */
export interface CandidateIndex<E extends HasVectors> {
  add(entry: E): void
  remove(entry: E): void
  /** Each entry at most once, in any order. */
  candidates(query: Float32Array): Iterable<E>
}

/** Throws `VectorStoreError` of kind `request` for settings out of their ranges. */
export function checkStrategy(strategy: IndexStrategy): void {
  if (strategy.type === 'bruteForce') return
  const { numTables, numHyperplanes } = strategy
  if (!Number.isInteger(numTables) || numTables < 1) throw new VectorStoreError('request', `numTables ${numTables}: use a whole number from 1`)
  if (!Number.isInteger(numHyperplanes) || numHyperplanes < 1 || numHyperplanes > 30) {
    throw new VectorStoreError('request', `numHyperplanes ${numHyperplanes}: use a whole number from 1 to 30`)
  }
}

/** An empty index for vectors of `ndims` coordinates. */
export function candidateIndex<E extends HasVectors>(strategy: IndexStrategy, ndims: number): CandidateIndex<E> {
  switch (strategy.type) {
    case 'bruteForce': return new BruteForceIndex<E>()
    case 'lsh': return new LshIndex<E>({ ...strategy, ndims })
  }
}

class BruteForceIndex<E extends HasVectors> implements CandidateIndex<E> {
  readonly #entries = new Set<E>()

  add(entry: E): void {
    this.#entries.add(entry)
  }

  remove(entry: E): void {
    this.#entries.delete(entry)
  }

  candidates(): Iterable<E> {
    return this.#entries
  }
}
