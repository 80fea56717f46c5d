import { describe, expect, it } from 'vitest'
import { TopN } from './top-n.ts'

describe('the best of many', () => {
  it('are those that sorting all of them would give, ties in the order of their age', () => {
    for (let round = 1; round <= 200; round++) {
      const items = Array.from({ length: round }, (_, sequence) => ({ score: Math.floor(10 * Math.abs(Math.sin(round * sequence + round))), sequence }))
      const expected = items.toSorted((left, right) => right.score - left.score || left.sequence - right.sequence)
      for (const limit of [1, 2, 3, 7, 64, 1000]) {
        const top = new TopN<{ readonly score: number; readonly sequence: number }>(limit)
        for (const item of items.toSorted((left, right) => Math.sin(left.sequence * round) - Math.sin(right.sequence * round))) top.offer(item)
        expect(top.best()).toEqual(expected.slice(0, limit))
      }
    }
  })
})
