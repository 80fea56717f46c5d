/** Lines of a text, cut without losing a byte: each keeps the line break at its end, so that joining them gives the text back. */
export function splitLines(text: string): readonly string[] {
  return text === '' ? [] : text.split(/(?<=\n)/)
}

/** How many lines `splitLines` gives, without making them. */
export function countLines(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return text === '' || text.endsWith('\n') ? count : count + 1
}

export interface LineRange {
  /** 0-based, the first line. */
  readonly start: number
  /** 0-based, behind the last line. */
  readonly end: number
}

export interface LineRequest {
  /** Lines to skip from the start, or from `cursor`; without a cursor a negative one counts from the end. */
  readonly offset: number
  /** 0: all. */
  readonly limit: number
  readonly cursor: number | undefined
}

/** Which of `total` lines are asked for. Always within the text. */
export function lineRange(total: number, { offset, limit, cursor }: LineRequest): LineRange {
  const from = cursor === undefined && offset >= 0 ? 0 : (cursor ?? total)
  const start = Math.min(Math.max(from + offset, 0), total)
  return { start, end: limit === 0 ? total : Math.min(start + limit, total) }
}
