import type { FileEntry } from '@buildscale/protocol'
import { AppError } from '../errors.ts'
import { parsePath } from '../services/files/file-path.ts'
import { sniffMedia } from '../services/files/media.ts'
import { requireFile } from './find-entry.ts'
import { fileText } from './file-text.ts'
import { fittingLines } from './line-budget.ts'
import { CONTENT_LIMIT_BYTES } from './result-limit.ts'
import { shownMedia } from './shown-media.ts'
import { lineRange, splitLines } from './text-lines.ts'
import { defineReadTool, type ToolContext } from './tool.ts'
import { limit, optionalInteger, shortText, toolArguments } from './tool-arguments.ts'

const DEFAULT_LIMIT = 500
/** The largest file that is read as text at all; `grep` finds things in larger ones. */
export const READ_LIMIT_BYTES = 16 * 1024 * 1024

export const readTool = defineReadTool({
  name: 'read',
  description:
    'Read a text file, whole or some of its lines: the text exactly as stored, the hash of the whole file (for edit), the number of lines, and a cursor for reading on. Of an image (PNG, JPEG, GIF, WebP) or a PDF you are shown the picture or the document itself; then offset, limit and cursor do not count.',
  arguments: toolArguments({
    path: shortText('The file, for example "/src/main.ts".'),
    offset: optionalInteger('Lines to skip, 0 = from the first line. Negative: from that many lines before the end. With cursor: relative to it. Default 0.'),
    limit: limit('lines', DEFAULT_LIMIT),
    cursor: optionalInteger('The line to go on from, 0 = the first: the cursor of the previous result.', { min: 0 }),
  }),
  async run({ path: asked, offset = 0, limit: most, cursor }, context) {
    const path = parsePath(asked)
    const { file, bytes } = await readBytes(path, context)
    const media = sniffMedia(bytes)
    if (media !== undefined) return shownMedia(file, { media, size: bytes.length })
    const lines = splitLines(fileText(file, bytes))
    const range = lineRange(lines.length, { offset, limit: most, cursor })
    const { text: content, count, cut } = fittingLines(lines.slice(range.start, range.end), CONTENT_LIMIT_BYTES, true)
    const end = range.start + count
    return {
      path,
      content,
      hash: file.hash,
      version: file.version,
      total_lines: lines.length,
      truncated: cut || end < lines.length,
      offset: range.start,
      limit: most,
      cursor: end,
      notice: notice({ start: range.start, end, total: lines.length, cut }),
    }
  },
})

type ReadFile = FileEntry & { readonly hash: string }

/** The text of a file and what was known of it at that moment. Throws `not_found`, `conflict` (a folder), `payload_too_large`, `unsupported_media_type`. */
export async function readText(path: string, context: ToolContext): Promise<{ file: ReadFile; text: string }> {
  const { file, bytes } = await readBytes(path, context)
  return { file, text: fileText(file, bytes) }
}

async function readBytes(path: string, context: ToolContext): Promise<{ file: ReadFile; bytes: Buffer }> {
  const entry = await requireFile(context, path, 'Use ls to see what is in it.')
  if ((entry.size ?? 0) > READ_LIMIT_BYTES) throw tooLarge(entry)
  const { conn, files, workspaceId } = context
  const { file, version, bytes } = await conn.run((db) => files.read(db, { workspaceId, path, maxBytes: READ_LIMIT_BYTES }))
  return { file: { ...file, hash: version.hash, version: version.number }, bytes }
}

function tooLarge({ path, size, mime }: FileEntry): AppError {
  const isText = mime === null || !/^(image|audio|video)\/|pdf$|zip$|octet-stream$/.test(mime)
  const instead = isText ? ` grep with path_pattern "${path}" finds lines in it.` : ''
  return new AppError('payload_too_large', `"${path}" has ${(size ?? 0).toLocaleString('en')} bytes; files over ${READ_LIMIT_BYTES / 1024 / 1024} MiB cannot be read or edited.${instead}`)
}

function notice({ start, end, total, cut }: { readonly start: number; readonly end: number; readonly total: number; readonly cut: boolean }): string | null {
  if (cut) return `Line ${start + 1} is too long for one result: only its beginning is shown. grep finds what is further back in it. Read on with cursor: ${end}.`
  if (start >= total && total > 0) return `The file ends before this line: it has ${total} lines.`
  return end < total ? `Lines ${start + 1} to ${end} of ${total}. Read on with cursor: ${end}.` : null
}
