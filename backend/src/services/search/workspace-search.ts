import type { SearchMode } from '@buildscale/protocol'
import type { DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { findFile } from '../../repositories/file-repository.ts'
import { readProgress } from '../../repositories/search-repository.ts'
import { fuseRankings, type FusedPlace, type RankedList } from './hybrid-ranking.ts'
import type { GlobRequest, GlobResult, GrepRequest, GrepResult, SearchScope, DiskSearch } from './disk/disk-search.ts'
import type { SemanticIndex, SemanticStatus } from './semantic-index.ts'
import type { TextSearch } from './words/text-search.ts'

/** A place in a file that one way of searching has found. */
export interface FoundPlace {
  readonly path: string
  /** From 1; the place goes from `line` to `endLine`. */
  readonly line: number
  readonly endLine: number
  readonly heading: string | null
  readonly excerpt: string
  readonly highlights: readonly (readonly [number, number])[]
}

export interface SearchHit extends FoundPlace {
  readonly score: number
  /** The ways of searching that have found it. */
  readonly sources: readonly SearchMode[]
}

export interface WorkspaceSearchDeps {
  /** Over the copy on disk. */
  readonly files: Pick<DiskSearch, 'grep' | 'glob'>
  readonly text: Pick<TextSearch, 'search'>
  /** Undefined: this server has no model to search by meaning with. */
  readonly semantic: Pick<SemanticIndex, 'search' | 'status'> | undefined
  readonly conn: DbConn
  readonly log: { warn(fields: object, message: string): void }
}

export interface SearchRequest {
  readonly workspaceId: string
  readonly question: string
  /** A folder or file; `/` is everywhere. */
  readonly path: string
  readonly modes: readonly SearchMode[]
  readonly limit: number
  readonly signal: AbortSignal
}

/** How far the search has followed the journal. */
export interface SearchIndexState {
  readonly seq: number
  readonly changeSeq: number
  readonly behind: boolean
  readonly semantic: SemanticStatus | null
}

export interface SearchResult {
  /** Best first. */
  readonly hits: readonly SearchHit[]
  readonly truncated: boolean
  /** What the asker should know about the result; null when there is nothing. */
  readonly notice: string | null
  readonly index: SearchIndexState
}

interface Answer extends RankedList<FoundPlace, SearchMode> {
  readonly hasMore: boolean
  readonly notices: readonly string[]
}

/** Bytes of JSON that regular-expression matches may take. */
const REGEX_BYTES = 1024 * 1024
const SHOWN = 240
/** The offline embedder finds what shares words with the question, which the index of words does better. */
const OFFLINE_WEIGHT = 0.5

/** Every way of searching a workspace, alone and together. */
export class WorkspaceSearch {
  readonly #deps: WorkspaceSearchDeps

  constructor(deps: WorkspaceSearchDeps) {
    this.#deps = deps
  }

  /** See `DiskSearch.grep`. */
  grep(scope: SearchScope, request: GrepRequest): Promise<GrepResult> {
    return this.#deps.files.grep(scope, request)
  }

  /** See `DiskSearch.glob`. */
  glob(scope: SearchScope, request: GlobRequest): Promise<GlobResult> {
    return this.#deps.files.glob(scope, request)
  }

  /** Asks in every way that `modes` names and joins the answers. Throws `not_found` for a path that is not there, `invalid_request` for a question that says nothing. */
  async search(request: SearchRequest): Promise<SearchResult> {
    const isFolder = await this.#requirePlace(request)
    const index = await this.#index(request.workspaceId)
    const answers = await Promise.all(request.modes.map((mode) => this.#ask(mode, request, isFolder)))
    const merged = fuseRankings(answers.map((answer) => ({ ...answer, weight: weightOf(answer.source, index) }))).map(hitOf)
    const hits = merged.slice(0, request.limit)
    const notices = [...answers.flatMap((answer) => answer.notices), ...(request.modes.includes('semantic') ? semanticNotices(hits, index) : [])]
    if (index.behind && request.modes.some((mode) => mode !== 'regex')) notices.push(`The index is at change ${index.seq} of ${index.changeSeq}: what changed since may be missing.`)
    const truncated = merged.length > request.limit || answers.some((answer) => answer.hasMore)
    return { hits, truncated, notice: notices.length === 0 ? null : notices.join(' '), index }
  }

  /** How far the index of words and links is. Throws `not_found` when the workspace does not exist. */
  async progress(workspaceId: string): Promise<Omit<SearchIndexState, 'semantic'>> {
    const progress = await readProgress(this.#deps.conn, workspaceId, 'text')
    if (progress === undefined) throw new AppError('not_found', 'This workspace does not exist.')
    return { ...progress, behind: progress.seq < progress.changeSeq }
  }

  async #index(workspaceId: string): Promise<SearchIndexState> {
    const progress = await this.progress(workspaceId)
    return { ...progress, semantic: (await this.#deps.semantic?.status(workspaceId)) ?? null }
  }

  /** True for a folder. */
  async #requirePlace({ workspaceId, path }: SearchRequest): Promise<boolean> {
    if (path === '/') return true
    const place = await findFile(this.#deps.conn, { workspaceId, path })
    if (place === undefined) throw new AppError('not_found', `There is no file or folder "${path}" to search in.`)
    return place.fileType === 'folder'
  }

  #ask(mode: SearchMode, request: SearchRequest, isFolder: boolean): Promise<Answer> {
    switch (mode) {
      case 'text':
        return this.#byWords(request)
      case 'regex':
        return this.#byRegex(request, isFolder)
      case 'semantic':
        return this.#byMeaning(request)
    }
  }

  async #byWords({ path, ...request }: SearchRequest): Promise<Answer> {
    const { hits, hasMore, hasAllWords } = await this.#deps.text.search({ ...request, folder: path })
    const notices = hasAllWords || hits.length === 0 ? [] : ['No file has all of these words; some of the hits have only the rarest of them.']
    return { source: 'text', hasMore, notices, places: hits.map((hit) => ({ ...hit, endLine: hit.line, heading: null })) }
  }

  async #byRegex({ workspaceId, question, path, limit, signal }: SearchRequest, isFolder: boolean): Promise<Answer> {
    const { conn } = this.#deps
    const scope: SearchScope = { workspaceId, signal, conn: { run: (use) => conn.connection().execute(use) } }
    const { matches, cutBy, isCurrent } = await this.grep(scope, {
      pattern: checkedPattern(question),
      at: { path, isFolder },
      accepts: () => true,
      caseSensitive: false,
      before: 0,
      after: 0,
      limit,
      sizeLimit: REGEX_BYTES,
      includeIgnored: false,
    })
    const places = matches.map(({ path: file, line_number: line, line_text: text }): FoundPlace => ({ path: file, line, endLine: line, heading: null, excerpt: shortened(text), highlights: [] }))
    return { source: 'regex', places, hasMore: cutBy !== null, notices: isCurrent ? [] : ['The copy on disk was not up to date in time: the latest changes may be missing.'] }
  }

  /** An outage of the model behind it is told, and takes nothing away from what the other ways have found. */
  async #byMeaning({ workspaceId, question, path, limit, modes, signal }: SearchRequest): Promise<Answer> {
    const { semantic, log } = this.#deps
    const none: Answer = { source: 'semantic', places: [], hasMore: false, notices: [] }
    if (semantic === undefined) return modes.length > 1 ? none : { ...none, notices: ['This server has no model to search by meaning with; search by words instead.'] }
    try {
      const hits = await semantic.search({ workspaceId, query: question, folder: path, limit: limit + 1, signal })
      const places = hits.slice(0, limit).map(({ path: file, startLine, endLine, heading, excerpt }): FoundPlace => ({ path: file, line: startLine, endLine, heading, excerpt, highlights: [] }))
      return { ...none, places, hasMore: hits.length > limit }
    } catch (error) {
      signal.throwIfAborted()
      if (modes.length === 1) throw error
      log.warn({ err: error, workspaceId }, 'a search by meaning failed; the answer has what the words found')
      return { ...none, notices: ['Searching by meaning is not possible right now; these hits have the words.'] }
    }
  }
}

function weightOf(source: SearchMode, { semantic }: SearchIndexState): number {
  return source === 'semantic' && semantic?.isOffline === true ? OFFLINE_WEIGHT : 1
}

/** The narrowest place is the exact one: its line and excerpt are shown, with the heading that another one knows. */
function hitOf({ score, sources, places }: FusedPlace<FoundPlace, SearchMode>): SearchHit {
  const narrowest = places.reduce((best, place) => (place.endLine - place.line < best.endLine - best.line ? place : best))
  return { ...narrowest, heading: places.find(({ heading }) => heading !== null)?.heading ?? null, score, sources }
}

/** How far the hits that were found by meaning can be relied on. */
function semanticNotices(hits: readonly SearchHit[], { semantic }: SearchIndexState): readonly string[] {
  if (semantic === null) return []
  const { pending, chunks, isOffline, lastError } = semantic
  const waiting = pending === 0 ? [] : [`${pending} of ${chunks} passages cannot be found by meaning yet${lastError === null ? '' : `: ${lastError}`}`.replace(/[^.]$/, '$&.')]
  const isUsed = hits.some(({ sources }) => sources.includes('semantic'))
  return isOffline && isUsed ? [...waiting, 'Meaning is compared by the offline model, which knows words and not what they mean.'] : waiting
}

function checkedPattern(pattern: string): string {
  if (pattern.includes('\0') || !pattern.isWellFormed()) throw new AppError('invalid_request', 'The pattern contains a NUL character or half of a surrogate pair. To look for NUL write \\x00.')
  return pattern
}

function shortened(line: string): string {
  const text = line.trim()
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN).toWellFormed()}…`
}
