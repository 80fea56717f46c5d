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
const JOINED_BLOCKS = 4 * 1024
const MOST_DEFINITIONS = 200
const FENCE = /^\s*(?:[-*+>]\s+|\d+[.)]\s+)*(`{3,}|~{3,})/
const DEFINITION = /^ {0,3}\[(?!\[)([^\]\n]{1,200})\]:\s*\S/
const MAY_LINK = /\]\(|\]\[|\[\[|<[a-z][a-z0-9+.-]*:/i

/** A line `[label]: target`, which links anywhere in the text may refer to. */
interface Definition {
  readonly label: string
  readonly line: string
}

/** Blocks in order, and the definitions of the whole text. */
export function readBlocks(text: string): { readonly blocks: readonly MarkdownBlock[]; readonly definitions: readonly Definition[] } {
  const blocks = [...allBlocks(text)].filter((block) => block.text.length <= LONGEST_BLOCK)
  const definitions = blocks.flatMap((block) => (block.text.includes(']:') ? definitionsIn(block) : [])).slice(0, MOST_DEFINITIONS)
  // Only where there is a definition can a label in brackets, alone, be a link.
  return { blocks: neighboursJoined(blocks.filter((block) => MAY_LINK.test(block.text) || usedBy(block, definitions).length > 0)), definitions }
}

/** Reading begins anew for every block, which costs more than a short one itself. */
function neighboursJoined(blocks: readonly MarkdownBlock[]): readonly MarkdownBlock[] {
  const joined: { texts: string[]; readonly line: number; next: number; length: number }[] = []
  for (const { text, line } of blocks) {
    const last = joined.at(-1)
    const next = line + text.split('\n').length
    if (last === undefined || last.next !== line || last.length + text.length > JOINED_BLOCKS) joined.push({ texts: [text], line, next, length: text.length })
    else {
      last.texts.push(text)
      last.next = next
      last.length += text.length
    }
  }
  return joined.map(({ texts, line }) => ({ text: texts.join('\n'), line }))
}

function definitionsIn({ text }: MarkdownBlock): readonly Definition[] {
  return text.split('\n').flatMap((line) => {
    const label = DEFINITION.exec(line)?.[1]
    return label === undefined ? [] : [{ label: label.toLowerCase(), line }]
  })
}

/** A block with the definitions that it refers to: a reference is one only where its definition is known. */
export function withDefinitions(block: MarkdownBlock, definitions: readonly Definition[]): string {
  return [block.text, ...usedBy(block, definitions).map(({ line }) => line)].join('\n\n')
}

function usedBy({ text }: MarkdownBlock, definitions: readonly Definition[]): readonly Definition[] {
  if (definitions.length === 0 || !text.includes('[')) return []
  const lower = text.toLowerCase()
  return definitions.filter(({ label }) => lower.includes(`[${label}]`))
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
