/** Lines of a text, and runs of them, as the chunker sees them. */

/** A run of lines that belongs together: `start` and `end` are indexes of lines, `end` behind the last one. */
export interface Block {
  readonly start: number
  readonly end: number
  /** The headings above and in it, from the outermost on. */
  readonly headings: readonly string[]
  readonly isHeading: boolean
}

/** Lines with the break at their end, so that joining them gives the text back. */
export function splitLines(text: string): readonly string[] {
  return text === '' ? [] : text.split(/(?<=\n)/)
}

/** Width of the blanks at the start; a tab counts as four. Infinite for a blank line. */
export function indentOf(line: string): number {
  let width = 0
  for (const letter of line) {
    if (letter === ' ') width += 1
    else if (letter === '\t') width += 4
    else return letter === '\n' || letter === '\r' ? Number.POSITIVE_INFINITY : width
  }
  return Number.POSITIVE_INFINITY
}

export function isBlank(line: string): boolean {
  return !/\S/.test(line)
}
