import type { ImportProgress, ImportResult } from '@buildscale/protocol'
import { type FilesResource, type RequestBody, SdkError } from '@buildscale/sdk'
import { openAsBlob } from 'node:fs'
import { stat } from 'node:fs/promises'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'
import { type CliContext, workspaceId } from '../connect.ts'
import { folderTar } from '../folder-tar.ts'
import { printable, type Terminal } from '../terminal.ts'

export interface ImportOptions {
  readonly workspace: string
  readonly to: string
  readonly gitignore?: boolean
}

const ATTEMPTS = 5

const ARCHIVES = [
  { ending: '.tar', type: 'application/x-tar' },
  { ending: '.tar.gz', type: 'application/gzip' },
  { ending: '.tgz', type: 'application/gzip' },
  { ending: '.zip', type: 'application/zip' },
] as const

type ArchiveType = (typeof ARCHIVES)[number]['type']

/** `buildscale import`: stores everything below a folder, or in an archive, under `to`: bytes and names as they are. */
export async function importFolder({ client, terminal }: CliContext, source: string, options: ImportOptions): Promise<ExitCode> {
  const type = await archiveType(source)
  const files = client.files(await workspaceId(client, options.workspace))
  const progress = new Progress(terminal)
  const open = async (): Promise<RequestBody> => {
    if (type !== undefined) return openAsBlob(source)
    const onSkipped = (path: string, reason: string | undefined): void => progress.skipped(path, reason)
    return ReadableStream.from(folderTar(source, { gitignore: options.gitignore === true, onSkipped }))
  }
  const result = await send(files, { open, progress, path: options.to, type: type ?? 'application/x-tar' })
  terminal.out(progress.finish(result))
  return EXIT.done
}

/** Undefined for a folder. */
async function archiveType(source: string): Promise<ArchiveType | undefined> {
  const found = await stat(source).catch(() => undefined) // missing or unreadable: the message below says enough
  if (found?.isDirectory() === true) return undefined
  const archive = ARCHIVES.find(({ ending }) => source.toLowerCase().endsWith(ending))
  if (found?.isFile() !== true) throw new CliError(`Not a folder: ${source}`, EXIT.usage)
  if (archive === undefined) throw new CliError(`Neither a folder nor an archive (${ARCHIVES.map(({ ending }) => ending).join(', ')}): ${source}`, EXIT.usage)
  return archive.type
}

interface Sending {
  readonly open: () => Promise<RequestBody>
  readonly progress: Progress
  readonly path: string
  readonly type: ArchiveType
}

/** Everything is sent again after a cut: bytes that are stored already make no second version. */
async function send(files: FilesResource, { open, progress, path, type }: Sending): Promise<ImportResult> {
  for (let attempt = 1; ; attempt += 1) {
    progress.begin()
    try {
      return await files.import(await open(), { path, type, onProgress: (counts) => progress.show(counts) })
    } catch (error) {
      if (attempt === ATTEMPTS || !(error instanceof SdkError && (error.code === 'unavailable' || error.code === 'rate_limited'))) throw error
      progress.note(`${error.message} Trying again …`)
      await new Promise((done) => setTimeout(done, error.retryAfterMs ?? 100 * 2 ** attempt))
    }
  }
}

const REDRAW_MS = 100

/** Counts what is left out here, names it once, and shows on a terminal how far the server is. */
class Progress {
  readonly #terminal: Terminal
  readonly #named = new Set<string>()
  #skipped = 0
  #drawnAt = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /** Before each attempt. */
  begin(): void {
    this.#skipped = 0
  }

  skipped(path: string, reason: string | undefined): void {
    this.#skipped += 1
    if (reason !== undefined) this.#name(path, reason)
  }

  show({ imported, unchanged, bytes }: ImportProgress): void {
    if (!this.#terminal.isErrTty || performance.now() - this.#drawnAt < REDRAW_MS) return
    this.#drawnAt = performance.now()
    this.#terminal.err(`${this.#clearLine()}${imported + unchanged} files, ${bytes} bytes …`)
  }

  note(text: string): void {
    this.#terminal.err(`${this.#clearLine()}${printable(text)}\n`)
  }

  /** The last line of the command. */
  finish({ imported, unchanged, bytes, skipped, skipped_count }: ImportResult): string {
    for (const { path, reason } of skipped) this.#name(path, reason)
    if (skipped_count > skipped.length) this.note(`skipped ${skipped_count - skipped.length} more`)
    this.#terminal.err(this.#clearLine())
    return `imported ${imported + unchanged} files, ${bytes} bytes, ${this.#skipped + skipped_count} skipped\n`
  }

  #name(path: string, reason: string): void {
    if (this.#named.has(path)) return
    this.#named.add(path)
    this.note(`skipped ${path}: ${reason}`)
  }

  #clearLine(): string {
    return this.#terminal.isErrTty ? '\r\u001b[K' : ''
  }
}
