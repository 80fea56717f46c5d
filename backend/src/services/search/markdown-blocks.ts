/**
 * The blocks of a Markdown text that may hold links. Reading Markdown whole takes seconds for a large text, and longer the stranger the text is; most of a
 * text holds no link, and what is read block by block takes time in proportion to its length.
 */

export interface MarkdownBlock {
  readonly text: string
  /** Of its first line, from 1. */
  readonly line: number
}

/** A longer block is no prose: a table made by a machine, data in one line. */
const LONGEST_BLOCK = 32 * 1024
const MOST_DEFINITIONS = 200
const FENCE = /^\s*(?:[-*+>]\s+|\d+[.)]\s+)*(`{3,}|~{3,})/
const DEFINITION = /^ {0,3}\[(?!\[)([^\]\n]{1,200})\]:\s*\S/
const MAY_LINK = /\]\(|\]\[|\[\[|\]:|<[a-z][a-z0-9+.-]*:|\[[^\]\n]+\]/i

/** A line `[label]: target`, which links anywhere in the text may refer to. */
interface Definition {
  readonly label: string
  readonly line: string
}

/** Blocks in order, and the definitions of the whole text. */
export function readBlocks(text: string): { readonly blocks: readonly MarkdownBlock[]; readonly definitions: readonly Definition[] } {
  const blocks: MarkdownBlock[] = []
  const definitions: Definition[] = []
  for (const block of allBlocks(text)) {
    if (block.text.length > LONGEST_BLOCK || !MAY_LINK.test(block.text)) continue
    blocks.push(block)
    for (const line of block.text.split('\n')) {
      const label = DEFINITION.exec(line)?.[1]
      if (label !== undefined) definitions.push({ label: label.toLowerCase(), line })
    }
  }
  return { blocks, definitions: definitions.slice(0, MOST_DEFINITIONS) }
}

/** A block with the definitions that it refers to: a reference is one only where its definition is known. */
export function withDefinitions({ text }: MarkdownBlock, definitions: readonly Definition[]): string {
  const lower = text.toLowerCase()
  const used = definitions.filter(({ label }) => lower.includes(`[${label}]`))
  return [text, ...used.map(({ line }) => line)].join('\n\n')
}

/** A block ends at an empty line that a line without indentation follows: nothing before that can change what comes after. Fenced code is one block. */
function* allBlocks(text: string): Generator<MarkdownBlock> {
  const lines = text.split('\n')
  let start = 0
  let fence: string | undefined
  for (const [index, line] of lines.entries()) {
    const isBoundary = index > start && fence === undefined && /^\S/.test(line) && lines[index - 1]?.trim() === ''
    if (isBoundary) {
      yield { text: lines.slice(start, index).join('\n'), line: start + 1 }
      start = index
    }
    fence = fenceAfter(line, fence)
  }
  yield { text: lines.slice(start).join('\n'), line: start + 1 }
}

/** The fence that is open after a line. */
function fenceAfter(line: string, open: string | undefined): string | undefined {
  const marks = FENCE.exec(line)?.[1]
  if (marks === undefined) return open
  if (open === undefined) return marks
  return marks.startsWith(open) && line.trim().replace(/^(?:>\s*)+/, '') === marks ? undefined : open
}
