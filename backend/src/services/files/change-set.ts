import type { ChangeKind, FileType } from '@buildscale/protocol'
import { uuidv7 } from 'uuidv7'
import type { DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { insertChanges, type LockedJournal, lockJournal, type NewChangeRow } from '../../repositories/change-repository.ts'
import type { Author } from './author.ts'

/** A change to be recorded: a version is given with its number, because people are told numbers. */
export interface NewChange {
  readonly kind: ChangeKind
  readonly fileId: string
  readonly fileType: FileType
  readonly fromPath: string | null
  readonly toPath: string | null
  readonly version: { readonly id: string; readonly number: number } | null
  readonly previousVersionId: string | null
}

export interface RecordedChange {
  readonly seq: number
  readonly kind: ChangeKind
  readonly fileId: string
  readonly fileType: FileType
  /** Where the file is after the change, or was before it was deleted. */
  readonly path: string
  /** Where it was before a move; otherwise null. */
  readonly fromPath: string | null
  readonly version: number | null
}

/** How much was recorded at some moment; see `ChangeSet.rollbackTo`. */
export interface ChangeSetMark {
  readonly count: number
  readonly addedBytes: number
}

export interface ChangeSetOptions {
  readonly workspaceId: string
  readonly author: Author
  /** Default: a new one. Given, the transactions of one import have it in common. */
  readonly id?: string
}

interface Recorded {
  readonly row: NewChangeRow
  readonly change: RecordedChange
}

/**
 * The journal entries of one transaction. While it is open the workspace is locked: what a mutation reads stays true until the commit, and seqs follow
 * the order of commits without gaps. Open it before any other lock, close it before the commit.
 */
export class ChangeSet {
  readonly id: string
  readonly tx: DbConn
  readonly workspaceId: string
  readonly author: Author
  readonly #before: LockedJournal
  #recorded: readonly Recorded[] = []
  #addedBytes = 0

  /** Locks the workspace. Throws `not_found` when it does not exist. */
  static async open(tx: DbConn, options: ChangeSetOptions): Promise<ChangeSet> {
    const before = await lockJournal(tx, options.workspaceId)
    if (before === undefined) throw new AppError('not_found', 'This workspace does not exist.')
    return new ChangeSet(tx, { ...options, before })
  }

  private constructor(tx: DbConn, options: ChangeSetOptions & { readonly before: LockedJournal }) {
    this.id = options.id ?? uuidv7()
    this.tx = tx
    this.workspaceId = options.workspaceId
    this.author = options.author
    this.#before = options.before
  }

  /** Adds one change and answers its seq. */
  record(change: NewChange): number {
    return this.recordAll([change])
  }

  /** Adds changes in their order and answers the seq of the last one. */
  recordAll(changes: readonly NewChange[]): number {
    const next = this.#before.seq + this.#recorded.length + 1
    this.#recorded = [...this.#recorded, ...changes.map((change, index) => recorded(change, next + index))]
    return this.lastSeq
  }

  /** The seq of the last change recorded here; before the first, that of the workspace. */
  get lastSeq(): number {
    return this.#before.seq + this.#recorded.length
  }

  mark(): ChangeSetMark {
    return { count: this.#recorded.length, addedBytes: this.#addedBytes }
  }

  /** Forgets what was recorded since `mark`: the database has been rolled back to a savepoint of that moment. */
  rollbackTo(mark: ChangeSetMark): void {
    this.#recorded = this.#recorded.slice(0, mark.count)
    this.#addedBytes = mark.addedBytes
  }

  get addedBytes(): number {
    return this.#addedBytes
  }

  /**
   * Counts bytes that were stored (negative: removed for good) and that no version named before. Throws `insufficient_storage` when that is more than the
   * workspace may hold: the caller's transaction, or its savepoint, is then rolled back with the bytes.
   */
  count(bytes: number): void {
    this.#addedBytes += bytes
    const { storedBytes, quotaBytes } = this.#before
    if (bytes > 0) checkQuota({ storedBytes: storedBytes + this.#addedBytes, quotaBytes })
  }

  /** Stores the journal rows and answers them. The last statement on files of the transaction; nothing is sent when nothing changed. */
  async close(): Promise<readonly RecordedChange[]> {
    const recorded = this.#recorded
    await insertChanges(this.tx, this, recorded.map(({ row }) => row))
    return recorded.map(({ change }) => change)
  }
}

/** Throws `insufficient_storage` when a workspace would hold more than it may. */
export function checkQuota({ storedBytes, quotaBytes }: Pick<LockedJournal, 'storedBytes' | 'quotaBytes'>): void {
  if (quotaBytes === null || storedBytes <= quotaBytes) return
  const [quota, wanted] = [quotaBytes, storedBytes].map((bytes) => bytes.toLocaleString('en'))
  throw new AppError('insufficient_storage', `The workspace may hold ${quota} bytes, versions and trash included, and this would make it ${wanted}. Purge files from the trash, or ask for a larger quota.`, {
    details: { quota_bytes: quotaBytes, stored_bytes: storedBytes },
  })
}

function recorded(change: NewChange, seq: number): Recorded {
  const { kind, fileId, fileType, fromPath, toPath, version, previousVersionId } = change
  const path = toPath ?? fromPath
  if (path === null) throw new Error('a change names no path')
  return {
    row: { seq, kind, fileId, fileType, versionId: version?.id ?? null, previousVersionId, fromPath, toPath },
    change: { seq, kind, fileId, fileType, path, fromPath: toPath === null ? null : fromPath, version: version?.number ?? null },
  }
}
