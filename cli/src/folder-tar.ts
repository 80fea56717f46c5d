import { TAR_END, tarHeader, tarPadding } from '@buildscale/protocol'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError } from './cli-error.ts'
import { mapAhead } from './map-ahead.ts'
import { type Found, walkFolder } from './walk-folder.ts'

export interface FolderTarOptions {
  readonly gitignore: boolean
  /** Told of everything that is left out; `reason` as in `Found`. */
  readonly onSkipped: (path: string, reason: string | undefined) => void
}

/** Larger files are streamed from the disk instead of read into memory. */
const STREAM_FROM_BYTES = 1024 * 1024
/** Files that are read while the one before them is sent. */
const READ_AHEAD = 8
/** Pieces are joined to about this size: one a file would be a system call a file. */
const PIECE_BYTES = 256 * 1024

/** The files below `directory` as a tar, made while it is sent. */
export function folderTar(directory: string, options: FolderTarOptions): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  return joined(pieces(directory, options))
}

/** What one thing on disk becomes in the archive. */
type Loaded =
  | { readonly type: 'bytes'; readonly header: Uint8Array; readonly bytes: Uint8Array }
  /** Read when its turn comes. */
  | { readonly type: 'large'; readonly path: string; readonly header: Uint8Array; readonly size: number }
  | { readonly type: 'skipped'; readonly path: string; readonly reason: string | undefined }

async function* pieces(directory: string, { gitignore, onSkipped }: FolderTarOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const found = withoutTwins(walkFolder(directory, { gitignore }))
  for await (const loaded of mapAhead(found, READ_AHEAD, (one) => load(directory, one))) {
    if (loaded.type === 'skipped') onSkipped(loaded.path, loaded.reason)
    else {
      yield loaded.header
      if (loaded.type === 'large') yield* largeBytes(directory, loaded)
      else yield loaded.bytes
      yield tarPadding(loaded.type === 'large' ? loaded.size : loaded.bytes.length)
    }
  }
  yield TAR_END
}

/** The server keeps names in Unicode's composed form (NFC): two of the disk may be one there. */
async function* withoutTwins(all: AsyncIterable<Found>): AsyncGenerator<Found, void, undefined> {
  const taken = new Set<string>()
  for await (const found of all) {
    const name = found.path.normalize('NFC')
    if (found.type === 'skipped') yield found
    else if (taken.has(name)) yield { type: 'skipped', path: found.path, reason: 'another file has the same name in Unicode’s composed form' }
    else {
      taken.add(name)
      yield found
    }
  }
}

/** What the disk does not give is reported and passed over. */
async function load(directory: string, found: Found): Promise<Loaded> {
  if (found.type === 'skipped') return found
  const { path } = found
  if (found.type === 'empty folder') return { type: 'bytes', header: tarHeader({ name: path, type: 'folder', size: 0, modifiedAt: new Date() }), bytes: new Uint8Array() }
  try {
    return await loadFile(directory, path)
  } catch (error) {
    return { type: 'skipped', path, reason: error instanceof Error ? error.message : String(error) }
  }
}

async function loadFile(directory: string, path: string): Promise<Loaded> {
  await using handle = await openFile(directory, path)
  const { size, mtime } = await handle.stat()
  const header = (length: number): Uint8Array => tarHeader({ name: path, type: 'file', size: length, modifiedAt: mtime })
  if (size > STREAM_FROM_BYTES) return { type: 'large', path, header: header(size), size }
  const bytes = await handle.readFile()
  return { type: 'bytes', header: header(bytes.length), bytes }
}

function openFile(directory: string, path: string): Promise<FileHandle> {
  return open(join(directory, path), constants.O_RDONLY | constants.O_NOFOLLOW)
}

/** As many bytes as the header promises, however the file changes meanwhile. */
async function* largeBytes(directory: string, { path, size }: Loaded & { readonly type: 'large' }): AsyncGenerator<Uint8Array, void, undefined> {
  await using handle = await openFile(directory, path)
  for (let sent = 0; sent < size; ) {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(Math.min(PIECE_BYTES, size - sent)), 0, undefined, sent)
    if (bytesRead === 0) throw new CliError(`${path} became shorter while it was read. Import again: what is stored already is not stored twice.`)
    sent += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

async function* joined(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  let waiting: Uint8Array[] = []
  let size = 0
  for await (const part of parts) {
    waiting.push(part)
    size += part.length
    if (size < PIECE_BYTES) continue
    yield Buffer.concat(waiting)
    waiting = []
    size = 0
  }
  yield Buffer.concat(waiting)
}
