import type { DbConn } from '../../db/db.ts'
import { type DefinitionFileRow, listDefinitionFiles, readBlobHeads } from '../../repositories/definition-repository.ts'
import { baseName, parentPath } from '../files/file-path.ts'
import type { DefinitionFault, ParsedDefinition } from './agent-definition.ts'
import type { DefinitionText } from './definition-fields.ts'

/** One kind of definition: `<folder>/<name>/<file>`, and how such a file is read. */
export interface DefinitionKind<Definition> {
  readonly folder: string
  readonly file: string
  /** How much of a file is read; what its head needs must fit. */
  readonly headBytes: number
  /** A file that is larger than its head is broken, rather than read in part. */
  readonly isWhole: boolean
  readonly parse: (file: DefinitionText) => ParsedDefinition<Definition>
}

/** A name and what it stands for, or why it stands for nothing. `definition` is there when `errors` is empty. */
export interface CatalogEntry<Definition> extends ParsedDefinition<Definition> {
  readonly name: string
  readonly source: 'built-in' | 'file'
  readonly path: string | null
  readonly version: number | null
}

/** One that a file of the workspace makes. */
export interface FileDefinition<Definition> extends CatalogEntry<Definition> {
  readonly source: 'file'
  readonly path: string
  readonly version: number
}

/** Folders of each kind in one workspace; those over it, by name, are not looked into. */
const MAX_DEFINITIONS = 500
/** Versions that stay parsed, of all workspaces together. */
const MAX_PARSED = 2_000
/** Files that are read in one statement. */
const BATCH = 32

const GONE = broken('The content of the file is gone. Write it again.')

/** The definitions of one kind that files make. Which files there are is asked at each use, so that nothing is ever stale; a version is read and parsed once. */
export class DefinitionFiles<Definition> {
  readonly #kind: DefinitionKind<Definition>
  readonly #parsed = new Map<string, ParsedDefinition<Definition>>()

  constructor(kind: DefinitionKind<Definition>) {
    this.#kind = kind
  }

  /** Whether a file at this path defines something, or was meant to. */
  covers(path: string): boolean {
    return baseName(path).toLowerCase() === this.#kind.file.toLowerCase() && parentPath(parentPath(path) ?? '/') === this.#kind.folder
  }

  /** By name; broken ones among the others. */
  async entries(conn: DbConn, workspaceId: string): Promise<FileDefinition<Definition>[]> {
    const { folder, file } = this.#kind
    const rows = await listDefinitionFiles(conn, workspaceId, { folder, name: file.toLowerCase(), limit: MAX_DEFINITIONS })
    const files = rows.filter((row) => baseName(row.path) === file || !rows.some((other) => other.path === `${parentPath(row.path)}/${file}`))
    const missing = files.filter((row) => !this.#parsed.has(cacheKey(workspaceId, row)))
    // What is read now may be more than is kept: the answer is built from what was read, the cache serves the next one.
    const fresh = new Map<string, ParsedDefinition<Definition>>()
    for (let index = 0; index < missing.length; index += BATCH) await this.#read(conn, workspaceId, { rows: missing.slice(index, index + BATCH), into: fresh })
    const found = files.map((row) => entry(row, fresh.get(cacheKey(workspaceId, row)) ?? this.#use(cacheKey(workspaceId, row))))
    for (const [key, parsed] of fresh) if (parsed !== GONE) this.#keep(key, parsed)
    return (rows[0]?.folders ?? 0) > MAX_DEFINITIONS ? withMoreNote(found) : found
  }

  async #read(conn: DbConn, workspaceId: string, { rows, into }: { readonly rows: readonly DefinitionFileRow[]; readonly into: Map<string, ParsedDefinition<Definition>> }): Promise<void> {
    const heads = await readBlobHeads(conn, workspaceId, { hashes: rows.map((row) => row.hash), bytes: this.#kind.headBytes })
    for (const row of rows) {
      const head = heads.get(row.hash.toString('hex'))
      // Gone between the two statements, with the last version that names them.
      into.set(cacheKey(workspaceId, row), head === undefined ? GONE : this.#parse(row, head))
    }
  }

  #parse(row: DefinitionFileRow, head: Buffer): ParsedDefinition<Definition> {
    const { file, headBytes, isWhole, parse } = this.#kind
    if (baseName(row.path) !== file) return broken(`The file must be named ${file}, in this case of letters.`)
    if (isWhole && row.size > headBytes) return broken(`The file has ${row.size} bytes; ${headBytes} are the most.`)
    const text = decode(head, row.size > head.length)
    if (text === undefined) return broken('The file is not UTF-8 text.')
    return parse({ text, path: row.path, folder: baseName(parentPath(row.path) ?? '/'), version: row.version })
  }

  /** A parsed version that is used moves to the young end. */
  #use(key: string): ParsedDefinition<Definition> {
    const parsed = this.#parsed.get(key)
    if (parsed === undefined) throw new Error(`${key} is neither read nor kept`)
    this.#keep(key, parsed)
    return parsed
  }

  #keep(key: string, parsed: ParsedDefinition<Definition>): void {
    this.#parsed.delete(key)
    this.#parsed.set(key, parsed)
    const [oldest] = this.#parsed.keys()
    if (this.#parsed.size > MAX_PARSED && oldest !== undefined) this.#parsed.delete(oldest)
  }
}

function entry<Definition>(row: DefinitionFileRow, parsed: ParsedDefinition<Definition>): FileDefinition<Definition> {
  return { ...parsed, name: baseName(parentPath(row.path) ?? '/'), source: 'file', path: row.path, version: row.version }
}

/** What is left out is said where the list ends. */
function withMoreNote<Definition>(found: readonly FileDefinition<Definition>[]): FileDefinition<Definition>[] {
  const note = { line: 1, column: 1, message: `Only the first ${MAX_DEFINITIONS} folders beside this one are looked into; what stands behind it by name is not used.` }
  return found.map((item, index) => (index === found.length - 1 ? { ...item, warnings: [...item.warnings, note] } : item))
}

function cacheKey(workspaceId: string, { path, version, hash }: DefinitionFileRow): string {
  return `${workspaceId} ${path} ${version} ${hash.toString('hex')}`
}

/** Undefined for what is not UTF-8; a letter that the end of the head cuts in two is left out. */
function decode(bytes: Buffer, isCut: boolean): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isCut })
  } catch {
    return undefined // the caller says so, with the path
  }
}

function broken(message: string): ParsedDefinition<never> {
  const fault: DefinitionFault = { line: 1, column: 1, message }
  return { errors: [fault], warnings: [] }
}
