import type { FileEntry } from '@buildscale/protocol'
import { AppError } from '../errors.ts'
import { sniffMedia } from '../services/files/media.ts'
import { utf8Text } from '../services/files/utf8-text.ts'

/**
 * The text of a file, byte-exact: a byte order mark stays, encoding it again gives the same bytes.
 * Throws `unsupported_media_type` for what is not UTF-8 text, since showing it would be garbage and writing it back would destroy it.
 */
export function fileText(file: Pick<FileEntry, 'path' | 'mime' | 'size'>, bytes: Buffer): string {
  const text = utf8Text(bytes)
  if (text !== undefined && !text.includes('\0')) return text
  const kind = text === undefined ? 'not UTF-8 text' : 'binary'
  const instead = sniffMedia(bytes) === undefined ? 'file_info tells more about it.' : 'read shows what is on it.'
  const size = (file.size ?? bytes.length).toLocaleString('en')
  throw new AppError('unsupported_media_type', `"${file.path}" is ${kind} (${file.mime ?? 'unknown type'}, ${size} bytes), so it cannot be shown or edited as text. ${instead}`)
}

/** The bytes of a text that a model wrote. Throws `invalid_request` for half a surrogate pair, which UTF-8 cannot hold. */
export function utf8(text: string, argument: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8')
  throw new AppError('invalid_request', `${argument} holds half of a surrogate pair (a broken emoji or similar), which cannot be stored as text. Send the whole character.`)
}
