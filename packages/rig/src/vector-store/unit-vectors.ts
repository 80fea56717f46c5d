import type { Vector } from '../embeddings/embedding-model.ts'
import { VectorStoreError } from './vector-store-error.ts'

/**
 * The vector with length 1, so that the cosine of two is their product. A vector of zeros stays one: it is similar to nothing.
 * Throws `VectorStoreError` for coordinates that are not finite numbers.
 */
export function unitVector(vector: Vector): Float32Array {
  // Loops by index, several times as fast as iterators here.
  const { length } = vector
  let largest = 0
  for (let index = 0; index < length; index++) largest = Math.max(largest, Math.abs(finiteAt(vector, index)))
  const unit = new Float32Array(length)
  if (largest === 0) return unit
  // Scaled first: squares of very large or small coordinates leave the range of a number.
  let sum = 0
  for (let index = 0; index < length; index++) sum += (at(vector, index) / largest) ** 2
  const norm = Math.sqrt(sum)
  for (let index = 0; index < length; index++) unit[index] = at(vector, index) / largest / norm
  return unit
}

/** The sum of the products of the coordinates. Four sums at a time: one would wait for itself at every step. */
export function dotProduct(left: Float32Array, right: Float32Array): number {
  const { length } = left
  let first = 0
  let second = 0
  let third = 0
  let fourth = 0
  let index = 0
  for (; index + 3 < length; index += 4) {
    first += at(left, index) * at(right, index)
    second += at(left, index + 1) * at(right, index + 1)
    third += at(left, index + 2) * at(right, index + 2)
    fourth += at(left, index + 3) * at(right, index + 3)
  }
  for (; index < length; index++) first += at(left, index) * at(right, index)
  return first + second + third + fourth
}

/** The cosine of the angle between two unit vectors, from -1 to 1 in spite of rounding. */
export function cosine(left: Float32Array, right: Float32Array): number {
  return Math.max(-1, Math.min(1, dotProduct(left, right)))
}

function at(vector: Vector, index: number): number {
  return vector[index] ?? 0
}

function finiteAt(vector: Vector, index: number): number {
  const value = vector[index]
  if (value === undefined || !Number.isFinite(value)) throw new VectorStoreError('vector', `A vector has the coordinate ${value}`)
  return value
}
