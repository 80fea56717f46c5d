/** What a file on disk holds, compared with what the database says. */
import { createHash } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import type { VersionContent } from '../repositories/change-repository.ts'

/**
 * True when the file is that version as far as its size and time tell. The mirror gives each file the time at which its version was made, always in the
 * past when it is written, so another program's edit shows in the time.
 */
export function looksLike(stats: Stats, version: VersionContent): boolean {
  return stats.isFile() && stats.size === version.size && Math.round(stats.mtimeMs) === version.createdAt.getTime()
}

/** SHA-256 of a file's bytes; rejects (ELOOP) when it is a symbolic link. */
export async function hashOfFile(absolute: string): Promise<Buffer> {
  await using file = await open(absolute, constants.O_RDONLY | constants.O_NOFOLLOW)
  const hash = createHash('sha256')
  for await (const piece of file.createReadStream({ highWaterMark: 256 * 1024, autoClose: false })) hash.update(piece)
  return hash.digest()
}
