import type { ImportResult } from '@buildscale/protocol'
import type { DbConn } from '../../db/db.ts'
import { AppError, publicError } from '../../errors.ts'
import type { FileService } from '../files/file-service.ts'
import type { ArchiveEntry } from './archive-entry.ts'
import { ImportRun, type ImportTarget } from './import-run.ts'
import { TRANSFER_LIMITS, type TransferLimits } from './transfer-limits.ts'

export interface ImportServiceDeps {
  readonly db: { readonly kysely: DbConn }
  readonly files: Pick<FileService, 'stat' | 'spool' | 'storeAhead' | 'change'>
  readonly limits?: TransferLimits
}

/** Takes archives in: entry by entry, in batches that are each one short transaction and one change set together. */
export class ImportService {
  readonly #deps: ImportServiceDeps
  readonly #limits: TransferLimits

  constructor(deps: ImportServiceDeps) {
    this.#deps = deps
    this.#limits = deps.limits ?? TRANSFER_LIMITS
  }

  get limits(): TransferLimits {
    return this.#limits
  }

  /**
   * Stores the entries and answers what became of them. When something fails, whatever was complete by then is stored and stays: the error tells how much
   * that is, in words and in `details.import`.
   */
  async import(target: ImportTarget, entries: AsyncIterable<ArchiveEntry>): Promise<ImportResult> {
    await this.#checkTarget(target)
    const run = new ImportRun({ files: this.#deps.files, limits: this.#limits, target })
    try {
      for await (const entry of entries) {
        target.signal.throwIfAborted()
        await run.take(entry)
      }
      await run.finish()
    } catch (error) {
      throw await told(run, target.signal.aborted ? target.signal.reason : error)
    } finally {
      await run.close()
    }
    return run.result()
  }

  async #checkTarget({ workspaceId, path }: ImportTarget): Promise<void> {
    const at = await this.#deps.files.stat(this.#deps.db.kysely, { workspaceId, path })
    if (at !== undefined && at.file_type !== 'folder') throw new AppError('conflict', `"${path}" is a file, so nothing can be imported below it.`)
  }
}

/** The failure, with what stays of the import. */
async function told(run: ImportRun, failure: unknown): Promise<AppError> {
  // What came whole before the failure is as good as if the archive had ended there. If storing it fails too, the first failure is the one to tell.
  await run.finish().catch(() => undefined)
  const { code, message, details } = publicError(failure)
  const { imported, unchanged } = run.progress()
  const stays = imported + unchanged === 0 ? 'Nothing was imported.' : `${imported + unchanged} files were imported before and stay; sending everything again stores only what is missing.`
  return new AppError(code, `${message} ${stays}`, { details: { ...details, import: run.result() }, cause: failure })
}
