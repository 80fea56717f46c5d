/** What to tell a model whose text was not found: what stands near, so that its next try fits. */
import { likeness } from '../services/files/near-names.ts'
import { splitLines } from './text-lines.ts'

const SHOWN_NEAR_LINES = 3
const SHOWN_BLOCK_LINES = 12
const SHOWN_LINE_LENGTH = 300
/** Lines that are compared with text that was not found, so that a wrong edit of a huge file stays quick. */
const COMPARED_LINES = 20_000
const COMPARED_LENGTH = 500
/** `cat` and other tools number lines; models then copy the numbers along. */
const NUMBERED = /^\s*\d+[\t:|]/

/** The place in `text` that is most like `wanted`, in words and with its lines as they stand. Line numbers count from 1. */
export function nearText(text: string, wanted: string): string {
  const lines = splitLines(text).slice(0, COMPARED_LINES)
  const wantedLines = wanted.split('\n').map(squeezed)
  const first = wantedLines.findIndex((line) => line !== '')
  const numbers = wanted.split('\n').filter((line) => line.trim() !== '').every((line) => NUMBERED.test(line)) ? ' It begins with line numbers, which are not part of the file.' : ''
  if (first < 0 || lines.length === 0) return `${lines.length === 0 ? 'The file is empty.' : 'It is white space only.'}${numbers}`
  const spaced = sameButSpaces(lines.map(squeezed), trimmed(wantedLines))
  if (spaced !== undefined) return `The same words are there with other white space or line breaks:\n${shown(lines, spaced, trimmed(wantedLines).length)}\nCopy them exactly.${numbers}`
  return nearestLines(lines, { first: wantedLines[first] ?? '', height: wantedLines.length - first }) + numbers
}

/** The lines most like the first line of what was looked for; of a text of several lines, the block that begins at the best one. */
function nearestLines(lines: readonly string[], { first, height }: { readonly first: string; readonly height: number }): string {
  const near = lines
    .map((line, index) => ({ index, line: squeezed(line), score: 0 }))
    .map((candidate) => ({ ...candidate, score: likeness(candidate.line.slice(0, COMPARED_LENGTH), first.slice(0, COMPARED_LENGTH)) }))
    .filter((candidate) => candidate.line !== '' && candidate.score >= 0.5)
    .sort((a, b) => b.score - a.score)
    .slice(0, SHOWN_NEAR_LINES)
  const [best] = near
  if (best === undefined) return 'No line is like it. Read the file again and copy the text exactly, white space included.'
  const block = height > 1 ? shown(lines, best.index, height) : near.map(({ index }) => shown(lines, index, 1)).join('\n')
  return `The closest lines are:\n${block}\nCopy the text exactly as read shows it, white space included.`
}

/** Where `wanted` stands when white space does not count; undefined when nowhere. */
function sameButSpaces(lines: readonly string[], wanted: readonly string[]): number | undefined {
  const found = lines.findIndex((_, start) => wanted.every((line, index) => lines[start + index] === line))
  return found < 0 ? undefined : found
}

/** Without empty lines at both ends. */
function trimmed(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line !== '')
  const last = lines.findLastIndex((line) => line !== '')
  return lines.slice(first, last + 1)
}

function squeezed(line: string): string {
  return line.trim().replaceAll(/\s+/g, ' ')
}

function shown(lines: readonly string[], start: number, height: number): string {
  const block = lines.slice(start, start + Math.min(height, SHOWN_BLOCK_LINES))
  return block.map((line, index) => `${start + index + 1}: ${line.replace(/\r?\n$/, '').slice(0, SHOWN_LINE_LENGTH)}`).join('\n')
}
