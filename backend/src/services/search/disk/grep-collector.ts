/** Turns the lines that ripgrep prints into matches with their context, and knows when there are enough. No I/O. */
import type { PathMatcher } from './glob-pattern.ts'
import type { RipgrepEvent } from './ripgrep-event.ts'

export interface GrepMatch {
  readonly path: string
  /** 1-based. */
  readonly line_number: number
  readonly line_text: string
  /** Only when context was asked for. */
  readonly before_context?: readonly string[]
  readonly after_context?: readonly string[]
}

export interface GrepCollectorOptions {
  /** Matches, at most. */
  readonly limit: number
  /** Bytes of JSON, at most. */
  readonly sizeLimit: number
  /** Lines before and after each match. */
  readonly before: number
  readonly after: number
  /** Files whose matches count. */
  readonly accepts: PathMatcher
}

interface Line {
  readonly number: number
  readonly text: string
}

interface Found {
  readonly path: string
  readonly line: Line
  readonly before: readonly string[]
  readonly after: string[]
  bytes: number
}

/** About what a match takes in JSON besides its texts. */
const MATCH_OVERHEAD_BYTES = 90

export class GrepCollector {
  readonly #options: GrepCollectorOptions
  #found: Found[] = []
  #bytes = 0
  #path: string | undefined
  #line = 0
  /** The last lines of the current file, as many as may stand before a match. */
  #recent: Line[] = []

  constructor(options: GrepCollectorOptions) {
    this.#options = options
  }

  add(event: RipgrepEvent): void {
    if (event.type === 'file') this.#startFile(event.path)
    if (event.type === 'line' && this.#path !== undefined) this.#addLine(this.#path, event)
  }

  /** True when nothing that follows can change the result. */
  get isFull(): boolean {
    if (this.#bytes > this.#options.sizeLimit) return true
    if (this.#found.length <= this.#options.limit) return false
    const last = this.#found[this.#options.limit - 1]
    return last === undefined || last.path !== this.#path || this.#line >= last.line.number + this.#options.after
  }

  get paths(): readonly string[] {
    return [...new Set(this.#found.map((found) => found.path))]
  }

  /** Forgets matches in files that are not (or no longer) the workspace's. */
  keepOnly(isKnown: (path: string) => boolean): void {
    this.#found = this.#found.filter((found) => isKnown(found.path))
    this.#bytes = this.#found.reduce((sum, found) => sum + found.bytes, 0)
  }

  /** The matches that fit, and why there are no more of them. */
  result(): { readonly matches: readonly GrepMatch[]; readonly cutBy: 'limit' | 'size' | null } {
    let bytes = 0
    const fits = this.#found.findIndex((found) => (bytes += found.bytes) > this.#options.sizeLimit)
    const count = Math.min(fits < 0 ? Infinity : fits, this.#options.limit)
    const matches = this.#found.slice(0, count).map((found) => this.#match(found))
    if (matches.length === this.#found.length) return { matches, cutBy: null }
    return { matches, cutBy: matches.length === this.#options.limit ? 'limit' : 'size' }
  }

  #startFile(path: string): void {
    this.#path = this.#options.accepts(path) ? path : undefined
    this.#recent = []
    this.#line = 0
  }

  #addLine(path: string, { isMatch, ...line }: Extract<RipgrepEvent, { type: 'line' }>): void {
    this.#line = line.number
    this.#appendContext(path, line)
    if (isMatch) this.#addMatch(path, line)
    if (this.#options.before === 0) return
    this.#recent.push(line)
    if (this.#recent.length > this.#options.before) this.#recent.shift()
  }

  #addMatch(path: string, line: Line): void {
    const before = this.#recent.filter((recent) => recent.number >= line.number - this.#options.before).map((recent) => recent.text)
    const bytes = MATCH_OVERHEAD_BYTES + textBytes(path) + [line.text, ...before].reduce((sum, text) => sum + textBytes(text), 0)
    this.#found.push({ path, line, before, after: [], bytes })
    this.#bytes += bytes
  }

  /** The line follows those matches that are near enough above it. */
  #appendContext(path: string, line: Line): void {
    for (let index = this.#found.length - 1; index >= 0; index--) {
      const found = this.#found[index]
      if (found === undefined || found.path !== path || found.line.number + this.#options.after < line.number) return
      const bytes = textBytes(line.text)
      found.after.push(line.text)
      found.bytes += bytes
      this.#bytes += bytes
    }
  }

  #match({ path, line, before, after }: Found): GrepMatch {
    return {
      path,
      line_number: line.number,
      line_text: line.text,
      ...(this.#options.before > 0 && { before_context: before }),
      ...(this.#options.after > 0 && { after_context: after }),
    }
  }
}

function textBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) + 1
}
