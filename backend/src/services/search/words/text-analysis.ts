/** What the index needs to know of one file. Pure computing, and slow for large texts: run by `analysis-worker.ts`, off the main thread. */
import { baseName, parentPath } from '../../files/file-path.ts'
import { type LinkKeys, linkKeys } from '../links/link-target.ts'
import { markdownLinks, type WrittenLink } from '../links/markdown-links.ts'
import { type WordWeight, WordVector } from './word-vector.ts'

export interface AnalysedFile {
  readonly path: string
  readonly mime: string
  /** Null when there is no text to look into. */
  readonly text: string | null
  /** A word for the workspace that no text has. */
  readonly scope: string
}

export interface TextAnalysis {
  /** The text form of a `tsvector`. */
  readonly words: string
  /** False: the text has more different words than one row takes. */
  readonly hasAllWords: boolean
  readonly links: readonly (WrittenLink & { readonly keys: LinkKeys })[]
}

const HEADING = /^ {0,3}#{1,6}\s/

export function analyseText({ path, mime, text, scope }: AnalysedFile): TextAnalysis {
  const vector = new WordVector()
  // In one row, so that a path is found as it is written.
  vector.add(parentPath(path) ?? '', 'C')
  vector.add(baseName(path), 'A')
  vector.gap()
  const isMarkdown = isMarkdownFile({ path, mime })
  if (text !== null) addLines(vector, text, isMarkdown)
  const links = text !== null && isMarkdown ? markdownLinks(text) : []
  return {
    words: vector.toString(scope),
    hasAllWords: !vector.isFull,
    links: links.map((link) => ({ ...link, keys: linkKeys({ ...link, source: path }) })),
  }
}

/** The name alone: for files that hold no text, and for texts that could not be analysed. */
export function analyseName(file: Omit<AnalysedFile, 'text'>): TextAnalysis {
  return analyseText({ ...file, text: null })
}

export function isMarkdownFile({ path, mime }: { readonly path: string; readonly mime: string }): boolean {
  return mime === 'text/markdown' || /\.(?:md|markdown|mdown|mdx)$/i.test(path)
}

function addLines(vector: WordVector, text: string, isMarkdown: boolean): void {
  if (!isMarkdown) return vector.add(text, 'D')
  for (const { lines, weight } of sections(text)) vector.add(lines, weight)
}

/** Headings and what stands between them. */
function* sections(text: string): Generator<{ readonly lines: string; readonly weight: WordWeight }> {
  let plain: string[] = []
  for (const line of text.split('\n')) {
    if (!HEADING.test(line)) plain.push(line)
    else {
      yield { lines: plain.join('\n'), weight: 'D' }
      yield { lines: line, weight: 'B' }
      plain = []
    }
  }
  yield { lines: plain.join('\n'), weight: 'D' }
}
