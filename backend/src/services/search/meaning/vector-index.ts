import type { VectorSpace } from '../../../repositories/semantic-vector-repository.ts'

export interface NearestRequest {
  readonly space: VectorSpace
  /** Of length 1. */
  readonly vector: Float32Array
  readonly limit: number
  readonly signal: AbortSignal
}

export interface NearChunk {
  readonly hash: Buffer
  /** The cosine of the angle between the two: 1 is the same direction. */
  readonly score: number
}

/**
 * Finds the vectors nearest to another one. Derived from the table of vectors, which is the truth: an index follows it by seq before it answers, on every node, and
 * one that is lost is made again.
 */
export interface VectorIndex {
  /** For people: what it is. */
  readonly kind: 'exact' | 'pgvector'
  /** The nearest chunks, best first. May hold chunks that no file has any more. Empty when the space has no vectors. */
  nearest(request: NearestRequest): Promise<readonly NearChunk[]>
}
