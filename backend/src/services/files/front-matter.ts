/** Front matter: the YAML between two lines `---` at the start of a text file. Only data comes out of it, never code, and every fault names the line of the *file*. */
import { isAlias, isCollection, isPair, isScalar, LineCounter, parseDocument, stringify, visit, type Document, type Node } from 'yaml'

/** A fault, or the place of something, in a file; both numbers count from 1. */
export interface LinePlace {
  readonly line: number
  readonly column: number
}

export interface FrontMatterError extends LinePlace {
  readonly message: string
}

export interface FrontMatter {
  /** What the YAML says, as plain data; null for an empty one, undefined when the file has no front matter at all. */
  readonly data: unknown
  /** Everything behind the closing line, as it stands. */
  readonly body: string
  /** The line in which the body begins. */
  readonly bodyLine: number
  /** Where a value stands, by its path in `data`; for what is not there, the nearest thing around it. */
  at(path: readonly PropertyKey[]): LinePlace
}

/** Front matter is a page of settings; what is larger is a mistake, or an attack on the parser, whose time grows with the square of the keys. */
const MAX_FRONT_MATTER = 16 * 1024
/** Deeper than any settings, and far from what could exhaust the stack. */
const MAX_DEPTH = 32
const NO_ALIASES = 'Anchors and aliases ("&", "*") are not understood here: write the value out, or put quotes around it.'
const FENCE = /^---[ \t]*\r?$/

/** Splits a file into its front matter and its body. A byte order mark and CRLF line ends are fine. */
export function splitFrontMatter(text: string): FrontMatter | { readonly error: FrontMatterError } {
  const lines = (text.startsWith('\uFEFF') ? text.slice(1) : text).split('\n')
  if (!FENCE.test(lines[0] ?? '')) return { data: undefined, body: lines.join('\n'), bodyLine: 1, at: () => ({ line: 1, column: 1 }) }
  const end = lines.findIndex((line, index) => index > 0 && FENCE.test(line))
  if (end === -1) return fault({ line: 1, column: 1 }, 'The front matter that begins here has no closing line "---".')
  const yaml = lines.slice(1, end).map((line) => line.replace(/\r$/, '')).join('\n')
  if (yaml.length > MAX_FRONT_MATTER) return fault({ line: 2, column: 1 }, `The front matter is longer than ${MAX_FRONT_MATTER} characters: settings belong there, text belongs below it.`)
  const parsed = parseYaml(yaml)
  if ('error' in parsed) return parsed
  return { ...parsed, body: lines.slice(end + 1).join('\n'), bodyLine: end + 2 }
}

/** The text of a file with this front matter; line ends are those of the body. */
export function joinFrontMatter(data: object, body: string): string {
  const head = `---\n${stringify(data, { aliasDuplicateObjects: false, lineWidth: 0 })}---\n`
  return `${body.includes('\r\n') ? head.replaceAll('\n', '\r\n') : head}${body}`
}

/**
 * The text with these keys of its front matter set and, when given, another body. Comments, other keys and their order stay; a text without front matter gets one.
 * A front matter that is broken, or is no list of keys, is the answer's error.
 */
export function setFrontMatter(text: string, { set, body }: { readonly set: Readonly<Record<string, unknown>>; readonly body?: string }): string | { readonly error: FrontMatterError } {
  const split = splitFrontMatter(text)
  if ('error' in split) return split
  const newBody = body ?? split.body
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : ''
  if (split.data === undefined || split.data === null) return mark + joinFrontMatter(set, newBody)
  if (typeof split.data !== 'object' || Array.isArray(split.data)) return fault({ line: 2, column: 1 }, 'The front matter is not a list of keys and values.')
  const head = text.slice(mark.length).split('\n').slice(1, split.bodyLine - 2).map((line) => line.replace(/\r$/, '')).join('\n')
  const document = parseDocument(head, { resolveKnownTags: false, stringKeys: true })
  for (const [key, value] of Object.entries(set)) document.set(key, value)
  const written = `---\n${document.toString({ lineWidth: 0 })}---\n`
  return mark + (text.includes('\r\n') ? written.replaceAll('\n', '\r\n') : written) + newBody
}

function parseYaml(yaml: string): Pick<FrontMatter, 'data' | 'at'> | { readonly error: FrontMatterError } {
  const depth = flowDepth(yaml) ?? compactDepth(yaml)
  if (depth !== undefined) return fault({ line: depth.line + 1, column: depth.column }, `The front matter is nested deeper than ${MAX_DEPTH} levels.`)
  const lineCounter = new LineCounter()
  const placeOf = (offset: number): LinePlace => {
    const { line, col } = lineCounter.linePos(offset)
    return { line: Math.max(line, 1) + 1, column: Math.max(col, 1) }
  }
  // Tags and anchors could name types and repeat values without end: neither is needed for settings, so neither is understood.
  const document = parseDocument(yaml, { lineCounter, prettyErrors: false, resolveKnownTags: false, stringKeys: true })
  const broken = document.errors[0] ?? document.warnings[0]
  if (broken !== undefined) return fault(placeOf(broken.pos[0]), broken.code === 'BAD_ALIAS' ? NO_ALIASES : sentence(broken.message))
  const unsafe = firstUnsafeNode(document)
  if (unsafe !== undefined) return fault(placeOf(unsafe.offset), unsafe.message)
  return { data: document.toJS({ maxAliasCount: 0 }), at: (path) => placeOf(offsetOf(document, path)) }
}

/** Where brackets nest too deeply, found before the parser descends into them. Brackets within text count too: nobody has so many. */
function flowDepth(yaml: string): LinePlace | undefined {
  let depth = 0
  for (let index = 0; index < yaml.length; index++) {
    const character = yaml[index]
    if (character === '[' || character === '{') depth++
    else if (character === ']' || character === '}') depth--
    if (depth > MAX_DEPTH) return { line: yaml.slice(0, index).split('\n').length, column: index - yaml.lastIndexOf('\n', index) }
  }
  return undefined
}

/** The same for collections that open in one line: `- - - - a`. */
function compactDepth(yaml: string): LinePlace | undefined {
  const found = new RegExp(`^[ \\t]*(?:[-?:][ \\t]+){${MAX_DEPTH + 1}}`, 'm').exec(yaml)
  return found === null ? undefined : { line: yaml.slice(0, found.index).split('\n').length, column: 1 }
}

function firstUnsafeNode(document: Document): { readonly offset: number; readonly message: string } | undefined {
  let found: { readonly offset: number; readonly message: string } | undefined
  visit(document, {
    Node: (_, node, path) => {
      const message = isAlias(node) || node.anchor !== undefined ? NO_ALIASES
        : path.length > 2 * MAX_DEPTH ? `The front matter is nested deeper than ${MAX_DEPTH} levels.` : undefined
      if (message === undefined) return undefined
      found = { offset: node.range?.[0] ?? 0, message }
      return visit.BREAK
    },
  })
  return found
}

/** Of a value in a map, the place of its key: that is the line that people look for. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents
  let offset = startOf(document.contents)
  for (const step of path) {
    if (!isCollection(node)) return offset
    const item: unknown = typeof step === 'number' ? node.items[step] : node.items.find((pair) => isPair(pair) && isScalar(pair.key) && String(pair.key.value) === step)
    if (item === undefined) return offset
    offset = isPair(item) ? startOf(item.key, offset) : startOf(item, offset)
    node = isPair(item) ? item.value : item
  }
  return offset
}

function startOf(node: unknown, otherwise = 0): number {
  return isNode(node) ? (node.range?.[0] ?? otherwise) : otherwise
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isCollection(value) || isAlias(value)
}

function sentence(message: string): string {
  const line = message.split('\n')[0] ?? message
  return /[.!?]$/.test(line) ? line : `${line}.`
}

function fault(place: LinePlace, message: string): { readonly error: FrontMatterError } {
  return { error: { ...place, message } }
}
