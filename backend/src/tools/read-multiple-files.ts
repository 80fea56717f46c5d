import { parsePath } from '../services/files/file-path.ts'
import { fittingLines } from './line-budget.ts'
import { readText } from './read.ts'
import { CONTENT_LIMIT_BYTES, jsonBytes } from './result-limit.ts'
import { lineRange, splitLines } from './text-lines.ts'
import { defineReadTool, type ToolContext } from './tool.ts'
import { limit, textList, toolArguments } from './tool-arguments.ts'
import { type FileFailure, namedPath, tryFile } from './try-file.ts'

const MOST_FILES = 50
const DEFAULT_LIMIT = 500

type ReadResult =
  | {
      readonly path: string
      readonly success: true
      readonly content: string
      readonly hash: string
      readonly version: number | null
      readonly total_lines: number
      readonly truncated: boolean
      /** The line behind the last one shown, for `read`. */
      readonly cursor: number
    }
  | { readonly path: string; readonly success: false; readonly error: FileFailure }

export const readMultipleFilesTool = defineReadTool({
  name: 'read_multiple_files',
  description: 'Read several text files in one call, each from its first line. A file that cannot be read gets its own error; the others are not affected. For images and PDFs use read.',
  arguments: toolArguments({
    paths: textList(`The files, 1 to ${MOST_FILES}.`, { max: MOST_FILES }),
    limit: limit('lines of each file', DEFAULT_LIMIT),
  }),
  async run({ paths, limit: most }, context) {
    const files: ReadResult[] = []
    let left = CONTENT_LIMIT_BYTES
    for (const [index, path] of paths.entries()) {
      context.signal.throwIfAborted()
      // What earlier files leave over is for the later ones; none can take the share of those behind it.
      const file = await readOne(path, { limit: most, bytes: Math.floor(left / (paths.length - index)) }, context)
      left -= jsonBytes(file)
      files.push(file)
    }
    return { files, notice: notice(files, most) }
  },
})

/** Room for everything of a file that is not its content: path, hash, numbers. */
const FILE_BYTES = 400

async function readOne(asked: string, shown: { readonly limit: number; readonly bytes: number }, context: ToolContext): Promise<ReadResult> {
  const read = await tryFile(() => readText(parsePath(asked), context))
  if (!read.ok) return { path: namedPath(asked), success: false, error: read.error }
  const { file, text } = read.value
  const lines = splitLines(text)
  const { end } = lineRange(lines.length, { offset: 0, limit: shown.limit, cursor: undefined })
  const { text: content, count, cut } = fittingLines(lines.slice(0, end), shown.bytes - FILE_BYTES - jsonBytes(file.path), true)
  return { path: file.path, success: true, content, hash: file.hash, version: file.version, total_lines: lines.length, truncated: cut || count < lines.length, cursor: count }
}

function notice(files: readonly ReadResult[], most: number): string | null {
  const cut = files.filter((file) => file.success && file.truncated).map((file) => file.path)
  if (cut.length === 0) return null
  const why = cut.length === 1 ? 'is not shown whole' : 'are not shown whole'
  return `${cut.map((path) => `"${path}"`).join(', ')} ${why}: each file shows at most ${most === 0 ? 'its share of one result' : `${most} lines, and its share of one result`}. Read on with read and the cursor of the file.`
}
