import type { RewindChange, RewindLeft, RewindResult } from '@buildscale/protocol'
import { uuidv7 } from 'uuidv7'
import type { Db, DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { readChangeSeq } from '../../repositories/change-repository.ts'
import { findFiles } from '../../repositories/file-repository.ts'
import { firstSeqOfTurn, lastSeqBeforeTurn, type PastEntry, readTouchedFiles, readTreeAt, type TouchedFile } from '../../repositories/rewind-repository.ts'
import type { Author } from './author.ts'
import type { ChangeSet } from './change-set.ts'
import { ancestorPaths } from './file-path.ts'
import type { FileService } from './file-service.ts'
import { applyRewind } from './rewind-apply.ts'
import { decideRewind, type RewindDecisions, type RewoundFile, type SteadyEntry } from './rewind-decisions.ts'
import { sortDepthFirst } from './rewind-order.ts'

/** The most files that one rewind looks at: they are held in memory and listed in the preview. */
const MAX_FILES = 200_000

export interface RewindTarget {
  readonly workspaceId: string
  readonly toSeq: number
  /** Only files that are or were at or below one of these, through `parsePath`; default: everything. */
  readonly paths?: readonly string[]
}

export interface RewindOptions extends RewindTarget {
  readonly author: Author
  /** The journal's seq that the caller has seen a preview of: when there is more by now, nothing is done (`version_mismatch`). */
  readonly ifSeq?: number
}

/** Brings files back to what they were: looks first, or does it in one change set, which another rewind undoes. */
export class RewindService {
  readonly #deps: { readonly db: Pick<Db, 'kysely' | 'transaction'>; readonly files: Pick<FileService, 'change'> }

  constructor(deps: { readonly db: Pick<Db, 'kysely' | 'transaction'>; readonly files: Pick<FileService, 'change'> }) {
    this.#deps = deps
  }

  /** What `rewind` would do at this moment. Throws `conflict` for a seq that the journal has not reached, `payload_too_large` for too many files. */
  preview(target: RewindTarget): Promise<RewindResult> {
    return this.#deps.db.transaction(
      async (tx) => {
        const { decisions, head } = await decide(tx, target)
        return { ...resultOf(target.toSeq, decisions), dry_run: true, change_seq: head, change_set_id: null }
      },
      { isolation: 'repeatable read' },
    )
  }

  /** Does it, all or nothing. Throws like `preview`. */
  async rewind({ author, ...target }: RewindOptions): Promise<RewindResult> {
    const { result } = await this.#deps.files.change({ workspaceId: target.workspaceId, author }, (set) => this.within(set, target))
    return result
  }

  /** The same inside a change set that is open already. */
  async within(set: ChangeSet, { ifSeq, ...target }: Omit<RewindOptions, 'author'>): Promise<RewindResult> {
    const { decisions, steady, head } = await decide(set.tx, target)
    if (ifSeq !== undefined && ifSeq !== head) {
      throw new AppError('version_mismatch', `The workspace has changed since the preview: its journal is at ${head}, not at ${ifSeq}. Look at a new preview first.`, { details: { change_seq: head } })
    }
    const result = resultOf(target.toSeq, decisions)
    if (result.changes.length > 0) await applyRewind(set, decisions.files, steady)
    return { ...result, dry_run: false, change_seq: set.lastSeq, change_set_id: result.changes.length > 0 ? set.id : null }
  }

  /** The seq of the state right before a turn: before its first change; of a turn that changed nothing, before it began. Throws `not_found`. */
  async seqBeforeTurn(workspaceId: string, turnId: string): Promise<number> {
    const conn = this.#deps.db.kysely
    const before = await lastSeqBeforeTurn(conn, workspaceId, turnId)
    if (before === undefined) throw new AppError('not_found', 'There is no such turn in this workspace.')
    const first = await firstSeqOfTurn(conn, workspaceId, turnId)
    return first === undefined ? before : first - 1
  }

  /** The whole tree as it was at a seq, by path. */
  treeAt(workspaceId: string, seq: number): Promise<readonly PastEntry[]> {
    return readTreeAt(this.#deps.db.kysely, workspaceId, seq)
  }
}

interface Decided {
  readonly decisions: RewindDecisions
  readonly steady: ReadonlyMap<string, SteadyEntry>
  readonly head: number
}

async function decide(tx: DbConn, { workspaceId, toSeq, paths }: RewindTarget): Promise<Decided> {
  const head = await readChangeSeq(tx, workspaceId)
  if (head === undefined) throw new AppError('not_found', 'This workspace does not exist.')
  if (toSeq > head) throw new AppError('conflict', `The journal of this workspace ends at ${head}: there is no state ${toSeq} to go back to.`, { details: { change_seq: head } })
  const touched = await readTouchedFiles(tx, workspaceId, { seq: toSeq, limit: MAX_FILES + 1 })
  if (touched.length > MAX_FILES) throw new AppError('payload_too_large', `More than ${MAX_FILES.toLocaleString('en')} files have changed since ${toSeq}. Go back in steps, or name paths.`)
  const steady = await readSteady(tx, workspaceId, touched)
  return { decisions: decideRewind({ touched, steady, paths, newId: uuidv7 }), steady, head }
}

/** What stands above the places of then and now and has not changed since. */
async function readSteady(tx: DbConn, workspaceId: string, touched: readonly TouchedFile[]): Promise<ReadonlyMap<string, SteadyEntry>> {
  const known = new Set(touched.map(({ id }) => id))
  const above = new Set(touched.flatMap(({ then, now }) => [then, now].flatMap((place) => (place === null ? [] : ancestorPaths(place.path)))))
  const rows = above.size === 0 ? [] : await findFiles(tx, workspaceId, [...above])
  return new Map(rows.filter(({ id }) => !known.has(id)).map(({ path, id, fileType }) => [path, { id, isFolder: fileType === 'folder' }]))
}

function resultOf(toSeq: number, { files, left }: RewindDecisions): Pick<RewindResult, 'to_seq' | 'changes' | 'left'> {
  const changes = sortDepthFirst(files.flatMap(changeOf), ({ path }) => path)
  return { to_seq: toSeq, changes, left: left.map(({ fileId, path, reason }): RewindLeft => ({ file_id: fileId, path, reason })) }
}

/** What a person is told of one file: one line, however many rows of the journal it takes. */
function changeOf(file: RewoundFile): RewindChange[] {
  const { from, to, content, latest } = file
  const back = { version: content?.number ?? null, size: content?.size ?? null }
  const named = { file_id: file.isNew ? null : file.id, file_type: file.fileType, from_path: null }
  if (from === null && to === null) return []
  if (to === null) return [{ ...named, kind: 'deleted', path: from ?? '', version: null, size: null }]
  if (from === null) return [file.isNew ? { ...named, kind: 'created', path: to, version: null, size: null } : { ...named, kind: 'restored', path: to, version: (content ?? latest)?.number ?? null, size: (content ?? latest)?.size ?? null }]
  if (from !== to) return [{ ...named, kind: 'moved', path: to, from_path: from, ...back }]
  return content === null ? [] : [{ ...named, kind: 'updated', path: to, ...back }]
}
