import { sql } from 'kysely'
import type { DbConn } from '../../src/db/db.ts'
import { isInside } from '../../src/services/files/file-path.ts'
import { contentOf, hashOf, type Operation } from './workspace-operations.ts'

/** Path to hash; `folder` for a folder. */
export type ModelTree = ReadonlyMap<string, string>

export interface ModelRow {
  readonly seq: number
  readonly kind: string
  readonly fileId: string
  readonly isFolder: boolean
  readonly from: string | null
  readonly to: string | null
  readonly hash: string | null
  readonly author: string
  readonly authorId: string | null
  readonly changeSetId: string
}

export async function readRows(conn: DbConn, workspaceId: string): Promise<ModelRow[]> {
  const { rows } = await sql<ModelRow>`
    SELECT c.seq, c.kind, c.file_id AS "fileId", c.file_type = 'folder' AS "isFolder", c.from_path AS "from", c.to_path AS "to", encode(v.blob_hash, 'hex') AS hash,
      c.author_kind AS author, c.author_id AS "authorId", c.change_set_id AS "changeSetId"
    FROM changes c LEFT JOIN file_versions v ON v.workspace_id = c.workspace_id AND v.id = c.version_id WHERE c.workspace_id = ${workspaceId}::uuid ORDER BY c.seq`.execute(conn)
  return rows
}

/** A second, much simpler implementation of the workspace: it is told what each writer meant, and must come to what the journal says. */
export class WorkspaceModel {
  #tree: ModelTree = new Map()
  readonly #files = new Map<string, { path: string | null; versions: string[] }>()
  readonly #past: ModelTree[] = [new Map()]

  get tree(): ModelTree {
    return this.#tree
  }

  /** The tree after the row `seq`. */
  at(seq: number): ModelTree {
    const tree = this.#past[seq]
    if (tree === undefined) throw new Error(`the model has no state ${seq}`)
    return tree
  }

  /** The same as a rewind makes it: in the middle of a removal a folder may be gone before its content, which needs it. */
  wholeAt(seq: number): ModelTree {
    return [...this.at(seq)].reduce((tree, [path, hash]) => withEntry(tree, path, hash), new Map<string, string>())
  }

  /** Takes one change set: its rows, and what was meant. Answers how the two differ; undefined when they do not. */
  take(rows: readonly ModelRow[], operation: Operation | undefined): string | undefined {
    const wanted = operation === undefined ? undefined : this.#expected(operation)
    for (const row of rows) this.#apply(row)
    if (wanted === undefined || sameTree(wanted, this.#tree)) return undefined
    const [expected, actual] = [treeLines(wanted), treeLines(this.#tree)]
    return `${JSON.stringify(operation)} should have made\n${without(expected, actual)}\nand made\n${without(actual, expected)}`
  }

  #apply({ seq, kind, fileId, isFolder, from, to, hash }: ModelRow): void {
    if (seq !== this.#past.length) throw new Error(`the journal has the row ${seq} in place of ${this.#past.length}`)
    const tree = new Map(this.#tree)
    const file = this.#files.get(fileId) ?? { path: null, versions: [] }
    if (file.path !== (from ?? (kind === 'updated' ? to : null))) throw new Error(`row ${seq} is ${kind} of ${String(from ?? to)}, and the file is at ${String(file.path)}`)
    if (file.path !== null) tree.delete(file.path)
    if (to !== null && tree.has(to)) throw new Error(`row ${seq} puts a file at ${to}, where one is`)
    if (to !== null) tree.set(to, isFolder ? 'folder' : (hash ?? 'no version'))
    const isNewVersion = hash !== null && to !== null && kind !== 'moved' && file.versions.at(-1) !== hash
    this.#files.set(fileId, { path: to, versions: isNewVersion ? [...file.versions, hash] : file.versions })
    this.#tree = tree
    this.#past.push(tree)
  }

  #expected(operation: Operation): ModelTree | undefined {
    switch (operation.type) {
      case 'write':
        return withEntry(this.#tree, operation.path, hashOf(contentOf(operation)))
      case 'folder':
        return withEntry(this.#tree, operation.path, 'folder')
      case 'move':
        return moved(this.#tree, operation)
      case 'delete':
        return new Map([...this.#tree].filter(([path]) => path !== operation.path && !isInside(path, operation.path)))
      case 'version': {
        const file = [...this.#files.values()].find(({ path }) => path === operation.path)
        return withEntry(this.#tree, operation.path, file?.versions[operation.version - 1] ?? 'no such version')
      }
      case 'rewind':
        return this.wholeAt(operation.toSeq)
      case 'untrash':
        return undefined // which files went together is the trash's to know; that their bytes are the last ones is checked with the versions
    }
  }
}

export function treeLines(tree: ModelTree): string[] {
  return [...tree].map(([path, hash]) => `${path} ${hash}`).sort()
}

function without(lines: readonly string[], others: readonly string[]): string {
  return lines.filter((line) => !others.includes(line)).join('\n')
}

function sameTree(a: ModelTree, b: ModelTree): boolean {
  return a.size === b.size && [...a].every(([path, hash]) => b.get(path) === hash)
}

function withEntry(tree: ModelTree, path: string, hash: string): Map<string, string> {
  const next = new Map(tree)
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) next.set(path.slice(0, end), 'folder')
  return next.set(path, hash)
}

function moved(tree: ModelTree, { from, to }: { readonly from: string; readonly to: string }): ModelTree {
  const rest = new Map([...tree].filter(([path]) => path !== from && !isInside(path, from)))
  const next = withEntry(rest, to, tree.get(from) ?? 'nothing')
  for (const [path, hash] of tree) if (isInside(path, from)) next.set(`${to}${path.slice(from.length)}`, hash)
  return next
}
