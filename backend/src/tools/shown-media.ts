import type { FileEntry } from '@buildscale/protocol'
import { AppError } from '../errors.ts'
import type { Media } from '../services/files/media.ts'

/** 5 MiB as base64, in which images travel: the most that every provider takes. */
export const IMAGE_LIMIT_BYTES = (5 * 1024 * 1024 * 3) / 4
export const DOCUMENT_LIMIT_BYTES = 8 * 1024 * 1024
const MOST_PIXELS = 8_000

/** The result of reading an image or a document: what it is. Its bytes are shown to the model by whoever runs the tool for one. */
export interface ShownMedia {
  readonly kind: Media['kind']
  readonly path: string
  readonly mime: string
  readonly size: number
  readonly width: number | null
  readonly height: number | null
  readonly version: number | null
  readonly hash: string
  readonly notice: null
}

/** Throws for what no provider would take: bytes that are broken or too many, images with too many pixels. They would spoil every later call of the conversation. */
export function shownMedia(file: FileEntry & { readonly hash: string }, { media, size }: { readonly media: Media; readonly size: number }): ShownMedia {
  const { kind, mime, width, height, fault } = media
  const name = `"${file.path}" is ${kind === 'image' ? 'an image' : 'a document'} (${mime}, ${size.toLocaleString('en')} bytes)`
  if (fault !== undefined) throw new AppError('unsupported_media_type', `${name}, but it is broken: ${fault}. It cannot be shown.`)
  const limit = kind === 'image' ? IMAGE_LIMIT_BYTES : DOCUMENT_LIMIT_BYTES
  if (size > limit) throw new AppError('payload_too_large', `${name}; models are shown at most ${limit.toLocaleString('en')} bytes of one. Ask for a smaller copy of it.`)
  const side = Math.max(width ?? 1, height ?? 1)
  if (side > MOST_PIXELS) throw new AppError('payload_too_large', `${name} of ${width} × ${height} pixels; models are shown at most ${MOST_PIXELS.toLocaleString('en')} in each direction. Ask for a smaller copy of it.`)
  if (width === 0 || height === 0) throw new AppError('unsupported_media_type', `${name}, but it has no pixels. It cannot be shown.`)
  return { kind, path: file.path, mime, size, width, height, version: file.version, hash: file.hash, notice: null }
}
