import type { BlameRange, FileBlame } from '@buildscale/protocol'
import type { DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { readBlob } from '../../repositories/blob-repository.ts'
import { type FilePlace, findFile } from '../../repositories/file-repository.ts'
import { type FileKey, findVersion, listVersions, type VersionRow } from '../../repositories/file-version-repository.ts'
import { findCallPlaces } from '../../repositories/history-repository.ts'
import { matchLines } from './unified-diff.ts'
import { plainText } from './utf8-text.ts'

export interface BlameLimits {
  /** The largest version that is looked at. */
  readonly bytes: number
  readonly timeMs: number
}

const LIMITS: BlameLimits = { bytes: 4 * 1024 * 1024, timeMs: 10_000 }
const PAGE = 200

export interface BlameRequest extends FilePlace {
  /** Default: the latest. */
  readonly version?: number
}

/**
 * Which version each line of a file came in with, and who made it. A line that went and came back came in when it came back.
 * Throws `not_found`, `conflict` on a folder, `unsupported_media_type` for what is not text, `payload_too_large` for what is too large or takes too long.
 */
export async function fileBlame(conn: DbConn, request: BlameRequest, limits: BlameLimits = LIMITS): Promise<FileBlame> {
  const { workspaceId, path } = request
  const { fileId, version } = await findText(conn, request)
  const key = { workspaceId, fileId }
  const text = await textOf(conn, key, { version, limits })
  if (text === undefined) throw new AppError('unsupported_media_type', `"${path}" is not text (${version.mime}), so it has no lines.`)
  const lines = linesOf(text)
  const origins = await originsOf({ conn, key, path, limits }, { version, lines })
  return { path, version: version.number, lines: lines.length, ranges: await ranges(conn, workspaceId, origins) }
}

async function findText(conn: DbConn, { workspaceId, path, version: number }: BlameRequest): Promise<{ readonly fileId: string; readonly version: VersionRow }> {
  const file = path === '/' ? undefined : await findFile(conn, { workspaceId, path })
  if (path === '/' || file?.fileType === 'folder') throw new AppError('conflict', `"${path}" is a folder: only files have lines.`)
  if (file === undefined || file.latest === null) throw new AppError('not_found', `There is no file "${path}".`)
  const version = number === undefined || number === file.latest.number ? file.latest : await findVersion(conn, { workspaceId, fileId: file.id }, number)
  if (version === undefined) throw new AppError('not_found', `"${path}" has no version ${number ?? 0}; its newest one is ${file.latest.number}.`)
  return { fileId: file.id, version }
}

interface Search {
  readonly conn: DbConn
  readonly key: FileKey
  readonly path: string
  readonly limits: BlameLimits
}

/** Walks back from the asked version until every line has been found to be new somewhere: of each line, the version. */
async function originsOf(search: Search, asked: { readonly version: VersionRow; readonly lines: readonly string[] }): Promise<readonly VersionRow[]> {
  const deadline = performance.now() + search.limits.timeMs
  const origins: (VersionRow | undefined)[] = asked.lines.map(() => undefined)
  let current = { version: asked.version, lines: asked.lines, targets: asked.lines.map((_, index) => index) }
  for await (const version of olderVersions(search)(asked.version.number)) {
    if (current.targets.every((target) => target < 0)) break
    if (version.hash.equals(current.version.hash)) {
      current = { ...current, version }
      continue
    }
    const text = await textOf(search.conn, search.key, { version, limits: search.limits })
    const lines = text === undefined ? [] : linesOf(text)
    const matches = matchLines(lines, current.lines, Math.max(1, deadline - performance.now()))
    if (matches === undefined || performance.now() > deadline) throw tooLong(search, version)
    const targets = lines.map(() => -1)
    for (const [index, target] of current.targets.entries()) {
      const match = matches[index] ?? -1
      if (match >= 0) targets[match] = target
      else if (target >= 0) origins[target] = current.version
    }
    current = { version, lines, targets }
  }
  for (const target of current.targets) if (target >= 0) origins[target] = current.version
  return origins.map((origin) => origin ?? current.version)
}

/** Versions before a number, newest first. */
function olderVersions({ conn, key }: Search) {
  return async function* (from: number): AsyncGenerator<VersionRow, void, void> {
    for (let before = from; ; ) {
      const rows = await listVersions(conn, key, { before, limit: PAGE })
      yield* rows
      const last = rows.at(-1)
      if (last === undefined || rows.length < PAGE) return
      before = last.number
    }
  }
}

/** Undefined for what is not text. */
async function textOf(conn: DbConn, { workspaceId }: FileKey, { version, limits }: { readonly version: VersionRow; readonly limits: BlameLimits }): Promise<string | undefined> {
  const { number, hash, size } = version
  if (size > limits.bytes) throw new AppError('payload_too_large', `Version ${number} has ${size.toLocaleString('en')} bytes; lines are traced in files of at most ${limits.bytes.toLocaleString('en')} bytes.`)
  const pieces = await Array.fromAsync(readBlob(conn, { workspaceId, hash }, { size, start: 0, end: size - 1 }))
  return plainText(Buffer.concat(pieces, size))
}

function tooLong({ path, limits }: Search, version: VersionRow): AppError {
  return new AppError('payload_too_large', `Tracing the lines of "${path}" takes longer than ${limits.timeMs / 1000} s; it came back as far as version ${version.number}. Compare two versions with diff instead.`)
}

/** Without their breaks: a last line that gets one is the same line. */
function linesOf(text: string): readonly string[] {
  const lines = text.split('\n')
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

async function ranges(conn: DbConn, workspaceId: string, origins: readonly VersionRow[]): Promise<BlameRange[]> {
  const calls = new Set(origins.flatMap(({ author }) => author.toolCallId ?? []))
  const places = new Map((calls.size === 0 ? [] : await findCallPlaces(conn, workspaceId, [...calls])).map((place) => [place.id, place]))
  const found: BlameRange[] = []
  for (const [index, { number, author, createdAt }] of origins.entries()) {
    const last = found.at(-1)
    if (last?.version === number) {
      found[found.length - 1] = { ...last, count: last.count + 1 }
      continue
    }
    const place = places.get(author.toolCallId ?? '')
    found.push({
      line: index + 1,
      count: 1,
      version: number,
      author: { kind: author.kind, id: author.id },
      turn_id: author.turnId,
      tool_call_id: author.toolCallId,
      message_id: place?.messageId ?? null,
      chat_id: place?.chatId ?? null,
      created_at: createdAt.toISOString(),
    })
  }
  return found
}
