/** The bytes of stored files: from the workspace's copy on disk when it has exactly these, otherwise from the database. */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'

export interface StoredFile {
  /** Where the database says it is; null when it is no longer told (a copy). */
  readonly path: string | null
  /** SHA-256 in hex. */
  readonly hash: string
  readonly size: number
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * Bytes from disk, or undefined. Only what has the right hash counts: a copy that is behind, another program's edit, or a file that a symbolic link leads to
 * is never taken for the workspace's.
 */
export async function readMirrorFile(mirror: string, { path, hash, size }: StoredFile): Promise<Uint8Array | undefined> {
  if (path === null) return undefined
  try {
    // A pipe in the place of a file must not hold the script up.
    await using file = await open(join(mirror, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const stats = await file.stat()
    if (!stats.isFile() || stats.size !== size) return undefined
    const bytes = Buffer.alloc(size)
    const { bytesRead } = await file.read(bytes, 0, size, 0)
    return bytesRead === size && sha256(bytes) === hash ? bytes : undefined
  } catch {
    return undefined // whatever the disk says: the database has the bytes
  }
}
