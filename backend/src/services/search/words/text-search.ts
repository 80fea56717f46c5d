import type { DbConn } from '../../../db/db.ts'
import { AppError } from '../../../errors.ts'
import { askingWords, countWords, findTexts, findTextsWithSome, type TextHitRow } from '../../../repositories/search-repository.ts'
import { type Excerpt, findExcerpt, firstLine, hasTerm } from './excerpt.ts'
import { readTexts } from '../journal-batch.ts'
import { parseWordQuery, queryText, type Term, termText, type WordQuery } from './word-query.ts'

export interface TextSearchRequest {
  readonly workspaceId: string
  readonly question: string
  /** A folder or file; `/` is everywhere. */
  readonly folder: string
  readonly limit: number
  readonly signal: AbortSignal
}

export interface TextHit extends Excerpt {
  readonly path: string
}

export interface TextSearchResult {
  /** Best first, one per file. */
  readonly hits: readonly TextHit[]
  readonly hasMore: boolean
  /** False: no file has all of the words; these have the rarest of them. */
  readonly hasAllWords: boolean
}

/** Texts that are read at once to show where the words stand: at most 8 MiB. */
const READ_TOGETHER = 8
/** Of a question without an answer so many of its rarest words are looked for. */
const RAREST = 6
/** A file must have words of this share of the question's weight to be an answer to it. */
const LEAST_SHARE = 0.4

/** Answers questions in words from the full-text index, and shows the line of the file as it is now. */
export class TextSearch {
  readonly #conn: DbConn

  constructor(conn: DbConn) {
    this.#conn = conn
  }

  /** Throws `invalid_request` when there is no word to look for. */
  async search(request: TextSearchRequest): Promise<TextSearchResult> {
    const query = parseWordQuery(request.question)
    const { workspaceId, folder, limit } = request
    const rows = await this.#ask((tx) => findTexts(tx, { workspaceId, folder, limit: limit + 1, find: queryText(query, { loose: true }), prefer: queryText(query, { loose: false }) }))
    const isStrict = rows.length > 0 || query.terms.length === 1
    const found = isStrict ? rows : await this.#some(request, query)
    const hits = await this.#show(request, query.terms, found.slice(0, limit))
    return { hits, hasMore: found.length > limit, hasAllWords: isStrict }
  }

  /** A question in a sentence: no file has all of its words. Those decide that are in few files, in whatever language. */
  async #some({ workspaceId, folder, limit }: TextSearchRequest, { terms, alternatives }: WordQuery): Promise<readonly TextHitRow[]> {
    const texts = [...new Set(terms.map((term) => termText(term, true)))]
    const { files, counts } = await this.#ask((tx) => countWords(tx, workspaceId, texts))
    const words = texts.map((word, index) => ({ word, weight: rarity(counts[index] ?? 0, files) })).filter(({ weight }) => weight > 0)
    const rarest = words.toSorted((one, other) => other.weight - one.weight).slice(0, RAREST)
    if (rarest.length === 0) return []
    const unwanted = alternatives.flatMap((alternative) => alternative.unwanted.map((term) => ` & !${termText(term, false)}`)).join('')
    const find = `(${rarest.map(({ word }) => word).join(' | ')})${unwanted}`
    const least = LEAST_SHARE * rarest.reduce((sum, { weight }) => sum + weight, 0)
    return this.#ask((tx) => findTextsWithSome(tx, { workspaceId, folder, limit: limit + 1, find }, { words: rarest, least }))
  }

  /** A question that PostgreSQL cannot take in (thousands of different words begin like it) is the question's fault. */
  #ask<T>(ask: (tx: DbConn) => Promise<T>): Promise<T> {
    return askingWords(this.#conn, ask).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === '54000') throw new AppError('invalid_request', 'The question is too large for the index. Use fewer or longer words.', { cause: error })
      throw error
    })
  }

  async #show({ workspaceId, signal }: TextSearchRequest, terms: readonly Term[], rows: readonly TextHitRow[]): Promise<readonly TextHit[]> {
    const hits: TextHit[] = []
    for (let at = 0; at < rows.length; at += READ_TOGETHER) {
      signal.throwIfAborted()
      const some = rows.slice(at, at + READ_TOGETHER)
      const texts = await readTexts(this.#conn, workspaceId, some.filter((row) => row.hasText))
      hits.push(...some.flatMap((row) => hitOf(row, texts.get(row.hash.toString('hex'))?.text ?? null, terms)))
    }
    return hits
  }
}

/** None when the file was written again since it was indexed and does not have the words any more. */
function hitOf({ path, isCurrent }: TextHitRow, text: string | null, terms: readonly Term[]): readonly TextHit[] {
  const excerpt = text === null ? undefined : findExcerpt(text, terms)
  if (excerpt !== undefined) return [{ path, ...excerpt }]
  if (!isCurrent && !hasTerm(path, terms)) return []
  return [{ path, ...(text === null ? { line: 1, excerpt: '', highlights: [] } : firstLine(text)) }]
}

/** Nothing for a word that no file has, little for one that every file has. */
function rarity(count: number, files: number): number {
  return count === 0 ? 0 : Math.log(1 + files / count)
}
