/**
 * The folder of one workspace on disk. Nothing here follows a symbolic link: each component of a path is looked at right before it is used, and
 * whatever stands in the way is set aside, never changed. Names are handled synchronously on purpose: look and act follow each other within
 * microseconds, and other programs may work in the same folder. Bytes are written asynchronously elsewhere.
 */
import { lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, type Stats, unlinkSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { HeldFiles } from './held-files.ts'
import { isMissing } from './mirror-state.ts'
import type { OwnWrites } from './own-writes.ts'

export interface MirrorFolderPaths {
  /** The folder that holds the workspace's files and nothing else. */
  readonly root: string
  /** Where what is not ours goes; same file system. */
  readonly lostAndFound: string
}

export interface MirrorFolderDeps {
  readonly paths: MirrorFolderPaths
  /** Told of everything that is done here. */
  readonly own: OwnWrites
  readonly held: HeldFiles
  /** False: the file system takes `A` and `a` for one name. */
  readonly isCaseSensitive: () => boolean
  readonly onSetAside: (from: string, to: string) => void
}

/** A name as the disk has it, and as text: only the same when it is UTF-8. */
export interface DiskName {
  readonly text: string
  readonly raw: Buffer
}

export class MirrorFolder {
  readonly root: string
  readonly #deps: MirrorFolderDeps
  /** Directories whose entries changed since `takeChanged`: to be flushed to the device. */
  #changed = new Set<string>()
  #hasReplacedFolder = false
  #hasMadeRoot = false
  #count = 0

  constructor(deps: MirrorFolderDeps) {
    this.root = deps.paths.root
    this.#deps = deps
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

  /** What is at a place on disk that `list` has named; its folder has been looked at. */
  look(absolute: string | Buffer): Stats | undefined {
    return lstat(absolute)
  }

  /** The names in a folder as they are on disk. */
  async list(path: string): Promise<DiskName[]> {
    if (!this.#isRealFolder(path)) return []
    const names = await readdir(this.absolute(path), { encoding: 'buffer' }).catch((error: unknown) => (isMissing(error) ? [] : Promise.reject(error)))
    return names.map((raw) => ({ text: raw.toString(), raw }))
  }

  /** Where a name that may be no text is on disk. */
  absoluteOf(folder: string, name: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`${this.absolute(folder)}/`), name])
  }

  /**
   * On a file system that ignores case: the path that is on disk in place of this one, spelled another way; for something below such a folder, the folder.
   * Undefined: the path is there as it is written, or nothing is.
   */
  twinOf(path: string): string | undefined {
    if (this.#deps.isCaseSensitive()) return undefined
    for (const part of [...foldersAbove(path), path]) {
      const parent = parentOf(part)
      const names = this.names(parent)
      const name = part.slice(part.lastIndexOf('/') + 1)
      if (names.includes(name)) continue
      const twin = names.find((other) => sameButCase(other, name))
      return twin === undefined ? undefined : pathBelow(parent, twin)
    }
    return undefined
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

  /** Takes a file of somebody else's out of the way, to become a version of the file whose place it has. */
  hold(path: string, fileId: string | null): void {
    this.#deps.held.hold(this.absolute(path), { path, fileId })
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

  /** The names in a folder; none when it is no real folder. */
  names(path: string): string[] {
    return this.#isRealFolder(path) ? readdirSync(this.absolute(path)).sort() : []
  }

  /** Moves what is at a path, whatever it is, out of the workspace and keeps it. `raw`: where it is when its name is no text. */
  setAside(path: string, raw: Buffer | null = null): void {
    this.keepAside(raw ?? this.absolute(path), path)
    this.#noteChange(path)
  }

  /** Keeps something that was at a path of the workspace, wherever it is now. */
  keepAside(from: string | Buffer, path: string): void {
    this.#count += 1
    const stamp = new Date().toISOString().replaceAll(/[-:.]/g, '')
    const kept = join(this.#deps.paths.lostAndFound, `${stamp}-${this.#count}`, ...(path === '/' ? ['workspace'] : path.split('/').slice(1)))
    mkdirSync(dirname(kept), { recursive: true, mode: 0o700 })
    renameSync(from, kept)
    this.#deps.onSetAside(path, kept)
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

  /** True when the workspace's own folder had to be made, since the last call: what it held is not there. */
  takeMadeRoot(): boolean {
    const made = this.#hasMadeRoot
    this.#hasMadeRoot = false
    return made
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
    if (path === '/') this.#hasMadeRoot = true
    mkdirSync(directory, { recursive: path === '/', mode: 0o700 })
    this.#noteChange(path)
  }

  #noteChange(path: string): void {
    this.#changed.add(path === '/' ? dirname(this.root) : this.absolute(parentOf(path)))
    this.#deps.own.note(path, lstat(this.absolute(path)))
  }
}

/** The path of a name in a folder. */
export function pathBelow(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`
}

export function sameButCase(a: string, b: string): boolean {
  return a.normalize('NFC').toLowerCase() === b.normalize('NFC').toLowerCase()
}

function lstat(path: string | Buffer): Stats | undefined {
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
