/**
 * Cuts texts into chunks for the search by meaning. Markdown is cut at its headings, code between its blocks, other text between its paragraphs; what is too
 * large is cut further, what is small is joined with its neighbours. The bodies of all chunks, one after the other, are the text.
 */
import { codeBlocks, splitCode } from './chunk-code.ts'
import { markdownBlocks } from './chunk-markdown.ts'
import { type Block, isBlank, splitLines } from './chunk-lines.ts'

export interface TextChunk {
  /** Lines count from 1; `endLine` is the last one. */
  readonly startLine: number
  readonly endLine: number
  /** The heading under which it begins, with those above: `Guide > Install`. */
  readonly heading: string | null
  readonly body: string
}

/** Raised when the rules below change, so that files are cut again. */
export const CHUNK_RULES = 1

/** Estimated tokens: neighbours are joined up to the first, nothing is larger than the second, and what is smaller than the third is joined across headings. */
const TARGET_TOKENS = 300
const MAX_TOKENS = 500
const SMALL_TOKENS = 60

const CODE = new Set(
  ('c cc cpp cs css cts cxx dart ex exs go gradle graphql h hpp hs java jl js json jsonc jsx kt kts less lua m mjs ml mts nix php pl proto py r rb rs scala scss sh sql svelte swift ' +
    'tf toml ts tsx vue xml yaml yml zig html htm').split(' '),
)

type TextKind = 'markdown' | 'code' | 'prose'

/** Cuts the text of a file; `path` and `mime` say what kind of text it is. */
export function chunkText({ path, mime, text }: { readonly path: string; readonly mime: string; readonly text: string }): readonly TextChunk[] {
  const lines = splitLines(text)
  const kind = kindOf(path, mime)
  const sized = blocksOf(lines, kind).flatMap((block) => fitting({ lines, kind, depth: 0 }, block))
  return pack(withHeadings(sized)).map(({ start, end, headings, body }) => ({ startLine: start + 1, endLine: end, heading: headings.length === 0 ? null : headings.join(' > '), body }))
}

/** About as many tokens as a model sees: a quarter of the bytes, which suits English, code and scripts of two or three bytes a letter. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4)
}

function kindOf(path: string, mime: string): TextKind {
  if (mime === 'text/markdown' || /\.(?:md|mdx|markdown)$/i.test(path)) return 'markdown'
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
  return CODE.has(extension) || mime === 'text/javascript' || mime === 'application/json' ? 'code' : 'prose'
}

function blocksOf(lines: readonly string[], kind: TextKind): readonly Block[] {
  switch (kind) {
    case 'markdown':
      return markdownBlocks(lines)
    case 'code':
      return codeBlocks(lines)
    case 'prose':
      return paragraphs(lines, { start: 0, end: lines.length })
  }
}

/** A block with its text, small enough to be embedded. A line that is too long gives several pieces, all of that line. */
interface Piece extends Block {
  readonly body: string
  readonly tokens: number
}

interface Source {
  readonly lines: readonly string[]
  readonly kind: TextKind
  /** How often the block has been taken apart already. */
  readonly depth: number
}

/** Deeper than this, structure says little about meaning; and a file of nothing but nesting must not cost a pass for each of its lines. */
const MAX_DEPTH = 8

/** The block itself when it fits, else its parts: by structure, by paragraphs, by lines, and at last within a line. */
function fitting({ lines, kind, depth }: Source, block: Block): readonly Piece[] {
  const piece = pieceOf(lines, block)
  if (piece.tokens <= MAX_TOKENS) return [piece]
  const parts = (kind === 'code' ? splitCode(lines, block) : undefined) ?? paragraphs(lines, block)
  if (parts.length === 1 || depth === MAX_DEPTH) return byLines(lines, block)
  const { headings, isHeading } = block
  return parts.flatMap((part) => fitting({ lines, kind, depth: depth + 1 }, { ...part, headings, isHeading }))
}

function pieceOf(lines: readonly string[], block: Block): Piece {
  const body = lines.slice(block.start, block.end).join('')
  return { ...block, body, tokens: estimateTokens(body) }
}

/** Runs of lines up to and including the blank ones behind them. */
function paragraphs(lines: readonly string[], { start, end }: { readonly start: number; readonly end: number }): readonly Block[] {
  const blocks: Block[] = []
  let from = start
  for (let index = start + 1; index <= end; index++) {
    const begins = index === end || (isBlank(lines[index - 1] ?? '') && !isBlank(lines[index] ?? ''))
    if (!begins) continue
    blocks.push({ start: from, end: index, headings: [], isHeading: false })
    from = index
  }
  return blocks
}

/** As many lines at a time as the target takes. */
function byLines(lines: readonly string[], block: Block): readonly Piece[] {
  const pieces: Piece[] = []
  for (let index = block.start; index < block.end; index++) {
    const piece = pieceOf(lines, { ...block, start: index, end: index + 1 })
    const last = pieces.at(-1)
    if (piece.tokens > MAX_TOKENS) pieces.push(...withinLine(piece))
    else if (last !== undefined && last.tokens + piece.tokens <= TARGET_TOKENS) pieces[pieces.length - 1] = joined(last, piece)
    else pieces.push(piece)
  }
  return pieces
}

/** Parts of one line, cut behind a blank where there is one, and never inside a letter. */
function withinLine(line: Piece): readonly Piece[] {
  const pieces: Piece[] = []
  for (let from = 0; from < line.body.length; ) {
    const to = cutPoint(line.body, from)
    const body = line.body.slice(from, to)
    pieces.push({ ...line, body, tokens: estimateTokens(body) })
    from = to
  }
  return pieces
}

/** Letters are at most three bytes each (four for a pair of two), so that many of them never exceed the limit. */
const LINE_PART = Math.floor((MAX_TOKENS * 4) / 3)

function cutPoint(text: string, from: number): number {
  const end = from + LINE_PART
  if (end >= text.length) return text.length
  const blank = text.lastIndexOf(' ', end - 1)
  if (blank > from + LINE_PART / 2) return blank + 1
  const splitsPair = /[\uD800-\uDBFF]/.test(text[end - 1] ?? '') && /[\uDC00-\uDFFF]/.test(text[end] ?? '')
  return splitsPair ? end - 1 : end
}

/** A part of the text with the headings right above it. */
interface Section extends Piece {
  /** It begins with a heading. */
  readonly isNew: boolean
}

/** Headings go with what follows them: they say what it is about. */
function withHeadings(pieces: readonly Piece[]): readonly Section[] {
  const sections: Section[] = []
  for (const piece of pieces) {
    const above = sections.at(-1)
    if (above?.isHeading === true && above.tokens + piece.tokens <= MAX_TOKENS) sections[sections.length - 1] = { ...joined(above, piece), headings: piece.headings, isHeading: piece.isHeading, isNew: true }
    else sections.push({ ...piece, isNew: piece.isHeading })
  }
  return sections
}

/** Joins neighbours up to the target; across a heading only where one of them is small. */
function pack(sections: readonly Section[]): readonly Piece[] {
  const packed: Piece[] = []
  for (const section of sections) {
    const last = packed.at(-1)
    const mayJoin = last !== undefined && last.tokens + section.tokens <= TARGET_TOKENS && (!section.isNew || Math.min(last.tokens, section.tokens) < SMALL_TOKENS)
    if (mayJoin) packed[packed.length - 1] = joined(last, section)
    else packed.push(section)
  }
  return packed
}

function joined(first: Piece, second: Piece): Piece {
  return { ...first, end: second.end, body: first.body + second.body, tokens: first.tokens + second.tokens }
}
