import type { ImportProgress, ImportResult, SkippedEntry } from '@buildscale/protocol'
import { uuidv7 } from 'uuidv7'
import { AppError } from '../../errors.ts'
import type { Author } from '../files/author.ts'
import { type Content, contentSize, discardContent, isLarge } from '../files/content.ts'
import type { FileService } from '../files/file-service.ts'
import { writeFiles } from '../files/file-tree.ts'
import type { EntryOutcome, WantedEntry } from '../files/write-files.ts'
import { type ArchiveEntry, DamagedEntry } from './archive-entry.ts'
import { entryPath } from './entry-path.ts'
import type { TransferLimits } from './transfer-limits.ts'

export interface ImportTarget {
  readonly workspaceId: string
  readonly author: Author
  /** The folder that receives the entries; made when it is missing. */
  readonly path: string
  readonly signal: AbortSignal
  /** Called after each batch that was stored. */
  readonly onProgress?: (progress: ImportProgress) => void
}

export interface ImportRunOptions {
  readonly files: Pick<FileService, 'spool' | 'storeAhead' | 'change'>
  readonly limits: TransferLimits
  readonly target: ImportTarget
}

/** One import from its first entry to its last: gathers batches, stores each while the next is being read, and counts. */
export class ImportRun {
  readonly #options: ImportRunOptions
  readonly #changeSetId = uuidv7()
  /** Paths that have come, by whose second coming an entry is a duplicate. */
  readonly #taken = new Set<string>()
  readonly #skippedFolders = new Set<string>()
  readonly #skipped: SkippedEntry[] = []
  #counts = { imported: 0, unchanged: 0, bytes: 0, skipped: 0 }
  #entries = 0
  #bytes = 0
  #changed = false
  #batch: WantedEntry[] = []
  #batchBytes = 0
  /** The batch that is being stored. Never rejects: its failure is kept for whoever looks next. */
  #storing: Promise<void> = Promise.resolve()
  #failure: { readonly error: unknown } | undefined

  constructor(options: ImportRunOptions) {
    this.#options = options
  }

  async take(entry: ArchiveEntry): Promise<void> {
    this.#throwFailure()
    this.#entries += 1
    const { limits, target } = this.#options
    if (this.#entries > limits.entries) throw new AppError('payload_too_large', `The archive has more than ${limits.entries} entries.`)
    const at = entryPath(target.path, entry.name)
    if (at.type === 'skipped') return this.#skipOnce(at)
    if (at.type === 'root') return
    if (entry.type === 'other') return this.#skip(entry.name, entry.reason)
    if (entry.type === 'folder') return this.#add({ type: 'folder', path: at.path }, 0)
    if (this.#taken.has(at.path)) return this.#skip(entry.name, 'another entry has this name, or the same in Unicode’s composed form')
    this.#taken.add(at.path)
    const content = await this.#read(entry)
    if (content !== undefined) await this.#addFile(at.path, content)
  }

  /** Stores what has been gathered and waits for it. */
  async finish(): Promise<void> {
    await this.#flush()
    await this.#storing
    this.#throwFailure()
  }

  /** Gives up what has not been stored. */
  async close(): Promise<void> {
    await this.#storing
    await discardAll(this.#batch)
    this.#batch = []
  }

  progress(): ImportProgress {
    const { skipped, ...counts } = this.#counts
    return { ...counts, skipped_count: skipped }
  }

  result(): ImportResult {
    return { ...this.progress(), skipped: [...this.#skipped], change_set_id: this.#changed ? this.#changeSetId : null }
  }

  /** The bytes of a file; undefined when this one cannot be taken, which is noted. */
  async #read({ name, bytes }: ArchiveEntry & { readonly type: 'file' }): Promise<Content | undefined> {
    const { files, limits, target } = this.#options
    const source = { failed: false }
    try {
      return await files.spool(this.#metered(bytes, source), { limitBytes: limits.bytes, signal: target.signal })
    } catch (error) {
      const isTooLarge = error instanceof AppError && error.code === 'payload_too_large' && !source.failed
      if (isTooLarge || error instanceof DamagedEntry) return void this.#skip(name, error.message)
      throw error
    }
  }

  /** `source.failed` tells what the archive's own limits refuse from a file that is too large by itself. */
  async *#metered(bytes: AsyncIterable<Buffer>, source: { failed: boolean }): AsyncGenerator<Buffer> {
    const { limits } = this.#options
    try {
      for await (const piece of bytes) {
        this.#bytes += piece.length
        if (this.#bytes > limits.bytes) throw new AppError('payload_too_large', `The archive unpacks to more than ${limits.bytes} bytes.`)
        yield piece
      }
    } catch (error) {
      source.failed = true
      throw error
    }
  }

  async #addFile(path: string, content: Content): Promise<void> {
    const { files, target } = this.#options
    try {
      await files.storeAhead(target.workspaceId, content)
    } catch (error) {
      await discardContent(content)
      throw error
    }
    await this.#add({ type: 'file', path, content }, isLarge(content) ? 0 : contentSize(content))
  }

  async #add(entry: WantedEntry, bytes: number): Promise<void> {
    this.#batch.push(entry)
    this.#batchBytes += bytes
    const { batchFiles, batchBytes } = this.#options.limits
    if (this.#batch.length >= batchFiles || this.#batchBytes >= batchBytes) await this.#flush()
  }

  /** Begins to store the batch, once the one before is stored. */
  async #flush(): Promise<void> {
    await this.#storing
    if (this.#failure !== undefined || this.#batch.length === 0) return
    const batch = this.#batch
    this.#batch = []
    this.#batchBytes = 0
    this.#storing = this.#store(batch)
  }

  async #store(batch: readonly WantedEntry[]): Promise<void> {
    const { files, target } = this.#options
    const { workspaceId, author } = target
    try {
      const { result, changes } = await files.change({ workspaceId, author, id: this.#changeSetId }, (set) => writeFiles(set, batch))
      this.#changed ||= changes.length > 0
      for (const [index, outcome] of result.entries()) this.#count(outcome, batch[index]?.path ?? '')
      target.onProgress?.(this.progress())
    } catch (error) {
      this.#failure = { error }
    } finally {
      await discardAll(batch)
    }
  }

  #count(outcome: EntryOutcome, path: string): void {
    switch (outcome.type) {
      case 'file':
        this.#counts[outcome.unchanged ? 'unchanged' : 'imported'] += 1
        this.#counts.bytes += outcome.version.size
        return
      case 'folder':
        return
      case 'refused':
        return this.#skip(path, outcome.error.message)
    }
  }

  /** What lies in a folder that is not taken is one thing, however much it is. */
  #skipOnce({ path, reason }: SkippedEntry): void {
    if (this.#skippedFolders.has(path)) return
    this.#skippedFolders.add(path)
    this.#skip(path, reason)
  }

  #skip(path: string, reason: string): void {
    this.#counts.skipped += 1
    if (this.#skipped.length < this.#options.limits.named) this.#skipped.push({ path: path.toWellFormed().slice(0, 1_024), reason })
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

async function discardAll(batch: readonly WantedEntry[]): Promise<void> {
  for (const entry of batch) if (entry.type === 'file') await discardContent(entry.content)
}
