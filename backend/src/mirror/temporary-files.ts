import { mkdirSync, rmSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DbConn } from '../db/db.ts'
import { INLINE_BYTES, readBlob, readInlineMany } from '../repositories/blob-repository.ts'
import type { VersionContent } from '../repositories/change-repository.ts'
import { boundedGroups } from './bounded-groups.ts'
import { timeOfVersion } from './disk-content.ts'

/** What is fetched in one query. */
const BATCH = { files: 128, bytes: 8 * 1024 * 1024, sizeOf: ({ version }: PlannedFile) => version.size }
/** Files that are written at once. */
const WRITERS = 8

export interface TemporaryFilesOptions {
  readonly conn: DbConn
  readonly workspaceId: string
  /** A folder of this workspace's own, on the mirror's file system. */
  readonly folder: string
}

/** Versions written out beside the mirror, complete and flushed, to be renamed into it. */
export class TemporaryFiles {
  readonly #options: TemporaryFilesOptions
  #count = 0

  constructor(options: TemporaryFilesOptions) {
    this.#options = options
  }

  /** Removes what an earlier run left. */
  clear(): void {
    rmSync(this.#options.folder, { recursive: true, force: true })
  }

  /** Writes versions out; answers their paths in the same order. Nothing is left behind when it rejects. */
  async write(versions: readonly VersionContent[]): Promise<string[]> {
    mkdirSync(this.#options.folder, { recursive: true, mode: 0o700 })
    const files = versions.map((version) => ({ version, path: this.#nextPath() }))
    try {
      for (const batch of boundedGroups(files, BATCH)) await this.#writeBatch(batch)
    } catch (error) {
      await this.remove(files.map(({ path }) => path))
      throw error
    }
    return files.map(({ path }) => path)
  }

  async remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) await rm(path, { force: true })
  }

  #nextPath(): string {
    this.#count += 1
    return join(this.#options.folder, String(this.#count))
  }

  async #writeBatch(batch: readonly PlannedFile[]): Promise<void> {
    const { conn, workspaceId } = this.#options
    const small = batch.filter(({ version }) => version.size <= INLINE_BYTES)
    const bytes = small.length === 0 ? new Map<string, Buffer>() : await readInlineMany(conn, workspaceId, small.map(({ version }) => version.hash))
    const queue = batch.values()
    // The writers share one iterator: each takes the next file when it is done with one.
    const outcomes = await Promise.allSettled(Array.from({ length: Math.min(WRITERS, batch.length) }, async () => {
      for (const file of queue) await this.#writeFile(file, bytes.get(file.version.hash.toString('hex')))
    }))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async #writeFile({ version, path }: PlannedFile, bytes: Buffer | undefined): Promise<void> {
    await using file = await open(path, 'wx', 0o600)
    if (bytes !== undefined) await file.writeFile(bytes)
    else for await (const piece of this.#pieces(version)) await file.writeFile(piece)
    const seconds = timeOfVersion(version) / 1_000
    await file.utimes(seconds, seconds)
    await file.sync()
  }

  #pieces({ hash, size }: VersionContent): AsyncGenerator<Buffer> {
    const { conn, workspaceId } = this.#options
    return readBlob(conn, { workspaceId, hash }, { size, start: 0, end: size - 1 })
  }
}

interface PlannedFile {
  readonly version: VersionContent
  readonly path: string
}
