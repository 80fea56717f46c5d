import type { Stats } from 'node:fs'
import { isSettled } from './disk-content.ts'

/** Above this, what was remembered is forgotten; it is only a short cut. */
const MOST_FILES = 100_000

/**
 * The hashes of files on disk that do not carry the time of their version: those that other programs wrote, and that are versions by now. Each is believed
 * only while the file is what it was, to inode, size and both times, and had not just been changed when it was read.
 */
export class KnownFiles {
  readonly #hashes = new Map<string, { readonly signature: string; readonly hash: Buffer }>()

  hashOf(path: string, stats: Stats): Buffer | undefined {
    const known = this.#hashes.get(path)
    return known?.signature === signatureOf(stats) ? known.hash : undefined
  }

  remember(path: string, stats: Stats, hash: Buffer): void {
    if (!isSettled(stats)) return
    if (this.#hashes.size >= MOST_FILES) this.#hashes.clear()
    this.#hashes.set(path, { signature: signatureOf(stats), hash })
  }
}

/** Two looks at a file that has not been touched in between have the same. */
export function signatureOf({ ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${ino}:${size}:${mtimeMs}:${ctimeMs}`
}
