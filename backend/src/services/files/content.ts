import { createHash } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { INLINE_BYTES } from '../../repositories/blob-repository.ts'

/** Bytes too large to hold in memory, waiting in a file of ours until they are stored. Whoever asked for it disposes of it (`discardContent`). */
export interface SpooledContent {
  /** SHA-256. */
  readonly hash: Buffer
  readonly size: number
  readonly path: string
}

/** The bytes of a file to be: in memory, or on disk when large. */
export type Content = Buffer | SpooledContent

export function contentSize(content: Content): number {
  return Buffer.isBuffer(content) ? content.length : content.size
}

/** SHA-256 of the bytes. */
export function contentHash(content: Content): Buffer {
  return Buffer.isBuffer(content) ? createHash('sha256').update(content).digest() : content.hash
}

/** True when the bytes are stored in chunks rather than in the row itself. */
export function isLarge(content: Content): boolean {
  return contentSize(content) > INLINE_BYTES
}

/** The bytes in order, in pieces of at most `pieceBytes`; only the last one is shorter. */
export async function* contentPieces(content: Content, pieceBytes: number): AsyncGenerator<Buffer> {
  if (Buffer.isBuffer(content)) {
    for (let start = 0; start < content.length; start += pieceBytes) yield content.subarray(start, start + pieceBytes)
    return
  }
  // A read may stop short of what was asked for, and the size of every piece matters to the caller: each is filled before it goes on.
  await using file = await open(content.path, 'r')
  for (let start = 0; start < content.size; start += pieceBytes) yield await readFully(file, { start, length: Math.min(pieceBytes, content.size - start) })
}

async function readFully(file: FileHandle, { start, length }: { readonly start: number; readonly length: number }): Promise<Buffer> {
  const piece = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(piece, filled, length - filled, start + filled)
    if (bytesRead === 0) throw new Error('a spooled upload became shorter while it was stored')
    filled += bytesRead
  }
  return piece
}

/** The first bytes, for finding out what they are. */
export async function contentStart(content: Content, bytes: number): Promise<Buffer> {
  if (Buffer.isBuffer(content)) return content.subarray(0, bytes)
  await using file = await open(content.path, 'r')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0)
  return buffer.subarray(0, bytesRead)
}

/** Removes what `spool` put on disk. Safe to call twice. */
export async function discardContent(content: Content): Promise<void> {
  if (!Buffer.isBuffer(content)) await rm(content.path, { force: true })
}
