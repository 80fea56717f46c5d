/** What a file on disk holds, compared with what the database says. */
import { createHash } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import type { VersionContent } from '../repositories/change-repository.ts'

/** A file or folder that was changed less long ago may still be being written. */
export const QUIET_MS = 300

/** Of a millisecond: what is left of a time after it went through the file system and a floating-point number. */
const TIME_TOLERANCE_MS = 0.0006

/**
 * The modification time that the mirror gives to a version's file: when the version was made, and below the millisecond some bits of its hash, so that two
 * files of one change do not look alike when one is put in the place of the other.
 */
export function timeOfVersion({ createdAt, hash }: VersionContent): number {
  // Below half a millisecond: tools that round show the time of the version.
  return createdAt.getTime() + markOf(hash)
}

function markOf(hash: Buffer): number {
  return (1 + (hash.readUInt16BE(0) % 449)) / 1_000
}

/** True when a file's time has the mark that the mirror gives: for a workspace whose versions are gone. */
export function carriesMark({ mtimeMs }: Stats, hash: Buffer): boolean {
  return Math.abs(mtimeMs - Math.floor(mtimeMs) - markOf(hash)) < TIME_TOLERANCE_MS
}

/** True when the file is that version as far as its size and time tell. The time is always past when a file is written, so another program's edit shows in it. */
export function looksLike(stats: Stats, version: VersionContent): boolean {
  return stats.isFile() && stats.size === version.size && Math.abs(stats.mtimeMs - timeOfVersion(version)) < TIME_TOLERANCE_MS
}

/** False while something may still be going on there. A change time cannot be set, so nobody can hide a change behind it; one in the future is the clock's fault. */
export function isSettled(stats: Stats): boolean {
  return Math.abs(Date.now() - stats.ctimeMs) >= QUIET_MS
}

/** SHA-256 of a file's bytes; rejects (ELOOP) when it is a symbolic link. */
export async function hashOfFile(absolute: string): Promise<Buffer> {
  await using file = await open(absolute, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const hash = createHash('sha256')
  for await (const piece of file.createReadStream({ highWaterMark: 256 * 1024, autoClose: false })) hash.update(piece)
  return hash.digest()
}
