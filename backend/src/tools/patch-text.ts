/** Applies the hunks of a patch to a text. The text must be exactly what the hunks say; only their line numbers may be wrong. Pure. */
import { AppError } from '../errors.ts'
import { nearText } from './near-text.ts'
import type { PatchHunk, PatchLine } from './parse-patch.ts'

export interface PatchedText {
  readonly text: string
  /** Hunks that were found elsewhere than where the patch says, with how many lines further down (or up). */
  readonly moved: readonly { readonly number: number; readonly by: number }[]
}

interface TextLine {
  readonly text: string
  /** `\n`, `\r\n`, or empty for a last line without one. */
  readonly end: string
}

const BYTE_ORDER_MARK = '\uFEFF'

/** Throws `conflict`, naming the hunk and what is there instead. `path` is for the message. */
export function patchText(text: string, hunks: readonly PatchHunk[], path: string): PatchedText {
  const mark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : ''
  const old = linesOf(text.slice(mark.length))
  const lineBreak = old.length > 0 && old.every(({ end }) => end !== '\n') && old.some(({ end }) => end === '\r\n') ? '\r\n' : '\n'
  const result: (readonly TextLine[])[] = []
  const moved: { number: number; by: number }[] = []
  let done = 0
  let drift = 0
  for (const hunk of hunks) {
    const at = findHunk(old, { hunk, from: done, drift }) ?? fail(misfit(old, { hunk, from: done, path, of: hunks.length }))
    const said = saidStart(hunk)
    if (said !== undefined && said !== at) moved.push({ number: hunk.number, by: at - said })
    drift = said === undefined ? drift : at - said
    const end = at + oldLines(hunk).length
    result.push(old.slice(done, at), newLines(old.slice(at, end), hunk, lineBreak))
    done = end
  }
  return { text: mark + joined([...result, old.slice(done)].flat(), lineBreak), moved }
}

/** The lines of a hunk as they shall be: what stays keeps its own line break, what is new gets that of the file. */
function newLines(old: readonly TextLine[], hunk: PatchHunk, lineBreak: string): readonly TextLine[] {
  let next = 0
  const lines: TextLine[] = []
  for (const line of hunk.lines) {
    const kept = line.kind === 'add' ? undefined : old[next++]
    if (line.kind === 'keep' && kept !== undefined) lines.push(kept)
    if (line.kind === 'add') lines.push({ text: lineBreak === '\r\n' ? line.text.replace(/\r$/, '') : line.text, end: lineBreak })
  }
  const last = lines.at(-1)
  if (last === undefined || !hunk.newEndsOpen) return lines
  return [...lines.slice(0, -1), { ...last, end: '' }]
}

/** Every line but the last one needs a line break. */
function joined(lines: readonly TextLine[], lineBreak: string): string {
  return lines.map(({ text, end }, index) => text + (end === '' && index < lines.length - 1 ? lineBreak : end)).join('')
}

interface Place {
  readonly hunk: PatchHunk
  /** Behind the hunk before. */
  readonly from: number
  /** How far that one was from where the patch says. */
  readonly drift: number
}

/** Where the old lines of a hunk are: nearest to where the patch says. Without line numbers there must be only one such place. */
function findHunk(lines: readonly TextLine[], { hunk, from, drift }: Place): number | undefined {
  const wanted = oldLines(hunk)
  const said = saidStart(hunk)
  if (wanted.length === 0) return insertionPlace(lines, { said, from, drift })
  const isHere = (at: number): boolean => at >= from && fits(lines, at, { wanted, hunk })
  if (said !== undefined) return nearest(said + drift, lines.length, isHere)
  const found = lines.flatMap((_, at) => (isHere(at) ? [at] : []))
  return found.length > 1 ? fail(ambiguous(hunk, found)) : found[0]
}

/** Outward from `start`, first above and then below. */
function nearest(start: number, length: number, isHere: (at: number) => boolean): number | undefined {
  for (let distance = 0; distance <= Math.max(start, length - start); distance++) {
    if (isHere(start - distance)) return start - distance
    if (isHere(start + distance)) return start + distance
  }
  return undefined
}

/** Lines to add without any around them can only go where the patch says. */
function insertionPlace(lines: readonly TextLine[], { said, from, drift }: { readonly said: number | undefined; readonly from: number; readonly drift: number }): number | undefined {
  if (lines.length === 0) return 0
  const at = said === undefined ? undefined : said + drift
  return at !== undefined && at >= from && at <= lines.length ? at : undefined
}

function fits(lines: readonly TextLine[], at: number, { wanted, hunk }: { readonly wanted: readonly PatchLine[]; readonly hunk: PatchHunk }): boolean {
  const isThere = at >= 0 && wanted.every((line, index) => isSame(lines[at + index], line.text))
  if (!isThere || !hunk.oldEndsOpen) return isThere
  return at + wanted.length === lines.length && lines.at(-1)?.end === ''
}

/** A patch of a file with CRLF may have been written with the CR or without it. */
function isSame(line: TextLine | undefined, text: string): boolean {
  return line !== undefined && (line.text === text || (line.end === '\r\n' && `${line.text}\r` === text))
}

function oldLines(hunk: PatchHunk): readonly PatchLine[] {
  return hunk.lines.filter((line) => line.kind !== 'add')
}

/** 0-based. A hunk without old lines names the line behind which it adds. */
function saidStart(hunk: PatchHunk): number | undefined {
  if (hunk.oldStart === undefined) return undefined
  return oldLines(hunk).length === 0 ? hunk.oldStart : Math.max(hunk.oldStart - 1, 0)
}

function linesOf(text: string): readonly TextLine[] {
  const pieces = text.split('\n')
  const last = pieces.pop() ?? ''
  const lines = pieces.map((piece) => (piece.endsWith('\r') ? { text: piece.slice(0, -1), end: '\r\n' } : { text: piece, end: '\n' }))
  return last === '' ? lines : [...lines, { text: last, end: '' }]
}

function misfit(lines: readonly TextLine[], { hunk, from, path, of }: { readonly hunk: PatchHunk; readonly from: number; readonly path: string; readonly of: number }): AppError {
  const name = `Hunk ${hunk.number} of ${of} for "${path}" does not fit`
  const wanted = oldLines(hunk).map(({ text }) => text)
  if (wanted.length === 0) return new AppError('conflict', `${name}: it adds lines behind line ${hunk.oldStart ?? '?'}, and the file has ${lines.length} lines. Give some lines around the place.`)
  const fresh = hunk.lines.filter((line) => line.kind !== 'remove')
  const isDone = fresh.length > 0 && lines.some((_, at) => fresh.every((line, index) => isSame(lines[at + index], line.text)))
  if (isDone) return new AppError('conflict', `${name}: its old lines are not there, and its new lines are. It seems to be applied already; leave it out.`)
  const isBefore = lines.some((_, at) => at < from && fits(lines, at, { wanted: oldLines(hunk), hunk }))
  if (isBefore) return new AppError('conflict', `${name}: its lines are above those of the hunk before. Put the hunks of a file in the order of its lines.`)
  const text = lines.map((line) => line.text).join('\n')
  const open = hunk.oldEndsOpen ? ' It says that the file ends there without a line break.' : ''
  return new AppError('conflict', `${name}: these lines are not there one after another.${open} ${nearText(text, wanted.join('\n'))}`)
}

function ambiguous(hunk: PatchHunk, found: readonly number[]): AppError {
  return new AppError('conflict', `Hunk ${hunk.number} has no line numbers, and its lines are there ${found.length} times, at lines ${found.slice(0, 10).map((at) => at + 1).join(', ')}. Give more lines around the place, or the numbers ("@@ -12,3 +12,4 @@").`)
}

function fail(error: AppError): never {
  throw error
}
