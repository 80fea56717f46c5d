import { parsePath } from '../services/files/file-path.ts'
import { fittingLines } from './line-budget.ts'
import { readText } from './read.ts'
import { CONTENT_LIMIT_BYTES, jsonBytes } from './result-limit.ts'
import { lineRange, splitLines } from './text-lines.ts'
import { defineReadTool, type ToolContext } from './tool.ts'
import { flag, optionalInteger, textList, toolArguments } from './tool-arguments.ts'
import { type FileFailure, namedPath, tryFile } from './try-file.ts'

const MOST_FILES = 20

interface Look {
  readonly show_headers: boolean
  readonly number_lines: boolean
  readonly show_ends: boolean
  readonly show_tabs: boolean
  readonly squeeze_blank: boolean
  readonly offset: number
  readonly limit: number
}

/** What the result says of one file; its text is in the common `content`. */
type CatFile =
  | { readonly path: string; readonly version: number | null; readonly total_lines: number; readonly offset: number; readonly truncated: boolean; readonly cursor: number }
  | { readonly path: string; readonly error: FileFailure }

export const catTool = defineReadTool({
  name: 'cat',
  description: 'Show several text files one after another as one text, optionally with headers and line numbers. For one file, or a hash to edit with, use read.',
  arguments: toolArguments({
    paths: textList(`The files, 1 to ${MOST_FILES}, in the order in which they are shown.`, { max: MOST_FILES }),
    show_headers: flag('Put a line "==> path <==" before each file.'),
    number_lines: flag('Put the number of each line before it, counted from 1 in its file.'),
    show_ends: flag('Show the end of each line as "$" ("^M$" for CRLF).'),
    show_tabs: flag('Show tabs as "^I".'),
    squeeze_blank: flag('Show several empty lines in a row as one.'),
    offset: optionalInteger('Lines to skip in each file. Negative: show that many lines from its end. Default 0.'),
    limit: optionalInteger('Show at most this many lines of each file; 0 shows all that fit into one result. Default 0.', { min: 0 }),
  }),
  async run({ paths, offset = 0, limit = 0, ...flags }, context) {
    const look: Look = { ...flags, offset, limit }
    const files: CatFile[] = []
    let content = ''
    // Every file's facts must fit, whatever its text leaves of the room.
    let left = CONTENT_LIMIT_BYTES - paths.reduce((sum, path) => sum + jsonBytes(namedPath(path)) + FACTS_BYTES, 0)
    for (const path of paths) {
      context.signal.throwIfAborted()
      const shown = await showFile(path, { look, bytes: left, startsOnNewLine: content === '' || content.endsWith('\n') }, context)
      content += shown.text
      left -= jsonBytes(shown.text)
      files.push(shown.file)
    }
    return { content, files, truncated: files.some(isTruncated), notice: notice(files) }
  },
})

/** Room for what the result says of one file: numbers, or an error in some sentences. */
const FACTS_BYTES = 2_000

interface Showing {
  readonly look: Look
  readonly bytes: number
  readonly startsOnNewLine: boolean
}

async function showFile(asked: string, { look, bytes, startsOnNewLine }: Showing, context: ToolContext): Promise<{ readonly text: string; readonly file: CatFile }> {
  const read = await tryFile(() => readText(parsePath(asked), context))
  const lineBreak = startsOnNewLine ? '' : '\n'
  if (!read.ok) {
    const text = `${lineBreak}[cat: ${read.error.message}]\n`
    return { text: jsonBytes(text) <= bytes ? text : '', file: { path: namedPath(asked), error: read.error } }
  }
  const { file, text } = read.value
  const header = look.show_headers ? `${lineBreak}==> ${file.path} <==\n` : ''
  const lines = splitLines(text)
  const { start, end } = lineRange(lines.length, { offset: look.offset, limit: look.limit, cursor: undefined })
  const shown = shownLines(lines.slice(start, end), { start, look })
  const { text: body, count, cut } = fittingLines(shown.map((line) => line.text), bytes - jsonBytes(header), startsOnNewLine && bytes > CONTENT_LIMIT_BYTES / 2)
  const fits = count > 0 || shown.length === 0
  const cursor = fits ? (shown[count]?.index ?? end) : start
  return { text: fits ? header + body : '', file: { path: file.path, version: file.version, total_lines: lines.length, offset: start, truncated: cut || cursor < lines.length, cursor } }
}

interface ShownLine {
  /** 0-based, in the file. */
  readonly index: number
  readonly text: string
}

function shownLines(lines: readonly string[], { start, look }: { readonly start: number; readonly look: Look }): readonly ShownLine[] {
  const numbered = lines.map((line, index) => ({ index: start + index, line }))
  const kept = look.squeeze_blank ? numbered.filter(({ line }, index) => !(isBlank(line) && isBlank(numbered[index - 1]?.line))) : numbered
  return kept.map(({ index, line }) => ({ index, text: shownLine(line, { number: index + 1, look }) }))
}

function isBlank(line: string | undefined): boolean {
  return line === '\n' || line === '\r\n'
}

function shownLine(line: string, { number, look }: { readonly number: number; readonly look: Look }): string {
  const [, text = '', lineBreak = ''] = /^(.*?)(\r?\n)?$/s.exec(line) ?? []
  const tabs = look.show_tabs ? text.replaceAll('\t', '^I') : text
  const end = look.show_ends && lineBreak !== '' ? lineBreak.replace('\r', '^M').replace('\n', '$\n') : lineBreak
  return `${look.number_lines ? `${String(number).padStart(6)}\t` : ''}${tabs}${end}`
}

function isTruncated(file: CatFile): boolean {
  return 'truncated' in file && file.truncated
}

function notice(files: readonly CatFile[]): string | null {
  const cut = files.filter(isTruncated).map((file) => `"${file.path}"`)
  return cut.length === 0 ? null : `${cut.join(', ')} ${cut.length === 1 ? 'is' : 'are'} not shown to the end. Read on with read and the cursor of the file.`
}
