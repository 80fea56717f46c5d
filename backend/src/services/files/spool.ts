import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import { INLINE_BYTES } from '../../repositories/blob-repository.ts'
import type { Content } from './content.ts'

export interface SpoolOptions {
  /** More bytes than this are `payload_too_large`. */
  readonly limitBytes: number
  readonly signal?: AbortSignal
}

/**
 * Takes a stream in with little memory: up to 1 MiB is kept, more goes to a file in `folder` while it is hashed. What fails leaves no file behind.
 * The caller hands the result to `discardContent` in the end.
 */
export async function spool(folder: string, stream: AsyncIterable<Buffer>, { limitBytes, signal }: SpoolOptions): Promise<Content> {
  const hash = createHash('sha256')
  let file: SpoolFile | undefined
  let pending: Buffer[] = []
  let size = 0
  try {
    for await (const piece of stream) {
      signal?.throwIfAborted()
      size += piece.length
      if (size > limitBytes) throw new AppError('payload_too_large', `The content is larger than ${limitBytes} bytes, the most that a file may have.`)
      pending.push(piece)
      if (size <= INLINE_BYTES) continue
      file ??= await createSpoolFile(folder)
      for (const part of pending) {
        hash.update(part)
        await writeFully(file.handle, part)
      }
      pending = []
    }
    if (file === undefined) return Buffer.concat(pending)
    await file.handle.close()
    return { hash: hash.digest(), size, path: file.path }
  } catch (error) {
    await file?.remove()
    throw withoutSpace(error)
  }
}

interface SpoolFile {
  readonly path: string
  readonly handle: FileHandle
  remove(): Promise<void>
}

async function createSpoolFile(folder: string): Promise<SpoolFile> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, `upload-${randomUUID()}`)
  const handle = await open(path, 'wx', 0o600)
  const remove = async (): Promise<void> => {
    await handle.close()
    await rm(path, { force: true })
  }
  return { path, handle, remove }
}

async function writeFully(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let start = 0; start < bytes.length; ) start += (await handle.write(bytes, start)).bytesWritten
}

function withoutSpace(error: unknown): unknown {
  const isFull = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
  return isFull ? new AppError('insufficient_storage', 'The disk of the server is full: the upload was not stored.', { cause: error }) : error
}
