import { styleText } from 'node:util'

type Style = 'dim' | 'red' | 'green' | 'yellow' | 'bold' | 'cyan'

/** Where a command prints: answers on stdout, everything about how they come to be on stderr. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** Colours `text` for stderr when that is a terminal and colours are wanted. */
  style(style: Style, text: string): string
  readonly isOutTty: boolean
  readonly isErrTty: boolean
}

export function processTerminal(): Terminal {
  const isOutTty = process.stdout.isTTY === true
  const isErrTty = process.stderr.isTTY === true
  const hasColour = isErrTty && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb'
  return {
    // A file or pipe gets the exact text; a terminal must not obey what a model wrote.
    out: (text) => void process.stdout.write(isOutTty ? printable(text) : text),
    err: (text) => void process.stderr.write(text),
    style: (style, text) => (hasColour ? styleText(style, text, { validateStream: false }) : text),
    isOutTty,
    isErrTty,
  }
}

/** `text` without the control characters that move cursors, change titles or hide text. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
}
