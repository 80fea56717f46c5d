import { type FilesResource, SdkError } from '@buildscale/sdk'
import { openAsBlob } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'
import { type CliContext, workspaceId } from '../connect.ts'
import { runConcurrently } from '../run-concurrently.ts'
import { printable, type Terminal } from '../terminal.ts'
import { type Found, walkFolder } from '../walk-folder.ts'

export interface ImportOptions {
  readonly workspace: string
  readonly to: string
  readonly gitignore?: boolean
}

const CONCURRENCY = 12
/** Larger files are streamed from the disk instead of read into memory. */
const STREAM_FROM_BYTES = 4 * 1024 * 1024
/** Answers that say the next file would fare no better. */
const FATAL_CODES: readonly string[] = ['unauthenticated', 'forbidden', 'insufficient_storage', 'invalid_response']
const ATTEMPTS = 5

/** `buildscale import`: stores everything below `directory` under `to`, bytes and names as they are. */
export async function importFolder({ client, terminal }: CliContext, directory: string, options: ImportOptions): Promise<ExitCode> {
  await checkFolder(directory)
  const files = client.files(await workspaceId(client, options.workspace))
  const progress = new Progress(terminal)
  const folderImport = new FolderImport({ files, directory, to: `/${options.to.replace(/^\/+|\/+$/g, '')}`, progress })
  await runConcurrently(walkFolder(directory, { gitignore: options.gitignore === true }), CONCURRENCY, (found) => folderImport.take(found))
  terminal.out(progress.finish())
  return EXIT.done
}

async function checkFolder(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined) // missing or unreadable: the message below says enough
  if (found?.isDirectory() !== true) throw new CliError(`Not a folder: ${directory}`, EXIT.usage)
}

class FolderImport {
  readonly #files: FilesResource
  readonly #directory: string
  readonly #to: string
  readonly #progress: Progress
  /** Names as the server keeps them (NFC) → as the disk has them: two of the disk may be one there. */
  readonly #taken = new Map<string, string>()

  constructor({ files, directory, to, progress }: { readonly files: FilesResource; readonly directory: string; readonly to: string; readonly progress: Progress }) {
    this.#files = files
    this.#directory = directory
    this.#to = to === '/' ? '' : to
    this.#progress = progress
  }

  /** Stores one thing that was found; what the server refuses or the disk does not give is reported and passed over. */
  async take(found: Found): Promise<void> {
    if (found.type === 'skipped') return this.#progress.skipped(found.path, found.reason)
    const twin = this.#taken.get(found.path.normalize('NFC'))
    if (twin !== undefined) return this.#progress.skipped(found.path, 'another file has the same name in Unicode’s composed form')
    this.#taken.set(found.path.normalize('NFC'), found.path)
    try {
      if (found.type === 'file') this.#progress.imported(await this.#put(found.path))
      else await withRetries(() => this.#files.folder(`${this.#to}/${found.path}`))
    } catch (error) {
      if (isFatal(error)) throw error
      this.#progress.skipped(found.path, error instanceof Error ? error.message : String(error))
    }
  }

  /** The number of bytes stored. */
  async #put(path: string): Promise<number> {
    const source = join(this.#directory, path)
    const { size } = await stat(source)
    const content = size < STREAM_FROM_BYTES ? await readFile(source) : await openAsBlob(source)
    const { version } = await withRetries(() => this.#files.put(`${this.#to}/${path}`, content))
    return version.size
  }
}

/** Storing the same bytes twice makes no second version, so an answer that got lost may be asked for again. */
async function withRetries<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call()
    } catch (error) {
      if (attempt === ATTEMPTS || !(error instanceof SdkError && (error.code === 'unavailable' || error.code === 'rate_limited'))) throw error
      await new Promise((done) => setTimeout(done, error.retryAfterMs ?? 100 * 2 ** attempt))
    }
  }
}

/** Everything that is not about this one file: a server that is gone, a token that may not write. Errors of the disk are about the file. */
function isFatal(error: unknown): boolean {
  if (error instanceof SdkError) return FATAL_CODES.includes(error.code) || error.isTransient
  return !(error instanceof Error && 'code' in error)
}

const REDRAW_MS = 100

/** Counts, names what was left out, and shows on a terminal how far it is. */
class Progress {
  readonly #terminal: Terminal
  #files = 0
  #bytes = 0
  #skipped = 0
  #drawnAt = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  imported(bytes: number): void {
    this.#files += 1
    this.#bytes += bytes
    this.#draw()
  }

  skipped(path: string, reason: string | undefined): void {
    this.#skipped += 1
    if (reason !== undefined) this.#terminal.err(`${this.#clearLine()}skipped ${printable(path)}: ${printable(reason)}\n`)
  }

  /** The last line of the command. */
  finish(): string {
    this.#terminal.err(this.#clearLine())
    return `imported ${this.#files} files, ${this.#bytes} bytes, ${this.#skipped} skipped\n`
  }

  #draw(): void {
    if (!this.#terminal.isErrTty || performance.now() - this.#drawnAt < REDRAW_MS) return
    this.#drawnAt = performance.now()
    this.#terminal.err(`${this.#clearLine()}${this.#files} files, ${this.#bytes} bytes …`)
  }

  #clearLine(): string {
    return this.#terminal.isErrTty ? '\r\u001b[K' : ''
  }
}
