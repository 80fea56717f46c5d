import { extract, type Header } from 'tar-stream'
import { AppError } from '../../errors.ts'
import type { ArchiveEntry } from './archive-entry.ts'
import { EntryBytes } from './entry-bytes.ts'
import { feed } from './feed.ts'

/** The entries of a tar in their order. Throws `invalid_request` when it is damaged or ends early. */
export async function* tarEntries(source: AsyncIterable<Buffer>): AsyncGenerator<ArchiveEntry> {
  const parser = extract()
  const tail = new Tail()
  void feed(tail.of(source), parser)
  try {
    for await (const entry of parser) {
      // The parser goes on only when an entry has been read to its end.
      const bytes = new EntryBytes(entry, explain)
      yield archiveEntry(entry.header, bytes)
      await bytes.passOver()
    }
  } catch (error) {
    throw explain(error)
  }
  if (!tail.isEndMark) throw new AppError('invalid_request', 'The tar ends early: the two empty blocks that end every tar are missing.')
}

function archiveEntry({ name, type }: Header, bytes: EntryBytes): ArchiveEntry {
  switch (type) {
    case 'file':
    case 'contiguous-file':
      return { type: 'file', name, bytes }
    case 'directory':
      return { type: 'folder', name }
    default:
      return { type: 'other', name, reason: describe(type) }
  }
}

function describe(type: Header['type']): string {
  switch (type) {
    case 'symlink':
      return 'a symbolic link'
    case 'link':
      return 'a hard link'
    default:
      return 'a special file'
  }
}

/** The parser's errors are plain ones; those of the source and of ours are not. */
function explain(error: unknown): unknown {
  if (!(error instanceof Error) || error.constructor !== Error || 'code' in error) return error
  return new AppError('invalid_request', `The tar is damaged or ends early: ${error.message}.`, { cause: error })
}

const MARK_BYTES = 1_024

/** Watches how a stream ends. */
class Tail {
  #last: Buffer = Buffer.alloc(0)

  async *of(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of source) {
      this.#last = piece.length >= MARK_BYTES ? piece.subarray(-MARK_BYTES) : Buffer.concat([this.#last, piece]).subarray(-MARK_BYTES)
      yield piece
    }
  }

  get isEndMark(): boolean {
    return this.#last.length === MARK_BYTES && this.#last.every((byte) => byte === 0)
  }
}
