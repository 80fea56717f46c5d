/** Archives for tests, made and read by another implementation than ours. */
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
