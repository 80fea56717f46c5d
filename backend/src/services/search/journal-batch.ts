/** What changed in a workspace, a bounded piece at a time, each file once at its latest state. */
import type { DbConn } from '../../db/db.ts'
import { INLINE_BYTES, readBlob, readInlineMany } from '../../repositories/blob-repository.ts'
import { type ChangedFileRow, readChangedFiles, readWindow } from '../../repositories/search-repository.ts'

export interface JournalBatch {
  readonly workspaceId: string
  /** The journal up to here is in this batch and those before it. */
  readonly seq: number
  readonly files: readonly ChangedFileRow[]
  /** Files that are not there any more: deleted, purged. */
  readonly gone: readonly string[]
}

/** Why a file has no text: it has other bytes, or is not UTF-8. */
export type TextProblem = 'binary' | 'encoding'

/** The beginning of a file as text, or why there is none. */
export interface FileText {
  readonly text: string | null
  readonly problem: TextProblem | null
  /** False: the file is longer than what is indexed of it. */
  readonly isWhole: boolean
}

/** Journal rows, and bytes of text, that are taken in together. */
const MOST_ROWS = 256
const MOST_BYTES = 8 * 1024 * 1024
/** What is indexed of one file. */
export const INDEXED_BYTES = INLINE_BYTES

/** The next batch after a seq; undefined when there is nothing new. */
export async function readBatch(conn: DbConn, workspaceId: string, after: number): Promise<JournalBatch | undefined> {
  const whole = await batchOf(conn, workspaceId, { after, limit: MOST_ROWS })
  if (whole === undefined || textBytes(whole) <= MOST_BYTES) return whole
  // Large files: as few rows as surely fit.
  return batchOf(conn, workspaceId, { after, limit: Math.floor(MOST_BYTES / INDEXED_BYTES) })
}

async function batchOf(conn: DbConn, workspaceId: string, page: { readonly after: number; readonly limit: number }): Promise<JournalBatch | undefined> {
  const window = await readWindow(conn, workspaceId, page)
  if (window === undefined) return undefined
  const files = await readChangedFiles(conn, workspaceId, window.fileIds)
  const present = new Set(files.map((file) => file.id))
  return { workspaceId, seq: window.seq, files, gone: window.fileIds.filter((id) => !present.has(id)) }
}

function textBytes({ files }: JournalBatch): number {
  return files.reduce((sum, { size }) => sum + Math.min(size, INDEXED_BYTES), 0)
}

/** The texts of files, by hash in hex. */
export async function readTexts(conn: DbConn, workspaceId: string, files: readonly Pick<ChangedFileRow, 'hash' | 'size'>[]): Promise<ReadonlyMap<string, FileText>> {
  const small = files.filter(({ size }) => size <= INLINE_BYTES)
  const inline = await readInlineMany(conn, workspaceId, small.map(({ hash }) => hash))
  const texts = new Map([...inline].map(([hash, bytes]) => [hash, decodeText(bytes, true)]))
  for (const { hash, size } of files) {
    if (size > INLINE_BYTES) texts.set(hash.toString('hex'), decodeText(await readBeginning(conn, { workspaceId, hash }, size), false))
  }
  return texts
}

/** Stops at the first piece that shows that this is no text. */
async function readBeginning(conn: DbConn, key: { readonly workspaceId: string; readonly hash: Buffer }, size: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of readBlob(conn, key, { size, start: 0, end: INDEXED_BYTES - 1 })) {
    pieces.push(piece)
    if (piece.includes(0)) break
  }
  return Buffer.concat(pieces)
}

function decodeText(bytes: Buffer, isWhole: boolean): FileText {
  if (bytes.includes(0)) return { text: null, problem: 'binary', isWhole }
  try {
    // A letter that is cut in half at the end of a beginning is left out.
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !isWhole }), problem: null, isWhole }
  } catch {
    return { text: null, problem: 'encoding', isWhole } // the decoder's only way to say that these bytes are not UTF-8
  }
}
