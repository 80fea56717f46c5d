/**
 * Patterns for paths: `*` any text in a name, `?` one character, `[a-z]` and `[!a-z]` one of these, `{a,b}` either, `**` any folders, `\` takes one of
 * these characters as it is. Matched here, in time proportional to pattern times path: a pattern from outside must neither become an option of another program nor
 * (as a regular expression would) keep the process busy.
 */
import { AppError } from '../../../errors.ts'

/** True for a path of a file, `/` first, that matches. */
export type PathMatcher = (path: string) => boolean

const MAX_ALTERNATIVES = 200
const SPECIAL = /[*?[\]{}\\]/

type NamePart =
  | { readonly type: 'text'; readonly letter: string }
  | { readonly type: 'any-letter' }
  | { readonly type: 'any-text' }
  | { readonly type: 'set'; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] }

/** `folders`: any number of them, none included. */
type Segment = { readonly type: 'folders' } | { readonly type: 'name'; readonly parts: readonly NamePart[] }

/** True when `pattern` says more than one fixed path. */
export function isGlob(pattern: string): boolean {
  return SPECIAL.test(pattern)
}

/**
 * A matcher of paths below `base`. Without a `/` the pattern matches names at any depth; a `/` at its start says nothing. A pattern for a folder
 * (with `/` at its end) takes everything in it. Throws `invalid_request` for `..`, control characters, backslashes that escape nothing, and
 * more than 200 alternatives.
 */
export function globMatcher(pattern: string, base = '/'): PathMatcher {
  checkPattern(pattern)
  const alternatives = expandBraces(pattern.normalize('NFC')).map(parseAlternative)
  const prefix = base === '/' ? '/' : `${base}/`
  return (path) => {
    if (!path.startsWith(prefix)) return false
    const names = path.slice(prefix.length).split('/')
    return alternatives.some((segments) => matchesSegments(segments, names))
  }
}

/** The folder in which everything that `pattern` can match lies, as far as the pattern says it: `/src` for `src/**` and `/src/*.ts`. */
export function globBase(pattern: string): string {
  const segments = pattern.split('/').filter((segment) => segment !== '' && segment !== '.')
  const fixed = segments.slice(0, -1)
  const special = fixed.findIndex((segment) => SPECIAL.test(segment))
  return `/${(special < 0 ? fixed : fixed.slice(0, special)).join('/')}`
}

/** A pattern for names alone as a regular expression of PostgreSQL. Throws `invalid_request` as `globMatcher` does, and for a pattern with folders in it. */
export function nameRegex(pattern: string): string {
  checkPattern(pattern)
  if (pattern.includes('/')) throw new AppError('invalid_request', `The name pattern ${JSON.stringify(pattern)} contains "/": it is compared with names, not with paths. Give the folder as path, or use glob for a pattern of paths.`)
  const alternatives = expandBraces(pattern.normalize('NFC')).map((alternative) => parseName(alternative).map(partRegex).join(''))
  return `^(?:${alternatives.join('|')})$`
}

function partRegex(part: NamePart): string {
  switch (part.type) {
    case 'text':
      return regexLetter(part.letter)
    case 'any-letter':
      return '.'
    case 'any-text':
      return '.*'
    case 'set': {
      const ranges = part.ranges.filter(([low, high]) => low <= high).map(([low, high]) => (low === high ? regexLetter(low) : `${regexLetter(low)}-${regexLetter(high)}`))
      if (ranges.length === 0) return part.negated ? '.' : '(?!.).'
      return `[${part.negated ? '^' : ''}${ranges.join('')}]`
    }
  }
}

/** A backslash before a letter or digit means something, before anything else the character itself. */
function regexLetter(letter: string): string {
  return /[!-/:-@[-`{-~\s]/.test(letter) ? `\\${letter}` : letter
}

function checkPattern(pattern: string): void {
  if (pattern.trim() === '') throw new AppError('invalid_request', 'The pattern is empty. "**/*" matches every file, "*.md" files by name.')
  if (/\p{Cc}/u.test(pattern)) throw new AppError('invalid_request', 'The pattern contains a NUL or another control character, which no file name here has.')
  if (/\\(?![*?[\]{},!])/.test(pattern)) throw new AppError('invalid_request', 'The pattern contains a backslash: folders are separated by "/". Only * ? [ ] { } , ! may have one before them, to mean the character itself.')
  const isUpward = expandBraces(pattern).some((alternative) => alternative.split('/').includes('..'))
  if (isUpward) throw new AppError('invalid_request', `The pattern ${JSON.stringify(pattern)} contains "..": patterns are relative to the workspace root (or the given folder) and cannot leave it.`)
}

/** `a{b,c}d` as `abd` and `acd`; nested ones too. A brace without its partner, or without a comma, is text. */
function expandBraces(pattern: string): readonly string[] {
  const done: string[] = []
  const waiting = [{ text: pattern, from: 0 }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const choice = firstChoice(next.text, next.from)
    if (choice === undefined) done.push(next.text)
    else waiting.push(...choice.toReversed())
    if (done.length + waiting.length > MAX_ALTERNATIVES) throw new AppError('invalid_request', `The pattern has more than ${MAX_ALTERNATIVES} alternatives in braces. Use a simpler one.`)
  }
  return done
}

function firstChoice(text: string, from: number): readonly { text: string; from: number }[] | undefined {
  for (let open = from; open < text.length; open++) {
    if (text[open] === '\\') open++
    else if (text[open] === '{') {
      const options = optionsOf(text, open)
      if (options !== undefined) return options.items.map((item) => ({ text: text.slice(0, open) + item + text.slice(options.end), from: open }))
    }
  }
  return undefined
}

function optionsOf(text: string, open: number): { readonly items: readonly string[]; readonly end: number } | undefined {
  const items: string[] = []
  let depth = 0
  let start = open + 1
  for (let at = open; at < text.length; at++) {
    const letter = text[at]
    if (letter === '\\') at++
    else if (letter === '{') depth++
    else if (letter === ',' && depth === 1) {
      items.push(text.slice(start, at))
      start = at + 1
    } else if (letter === '}' && --depth === 0) return items.length === 0 ? undefined : { items: [...items, text.slice(start, at)], end: at + 1 }
  }
  return undefined
}

function parseAlternative(pattern: string): readonly Segment[] {
  const segments = pattern.split('/').filter((segment) => segment !== '' && segment !== '.').map(parseSegment)
  const isNameOnly = !pattern.replace(/^\/+/, '').includes('/')
  const rooted: readonly Segment[] = isNameOnly ? [{ type: 'folders' }, ...segments] : segments
  return pattern.endsWith('/') ? [...rooted, { type: 'folders' }, { type: 'name', parts: [{ type: 'any-text' }] }] : rooted
}

function parseSegment(segment: string): Segment {
  return segment === '**' ? { type: 'folders' } : { type: 'name', parts: parseName(segment) }
}

function parseName(segment: string): readonly NamePart[] {
  const letters = [...segment]
  const parts: NamePart[] = []
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at] ?? ''
    const set = letter === '[' ? parseSet(letters, at) : undefined
    if (set !== undefined) {
      parts.push(set.part)
      at = set.end
    } else if (letter === '*') {
      if (parts.at(-1)?.type !== 'any-text') parts.push({ type: 'any-text' })
    } else if (letter === '?') parts.push({ type: 'any-letter' })
    else if (letter === '\\' && at + 1 < letters.length) parts.push({ type: 'text', letter: letters[++at] ?? '' })
    else parts.push({ type: 'text', letter })
  }
  return parts
}

/** `[abc]`, `[a-z]`, `[!a]`; a bracket without its partner is text. */
function parseSet(letters: readonly string[], open: number): { readonly part: NamePart; readonly end: number } | undefined {
  const negated = letters[open + 1] === '!' || letters[open + 1] === '^'
  const first = open + (negated ? 2 : 1)
  const end = letters.indexOf(']', first + 1)
  if (end < 0) return undefined
  const ranges: (readonly [string, string])[] = []
  for (let at = first; at < end; at++) {
    const low = letters[at] ?? ''
    const isRange = letters[at + 1] === '-' && at + 2 < end
    ranges.push([low, isRange ? (letters[at + 2] ?? low) : low])
    if (isRange) at += 2
  }
  return { part: { type: 'set', negated, ranges }, end }
}

function matchesSegments(segments: readonly Segment[], names: readonly string[]): boolean {
  return matchWild<Segment, string>(segments, names, { isWild: (segment) => segment.type === 'folders', matches: matchesSegment })
}

function matchesSegment(segment: Segment, name: string): boolean {
  return segment.type === 'name' && matchesName(segment.parts, [...name])
}

function matchesName(parts: readonly NamePart[], letters: readonly string[]): boolean {
  return matchWild(parts, letters, { isWild: (part) => part.type === 'any-text', matches: matchesLetter })
}

interface WildRules<Part, Item> {
  isWild(part: Part): boolean
  matches(part: Part, item: Item): boolean
}

/** Whether `parts` match all of `items`, where a wild part takes any number of them. Greedy with one way back, which is enough: at most parts times items steps. */
function matchWild<Part, Item>(parts: readonly Part[], items: readonly Item[], rules: WildRules<Part, Item>): boolean {
  let part = 0
  let item = 0
  let retry: { readonly part: number; item: number } | undefined
  while (item < items.length) {
    const current = parts[part]
    const value = items[item]
    if (current !== undefined && rules.isWild(current)) retry = { part: ++part, item }
    else if (current !== undefined && value !== undefined && rules.matches(current, value)) {
      part++
      item++
    } else if (retry === undefined) return false
    else {
      part = retry.part
      item = ++retry.item
    }
  }
  return parts.slice(part).every((rest) => rules.isWild(rest))
}

function matchesLetter(part: NamePart, letter: string): boolean {
  switch (part.type) {
    case 'text':
      return part.letter === letter
    case 'any-letter':
    case 'any-text':
      return true
    case 'set':
      return part.ranges.some(([low, high]) => low <= letter && letter <= high) !== part.negated
  }
}
