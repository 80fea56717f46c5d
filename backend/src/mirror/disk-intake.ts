import type { Stats } from 'node:fs'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import type { DbLog } from '../db/db-log.ts'
import { boundedGroups } from './bounded-groups.ts'
import { hashOfFile, isSettled } from './disk-content.ts'
import type { DiskContent, DiskEdit, DiskEditImporter, ImportedEdits, RefusedEdit } from './disk-edits.ts'
import { type EditPlan, planEdits, type PlannedEdit } from './edit-plan.ts'
import type { HeldFiles } from './held-files.ts'
import { type KnownFiles, signatureOf } from './known-files.ts'
import type { MirrorFolder } from './mirror-folder.ts'
import { isMissing } from './mirror-state.ts'
import type { TreeEntry } from '../repositories/file-repository.ts'
import { compareTree, type TreeDifference } from './tree-comparison.ts'

/** Edits of one change set, so that a large tree that somebody copied in holds up the writers of the workspace only for moments. */
const GROUP = { files: 400, bytes: 32 * 1024 * 1024, sizeOf: (edit: PlannedEdit) => (edit.type === 'written' ? edit.found.size : 0) }

export interface DiskIntakeDeps {
  readonly workspaceId: string
  readonly folder: MirrorFolder
  readonly known: KnownFiles
  readonly held: HeldFiles
  readonly importer: DiskEditImporter
  readonly log: DbLog
}

export interface FoundEdits extends EditPlan {
  /** Names were put into Unicode's composed form, in which the workspace has them: look again. */
  readonly hasRenamed: boolean
}

/** What one group of edits became; null: the disk had changed again, so nothing of it was imported. */
interface TakenGroup {
  readonly imported: ImportedEdits | null
  readonly isUnsettled: boolean
}

/** Takes in what people changed on disk: finds it, reads it whole or not at all, hands it to the importer. */
export class DiskIntake {
  readonly #deps: DiskIntakeDeps
  #refused: readonly RefusedEdit[] = []

  constructor(deps: DiskIntakeDeps) {
    this.#deps = deps
  }

  /** Why a path is not in the database although it is on disk, as far as the last import knew. */
  reasonFor(path: string): string | undefined {
    return this.#refused.find((refused) => refused.path === path)?.reason
  }

  /** What was changed on disk since the mirror showed `tree`. */
  async find(tree: readonly TreeEntry[], signal?: AbortSignal): Promise<FoundEdits> {
    const { folder, known, importer } = this.#deps
    const deps = { folder, known, faultOf: (path: string) => importer.faultOf(path) }
    const comparison = await compareTree(deps, tree, { deep: false, insideExtras: true, ...(signal !== undefined && { signal }) })
    const hasRenamed = this.#compose(comparison.differences)
    if (hasRenamed) return { edits: [], isUnsettled: false, disappeared: 0, hasRenamed }
    return { ...(await planEdits({ tree, comparison, hashOf: (path, stats) => this.#hashOf(path, stats) })), hasRenamed }
  }

  /** Imports edits in groups, one change set each. `after` is called when a group is in the database, and answers the journal's seq that the disk then shows. */
  async takeIn({ seq, edits }: { readonly seq: number; readonly edits: readonly PlannedEdit[] }, after: (imported: ImportedEdits) => Promise<number>): Promise<{ readonly isUnsettled: boolean }> {
    this.#refused = []
    let isUnsettled = false
    let shown = seq
    for (const group of boundedGroups(edits, GROUP)) {
      const taken = await this.#takeGroup(shown, group)
      isUnsettled ||= taken.isUnsettled
      if (taken.imported !== null) shown = await after(taken.imported)
    }
    return { isUnsettled }
  }

  /** Makes versions of what was in the journal's way. `isForced`: also of what somebody may still have open. True when something is left for later. */
  async takeInHeld({ isForced }: { readonly isForced: boolean }): Promise<{ readonly isUnsettled: boolean }> {
    const { held, folder } = this.#deps
    let isUnsettled = false
    for (const file of held.list()) {
      const stats = folder.look(file.absolute)
      if (stats === undefined) continue
      if (!isForced && !isSettled(stats)) isUnsettled = true
      else await this.#takeHeld(file, stats)
    }
    return { isUnsettled }
  }

  async #takeHeld(file: { readonly absolute: string; readonly path: string; readonly fileId: string | null }, stats: Stats): Promise<void> {
    const { held, folder, importer, workspaceId, log } = this.#deps
    const content = stats.size > importer.maxBytes ? undefined : await this.#readWhole(file.absolute)
    try {
      const isKept = content !== undefined && (await importer.keepOvertaken(workspaceId, { path: file.path, fileId: file.fileId, content }))
      if (isKept) {
        log.info({ workspaceId, path: file.path }, 'a file that was edited on disk while it changed in the workspace too was kept as a version')
        return held.remove(file)
      }
      folder.keepAside(file.absolute, file.path)
      held.release(file)
    } finally {
      if (content !== undefined) await importer.discard(content)
    }
  }

  async #takeGroup(seq: number, group: readonly PlannedEdit[]): Promise<TakenGroup> {
    const { importer, workspaceId, log } = this.#deps
    const contents: TakenContent[] = []
    let isUnsettled = false
    try {
      const edits: DiskEdit[] = []
      for (const edit of group) {
        const content = edit.type === 'written' ? await this.#read(edit.path, edit.found) : undefined
        if (content !== undefined) contents.push(content)
        if (edit.type !== 'written') edits.push(edit)
        else if (content !== undefined) edits.push({ type: 'written', path: edit.path, content: content.bytes })
        else isUnsettled ||= this.reasonFor(edit.path) === undefined
      }
      if (edits.length === 0) return { imported: null, isUnsettled }
      const imported = await importer.importEdits(workspaceId, { seq, edits })
      this.#noteRefused(imported.refused)
      const refused = new Set(imported.refused.map(({ path }) => path))
      for (const { path, stats, bytes } of contents) if (!refused.has(path)) this.#deps.known.remember(path, stats, hashOf(bytes))
      log.info({ workspaceId, edits: edits.length - refused.size - imported.overtaken, refused: refused.size, overtaken: imported.overtaken }, 'imported what was changed on disk')
      return { imported, isUnsettled: isUnsettled || imported.overtaken > 0 }
    } finally {
      for (const { bytes } of contents) await importer.discard(bytes)
    }
  }

  #noteRefused(refused: readonly RefusedEdit[]): void {
    this.#refused = [...this.#refused, ...refused]
    for (const edit of refused) this.#deps.log.warn({ workspaceId: this.#deps.workspaceId, ...edit }, 'a change on disk could not be imported; it is left as it is')
  }

  /** The bytes of a file that stayed the same while they were read; undefined when they did not, or when they are not taken. */
  async #read(path: string, found: Stats): Promise<TakenContent | undefined> {
    const { importer, folder } = this.#deps
    const refuse = (reason: string): undefined => void this.#noteRefused([{ path, reason }])
    if (found.size > importer.maxBytes) return refuse(`It has ${found.size} bytes, more than the ${importer.maxBytes} that a file may have.`)
    const handle = await openFile(folder.absolute(path))
    if (handle === 'gone') return undefined
    if (handle === 'refused') return refuse('The server may not read it.')
    await using file = handle
    const isSame = (stats: Stats | undefined): boolean => stats !== undefined && signatureOf(stats) === signatureOf(found)
    // The path is asked too, link by link: what is open must be what stands there, and not what a link led to for a moment.
    if (!isSame(await file.stat()) || !isSame(folder.stat(path))) return undefined
    const bytes = await importer.takeIn(pieces(file))
    if (isSame(await file.stat()) && isSame(folder.stat(path))) return { path, stats: found, bytes }
    await importer.discard(bytes)
    return undefined
  }

  async #readWhole(absolute: string): Promise<DiskContent> {
    await using file = await open(absolute, constants.O_RDONLY | constants.O_NOFOLLOW)
    return await this.#deps.importer.takeIn(pieces(file))
  }

  async #hashOf(path: string, stats: Stats): Promise<Buffer | undefined> {
    const { known, folder } = this.#deps
    try {
      const hash = known.hashOf(path, stats) ?? (await hashOfFile(folder.absolute(path)))
      known.remember(path, stats, hash)
      return hash
    } catch {
      return undefined // it went, or may not be read: then it is no moved file, and reading it says why
    }
  }

  /** The workspace has names in composed form only; on disk the other form is renamed where its place is free. True when something was. */
  #compose(differences: readonly TreeDifference[]): boolean {
    const { folder } = this.#deps
    const decomposed = differences.filter(({ kind, path, reason }) => kind === 'extra' && reason === undefined && path !== path.normalize('NFC'))
    // Only the topmost: what is below has another path afterwards.
    const topmost = decomposed.filter(({ path }) => path.slice(0, path.lastIndexOf('/')) === path.slice(0, path.lastIndexOf('/')).normalize('NFC'))
    for (const { path } of topmost) folder.move(path, path.normalize('NFC'))
    return topmost.length > 0
  }
}

interface TakenContent {
  readonly path: string
  readonly stats: Stats
  readonly bytes: DiskContent
}

async function openFile(absolute: string): Promise<FileHandle | 'gone' | 'refused'> {
  try {
    return await open(absolute, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EACCES' || code === 'EPERM') return 'refused'
    if (isMissing(error) || code === 'ELOOP' || code === 'ENXIO') return 'gone'
    throw error
  }
}

async function* pieces(file: FileHandle): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(256 * 1024), 0, 256 * 1024, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

function hashOf(content: DiskContent): Buffer {
  return Buffer.isBuffer(content) ? createHash('sha256').update(content).digest() : content.hash
}
