import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { randomFolder, randomPath } from './random-numbers.ts'
import { hashOf } from './workspace-operations.ts'

/** A person who works in the folder of a workspace on disk, without asking anybody. */
export class DiskEditor {
  readonly #root: string
  readonly #random: () => number
  /** Hashes of what was written and not destroyed again by this person: each must be kept. */
  readonly written = new Map<string, string>()
  edits = 0

  constructor(root: string, random: () => number) {
    this.#root = root
    this.#random = random
  }

  /** One edit; what is not possible at the moment (nothing there, a folder in the way) is left. */
  edit(): void {
    this.edits += 1
    const kind = this.#random()
    try {
      if (kind < 0.45) this.#write(randomPath(this.#random))
      else if (kind < 0.6) this.#replace(randomPath(this.#random))
      else if (kind < 0.75) this.#remove(randomPath(this.#random))
      else if (kind < 0.9) this.#rename(randomPath(this.#random), randomPath(this.#random))
      else if (kind < 0.95) this.#rename(randomFolder(this.#random), randomFolder(this.#random))
      else mkdirSync(this.#at(randomFolder(this.#random)))
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
    }
  }

  #at(path: string): string {
    return join(this.#root, path)
  }

  /** In place, as an editor that keeps the inode. */
  #write(path: string): void {
    const content = Buffer.from(`edit ${this.edits} on disk`)
    this.#destroys(path)
    writeFileSync(this.#at(path), content)
    this.written.set(hashOf(content), path)
  }

  /** By another file that takes its place. */
  #replace(path: string): void {
    const content = Buffer.from(`replacement ${this.edits} on disk`)
    const temporary = join(dirname(this.#root), 'new-file')
    writeFileSync(temporary, content)
    this.#destroys(path)
    renameSync(temporary, this.#at(path))
    this.written.set(hashOf(content), path)
  }

  #remove(path: string): void {
    if (lstatSync(this.#at(path)).isDirectory()) return
    this.#destroys(path)
    rmSync(this.#at(path))
  }

  #rename(from: string, to: string): void {
    this.#destroys(to)
    renameSync(this.#at(from), this.#at(to))
  }

  /** Their own earlier edit, should it still be there, is theirs to lose. */
  #destroys(path: string): void {
    try {
      this.written.delete(hashOf(readFileSync(this.#at(path))))
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
    }
  }
}

/** Every file and folder below, as `path hash` or `path folder`. */
export function diskTree(root: string, hash: (bytes: Buffer) => string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const absolute = join(entry.parentPath, entry.name)
      return `${absolute.slice(root.length)} ${entry.isDirectory() ? 'folder' : hash(readFileSync(absolute))}`
    })
    .sort()
}
