import { comparable, type Word, wordsOf } from './words.ts'
import { ENDING, type Term } from './word-query.ts'

/** Where in a text the words of a question stand best, as it is shown to people and models. */
export interface Excerpt {
  /** From 1. */
  readonly line: number
  readonly excerpt: string
  /** Parts of the excerpt that match: begin and end, in UTF-16 units. */
  readonly highlights: readonly (readonly [number, number])[]
}

/** Places that are looked at: a word that is everywhere stands well at one of the first. */
const MOST_PLACES = 500
/** What of a very long line is looked at around a match. */
const WINDOW = 400
const SHOWN = 240

interface Place extends Excerpt {
  readonly found: number
}

/** The line with most of the terms, the first one of equals; undefined when none has any. */
export function findExcerpt(text: string, terms: readonly Term[]): Excerpt | undefined {
  const whole = comparable(text)
  const lines = new LineFinder(whole)
  let best: Place | undefined
  let places = 0
  for (const match of whole.matchAll(termsPattern(terms))) {
    if (++places > MOST_PLACES || best?.found === terms.length) break
    const line = lines.at(match.index)
    if (line.isNew) best = better(best, placeIn(line, terms))
  }
  if (best === undefined) return undefined
  const { line, excerpt, highlights } = best
  return { line, excerpt, highlights }
}

/** The beginning of a text, for a file that was found by its name. */
export function firstLine(text: string): Excerpt {
  const lines = text.split('\n', 100)
  const index = Math.max(0, lines.findIndex((line) => line.trim() !== ''))
  return { line: index + 1, ...shown(lines[index]?.slice(0, 2 * SHOWN) ?? '', []) }
}

/** True when a text (a path, for example) has one of the terms. */
export function hasTerm(text: string, terms: readonly Term[]): boolean {
  const words = [...wordsOf(comparable(text))]
  return terms.some((term) => rangesOf(words, term).length > 0)
}

function better(best: Place | undefined, place: Place | undefined): Place | undefined {
  if (place === undefined || place.found === 0) return best
  return best === undefined || place.found > best.found ? place : best
}

interface FoundLine {
  readonly number: number
  readonly text: string
  readonly isNew: boolean
}

/** Lines of growing offsets, and of a very long line what stands around the offset. */
class LineFinder {
  readonly #text: string
  #number = 1
  #start = 0
  #end: number
  #seenTo = -1

  constructor(text: string) {
    this.#text = text
    this.#end = this.#endAfter(0)
  }

  at(offset: number): FoundLine {
    while (this.#end < offset) {
      this.#start = this.#end + 1
      this.#end = this.#endAfter(this.#start)
      this.#number += 1
    }
    const from = Math.max(this.#start, offset - WINDOW)
    const to = Math.min(this.#end, offset + WINDOW)
    const isNew = offset >= this.#seenTo
    if (isNew) this.#seenTo = to
    return { number: this.#number, text: this.#text.slice(from, to).toWellFormed(), isNew }
  }

  #endAfter(start: number): number {
    const end = this.#text.indexOf('\n', start)
    return end < 0 ? this.#text.length : end
  }
}

function placeIn({ number, text }: FoundLine, terms: readonly Term[]): Place {
  const words = [...wordsOf(text)]
  const ranges = terms.map((term) => rangesOf(words, term))
  const found = ranges.filter((places) => places.length > 0).length
  return { line: number, found, ...shown(text, ranges.flat()) }
}

/** Fits a line into an excerpt, beginning a little before the first match. */
function shown(line: string, ranges: readonly (readonly [number, number])[]): Pick<Excerpt, 'excerpt' | 'highlights'> {
  const sorted = joinRanges(ranges)
  const indent = line.length - line.trimStart().length
  const first = sorted[0]?.[0] ?? indent
  const from = line.length - indent <= SHOWN ? indent : Math.max(indent, first - SHOWN / 4)
  const cut = line.slice(from, from + SHOWN).trimEnd()
  const lead = from > indent ? '…' : ''
  const excerpt = `${lead}${cut}${from + cut.length < line.trimEnd().length ? '…' : ''}`.toWellFormed()
  const shift = lead.length - from
  const end = lead.length + cut.length
  const highlights = sorted.filter(([start]) => start >= from && start + shift < end).map(([start, stop]): readonly [number, number] => [start + shift, Math.min(stop + shift, end)])
  return { excerpt, highlights }
}

function joinRanges(ranges: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  const joined: [number, number][] = []
  for (const [start, end] of ranges.toSorted((one, other) => one[0] - other[0])) {
    const last = joined.at(-1)
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end)
    else joined.push([start, end])
  }
  return joined
}

/** Where the words match a term by the rules of the index. An identifier is marked whole, also when only a part of it was meant. */
function rangesOf(words: readonly Word[], term: Term): readonly (readonly [number, number])[] {
  const parts = words.flatMap((word) => word.parts.map((part) => ({ part, word })))
  const wholes = words.filter((word) => term.whole !== null && word.whole !== null && fits(word.whole, term.whole, term))
  const single = term.parts.length === 1 ? words.filter((word) => word.whole !== null && fits(word.whole, term.parts[0] ?? '', term)) : []
  const rows = parts.flatMap((first, at) => {
    const last = parts[at + term.parts.length - 1]
    const isRow = last !== undefined && term.parts.every((wanted, index) => fitsAt(parts[at + index]?.part ?? '', wanted, { term, isLast: index === term.parts.length - 1 }))
    return isRow ? [{ start: first.word.start, end: last.word.end }] : []
  })
  return [...rows, ...wholes, ...single].map(({ start, end }) => [start, end] as const)
}

function fitsAt(part: string, wanted: string, { term, isLast }: { readonly term: Term; readonly isLast: boolean }): boolean {
  return isLast ? fits(part, wanted, term) : part === wanted
}

function fits(part: string, wanted: string, { isExact, parts }: Term): boolean {
  if (part === wanted) return true
  if (isExact) return false
  return (wanted.length >= 3 && part.startsWith(wanted)) || (parts.length === 1 && part === wanted.replace(ENDING, ''))
}

/** Every place where a term may be; whether it is one is decided word by word. */
function termsPattern(terms: readonly Term[]): RegExp {
  const sources = terms.map(({ parts, isExact }) => {
    const [only = ''] = parts
    if (parts.length === 1) return escaped(isExact ? only : only.replace(ENDING, ''))
    return parts.map(escaped).join('[^\\p{L}\\p{N}]{0,20}')
  })
  return new RegExp(sources.join('|'), 'giu')
}

function escaped(part: string): string {
  return part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
