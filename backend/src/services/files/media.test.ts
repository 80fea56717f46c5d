import { describe, expect, it } from 'vitest'
import { GIF, JPEG, PDF, png, WEBP, WHOLE_JPEG } from '../../../test/support/sample-media.ts'
import { sniffMedia } from './media.ts'

describe('what bytes are', () => {
  it.each([
    ['a PNG', png({ width: 300, height: 20 }), { kind: 'image', mime: 'image/png', width: 300, height: 20 }],
    ['a JPEG', WHOLE_JPEG, { kind: 'image', mime: 'image/jpeg', width: 1, height: 1 }],
    ['a GIF', GIF, { kind: 'image', mime: 'image/gif', width: 1, height: 1 }],
    ['a WebP', WEBP, { kind: 'image', mime: 'image/webp', width: 1, height: 1 }],
    ['a PDF', PDF, { kind: 'document', mime: 'application/pdf', width: null, height: null }],
  ])('is told by the bytes of %s', (_, bytes, media) => {
    expect(sniffMedia(bytes)).toEqual({ ...media, fault: undefined })
  })

  it.each([['text', 'hello'], ['nothing', ''], ['half a signature', '\x89PNG'], ['an SVG, which is text', '<svg xmlns="http://www.w3.org/2000/svg"/>'], ['RIFF of another kind', 'RIFF\0\0\0\0WAVEfmt ']])('is nothing to show for %s', (_, text) => {
    expect(sniffMedia(Buffer.from(text, 'latin1'))).toBeUndefined()
  })

  it.each([['PNG', png()], ['GIF', GIF], ['WebP', WEBP], ['JPEG', WHOLE_JPEG], ['PDF', PDF]])('tells a %s that ends early, wherever it was cut, and never falls over', (_, bytes) => {
    const cut = Array.from({ length: bytes.length - 1 }, (_unused, length) => sniffMedia(bytes.subarray(0, length)))
    expect(cut.filter((media) => media !== undefined && media.fault === undefined)).toEqual([])
    expect(sniffMedia(bytes.subarray(0, Math.floor(bytes.length / 2)))?.fault).toBe('it ends before its end')
  })

  it('tells a PNG with a changed byte, and a JPEG without its end', () => {
    const broken = png()
    broken[20] = 1
    expect(sniffMedia(broken)?.fault).toBe('a checksum in it is wrong')
    expect(sniffMedia(JPEG)?.fault).toBe('it ends before its end')
  })
})
