import type { Stats } from 'node:fs'
import { signatureOf } from './known-files.ts'

/** Above this the oldest are forgotten: somebody then looks once more than needed. */
const MOST_NOTES = 10_000

/** What the mirror itself last did at each path, so that the news of it from the file system makes nobody look. */
export class OwnWrites {
  readonly #notes = new Map<string, string>()

  note(path: string, stats: Stats | undefined): void {
    this.#notes.delete(path)
    this.#notes.set(path, stateOf(stats))
    const [oldest] = this.#notes.size > MOST_NOTES ? this.#notes.keys() : []
    if (oldest !== undefined) this.#notes.delete(oldest)
  }

  /** True when what is there now is what the mirror left there. */
  isOwn(path: string, stats: Stats | undefined): boolean {
    return this.#notes.get(path) === stateOf(stats)
  }
}

function stateOf(stats: Stats | undefined): string {
  if (stats === undefined) return 'nothing'
  return stats.isDirectory() ? 'folder' : signatureOf(stats)
}
