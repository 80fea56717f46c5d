import { crc32 } from 'node:zlib'
import { type Entry, fromBufferPromise, getFileNameLowLevel, openPromise, type ZipFile } from 'yauzl'
import { AppError } from '../../errors.ts'
import { type Content, contentSize } from '../files/content.ts'
import { type ArchiveEntry, DamagedEntry } from './archive-entry.ts'
import { checkRatio, type TransferLimits } from './transfer-limits.ts'

/** The entries of a zip that has come whole. Throws `invalid_request` when its directory is damaged; entries that are damaged say so when they are read. */
export async function* zipEntries(archive: Content, limits: TransferLimits): AsyncGenerator<ArchiveEntry> {
  const reading = { zip: await openZip(archive), packed: contentSize(archive), unpacked: 0, limits }
  try {
    for await (const entry of reading.zip.eachEntry()) yield archiveEntry(reading, entry)
  } catch (error) {
    throw error instanceof AppError ? error : damaged(error)
  } finally {
    reading.zip.close()
  }
}

interface Reading {
  readonly zip: ZipFile
  readonly packed: number
  unpacked: number
  readonly limits: TransferLimits
}

async function openZip(archive: Content): Promise<ZipFile> {
  // Names are decoded by us: the library ends the whole archive at one name that it does not like.
  const options = { lazyEntries: true, decodeStrings: false, autoClose: false, validateEntrySizes: true }
  try {
    return await (Buffer.isBuffer(archive) ? fromBufferPromise(archive, options) : openPromise(archive.path, options))
  } catch (error) {
    throw damaged(error)
  }
}

function damaged(cause: unknown): AppError {
  return new AppError('invalid_request', `The zip is damaged or ends early: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}

function archiveEntry(reading: Reading, entry: Entry): ArchiveEntry {
  const name = entryName(entry)
  const unusual = unusualKind(entry)
  if (unusual !== undefined) return { type: 'other', name, reason: unusual }
  if (name.endsWith('/')) return { type: 'folder', name }
  return { type: 'file', name, bytes: entryBytes(reading, entry) }
}

const UNIX = 3
const FILE_KIND = 0o170000
const LINK = 0o120000
const KINDS = [0, 0o100000, 0o040000]
const STORED = 0
const DEFLATED = 8

/** Why an entry is neither a file nor a folder that can be read. */
function unusualKind(entry: Entry): string | undefined {
  const mode = entry.versionMadeBy >>> 8 === UNIX ? (entry.externalFileAttributes >>> 16) & FILE_KIND : 0
  if (mode === LINK) return 'a symbolic link'
  if (!KINDS.includes(mode)) return 'a special file'
  if (entry.isEncrypted()) return 'it is encrypted'
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) return `its compression (method ${entry.compressionMethod}) is not known here`
  return undefined
}

const UTF8_FLAG = 0x800
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** As the flag or the extra field says; without either UTF-8 when it is that, as most programs write it, else the old code page 437. */
function entryName(entry: Entry): string {
  try {
    return getFileNameLowLevel(entry.generalPurposeBitFlag | (isUtf8(entry.fileNameRaw) ? UTF8_FLAG : 0), entry.fileNameRaw, entry.extraFields, true)
  } catch (error) {
    throw damaged(error)
  }
}

function isUtf8(name: Buffer): boolean {
  try {
    utf8.decode(name)
    return true
  } catch {
    return false // the answer, not a failure
  }
}

/** Unpacks one entry and compares length and checksum with what the directory says. */
async function* entryBytes(reading: Reading, entry: Entry): AsyncGenerator<Buffer> {
  let sum = 0
  try {
    const pieces: AsyncIterable<Buffer> = await reading.zip.openReadStreamPromise(entry)
    for await (const piece of pieces) {
      sum = crc32(piece, sum)
      reading.unpacked += piece.length
      checkRatio(reading, reading.limits)
      yield piece
    }
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new DamagedEntry(`it cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (sum !== entry.crc32) throw new DamagedEntry('it is damaged: its bytes do not match their checksum')
}
