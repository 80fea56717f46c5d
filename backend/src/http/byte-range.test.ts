import { describe, expect, it } from 'vitest'
import { byteRange } from './byte-range.ts'

describe('byteRange', () => {
  it('answers the whole without a header', () => {
    expect(byteRange(undefined, 10)).toEqual({ type: 'whole' })
  })

  it.each([
    ['bytes=0-3', 0, 3],
    ['bytes=4-', 4, 9],
    ['bytes=-3', 7, 9],
    ['bytes=0-0', 0, 0],
    ['bytes=8-100', 8, 9],
    ['bytes=-100', 0, 9],
    ['bytes= 2 - 4', 2, 4],
  ])('reads %s of ten bytes as %i to %i, both included', (header, start, end) => {
    expect(byteRange(header, 10)).toEqual({ type: 'part', start, end })
  })

  it.each(['bytes=10-', 'bytes=10-12', 'bytes=-0'])('cannot satisfy %s of ten bytes', (header) => {
    expect(byteRange(header, 10)).toEqual({ type: 'unsatisfiable' })
  })

  it('cannot satisfy any range of an empty file', () => {
    expect(byteRange('bytes=0-', 0)).toEqual({ type: 'unsatisfiable' })
    expect(byteRange('bytes=-5', 0)).toEqual({ type: 'unsatisfiable' })
  })

  it.each(['bytes=0-1,4-5', 'lines=1-2', 'bytes=5-2', 'bytes=-', 'bytes=a-b', ''])('ignores %j, as a server may', (header) => {
    expect(byteRange(header, 10)).toEqual({ type: 'whole' })
  })
})
