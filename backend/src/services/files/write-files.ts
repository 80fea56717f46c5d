import type { FileEntry, FileVersion } from '@buildscale/protocol'
import { uuidv7 } from 'uuidv7'
import { AppError } from '../../errors.ts'
import { type FileBatch, storeWrites } from '../../repositories/file-batch-repository.ts'
import { type FileRow, findFiles, type NewFolderRow } from '../../repositories/file-repository.ts'
import type { NewVersionRow } from '../../repositories/file-version-repository.ts'
import type { ChangeSet, NewChange } from './change-set.ts'
import { type Content, contentHash, contentSize, contentStart, isLarge } from './content.ts'
import { fileEntry, versionEntry } from './file-entry.ts'
import { ancestorPaths, baseName } from './file-path.ts'
import { mimeType, SNIFF_BYTES } from './mime-type.ts'
import { newFileType } from './new-file-type.ts'
import { fileInTheWay, folderInTheWay, foldersCreated, placeAmong } from './place-in-tree.ts'
import { storeLargeContent } from './store-content.ts'

export interface WrittenFile {
  readonly file: FileEntry
  readonly version: FileVersion
  readonly created: boolean
  /** The bytes were the latest version's already: nothing was stored. */
  readonly unchanged: boolean
}

/** A file or folder that shall be there. The path has been through `parsePath`. */
export type WantedEntry = { readonly type: 'file'; readonly path: string; readonly content: Content } | { readonly type: 'folder'; readonly path: string }

export type EntryOutcome =
  | ({ readonly type: 'file' } & WrittenFile)
  | { readonly type: 'folder'; readonly created: boolean }
  /** The tree does not allow this one; the others are not concerned. */
  | { readonly type: 'refused'; readonly error: AppError }

/**
 * What `writeFile` and `createFolder` do to one entry after the other, for some hundred of them, in two round trips. The outcomes stand in the order of the
 * entries. What the tree refuses is an outcome and no failure; a path that comes a second time is refused.
 */
export async function writeFiles(set: ChangeSet, entries: readonly WantedEntry[]): Promise<readonly EntryOutcome[]> {
  const paths = new Set(entries.flatMap(({ path }) => [...ancestorPaths(path), path]))
  const plan = new BatchPlan(set, await findFiles(set.tx, set.workspaceId, [...paths]))
  const planned: (EntryOutcome | PlannedFile)[] = []
  for (const entry of entries) planned.push(await plan.add(entry))
  const at = await plan.store()
  return planned.map((outcome) => (outcome.type === 'planned' ? written(outcome, at) : outcome))
}

interface PlannedFile {
  readonly type: 'planned'
  readonly write: FileBatch['files'][number]
}

/** Decides entry by entry what the batch will do, on the tree as it will be by then. */
class BatchPlan {
  readonly #set: ChangeSet
  readonly #rows: Map<string, FileRow>
  readonly #planned = new Set<string>()
  readonly #folders: NewFolderRow[] = []
  readonly #files: PlannedFile['write'][] = []
  readonly #changes: NewChange[] = []

  constructor(set: ChangeSet, rows: readonly FileRow[]) {
    this.#set = set
    this.#rows = new Map(rows.map((row) => [row.path, row]))
  }

  async add(entry: WantedEntry): Promise<EntryOutcome | PlannedFile> {
    try {
      return entry.type === 'folder' ? this.#addFolder(entry.path) : await this.#addFile(entry.path, entry.content)
    } catch (error) {
      if (error instanceof AppError && error.code === 'conflict') return { type: 'refused', error }
      throw error
    }
  }

  /** Answers the time of the transaction. */
  async store(): Promise<Date> {
    if (this.#changes.length === 0) return new Date(0) // nothing was planned, so nothing will have this time
    const { tx, workspaceId, author } = this.#set
    const { at, addedBytes } = await storeWrites(tx, { workspaceId, author, folders: this.#folders, files: this.#files })
    this.#set.count(addedBytes)
    this.#set.recordAll(this.#changes)
    return at
  }

  #addFolder(path: string): EntryOutcome {
    const { existing, missing, parentId } = placeAmong(path, this.#rows)
    if (existing !== undefined && existing.fileType !== 'folder') throw fileInTheWay(path)
    if (existing !== undefined) return { type: 'folder', created: false }
    this.#planFolders([...missing, { id: uuidv7(), parentId, name: baseName(path), path }])
    return { type: 'folder', created: true }
  }

  async #addFile(path: string, content: Content): Promise<EntryOutcome | PlannedFile> {
    const { existing, missing, parentId } = placeAmong(path, this.#rows)
    if (existing?.fileType === 'folder') throw folderInTheWay(path)
    if (this.#planned.has(path)) throw new AppError('conflict', `"${path}" comes a second time.`)
    this.#planned.add(path)
    const hash = contentHash(content)
    const previous = existing?.latest ?? null
    if (existing !== undefined && previous?.hash.equals(hash) === true) {
      return { type: 'file', file: fileEntry(existing), version: versionEntry(previous), created: false, unchanged: true }
    }
    const mime = mimeType(baseName(path), await contentStart(content, SNIFF_BYTES))
    if (isLarge(content)) await storeLargeContent(this.#set.tx, this.#set.workspaceId, content)
    const version: NewVersionRow = { id: uuidv7(), number: (previous?.number ?? 0) + 1, hash, size: contentSize(content), mime, author: this.#set.author }
    const file = { id: existing?.id ?? uuidv7(), isNew: existing === undefined, parentId, name: baseName(path), path, fileType: existing?.fileType ?? newFileType(path) }
    const write = { file, version, inlineContent: inlineContent(content) }
    this.#planFolders(missing)
    this.#files.push(write)
    this.#changes.push({ kind: file.isNew ? 'created' : 'updated', fileId: file.id, fileType: file.fileType, fromPath: null, toPath: path, version, previousVersionId: previous?.id ?? null })
    if (file.isNew) this.#rows.set(path, { ...file, updatedAt: new Date(0), latest: null })
    return { type: 'planned', write }
  }

  #planFolders(folders: readonly NewFolderRow[]): void {
    for (const folder of folders) this.#rows.set(folder.path, { ...folder, fileType: 'folder', updatedAt: new Date(0), latest: null })
    this.#folders.push(...folders)
    this.#changes.push(...foldersCreated(folders))
  }
}

function inlineContent(content: Content): Buffer | null {
  if (isLarge(content)) return null
  if (!Buffer.isBuffer(content)) throw new Error('small bytes are kept in memory, not spooled')
  return content
}

function written({ write: { file, version } }: PlannedFile, at: Date): EntryOutcome {
  const latest = { ...version, createdAt: at }
  return { type: 'file', file: fileEntry({ ...file, updatedAt: at, latest }), version: versionEntry(latest), created: file.isNew, unchanged: false }
}
