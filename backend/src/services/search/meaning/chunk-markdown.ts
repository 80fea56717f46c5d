/**
 * Markdown as blocks that should not be cut: front matter, headings, fenced code, tables, lists, paragraphs. A scanner over lines and not a parser: it takes linear
 * time whatever a tenant's file holds, and every line lies in exactly one block, which is all that chunks need.
 */
import { type Block, indentOf, isBlank } from './chunk-lines.ts'

const ATX_HEADING = /^ {0,3}(#{1,6})(?:[ \t].*)?\r?\n?$/
const FENCE = /^ {0,3}(`{3,}|~{3,})/
const SETEXT = /^ {0,3}(?:=+|-+)[ \t]*\r?\n?$/
const LIST_ITEM = /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]|\r?\n?$)/
const MAX_HEADING = 120

/** A heading ends what stands before it and begins a section; its own block is only its line. */
export function markdownBlocks(lines: readonly string[]): readonly Block[] {
  const scanner = new Scanner(lines)
  while (!scanner.isAtEnd) scanner.readBlock()
  return scanner.blocks
}

class Scanner {
  readonly blocks: Block[] = []
  readonly #lines: readonly string[]
  #at = 0
  #headings: readonly Heading[] = []

  constructor(lines: readonly string[]) {
    this.#lines = lines
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#lines.length
  }

  readBlock(): void {
    const start = this.#at
    const heading = this.#heading()
    if (heading !== undefined) this.#headings = [...this.#headings.filter(({ level }) => level < heading.level), heading]
    else this.#skipContent()
    while (isBlankAt(this.#lines, this.#at)) this.#at++
    this.blocks.push({ start, end: this.#at, headings: this.#headings.map(({ text }) => text), isHeading: heading !== undefined })
  }

  /** Reads a heading when there is one: `# text`, or a line above `===` or `---`. */
  #heading(): Heading | undefined {
    const atx = ATX_HEADING.exec(this.#line())
    if (atx !== null) {
      this.#at += 1
      return { level: atx[1]?.length ?? 1, text: headingText(this.#lines[this.#at - 1] ?? '') }
    }
    const isUnderlined = !isBlank(this.#line()) && !startsBlock(this.#line()) && indentOf(this.#line()) < 4 && SETEXT.test(this.#line(1))
    if (!isUnderlined) return undefined
    const heading = { level: this.#line(1).trimStart().startsWith('=') ? 1 : 2, text: headingText(this.#line()) }
    this.#at += 2
    return heading
  }

  #skipContent(): void {
    const line = this.#line()
    const fence = FENCE.exec(line)
    if (this.#at === 0 && /^---[ \t]*\r?\n$/.test(line)) this.#skipFrontMatter()
    else if (fence !== null) this.#skipFence(fence[1] ?? '```')
    else if (LIST_ITEM.test(line)) this.#skipList()
    else this.#skipParagraph()
  }

  /** Without a closing line it is no front matter, only a rule. */
  #skipFrontMatter(): void {
    const end = this.#lines.findIndex((line, index) => index > 0 && /^(?:---|\.\.\.)[ \t]*\r?\n?$/.test(line))
    this.#at = end < 0 ? 1 : end + 1
  }

  /** To the closing fence, or to the end of the text when there is none, as CommonMark has it. */
  #skipFence(fence: string): void {
    this.#at += 1
    while (!this.isAtEnd) {
      const closing = FENCE.exec(this.#line())?.[1]
      const isClosed = closing !== undefined && closing[0] === fence[0] && closing.length >= fence.length && this.#line().trim() === closing
      this.#at += 1
      if (isClosed) return
    }
  }

  /** Items and what is indented below them; a blank line ends the list unless more of it follows. */
  #skipList(): void {
    this.#at += 1
    while (!this.isAtEnd) {
      const next = this.#lines.slice(this.#at, this.#at + 2).findIndex((line) => !isBlank(line))
      const line = this.#line(Math.max(next, 0))
      if (next < 0 || !(LIST_ITEM.test(line) || indentOf(line) >= 2 || (next === 0 && !startsBlock(line)))) return
      this.#at += next + 1
    }
  }

  #skipParagraph(): void {
    this.#at += 1
    while (!this.isAtEnd && !isBlank(this.#line()) && !startsBlock(this.#line())) this.#at += 1
  }

  #line(ahead = 0): string {
    return this.#lines[this.#at + ahead] ?? ''
  }
}

interface Heading {
  readonly level: number
  readonly text: string
}

/** Whether a line ends a paragraph without a blank line between. */
function startsBlock(line: string): boolean {
  return ATX_HEADING.test(line) || FENCE.test(line) || LIST_ITEM.test(line)
}

function isBlankAt(lines: readonly string[], index: number): boolean {
  const line = lines[index]
  return line !== undefined && isBlank(line)
}

/** Without the signs that make it a heading or give it a look. */
function headingText(line: string): string {
  const plain = line.slice(0, 4 * MAX_HEADING).trim().replace(/^#{1,6}/, '').replace(/[ \t]#+$/, '').replaceAll(/[`*]/g, '').trim()
  return plain.length > MAX_HEADING ? `${plain.slice(0, MAX_HEADING).toWellFormed()}…` : plain
}
