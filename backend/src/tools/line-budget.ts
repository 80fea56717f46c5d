import { jsonBytes } from './result-limit.ts'

export interface FittingLines {
  readonly text: string
  /** How many of the lines are in `text`. */
  readonly count: number
  /** The last line in `text` is only the beginning of a line that alone is larger than a result may be. */
  readonly cut: boolean
}

/** The lines that fit into `bytes` of JSON. Of a first line that alone is too long for `bytes` its beginning, when `mayCut`; otherwise nothing. */
export function fittingLines(lines: readonly string[], bytes: number, mayCut: boolean): FittingLines {
  const whole = lines.join('')
  if (jsonBytes(whole) <= bytes) return { text: whole, count: lines.length, cut: false }
  let used = 0
  const count = lines.findIndex((line) => (used += jsonBytes(line)) > bytes)
  if (count > 0) return { text: lines.slice(0, count).join(''), count, cut: false }
  return mayCut ? { text: beginningOf(lines[0] ?? '', bytes), count: 1, cut: true } : { text: '', count: 0, cut: false }
}

/** Control characters take six bytes in JSON, other characters at most three for each UTF-16 unit. */
export function beginningOf(text: string, bytes: number): string {
  const beginning = text.slice(0, Math.floor(bytes / 6))
  return beginning.isWellFormed() ? beginning : beginning.slice(0, -1)
}
