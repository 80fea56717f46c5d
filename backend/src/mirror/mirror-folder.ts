/**
 * The folder of one workspace on disk. Nothing here follows a symbolic link: each component of a path is looked at right before it is used, and
 * whatever stands in the way is set aside, never changed. Names are handled synchronously on purpose: look and act follow each other within
 * microseconds, and other programs may work in the same folder. Bytes are written asynchronously elsewhere.
 */
import { lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, type Stats, unlinkSync, lutimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isMissing } from './mirror-state.ts'

export interface MirrorFolderPaths {
  /** The folder that holds the workspace's files and nothing else. */
  readonly root: string
  /** Where what is not ours goes; same file system. */
  readonly lostAndFound: string
}

export class MirrorFolder {
  readonly root: string
  readonly #lostAndFound: string
  readonly #setAside: (from: string, to: string) => void
  /** Directories whose entries changed since `takeChanged`: to be flushed to the device. */
  #changed = new Set<string>()
  #hasReplacedFolder = false
  #count = 0

  constructor({ root, lostAndFound }: MirrorFolderPaths, onSetAside: (from: string, to: string) => void) {
    this.root = root
    this.#lostAndFound = lostAndFound
    this.#setAside = onSetAside
  }

  /** Where a workspace path is on disk. Throws on a path that could leave the folder: such a path never gets into the database. */
  absolute(path: string): string {
    const segments = path.split('/').slice(1)
    if (!path.startsWith('/') || segments.some((segment) => segment === '..' || segment === '.' || segment.includes('\0'))) throw new Error(`not a workspace path: ${JSON.stringify(path)}`)
    return path === '/' ? this.root : join(this.root, ...segments)
  }

  /** What is at a path; undefined when there is nothing, or when something above it is not a real folder. */
  stat(path: string): Stats | undefined {
    if (!this.#isRealFolder(parentOf(path))) return undefined
    return lstat(this.absolute(path))
  }

  /** Makes a folder with everything above it. */
  ensureFolder(path: string): void {
    this.#ensureDirectory(this.root)
    for (const folder of [...foldersAbove(path), path]) if (folder !== '/') this.#ensureDirectory(this.absolute(folder), folder)
  }

  /** Puts a finished file of ours in its place, replacing a file that is there. */
  place(temporary: string, path: string): void {
    this.ensureFolder(parentOf(path))
    if (lstat(this.absolute(path))?.isDirectory() === true) this.setAside(path)
    renameSync(temporary, this.absolute(path))
    this.#noteChange(path)
  }

  /** Renames within the folder; the place is free. */
  move(from: string, to: string): void {
    this.ensureFolder(parentOf(to))
    renameSync(this.absolute(from), this.absolute(to))
    this.#noteChange(from)
    this.#noteChange(to)
  }

  removeFile(path: string): void {
    unlinkSync(this.absolute(path))
    this.#noteChange(path)
  }

  /** Removes an empty folder. False when it has content. */
  removeFolder(path: string): boolean {
    try {
      rmdirSync(this.absolute(path))
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST')) return false
      throw error
    }
    this.#noteChange(path)
    return true
  }

  setTime(path: string, time: Date): void {
    lutimesSync(this.absolute(path), time, time)
  }

  /** The names in a folder; none when it is no real folder. */
  names(path: string): string[] {
    return this.#isRealFolder(path) ? readdirSync(this.absolute(path)).sort() : []
  }

  /** Moves what is at a path, whatever it is, out of the workspace and keeps it. */
  setAside(path: string): void {
    this.#count += 1
    const stamp = new Date().toISOString().replaceAll(/[-:.]/g, '')
    const kept = join(this.#lostAndFound, `${stamp}-${this.#count}`, ...(path === '/' ? ['workspace'] : path.split('/').slice(1)))
    mkdirSync(dirname(kept), { recursive: true, mode: 0o700 })
    renameSync(this.absolute(path), kept)
    this.#noteChange(path)
    this.#setAside(path, kept)
  }

  /** The directories that changed since the last call and still exist, absolute. */
  takeChanged(): string[] {
    const changed = [...this.#changed]
    this.#changed = new Set()
    return changed.filter((directory) => lstat(directory)?.isDirectory() === true)
  }

  /** True when a folder had to be made where something else stood, since the last call: its other content may be missing. */
  takeReplacedFolder(): boolean {
    const replaced = this.#hasReplacedFolder
    this.#hasReplacedFolder = false
    return replaced
  }

  #isRealFolder(path: string): boolean {
    return ['/', ...foldersAbove(path), path].every((folder) => lstat(this.absolute(folder))?.isDirectory() === true)
  }

  #ensureDirectory(directory: string, path = '/'): void {
    const stats = lstat(directory)
    if (stats?.isDirectory() === true) return
    if (stats !== undefined) {
      this.setAside(path)
      this.#hasReplacedFolder = true
    }
    mkdirSync(directory, { recursive: path === '/', mode: 0o700 })
    this.#noteChange(path)
  }

  #noteChange(path: string): void {
    this.#changed.add(path === '/' ? dirname(this.root) : this.absolute(parentOf(path)))
  }
}

function lstat(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

/** The folders above a path from the top down, without the root. */
function foldersAbove(path: string): string[] {
  const segments = path.split('/').slice(1, -1)
  return segments.map((_, index) => `/${segments.slice(0, index + 1).join('/')}`)
}
