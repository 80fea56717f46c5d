/** Images and documents that models can be shown, known by their bytes: a name may say anything. */
import { crc32 } from 'node:zlib'

export type MediaKind = 'image' | 'document'

export interface Media {
  readonly kind: MediaKind
  readonly mime: string
  /** In pixels; null for documents, and for images whose head is broken. */
  readonly width: number | null
  readonly height: number | null
  /** Why no model could read it, as the end of a sentence: such bytes must not get into a conversation. */
  readonly fault: string | undefined
}

type Size = readonly [width: number, height: number]

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** What the bytes are; undefined for what models are not shown. */
export function sniffMedia(bytes: Buffer): Media | undefined {
  const start = bytes.toString('latin1', 0, 16)
  if (bytes.subarray(0, PNG.length).equals(PNG)) return image('image/png', pngSize(bytes))
  if (start.startsWith('\xff\xd8\xff')) return image('image/jpeg', jpegSize(bytes))
  if (start.startsWith('GIF87a') || start.startsWith('GIF89a')) return image('image/gif', gifSize(bytes))
  if (start.startsWith('RIFF') && start.startsWith('WEBP', 8)) return image('image/webp', webpSize(bytes))
  if (start.startsWith('%PDF-')) return { kind: 'document', mime: 'application/pdf', width: null, height: null, fault: bytes.lastIndexOf('%%EOF') < 0 ? ENDS_EARLY : undefined }
  return undefined
}

const ENDS_EARLY = 'it ends before its end'

function image(mime: string, size: Size | string): Media {
  return typeof size === 'string' ? { kind: 'image', mime, width: null, height: null, fault: size } : { kind: 'image', mime, width: size[0], height: size[1], fault: undefined }
}

/** Walks the chunks with their checksums: https://www.w3.org/TR/png-3/#5DataRep. A broken image is answered with its fault. */
function pngSize(bytes: Buffer): Size | string {
  let at = PNG.length
  while (at + 12 <= bytes.length) {
    const end = at + 12 + bytes.readUInt32BE(at)
    if (end > bytes.length) return ENDS_EARLY
    if (crc32(bytes.subarray(at + 4, end - 4)) !== bytes.readUInt32BE(end - 4)) return 'a checksum in it is wrong'
    if (bytes.toString('latin1', at + 4, at + 8) === 'IEND') return pngHead(bytes)
    at = end
  }
  return ENDS_EARLY
}

function pngHead(bytes: Buffer): Size | string {
  return bytes.toString('latin1', 12, 16) === 'IHDR' && bytes.length >= 24 ? [bytes.readUInt32BE(16), bytes.readUInt32BE(20)] : 'it has no head'
}

/** Walks the segments up to the frame that tells the size: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B. */
function jpegSize(bytes: Buffer): Size | string {
  if (bytes.lastIndexOf(Buffer.from([0xff, 0xd9])) < 4) return ENDS_EARLY
  for (let at = 2; at + 9 <= bytes.length; ) {
    if (bytes[at] !== 0xff) return 'a segment of it is broken'
    const marker = bytes[at + 1] ?? 0
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)]
    // A byte 0xff may be repeated before a marker.
    at += marker === 0xff ? 1 : 2 + bytes.readUInt16BE(at + 2)
  }
  return 'it has no head'
}

/** https://www.w3.org/Graphics/GIF/spec-gif89a.txt */
function gifSize(bytes: Buffer): Size | string {
  return bytes.length < 14 || bytes.lastIndexOf(0x3b) < 13 ? ENDS_EARLY : [bytes.readUInt16LE(6), bytes.readUInt16LE(8)]
}

/** https://developers.google.com/speed/webp/docs/riff_container */
function webpSize(bytes: Buffer): Size | string {
  if (bytes.length < 30 || bytes.readUInt32LE(4) + 8 > bytes.length) return ENDS_EARLY
  switch (bytes.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return [bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff]
    case 'VP8L': {
      const bits = bytes.readUInt32LE(21)
      return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1]
    }
    case 'VP8X':
      return [bytes.readUIntLE(24, 3) + 1, bytes.readUIntLE(27, 3) + 1]
    default:
      return 'it has no head'
  }
}
