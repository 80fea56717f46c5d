import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'
import { AppError } from '../../errors.ts'
import type { ArchiveEntry } from './archive-entry.ts'
import { EntryBytes } from './entry-bytes.ts'
import { feed } from './feed.ts'

/** The files of a `multipart/form-data` body, each called by its `filename`, folders included; fields without one are passed over. */
export async function* formEntries(source: AsyncIterable<Buffer>, contentType: string): AsyncGenerator<ArchiveEntry> {
  const form = new FormFiles(contentType)
  void feed(source, form.parser)
  try {
    for (let file = await form.next(); file !== undefined; file = await form.next()) {
      const bytes = new EntryBytes(file.stream)
      yield { type: 'file', name: file.name, bytes: confirmed(bytes, form) }
      await bytes.passOver()
    }
  } finally {
    form.parser.destroy()
  }
}

/** A form that ends early ends its last file as if that were whole: whether it is shows only in what comes after it. */
async function* confirmed(bytes: EntryBytes, form: FormFiles): AsyncGenerator<Buffer> {
  yield* bytes
  await form.settled()
}

interface FormFile {
  readonly name: string
  readonly stream: BusboyFileStream
}

/** The parser calls; a reader asks. A file that nobody has asked for yet holds the parser up, so that few wait here. */
class FormFiles {
  readonly parser: BusboyInstance
  readonly #waiting: FormFile[] = []
  #end: { readonly error?: unknown } | undefined
  #wake: () => void = () => undefined

  constructor(contentType: string) {
    this.parser = openParser(contentType)
    this.parser.on('file', (_field, stream, name) => this.#found({ name: name ?? '', stream }))
    this.parser.on('error', (error) => this.#ended({ error: damaged(error) }))
    this.parser.on('finish', () => this.#ended({}))
    this.parser.on('close', () => this.#ended({}))
  }

  /** Undefined after the last one. */
  async next(): Promise<FormFile | undefined> {
    await this.settled()
    return this.#waiting.shift()
  }

  /** Resolves when the parser has found another file or the end of the form; rejects when the form is damaged here. */
  async settled(): Promise<void> {
    while (this.#waiting.length === 0 && this.#end === undefined) await new Promise<void>((resolve) => (this.#wake = resolve))
    if (this.#waiting.length === 0 && this.#end?.error !== undefined) throw this.#end.error
  }

  #found(file: FormFile): void {
    // The parser only announces an error on the stream; whoever reads it must see it fail.
    file.stream.on('error', (error) => file.stream.destroy(damaged(error)))
    this.#waiting.push(file)
    this.#wake()
  }

  #ended(end: { readonly error?: unknown }): void {
    this.#end ??= end
    this.#wake()
  }
}

function openParser(contentType: string): BusboyInstance {
  try {
    return new Busboy({ headers: { 'content-type': contentType }, preservePath: true, limits: { fields: 100, fieldSize: 1_024, headerPairs: 100, headerSize: 16_384 } })
  } catch (cause) {
    throw new AppError('invalid_request', 'The form cannot be read: its Content-Type names no boundary.', { cause })
  }
}

/** The parser's errors are plain ones; those of the source and of ours are not. */
function damaged(error: unknown): Error {
  if (error instanceof AppError || (error instanceof Error && 'code' in error)) return error
  return new AppError('invalid_request', 'The form is damaged or ends early.', { cause: error })
}
