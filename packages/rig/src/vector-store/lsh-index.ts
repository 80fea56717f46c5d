import { dotProduct } from './unit-vectors.ts'

export interface LshOptions {
  readonly numTables: number
  readonly numHyperplanes: number
  readonly ndims: number
  readonly seed?: number
}

interface Table<E> {
  readonly hyperplanes: readonly Float32Array[]
  readonly buckets: Map<number, Set<E>>
}

/**
 * Locality-sensitive hashing with random hyperplanes through the origin: the chance that two vectors fall on the same side of one is
 * 1 - angle / 180°, so vectors that share a bucket of many hyperplanes are probably close.
 */
export class LshIndex<E extends { readonly vectors: readonly Float32Array[] }> {
  readonly #tables: readonly Table<E>[]

  constructor({ numTables, numHyperplanes, ndims, seed = 0 }: LshOptions) {
    const normal = normalNumbers(seed)
    const hyperplane = () => Float32Array.from({ length: ndims }, normal)
    this.#tables = Array.from({ length: numTables }, () => ({ hyperplanes: Array.from({ length: numHyperplanes }, hyperplane), buckets: new Map() }))
  }

  add(entry: E): void {
    for (const { hyperplanes, buckets } of this.#tables) {
      for (const vector of entry.vectors) {
        const key = bucketOf(vector, hyperplanes)
        const bucket = buckets.get(key)
        if (bucket === undefined) buckets.set(key, new Set([entry]))
        else bucket.add(entry)
      }
    }
  }

  remove(entry: E): void {
    for (const { hyperplanes, buckets } of this.#tables) {
      for (const vector of entry.vectors) {
        const key = bucketOf(vector, hyperplanes)
        const bucket = buckets.get(key)
        bucket?.delete(entry)
        if (bucket?.size === 0) buckets.delete(key)
      }
    }
  }

  candidates(query: Float32Array): Iterable<E> {
    const found = new Set<E>()
    for (const { hyperplanes, buckets } of this.#tables) {
      for (const entry of buckets.get(bucketOf(query, hyperplanes)) ?? []) found.add(entry)
    }
    return found
  }
}

/** One bit for each hyperplane: the side on which the vector lies. */
function bucketOf(vector: Float32Array, hyperplanes: readonly Float32Array[]): number {
  let bits = 0
  for (const hyperplane of hyperplanes) bits = (bits << 1) | (dotProduct(vector, hyperplane) >= 0 ? 1 : 0)
  return bits
}

/** Normally distributed numbers (Box-Muller): as coordinates they give directions that are uniform on the sphere. */
function normalNumbers(seed: number): () => number {
  const uniform = uniformNumbers(seed)
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}

/** Numbers from 0 up to but not including 1, the same for the same seed: a counter in Weyl steps, mixed by the finaliser of MurmurHash3. */
function uniformNumbers(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
  }
}
