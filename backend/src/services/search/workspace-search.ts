import type { SearchMode } from '@buildscale/protocol'
import type { DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { findFile } from '../../repositories/file-repository.ts'
import { readProgress } from '../../repositories/search-repository.ts'
import { type FoundPlace, type MergedPlace, mergeHits, type RankedPlaces } from './merge-hits.ts'
import type { GlobRequest, GlobResult, GrepRequest, GrepResult, SearchScope, SearchService } from './search-service.ts'
import type { SemanticIndex, SemanticStatus } from './semantic-index.ts'
import type { TextSearch } from './text-search.ts'

export interface WorkspaceSearchDeps {
  /** Over the copy on disk. */
  readonly files: Pick<SearchService, 'grep' | 'glob'>
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
  readonly hits: readonly MergedPlace[]
  readonly truncated: boolean
  /** What the asker should know about the result; null when there is nothing. */
  readonly notice: string | null
  readonly index: SearchIndexState
}

interface Answer extends RankedPlaces {
  readonly hasMore: boolean
  readonly notices: readonly string[]
}

/** Bytes of JSON that regular-expression matches may take. */
const REGEX_BYTES = 1024 * 1024
const SHOWN = 240

/** Every way of searching a workspace, alone and together. */
export class WorkspaceSearch {
  readonly #deps: WorkspaceSearchDeps

  constructor(deps: WorkspaceSearchDeps) {
    this.#deps = deps
  }

  /** See `SearchService.grep`. */
  grep(scope: SearchScope, request: GrepRequest): Promise<GrepResult> {
    return this.#deps.files.grep(scope, request)
  }

  /** See `SearchService.glob`. */
  glob(scope: SearchScope, request: GlobRequest): Promise<GlobResult> {
    return this.#deps.files.glob(scope, request)
  }

  /** Asks in every way that `modes` names and joins the answers. Throws `not_found` for a path that is not there, `invalid_request` for a question that says nothing. */
  async search(request: SearchRequest): Promise<SearchResult> {
    const isFolder = await this.#requirePlace(request)
    const index = await this.index(request.workspaceId)
    const answers = await Promise.all(request.modes.map((mode) => this.#ask(mode, request, isFolder)))
    const merged = mergeHits(answers)
    const notices = answers.flatMap((answer) => answer.notices)
    if (index.behind && request.modes.some((mode) => mode !== 'regex')) notices.push(`The index is at change ${index.seq} of ${index.changeSeq}: what changed since may be missing.`)
    const truncated = merged.length > request.limit || answers.some((answer) => answer.hasMore)
    return { hits: merged.slice(0, request.limit), truncated, notice: notices.length === 0 ? null : notices.join(' '), index }
  }

  /** How far the index of words and links is, and how much can be found by meaning. Throws `not_found` when the workspace does not exist. */
  async index(workspaceId: string): Promise<SearchIndexState> {
    const progress = await readProgress(this.#deps.conn, workspaceId, 'text')
    if (progress === undefined) throw new AppError('not_found', 'This workspace does not exist.')
    const semantic = (await this.#deps.semantic?.status(workspaceId)) ?? null
    return { ...progress, behind: progress.seq < progress.changeSeq, semantic }
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

function checkedPattern(pattern: string): string {
  if (pattern.includes('\0') || !pattern.isWellFormed()) throw new AppError('invalid_request', 'The pattern contains a NUL character or half of a surrogate pair. To look for NUL write \\x00.')
  return pattern
}

function shortened(line: string): string {
  const text = line.trim()
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN).toWellFormed()}…`
}
