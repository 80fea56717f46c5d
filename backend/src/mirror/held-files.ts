import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { uuidv7 } from 'uuidv7'
import { isMissing } from './mirror-state.ts'

/** A file that was in the way of the journal and waits to become a version. */
export interface HeldFile {
  /** Where it is now. */
  readonly absolute: string
  /** Where it was in the workspace. */
  readonly path: string
  /** The file whose place it had; null when that is not known. */
  readonly fileId: string | null
}

/** Stands for a file id that is not known. */
const UNKNOWN = 'unknown'

/**
 * Files taken out of the mirror's way, with what they are in their names: `<folder>/<unique>/<file id>/<path>`. They outlive the process, so that a crash
 * before they are stored loses none.
 */
export class HeldFiles {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Renames a file of the mirror into here. */
  hold(absolute: string, { path, fileId }: Pick<HeldFile, 'path' | 'fileId'>): void {
    const target = join(this.#folder, uuidv7(), fileId ?? UNKNOWN, ...path.split('/').slice(1))
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
    renameSync(absolute, target)
  }

  /** In the order in which they came. */
  list(): HeldFile[] {
    return namesIn(this.#folder).flatMap((unique) => namesIn(join(this.#folder, unique)).flatMap((fileId) => heldIn(join(this.#folder, unique, fileId), fileId)))
  }

  remove({ absolute }: HeldFile): void {
    rmSync(absolute, { force: true })
    this.#removeFolders(dirname(absolute))
  }

  /** After a file has been moved elsewhere. */
  release({ absolute }: HeldFile): void {
    this.#removeFolders(dirname(absolute))
  }

  #removeFolders(folder: string): void {
    if (relative(this.#folder, folder).startsWith('..')) return
    try {
      rmdirSync(folder)
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'ENOENT')) return
      throw error
    }
    this.#removeFolders(dirname(folder))
  }
}

function heldIn(folder: string, fileId: string): HeldFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((absolute) => ({ absolute, path: `/${relative(folder, absolute)}`, fileId: fileId === UNKNOWN ? null : fileId }))
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
