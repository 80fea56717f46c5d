/** Changing a text, without I/O. Line breaks stay as the file has them: a file with CRLF keeps CRLF, whatever the model wrote. */
import { AppError } from '../errors.ts'
import { nearText } from './near-text.ts'
import { splitLines } from './text-lines.ts'

/** One change of a text. */
export type TextEdit =
  | { readonly type: 'replace'; readonly oldText: string; readonly newText: string; /** Every place, instead of the only one. */ readonly all: boolean }
  /** `line` 0 = before the first line, the number of lines = at the end. */
  | { readonly type: 'insert'; readonly line: number; readonly content: string }

const SHOWN_MATCHES = 10
const BYTE_ORDER_MARK = '\uFEFF'

export interface EditedText {
  readonly text: string
  /** In how many places it changed. */
  readonly places: number
}

/** `text` after `edit`. Throws `invalid_request` or `conflict` with what a model needs to do better. `path` is for the message. */
export function editText(text: string, edit: TextEdit, path: string): EditedText {
  const mark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : ''
  const body = text.slice(mark.length)
  if (edit.type === 'insert') return { text: mark + insertLines(body, edit, path), places: 1 }
  const replaced = replaceText(body, edit, path)
  return { text: mark + replaced.text, places: replaced.places }
}

function replaceText(text: string, edit: Extract<TextEdit, { type: 'replace' }>, path: string): EditedText {
  const { oldText, newText } = withLineBreaksOf(text, edit)
  if (edit.oldText === edit.newText) throw new AppError('invalid_request', 'old_string and new_string are the same, so nothing would change.')
  if (edit.all) return replaceAll(text, { oldText, newText }, notThere(text, edit, path))
  const found = positions(text, oldText)
  const [at] = found
  if (at === undefined) throw notThere(text, edit, path)()
  if (found.length > 1) throw new AppError('conflict', severalMatches(text, found, path))
  return { text: text.slice(0, at) + newText + text.slice(at + oldText.length), places: 1 }
}

function replaceAll(text: string, { oldText, newText }: { readonly oldText: string; readonly newText: string }, otherwise: () => AppError): EditedText {
  const pieces = text.split(oldText)
  if (pieces.length === 1) throw otherwise()
  return { text: pieces.join(newText), places: pieces.length - 1 }
}

function notThere(text: string, edit: Extract<TextEdit, { type: 'replace' }>, path: string): () => AppError {
  return () => new AppError('conflict', `old_string is not in "${path}". ${nearText(text, edit.oldText)}`)
}

/** The edit in the line breaks of the file: exactly as written when that is found or the file has no CRLF. */
function withLineBreaksOf(text: string, edit: Extract<TextEdit, { type: 'replace' }>): { oldText: string; newText: string } {
  if (!text.includes('\r\n')) return edit
  const found = text.includes(edit.oldText)
  const newText = usesOnlyCrlf(text) || !found ? toCrlf(edit.newText) : edit.newText
  return { oldText: found ? edit.oldText : toCrlf(edit.oldText), newText }
}

function insertLines(text: string, { line, content }: Extract<TextEdit, { type: 'insert' }>, path: string): string {
  const lines = splitLines(text)
  if (line > lines.length) throw new AppError('invalid_request', `insert_line ${line} is behind the end of "${path}", which has ${lines.length} lines: use 0 (before the first line) to ${lines.length} (at the end).`)
  const isCrlf = text.includes('\r\n') && usesOnlyCrlf(text)
  const lineBreak = isCrlf ? '\r\n' : '\n'
  const added = isCrlf ? toCrlf(content) : content
  const before = lines.slice(0, line).join('')
  const after = lines.slice(line).join('')
  if (after !== '') return before + (added.endsWith('\n') ? added : added + lineBreak) + after
  return before + (before === '' || before.endsWith('\n') ? withFinalBreak(added, before, lineBreak) : lineBreak + added)
}

/** At the end of a file that ends with a line break, the new last line gets one as well; in an empty file it is as the model wrote it. */
function withFinalBreak(added: string, before: string, lineBreak: string): string {
  return before === '' || added.endsWith('\n') ? added : added + lineBreak
}

function usesOnlyCrlf(text: string): boolean {
  return !/(?<!\r)\n/.test(text)
}

function toCrlf(text: string): string {
  return text.replaceAll(/\r?\n/g, '\r\n')
}

/** Where `part` begins in `text`, overlapping ones included: they are ambiguous as well. */
function positions(text: string, part: string): readonly number[] {
  const found: number[] = []
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) found.push(at)
  return found
}

function severalMatches(text: string, found: readonly number[], path: string): string {
  const numbers = lineNumbers(text, found.slice(0, SHOWN_MATCHES))
  const more = found.length > numbers.length ? ', …' : ''
  return `old_string is in "${path}" ${found.length} times, at lines ${numbers.join(', ')}${more} (1 = the first line). Give more of the text around the place you mean, so that it is there only once; to change every place, set replace_all.`
}

/** 1-based, as editors and grep count. `positions` ascend. */
function lineNumbers(text: string, found: readonly number[]): readonly number[] {
  let line = 1
  let from = 0
  return found.map((at) => {
    for (let next = text.indexOf('\n', from); next >= 0 && next < at; next = text.indexOf('\n', from)) {
      line++
      from = next + 1
    }
    return line
  })
}
