import { sql } from 'kysely'
import { AppError } from '../../errors.ts'
import type { DiskContent, DiskEdit, DiskEditImporter, DiskEdits, ImportedEdits, OvertakenFile, RefusedEdit } from '../../mirror/disk-edits.ts'
import { readJournal } from '../../repositories/change-repository.ts'
import { findFile, findPathOfId } from '../../repositories/file-repository.ts'
import type { Author } from './author.ts'
import type { ChangeSet } from './change-set.ts'
import { contentHash, discardContent } from './content.ts'
import { ancestorPaths, isInside, parsePath } from './file-path.ts'
import type { FileService } from './file-service.ts'
import { createFolder, moveFile, removeFile, restoreVersion, writeFile, writeFiles } from './file-tree.ts'
import type { WantedEntry } from './write-files.ts'

/** Journal rows that are compared with edits; more of them in the moment between look and import, and the look is repeated. */
const MOST_ROWS = 5_000

const DISK: Author = { kind: 'disk', id: null, turnId: null, toolCallId: null }

export interface DiskEditServiceDeps {
  readonly files: Pick<FileService, 'change' | 'spool' | 'storeAhead'>
  readonly limits: { readonly fileBytes: number }
}

/** Makes changes of the workspace of what people changed in its copy on disk; their author is `disk`. */
export class DiskEditService implements DiskEditImporter {
  readonly maxBytes: number
  readonly #files: DiskEditServiceDeps['files']

  constructor({ files, limits }: DiskEditServiceDeps) {
    this.#files = files
    this.maxBytes = limits.fileBytes
  }

  faultOf(path: string): string | undefined {
    try {
      parsePath(path)
      return undefined
    } catch (error) {
      if (error instanceof AppError) return error.message
      throw error
    }
  }

  takeIn(stream: AsyncIterable<Buffer>): Promise<DiskContent> {
    return this.#files.spool(stream, { limitBytes: this.maxBytes })
  }

  discard(content: DiskContent): Promise<void> {
    return discardContent(content)
  }

  async importEdits(workspaceId: string, edits: DiskEdits): Promise<ImportedEdits> {
    for (const edit of edits.edits) if (edit.type === 'written') await this.#files.storeAhead(workspaceId, edit.content)
    try {
      return await this.#change(workspaceId, edits, applyTogether)
    } catch (error) {
      if (!isRefusal(error)) throw error
      // One of them is not taken: each is tried by itself, so that the others are not held up.
      return this.#change(workspaceId, edits, applyOneByOne)
    }
  }

  async keepOvertaken(workspaceId: string, file: OvertakenFile): Promise<boolean> {
    try {
      await this.#files.storeAhead(workspaceId, file.content)
      await this.#files.change({ workspaceId, author: DISK }, (set) => keep(set, file))
      return true
    } catch (error) {
      if (isRefusal(error)) return false
      throw error
    }
  }

  async #change(workspaceId: string, { seq, edits }: DiskEdits, apply: (set: ChangeSet, edits: readonly DiskEdit[]) => Promise<readonly RefusedEdit[]>): Promise<ImportedEdits> {
    const { result } = await this.#files.change({ workspaceId, author: DISK }, async (set) => {
      const before = set.lastSeq
      const fresh = before === seq ? edits : await withoutOvertaken(set, { seq, edits })
      const refused = await apply(set, fresh)
      return { before, last: set.lastSeq, refused, overtaken: edits.length - fresh.length }
    })
    return result
  }
}

/** Places become free first, as the edits are ordered; what comes goes in with few statements. */
async function applyTogether(set: ChangeSet, edits: readonly DiskEdit[]): Promise<readonly RefusedEdit[]> {
  for (const edit of edits) if (edit.type === 'moved' || edit.type === 'deleted') await applyEdit(set, edit)
  const wanted = edits.flatMap(wantedEntry)
  const outcomes = await writeFiles(set, wanted)
  return outcomes.flatMap((outcome, index) => (outcome.type === 'refused' ? [{ path: wanted[index]?.path ?? '', reason: outcome.error.message }] : []))
}

function wantedEntry(edit: DiskEdit): WantedEntry[] {
  if (edit.type === 'folder') return [edit]
  return edit.type === 'written' ? [{ type: 'file', path: edit.path, content: edit.content }] : []
}

async function applyOneByOne(set: ChangeSet, edits: readonly DiskEdit[]): Promise<readonly RefusedEdit[]> {
  const refused: RefusedEdit[] = []
  for (const edit of edits) {
    const refusal = await applyOrRefuse(set, edit)
    if (refusal !== undefined) refused.push(refusal)
  }
  return refused
}

async function applyEdit(set: ChangeSet, edit: DiskEdit): Promise<undefined> {
  switch (edit.type) {
    case 'moved':
      return void (await moveFile(set, edit))
    case 'deleted':
      return void (await removeFile(set, { path: edit.path, recursive: true }))
    case 'folder':
      return void (await createFolder(set, edit.path))
    case 'written':
      return void (await writeFile(set, { path: edit.path, content: edit.content }))
  }
}

async function applyOrRefuse(set: ChangeSet, edit: DiskEdit): Promise<RefusedEdit | undefined> {
  const mark = set.mark()
  await sql`SAVEPOINT edit`.execute(set.tx)
  try {
    await applyEdit(set, edit)
    await sql`RELEASE SAVEPOINT edit`.execute(set.tx)
    return undefined
  } catch (error) {
    if (!isRefusal(error)) throw error
    await sql`ROLLBACK TO SAVEPOINT edit`.execute(set.tx)
    set.rollbackTo(mark)
    return { path: edit.type === 'moved' ? edit.to : edit.path, reason: error.message }
  }
}

/** What the workspace says no to, as it would to a person; anything else is a failure. */
function isRefusal(error: unknown): error is AppError {
  return error instanceof AppError && error.code !== 'unavailable' && error.code !== 'internal'
}

/** Somebody changed the same thing in the workspace since: that stays, and the next look sees what is left to do. */
async function withoutOvertaken(set: ChangeSet, { seq, edits }: DiskEdits): Promise<readonly DiskEdit[]> {
  const rows = await readJournal(set.tx, set.workspaceId, { after: seq, upTo: set.lastSeq, limit: MOST_ROWS + 1 })
  if (rows.length > MOST_ROWS) return []
  const touched = [...new Set(rows.flatMap(({ fromPath, toPath }) => [fromPath, toPath]).filter((path) => path !== null))]
  const isTouched = (path: string): boolean => touched.some((other) => other === path || isInside(other, path) || isInside(path, other))
  return edits.filter((edit) => !(edit.type === 'moved' ? [edit.from, edit.to] : [edit.path]).some(isTouched))
}

/** The bytes become a version of the file wherever it is now, or of a file in the trash; then everything is as before. */
async function keep(set: ChangeSet, { path, fileId, content }: OvertakenFile): Promise<void> {
  const { workspaceId } = set
  const current = (fileId === null ? undefined : await findPathOfId(set.tx, { workspaceId, fileId })) ?? path
  const file = await findFile(set.tx, { workspaceId, path: current })
  if (file === undefined) return keepInTrash(set, current, content)
  if (file.latest === null) throw new AppError('conflict', `"${current}" is a folder.`)
  if (file.latest.hash.equals(contentHash(content))) return
  await writeFile(set, { path: current, content })
  await restoreVersion(set, { path: current, version: file.latest.number })
}

async function keepInTrash(set: ChangeSet, path: string, content: DiskContent): Promise<void> {
  const { workspaceId } = set
  let topmost = path
  for (const folder of ancestorPaths(path).reverse()) {
    if ((await findFile(set.tx, { workspaceId, path: folder })) !== undefined) break
    topmost = folder
  }
  await writeFile(set, { path, content })
  await removeFile(set, { path: topmost, recursive: true })
}
