import { describe, expect, it } from 'vitest'
import { cosine, unitVector } from './unit-vectors.ts'

describe('the cosine of two vectors', () => {
  const of = (left: readonly number[], right: readonly number[]) => cosine(unitVector(left), unitVector(right))

  it('depends on their directions alone, however long they are', () => {
    expect(of([3, 4], [30, 40])).toBeCloseTo(1, 6)
    expect(of([1, 0], [0, 5])).toBe(0)
    expect(of([1, 2, 3, 4, 5], [-1, -2, -3, -4, -5])).toBeCloseTo(-1, 6)
    expect(of([1, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 7])).toBeCloseTo(Math.SQRT1_2, 6)
    expect(of([1e200, 1e200], [1e-200, 1e-200])).toBeCloseTo(1, 6)
  })

  it('never leaves its range, and is nothing for a vector of zeros', () => {
    for (let size = 1; size < 200; size++) {
      const vector = Array.from({ length: size }, (_, index) => Math.sin(size + index))
      expect(of(vector, vector)).toBeLessThanOrEqual(1)
    }
    expect(of([0, 0], [1, 2])).toBe(0)
  })

  it('is refused for coordinates that are no finite numbers', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) expect(() => unitVector([1, value])).toThrow(expect.objectContaining({ kind: 'vector' }))
  })
})
