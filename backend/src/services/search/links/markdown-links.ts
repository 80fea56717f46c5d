import type { Nodes, Root } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { type MarkdownBlock, readBlocks, withDefinitions } from './markdown-blocks.ts'

/** `wiki`: `[[Name]]`; `embed`: `![[Name]]`; `link`, `image`: Markdown's own, reference style included; `url`: anything with a scheme. */
export type LinkKind = 'wiki' | 'embed' | 'link' | 'image' | 'url'

/** A link as it stands in a text. */
export interface WrittenLink {
  readonly kind: LinkKind
  /** What it points to, as written: with fragment, without alias. */
  readonly target: string
  /** What a reader sees. */
  readonly text: string
  /** From 1. */
  readonly line: number
}

/** A file with more of them is a list made by a machine; the first ones stand for it. */
const MOST_LINKS = 2_000
/** A text for which this is not enough is made to be slow; its words are worth more than its links. */
const MOST_MS = 3_000
const SHOWN_TEXT = 200
const LONGEST_TARGET = 2_000
const WIKI_LINK = /(\\?)(!?)\[\[([^[\]|\n]+?)(?:\\?\|([^[\]\n]*))?\]\]/g
const SCHEME = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i

interface Found extends WrittenLink {
  readonly offset: number
}

/** The links of a Markdown text in their order; what stands in code is text. */
export function markdownLinks(text: string): readonly WrittenLink[] {
  const { blocks, definitions } = readBlocks(text)
  const found: WrittenLink[] = []
  const until = performance.now() + MOST_MS
  for (const block of blocks) {
    if (found.length >= MOST_LINKS || performance.now() > until) break
    found.push(...blockLinks(block, definitions))
  }
  return found.slice(0, MOST_LINKS)
}

function blockLinks(block: MarkdownBlock, definitions: Parameters<typeof withDefinitions>[1]): readonly WrittenLink[] {
  const { text, line: first } = block
  const reading = new Reading(fromMarkdown(withDefinitions(block, definitions)))
  return [...reading.links, ...wikiLinks(text, reading.opaque)]
    .filter(({ target }) => target !== '' && target.length <= LONGEST_TARGET)
    .sort((one, other) => one.offset - other.offset)
    .map(({ kind, target, text: shown, line }) => ({ kind, target, text: shown.replaceAll(/\s+/g, ' ').trim().slice(0, SHOWN_TEXT).toWellFormed(), line: first + line - 1 }))
}

interface Span {
  readonly start: number
  readonly end: number
}

/** One walk through the tree: Markdown's links, and where no wiki link can be. */
class Reading {
  readonly links: Found[] = []
  readonly opaque: Span[] = []
  readonly #definitions = new Map<string, string>()

  constructor(root: Root) {
    // Without recursion: a text decides how deep its tree is.
    const nodes = flatten(root)
    for (const node of nodes) if (node.type === 'definition' && !this.#definitions.has(node.identifier)) this.#definitions.set(node.identifier, node.url)
    for (const node of nodes) this.#read(node)
  }

  #read(node: Nodes): void {
    if (node.type === 'code' || node.type === 'inlineCode') this.opaque.push(spanOf(node))
    else if (node.type === 'link') this.#add(node, { kind: 'link', target: node.url, text: shownText(node) })
    else if (node.type === 'image') this.#add(node, { kind: 'image', target: node.url, text: node.alt ?? '' })
    else if (node.type === 'linkReference') this.#add(node, { kind: 'link', target: this.#definitions.get(node.identifier) ?? '', text: shownText(node) })
    else if (node.type === 'imageReference') this.#add(node, { kind: 'image', target: this.#definitions.get(node.identifier) ?? '', text: node.alt ?? '' })
  }

  #add(node: Nodes, link: { readonly kind: 'link' | 'image'; readonly target: string; readonly text: string }): void {
    const { start } = spanOf(node)
    // `[[Name]]` with a definition of `Name` is a reference in brackets to Markdown, and a wiki link to everybody else.
    this.links.push({ ...link, kind: SCHEME.test(link.target) ? 'url' : link.kind, line: node.position?.start.line ?? 1, offset: start })
  }
}

function wikiLinks(text: string, opaque: readonly Span[]): readonly Found[] {
  const lines = new LineCounter(text)
  const found: Found[] = []
  let next = 0
  for (const match of text.matchAll(WIKI_LINK)) {
    const [, escape, bang, target = '', alias] = match
    while ((opaque[next]?.end ?? Infinity) <= match.index) next += 1
    const isCode = (opaque[next]?.start ?? Infinity) <= match.index
    // Counted for every match, so that each stretch is looked at once.
    const line = lines.at(match.index)
    if (escape === '\\' || isCode) continue
    const name = target.trim()
    found.push({ kind: bang === '!' ? 'embed' : 'wiki', target: name, text: alias?.trim() ?? name, line, offset: match.index })
  }
  return found
}

/** Lines of growing offsets. */
class LineCounter {
  readonly #text: string
  #offset = 0
  #line = 1

  constructor(text: string) {
    this.#text = text
  }

  at(offset: number): number {
    for (let at = this.#text.indexOf('\n', this.#offset); at >= 0 && at < offset; at = this.#text.indexOf('\n', at + 1)) {
      this.#line += 1
      this.#offset = at + 1
    }
    return this.#line
  }
}

function flatten(root: Root): readonly Nodes[] {
  const nodes: Nodes[] = []
  const waiting: Nodes[] = [root]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    nodes.push(node)
    if ('children' in node) waiting.push(...node.children.toReversed())
  }
  return nodes
}

function spanOf(node: Nodes): Span {
  return { start: node.position?.start.offset ?? 0, end: node.position?.end.offset ?? 0 }
}

/** The text inside a link, without its markup. */
function shownText(link: Nodes): string {
  const parts: string[] = []
  const waiting: Nodes[] = [link]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if ('value' in node) parts.push(node.value)
    else if (node.type === 'image') parts.push(node.alt ?? '')
    else if ('children' in node) waiting.push(...node.children.toReversed())
  }
  return parts.join('')
}
