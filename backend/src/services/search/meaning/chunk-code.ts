/** Source code as blocks, by what every language shares: blank lines between parts, and indentation within them. */
import { type Block, indentOf, isBlank } from './chunk-lines.ts'

/** A line that only closes what is open, such as `})` or `end`: it belongs to what stands before it. */
const CLOSING = /^(?:[)\]}>;,]+|end[;,.]?|fi|done|esac)$/

/** Blocks at the outermost level: each begins behind a blank line, at a line without more indentation than the first one. */
export function codeBlocks(lines: readonly string[]): readonly Block[] {
  return blocksOf({ start: 0, end: lines.length }, cutsAt(lines, { start: 0, end: lines.length }))
}

/** The parts of a block that is too large: at the outermost blank lines inside it, else at the outermost lines. Undefined when nothing tells where. */
export function splitCode(lines: readonly string[], block: { readonly start: number; readonly end: number }): readonly Block[] | undefined {
  const cuts = cutsAt(lines, block)
  if (cuts.length > 0) return blocksOf(block, cuts)
  const inner = { start: block.start + 1, end: block.end }
  const innerCuts = cutsAt(lines, inner)
  const level = innerCuts.length > 0 ? innerCuts : linesAt(lines, inner, lowestIndent(lines, inner))
  return level.length > 0 ? blocksOf(block, level) : undefined
}

interface Range {
  readonly start: number
  readonly end: number
}

/** Where blocks begin within a range, its start left out. */
function cutsAt(lines: readonly string[], { start, end }: Range): readonly number[] {
  const lowest = lowestIndent(lines, { start, end })
  const cuts: number[] = []
  for (let index = start + 1; index < end; index++) {
    const line = lines[index] ?? ''
    if (isBlank(lines[index - 1] ?? '') && indentOf(line) <= lowest && !isClosing(line)) cuts.push(index)
  }
  return cuts
}

/** Lines of one indentation that begin something. */
function linesAt(lines: readonly string[], { start, end }: Range, indent: number): readonly number[] {
  const cuts: number[] = []
  for (let index = start; index < end; index++) {
    const line = lines[index] ?? ''
    if (indentOf(line) === indent && !isClosing(line)) cuts.push(index)
  }
  return cuts
}

function lowestIndent(lines: readonly string[], { start, end }: Range): number {
  let lowest = Number.POSITIVE_INFINITY
  for (let index = start; index < end; index++) if (!isClosing(lines[index] ?? '')) lowest = Math.min(lowest, indentOf(lines[index] ?? ''))
  return lowest
}

function isClosing(line: string): boolean {
  return CLOSING.test(line.trim())
}

function blocksOf({ start, end }: Range, cuts: readonly number[]): readonly Block[] {
  if (start === end) return []
  const starts = [start, ...cuts.filter((cut) => cut > start)]
  return starts.map((from, index) => ({ start: from, end: starts[index + 1] ?? end, headings: [], isHeading: false }))
}
