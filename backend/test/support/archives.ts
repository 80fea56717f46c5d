/** Archives for tests, made and read by another implementation than ours. */
import { crc32, deflateRawSync } from 'node:zlib'
import { extract, type Header, pack } from 'tar-stream'

export interface TestEntry extends Partial<Omit<Header, 'name'>> {
  readonly name: string
  readonly content?: string | Buffer
}

export async function makeTar(entries: readonly TestEntry[]): Promise<Buffer> {
  const archive = pack()
  for (const { content, ...header } of entries) archive.entry(header, content ?? '')
  archive.finalize()
  return concat(archive)
}

export interface ReadEntry {
  readonly name: string
  readonly type: Header['type']
  readonly modifiedAt: Date
  readonly content: Buffer
}

export async function readTar(archive: Buffer): Promise<ReadEntry[]> {
  const parser = extract()
  parser.end(archive)
  const entries: ReadEntry[] = []
  for await (const entry of parser) entries.push({ name: entry.header.name, type: entry.header.type, modifiedAt: entry.header.mtime, content: await concat(entry) })
  return entries
}

async function concat(stream: AsyncIterable<unknown>): Promise<Buffer> {
  return Buffer.concat((await Array.fromAsync(stream)).filter((piece) => Buffer.isBuffer(piece)))
}

export interface ZipEntry {
  readonly name: string | Buffer
  readonly content?: string | Buffer
  /** Unix mode with the kind of file; default: a plain file. */
  readonly mode?: number
  readonly isDeflated?: boolean
  /** Instead of the right one. */
  readonly crc?: number
  readonly flags?: number
}

/** A zip as its format says (APPNOTE.TXT of PKWARE), so that tests can also make wrong ones. */
export function makeZip(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? '')
    const name = Buffer.from(entry.name)
    const data = entry.isDeflated === true ? deflateRawSync(content) : content
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(entry.flags ?? 0, 2)
    common.writeUInt16LE(entry.isDeflated === true ? 8 : 0, 4)
    common.writeUInt32LE(entry.crc ?? crc32(content), 10)
    common.writeUInt32LE(data.length, 14)
    common.writeUInt32LE(content.length, 18)
    common.writeUInt16LE(name.length, 22)
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6)
    tail.writeUInt32LE(offset, 10)
    parts.push(Buffer.from('PK\u0003\u0004'), common, name, data)
    directory.push(Buffer.from('PK\u0001\u0002\u0014\u0003', 'latin1'), common, tail, name)
    offset += 30 + name.length + data.length
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0)
  const end = Buffer.alloc(22)
  end.write('PK\u0005\u0006', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(size, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, ...directory, end])
}
