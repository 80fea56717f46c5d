import type { Stats } from 'node:fs'
import type { TreeEntry } from '../repositories/file-repository.ts'
import { hashOfFile, looksLike } from './disk-content.ts'
import { type DiskName, type MirrorFolder, pathBelow } from './mirror-folder.ts'
import type { KnownFiles } from './known-files.ts'
import type { MirrorDifference } from './mirror-service.ts'
import { isMissing } from './mirror-state.ts'
import { TimeSlices } from './time-slices.ts'

/** A difference with what should be there and what is; one of them may be missing. */
export interface TreeDifference extends MirrorDifference {
  readonly entry: TreeEntry | null
  readonly found: Stats | null
  /** Where it is on disk, when it has a name that is no text. */
  readonly raw: Buffer | null
}

export interface ComparisonOptions {
  /** Read every byte. Otherwise a file of the right size and time is taken for right. */
  readonly deep: boolean
  /** Name what is in folders that should not be there, not only the folders. */
  readonly insideExtras: boolean
  readonly signal?: AbortSignal
}

export interface ComparisonDeps {
  readonly folder: MirrorFolder
  readonly known: KnownFiles
  /** See `DiskEditImporter.faultOf`. */
  readonly faultOf: (path: string) => string | undefined
}

export interface Comparison {
  /** In the order of paths. */
  readonly differences: readonly TreeDifference[]
  /** What every folder was that has been looked into. */
  readonly folders: ReadonlyMap<string, Stats>
}

/** Compares the tree of the database with the disk. Looks only: nothing is changed, no link followed. */
export async function compareTree(deps: ComparisonDeps, tree: readonly TreeEntry[], options: ComparisonOptions): Promise<Comparison> {
  const walk = new ComparisonWalk(deps, tree, options)
  await walk.run()
  return { differences: walk.differences.sort(byPath), folders: walk.folders }
}

class ComparisonWalk {
  readonly differences: TreeDifference[] = []
  readonly folders = new Map<string, Stats>()
  readonly #deps: ComparisonDeps
  readonly #options: ComparisonOptions
  readonly #expected: ReadonlyMap<string, TreeEntry>
  readonly #seen = new Set<string>()
  readonly #slices: TimeSlices
  readonly #waiting = ['/']

  constructor(deps: ComparisonDeps, tree: readonly TreeEntry[], options: ComparisonOptions) {
    this.#deps = deps
    this.#options = options
    this.#expected = new Map(tree.map((entry) => [entry.path, entry]))
    this.#slices = new TimeSlices(options.signal)
  }

  async run(): Promise<void> {
    for (let path = this.#waiting.pop(); path !== undefined; path = this.#waiting.pop()) await this.#lookInto(path)
    for (const entry of this.#expected.values()) {
      await this.#slices.pause()
      if (!this.#seen.has(entry.path)) this.#add({ path: entry.path, kind: 'missing', entry, found: null }, this.#twinReason(entry.path))
    }
  }

  async #lookInto(path: string): Promise<void> {
    const { folder } = this.#deps
    const stats = folder.stat(path)
    if (stats?.isDirectory() !== true) return
    this.folders.set(path, stats)
    const names = await folder.list(path).catch((error: unknown) => (isRefused(error) ? undefined : Promise.reject(error)))
    if (names === undefined) return this.#add({ path, kind: 'content', entry: this.#expected.get(path) ?? null, found: stats }, UNREADABLE)
    for (const name of names) {
      await this.#slices.pause()
      await this.#lookAt(path, name)
    }
  }

  async #lookAt(parent: string, { text, raw }: DiskName): Promise<void> {
    const { folder } = this.#deps
    const path = pathBelow(parent, text)
    const absolute = folder.absoluteOf(parent, raw)
    const isText = Buffer.from(text).equals(raw)
    const stats = folder.look(absolute)
    if (stats === undefined) return
    const entry = isText ? (this.#expected.get(path) ?? null) : null
    if (entry !== null) this.#seen.add(path)
    const found = { path, entry, found: stats, raw: isText ? null : absolute }
    const oddity = stats.isFile() || stats.isDirectory() ? undefined : kindOfOddity(stats)
    if (entry !== null) return this.#compare(found, entry, oddity)
    const fault = isText ? (oddity ?? this.#deps.faultOf(path)) : 'Its name is not UTF-8.'
    this.#add({ ...found, kind: 'extra' }, fault ?? this.#composedTwin(path, stats))
    if (fault === undefined && stats.isDirectory() && this.#options.insideExtras) this.#waiting.push(path)
  }

  async #compare(found: FoundEntry, entry: TreeEntry, oddity: string | undefined): Promise<void> {
    const { found: stats } = found
    if (oddity !== undefined) return this.#add({ ...found, kind: 'type' }, oddity)
    if (entry.isFolder !== stats.isDirectory()) {
      this.#add({ ...found, kind: 'type' })
      if (stats.isDirectory() && this.#options.insideExtras) this.#waiting.push(entry.path)
      return
    }
    if (entry.isFolder) return void this.#waiting.push(entry.path)
    const isSame = await this.#isSame(entry, stats).catch((error: unknown) => this.#unreadable(error))
    if (isSame === 'unreadable') this.#add({ ...found, kind: 'content' }, UNREADABLE)
    if (isSame === false) this.#add({ ...found, kind: 'content' })
  }

  #unreadable(error: unknown): 'unreadable' | false {
    if (isRefused(error)) return 'unreadable'
    // It went, or became a link, since it was looked at: different, whatever it is.
    if (isMissing(error) || (error instanceof Error && 'code' in error && (error.code === 'ELOOP' || error.code === 'ENXIO'))) return false
    throw error
  }

  async #isSame({ path, hash, size, createdAt }: TreeEntry, stats: Stats): Promise<boolean> {
    if (hash === null || size === null || createdAt === null) throw new Error(`${path} is a file without a version`)
    if (stats.size !== size) return false
    const { known, folder } = this.#deps
    if (!this.#options.deep && (looksLike(stats, { hash, size, createdAt }) || known.hashOf(path, stats)?.equals(hash) === true)) return true
    const actual = await hashOfFile(folder.absolute(path))
    known.remember(path, stats, actual)
    return hash.equals(actual)
  }

  /** A name that is another one's in Unicode's composed form cannot stand beside it. */
  #composedTwin(path: string, { ino }: Stats): string | undefined {
    const composed = path.normalize('NFC')
    const twin = composed === path ? undefined : this.#deps.folder.stat(composed)
    return twin !== undefined && twin.ino !== ino ? 'Its name differs from that of another one only in the way its letters are composed.' : undefined
  }

  #twinReason(path: string): string | undefined {
    const twin = this.#deps.folder.twinOf(path)
    return twin !== undefined && this.#expected.has(twin) ? `It differs only in case from ${twin}, and this file system cannot hold both. It is kept in the database.` : undefined
  }

  #add(found: Omit<TreeDifference, 'raw'> & { readonly raw?: Buffer | null }, reason?: string): void {
    this.differences.push({ raw: null, ...found, ...(reason !== undefined && { reason }) })
  }
}

interface FoundEntry {
  readonly path: string
  readonly entry: TreeEntry | null
  readonly found: Stats
  readonly raw: Buffer | null
}

const UNREADABLE = 'The server may not read it.'

function kindOfOddity(stats: Stats): string {
  return stats.isSymbolicLink() ? 'It is a symbolic link, which is never followed.' : 'It is neither a file nor a folder.'
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM')
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))
}
