/** What `rg --json` prints, as far as it is used (https://docs.rs/grep-printer/latest/grep_printer/struct.JSON.html). */

export type RipgrepEvent =
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'line'; readonly isMatch: boolean; readonly number: number; readonly text: string }
  /** Printed last, and only when the search itself ran. */
  | { readonly type: 'summary' }

/** The most of a line that is shown, in UTF-16 units. */
const LINE_TEXT_LIMIT = 2_000
/** Of a longer line, how much before the match is shown. */
const LEAD_IN = 200

/** One record of the output; undefined for what is of no use: the end of a file, a path that is not UTF-8 and so is none of ours. */
export function parseRipgrepEvent(record: Buffer): RipgrepEvent | undefined {
  const event: unknown = JSON.parse(record.toString('utf8'))
  if (!isObject(event)) return undefined
  const data = isObject(event['data']) ? event['data'] : {}
  switch (event['type']) {
    case 'begin':
      return fileEvent(data)
    case 'match':
    case 'context':
      return lineEvent(data, event['type'] === 'match')
    case 'summary':
      return { type: 'summary' }
    default:
      return undefined
  }
}

type JsonObject = Readonly<Record<string, unknown>>

/** A file whose name is not UTF-8 is none of ours; it is given a path that no workspace has, so that its lines do not count for the file before. */
function fileEvent(data: JsonObject): RipgrepEvent {
  const path = isObject(data['path']) ? data['path']['text'] : undefined
  return { type: 'file', path: typeof path === 'string' ? workspacePath(path) : '' }
}

function lineEvent(data: JsonObject, isMatch: boolean): RipgrepEvent | undefined {
  const number = data['line_number']
  if (typeof number !== 'number') return undefined
  const bytes = lineBytes(data['lines'])
  return { type: 'line', isMatch, number, text: shownText(bytes, matchStart(data['submatches'])) }
}

/** `./src/a.ts`, as ripgrep names it, is `/src/a.ts`. */
export function workspacePath(path: string): string {
  return path.startsWith('./') ? path.slice(1) : `/${path}`
}

/** Lines that are not UTF-8 come as base64. */
function lineBytes(lines: unknown): Buffer {
  if (!isObject(lines)) return Buffer.alloc(0)
  if (typeof lines['text'] === 'string') return Buffer.from(lines['text'], 'utf8')
  return typeof lines['bytes'] === 'string' ? Buffer.from(lines['bytes'], 'base64') : Buffer.alloc(0)
}

/** In bytes from the start of the line. */
function matchStart(submatches: unknown): number {
  const first: unknown = Array.isArray(submatches) ? submatches[0] : undefined
  return isObject(first) && typeof first['start'] === 'number' ? first['start'] : 0
}

/** The line without its break; of a very long one, the part around the match. */
function shownText(bytes: Buffer, start: number): string {
  const text = bytes.toString('utf8').replace(/\r?\n$/, '')
  if (text.length <= LINE_TEXT_LIMIT) return text
  const at = Math.max(0, bytes.subarray(0, start).toString('utf8').length - LEAD_IN)
  const end = at + LINE_TEXT_LIMIT
  return `${at > 0 ? '…' : ''}${text.slice(at, end).toWellFormed()}${end < text.length ? '…' : ''}`
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
