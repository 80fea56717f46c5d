import { TAR_END, tarHeader, tarPadding } from '@buildscale/protocol'
import { Readable } from 'node:stream'
import type { DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { INLINE_BYTES, readBlob, readInlineMany } from '../../repositories/blob-repository.ts'
import { readTreeBelow, type TreeEntry } from '../../repositories/file-repository.ts'
import { parentPath } from '../files/file-path.ts'

export interface ExportServiceDeps {
  readonly db: { readonly kysely: DbConn }
}

/** Small files that are read in one round trip: so many… */
const BATCH_FILES = 200
/** …and so many bytes of them. */
const BATCH_BYTES = 2 * 1024 * 1024

/** Sends folders out as tar archives. */
export class ExportService {
  readonly #deps: ExportServiceDeps

  constructor(deps: ExportServiceDeps) {
    this.#deps = deps
  }

  /**
   * A folder's content, or one file, as it is now: the listing is one statement, and versions never change, so what others write while the bytes are sent is
   * not in it. Bytes are read as they are consumed, without holding a connection. Throws `not_found`.
   */
  async open({ workspaceId, path }: { readonly workspaceId: string; readonly path: string }): Promise<Readable> {
    const entries = await readTreeBelow(this.#deps.db.kysely, { workspaceId, path })
    const [first] = entries
    if (path !== '/' && first?.path !== path) throw new AppError('not_found', `There is no file or folder "${path}".`)
    const isFile = first?.path === path && !first.isFolder
    const base = isFile ? (parentPath(path) ?? '/') : path
    const listed = isFile ? entries : entries.filter((entry) => entry.path !== path)
    return Readable.from(this.#archive(listed, { workspaceId, prefix: base === '/' ? 1 : base.length + 1 }), { objectMode: false, highWaterMark: 1 })
  }

  async *#archive(entries: readonly TreeEntry[], { workspaceId, prefix }: { readonly workspaceId: string; readonly prefix: number }): AsyncGenerator<Uint8Array> {
    for (const batch of batches(entries)) {
      const [only] = batch
      if (only !== undefined && isLarge(only)) yield* this.#large(only, { workspaceId, prefix })
      else yield await this.#small(batch, { workspaceId, prefix })
    }
    yield TAR_END
  }

  async *#large(entry: TreeEntry, { workspaceId, prefix }: { readonly workspaceId: string; readonly prefix: number }): AsyncGenerator<Uint8Array> {
    const { hash, size } = withContent(entry)
    yield header(entry, prefix)
    yield* readBlob(this.#deps.db.kysely, { workspaceId, hash }, { size, start: 0, end: size - 1 })
    yield tarPadding(size)
  }

  async #small(batch: readonly TreeEntry[], { workspaceId, prefix }: { readonly workspaceId: string; readonly prefix: number }): Promise<Buffer> {
    const hashes = new Map(batch.flatMap(({ hash }) => (hash === null ? [] : [[hash.toString('hex'), hash]])))
    const contents = await readInlineMany(this.#deps.db.kysely, workspaceId, [...hashes.values()])
    return Buffer.concat(
      batch.flatMap((entry) => {
        if (entry.isFolder) return [header(entry, prefix)]
        const { hash, size } = withContent(entry)
        const bytes = contents.get(hash.toString('hex'))
        if (bytes?.length !== size) throw new Error(`blob ${hash.toString('hex')} of workspace ${workspaceId} has lost bytes in the database`)
        return [header(entry, prefix), bytes, tarPadding(size)]
      }),
    )
  }
}

/** Groups of folders and small files in their order; a large file stands alone. */
function* batches(entries: readonly TreeEntry[]): Generator<readonly TreeEntry[]> {
  let batch: TreeEntry[] = []
  let bytes = 0
  for (const entry of entries) {
    const size = entry.size ?? 0
    if (batch.length > 0 && (isLarge(entry) || batch.length >= BATCH_FILES || bytes + size > BATCH_BYTES)) {
      yield batch
      batch = []
      bytes = 0
    }
    if (isLarge(entry)) yield [entry]
    else {
      batch.push(entry)
      bytes += size
    }
  }
  if (batch.length > 0) yield batch
}

function isLarge({ size }: TreeEntry): boolean {
  return (size ?? 0) > INLINE_BYTES
}

function header({ path, isFolder, size, createdAt }: TreeEntry, prefix: number): Uint8Array {
  return tarHeader({ name: path.slice(prefix), type: isFolder ? 'folder' : 'file', size: size ?? 0, modifiedAt: createdAt ?? new Date(0) })
}

function withContent({ path, hash, size }: TreeEntry): { readonly hash: Buffer; readonly size: number } {
  if (hash === null || size === null) throw new Error(`the file "${path}" has no version`)
  return { hash, size }
}
