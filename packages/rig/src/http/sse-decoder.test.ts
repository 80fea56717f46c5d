import { describe, expect, it } from 'vitest'
import { SseDecoder } from './sse-decoder.ts'

const SIZES = [1, 5, 2, 13, 3, 8, 21]

function decode(bytes: Buffer, sizes: readonly number[], { isEnded = true } = {}): string[] {
  const events: string[] = []
  const decoder = new SseDecoder((data) => events.push(data))
  for (let start = 0, turn = 0; start < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    decoder.push(bytes.subarray(start, start + size))
    start += size
  }
  if (isEnded) decoder.end()
  return events
}

describe('server-sent events', () => {
  it('are the same however the bytes are cut, in the middle of characters too', () => {
    const bytes = Buffer.from('data: Grüße aus 東京 🗼\n\nevent: x\r\nid: 4\r\ndata:{"a":1}\r\n\r\n: comment\n\ndata: one\ndata: two\n\n')
    const expected = ['Grüße aus 東京 🗼', '{"a":1}', 'one\ntwo']
    expect(decode(bytes, [bytes.length])).toEqual(expected)
    expect(decode(bytes, SIZES)).toEqual(expected)
    for (let size = 1; size < 40; size++) expect(decode(bytes, [size])).toEqual(expected)
  })

  it('may have lines that end in carriage returns, in pairs that are cut apart too', () => {
    const bytes = Buffer.from('data: a\r\rdata: b\r\n\r\ndata: c\rdata: d\r\r')
    for (let size = 1; size <= bytes.length; size++) expect(decode(bytes, [size])).toEqual(['a', 'b', 'c\nd'])
  })

  it('may begin with a byte order mark and end without the blank line', () => {
    expect(decode(Buffer.from('\uFEFFdata: first\n\ndata: last'), SIZES)).toEqual(['first', 'last'])
  })

  it('are handed over only when they are whole', () => {
    expect(decode(Buffer.from('data: a\n\ndata: b\n'), SIZES, { isEnded: false })).toEqual(['a'])
  })

  it('take time in proportion to their length, even in tiny chunks', () => {
    const bytes = Buffer.from(`data: ${'x'.repeat(2_000_000)}\n\n`)
    const startedAt = performance.now()
    expect(decode(bytes, [64])).toHaveLength(1)
    expect(performance.now() - startedAt).toBeLessThan(3000)
  })

  it('end the reading with the error of whoever takes them', () => {
    const decoder = new SseDecoder(() => { throw new Error('enough') })
    expect(() => decoder.push(Buffer.from('data: a\n\n'))).toThrow('enough')
  })
})
