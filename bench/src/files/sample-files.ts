/** Files to work on, always the same. */
import { TAR_END, tarHeader, tarPadding } from '@buildscale/protocol'

export interface SampleFile {
  readonly path: string
  readonly bytes: Buffer
}

/** A line that few of the files have, for searching. */
export const RARE = 'the needle of file'
/** One file in so many has it. */
export const RARE_EVERY = 400

/** Source text of some 600 to 2,400 bytes, a hundred files a folder. */
export function* textFiles(count: number): Generator<SampleFile, void, undefined> {
  for (let index = 0; index < count; index += 1) {
    const lines = Array.from({ length: 12 + (index % 37) }, (_, line) => `export const value${line} = compute(${index}, ${line * 7}, "some text")`)
    const rare = index % RARE_EVERY === 0 ? [`// ${RARE} ${index}`] : []
    yield { path: pathOf(index, 'ts'), bytes: Buffer.from([`// file ${index}`, ...rare, ...lines, ''].join('\n')) }
  }
}

/** Bytes that are no text, so that no index of texts is busy with them while something else is measured. */
export function* binaryFiles(count: number): Generator<SampleFile, void, undefined> {
  for (let index = 0; index < count; index += 1) yield { path: pathOf(index, 'bin'), bytes: Buffer.from(`\0${'b'.repeat(200)}${index}`) }
}

export function folderOf(index: number): string {
  return `folder-${String(Math.floor(index / 100)).padStart(4, '0')}`
}

export function pathOf(index: number, extension: string): string {
  return `${folderOf(index)}/file-${String(index).padStart(6, '0')}.${extension}`
}

const PIECE_BYTES = 256 * 1024

/** The files as a tar, made while it is sent. */
export function tarOf(files: Iterable<SampleFile>): ReadableStream<Uint8Array> {
  return ReadableStream.from(pieces(files))
}

async function* pieces(files: Iterable<SampleFile>): AsyncGenerator<Uint8Array, void, undefined> {
  let waiting: Uint8Array[] = []
  let size = 0
  for (const { path, bytes } of files) {
    waiting.push(tarHeader({ name: path, type: 'file', size: bytes.length, modifiedAt: new Date(0) }), bytes, tarPadding(bytes.length))
    size += bytes.length + 1_024
    if (size < PIECE_BYTES) continue
    yield Buffer.concat(waiting)
    waiting = []
    size = 0
  }
  yield Buffer.concat([...waiting, TAR_END])
}
