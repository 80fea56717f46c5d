/** Finds text and files in a workspace: ripgrep over the mirror, and only what the database says belongs to the workspace. */
import { lstat, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { SessionConn } from '../../../db/session-conn.ts'
import { AppError } from '../../../errors.ts'
import type { MirrorService } from '../../../mirror/mirror-service.ts'
import { type FileRow, findFiles } from '../../../repositories/file-repository.ts'
import { GrepCollector, type GrepMatch } from './grep-collector.ts'
import type { PathMatcher } from './glob-pattern.ts'
import { parseRipgrepEvent, workspacePath } from './ripgrep-event.ts'
import { type RecordReader, type RipgrepEnd, runRipgrep } from './ripgrep-process.ts'

export interface SearchScope {
  readonly conn: Pick<SessionConn, 'run'>
  readonly workspaceId: string
  readonly signal: AbortSignal
}

export interface GlobRequest {
  /** The folder to look in: a path that exists in the workspace. */
  readonly folder: string
  readonly accepts: PathMatcher
  /** Files, at most. */
  readonly limit: number
  /** Also files that the workspace's .gitignore and .ignore files leave out. */
  readonly includeIgnored: boolean
}

export interface GrepRequest extends Omit<GlobRequest, 'folder'> {
  /** A regular expression in ripgrep's dialect. */
  readonly pattern: string
  readonly caseSensitive: boolean
  /** The file or folder to search: a path that exists in the workspace. */
  readonly at: { readonly path: string; readonly isFolder: boolean }
  readonly before: number
  readonly after: number
  /** Bytes of JSON that the matches may take. */
  readonly sizeLimit: number
}

/** Why a result may not be whole. */
export type SearchCut = 'limit' | 'size' | 'time' | 'output' | null

interface SearchEnd {
  readonly cutBy: SearchCut
  /** False: the latest changes may be missing, because the mirror had not caught up in time. */
  readonly isCurrent: boolean
}

export interface GrepResult extends SearchEnd {
  readonly matches: readonly GrepMatch[]
  /** Matches left out because their line is megabytes long. */
  readonly skippedLines: number
}

interface FoundFile {
  readonly path: string
  readonly name: string
  readonly file_type: FileRow['fileType']
  readonly size: number | null
  readonly version: number | null
  readonly updated_at: string
}

export interface GlobResult extends SearchEnd {
  readonly files: readonly FoundFile[]
}

export interface SearchDeps {
  readonly mirror: Pick<MirrorService, 'waitFor' | 'folderOf'>
  /** Milliseconds that one search may take; default 20 s. */
  readonly timeLimitMs?: number
  /** Milliseconds to wait for the mirror; default 5 s. */
  readonly mirrorWaitMs?: number
}

/**
 * Fixed options of every run. Hidden files are searched (.github and .env.example are files like any other), `.git` is not. Ignore files count only from
 * within the workspace, whatever lies above it on the disk. One thread: other workspaces search on the same cores.
 */
const FIXED_OPTIONS = ['--no-config', '--no-ignore-parent', '--no-ignore-global', '--no-require-git', '--no-follow', '--one-file-system', '--hidden', '--glob=!.git', '--sort=path', '-j1']
const GREP_OPTIONS = ['--json', '--no-messages', '--crlf', '--no-search-zip', '--no-pre']
/** How many found names are looked up at once when there is no limit. */
const LOOKUP_BATCH = 5_000

export class DiskSearch {
  readonly #deps: SearchDeps

  constructor(deps: SearchDeps) {
    this.#deps = deps
  }

  /** Lines that match, by path and line. Throws `invalid_request` with ripgrep's reason for a pattern that it does not understand. */
  async grep(scope: SearchScope, request: GrepRequest): Promise<GrepResult> {
    const place = await this.#place(scope, request.at.path)
    const known = new KnownFiles(scope)
    const collector = new GrepCollector(request)
    if (place.target === undefined) return { ...collector.result(), isCurrent: place.isCurrent, skippedLines: 0 }
    let isComplete = false
    const end = await this.#run(scope, { place, separator: '\n', options: grepOptions(request, place) }, async (record) => {
      const event = parseRipgrepEvent(record)
      if (event?.type === 'summary') isComplete = true
      if (event !== undefined) collector.add(event)
      return !collector.isFull || (await verify(collector, known))
    })
    if (end.type === 'finished' && end.exitCode > 1 && !isComplete) throw patternError(request.pattern, end.errorText)
    await verify(collector, known)
    const { matches, cutBy } = (await this.#isUnchanged(scope, place, request.at.path)) ? collector.result() : { matches: [], cutBy: null }
    return { matches, cutBy: cutBy ?? endCut(end), isCurrent: place.isCurrent, skippedLines: end.skippedRecords }
  }

  /** Files by name, by path. */
  async glob(scope: SearchScope, request: GlobRequest): Promise<GlobResult> {
    const place = await this.#place(scope, request.folder)
    if (place.target === undefined) return { files: [], cutBy: null, isCurrent: place.isCurrent }
    const known = new KnownFiles(scope)
    const files: FoundFile[] = []
    let names: string[] = []
    const lookUp = async (): Promise<boolean> => {
      files.push(...(await known.rows(names)).map(foundFile))
      names = []
      return files.length <= request.limit
    }
    const batch = Math.min(request.limit + 1, LOOKUP_BATCH)
    const options = ['--files', '--null', '--no-messages', ...ignoreOptions(request, place), '--', place.target]
    const end = await this.#run(scope, { place, separator: '\0', options }, (record) => {
      const path = workspacePath(record.toString('utf8'))
      if (request.accepts(path)) names.push(path)
      return names.length < batch || lookUp()
    })
    await lookUp()
    if (!(await this.#isUnchanged(scope, place, request.folder))) return { files: [], cutBy: null, isCurrent: place.isCurrent }
    return { files: files.slice(0, request.limit), cutBy: files.length > request.limit ? 'limit' : endCut(end), isCurrent: place.isCurrent }
  }

  /** Waits for the mirror, then finds the place on disk. */
  async #place({ workspaceId, signal }: SearchScope, path: string): Promise<Place> {
    const { current } = await this.#deps.mirror.waitFor(workspaceId, { timeoutMs: this.#deps.mirrorWaitMs ?? 5_000, signal })
    const root = await realPath(this.#deps.mirror.folderOf(workspaceId))
    const target = root === undefined ? undefined : await realTarget(root, path)
    return { root: root ?? '', target, isSubfolder: path !== '/', isCurrent: current, hasIgnoreFile: root !== undefined && (await isFile(join(root, '.gitignore'))) }
  }

  /** Again after the search: a symlink that another program put in the way meanwhile must not have led it out. */
  async #isUnchanged({ workspaceId }: SearchScope, place: Place, path: string): Promise<boolean> {
    const root = await realPath(this.#deps.mirror.folderOf(workspaceId))
    return root === place.root && (await realTarget(root, path)) === place.target
  }

  #run({ signal }: SearchScope, { place, separator, options }: { readonly place: Place; readonly separator: '\n' | '\0'; readonly options: readonly string[] }, read: RecordReader): Promise<RipgrepEnd> {
    return runRipgrep({ arguments: [...FIXED_OPTIONS, ...options], directory: place.root, separator, signal, timeLimitMs: this.#deps.timeLimitMs ?? 20_000 }, read)
  }
}

interface Place {
  /** The workspace's folder on disk, without a symlink in it. */
  readonly root: string
  /** What is searched, relative to the root (`./src`); undefined when it is not on disk, or when a symlink stands in the way. */
  readonly target: string | undefined
  readonly isSubfolder: boolean
  readonly isCurrent: boolean
  readonly hasIgnoreFile: boolean
}

/** The pattern stands behind `-e`, the place behind `--` and `./`: neither can become an option. */
function grepOptions(request: GrepRequest, place: Place & { readonly target?: string | undefined }): readonly string[] {
  const context = [`--before-context=${request.before}`, `--after-context=${request.after}`]
  const casing = request.caseSensitive ? '--case-sensitive' : '--ignore-case'
  return [...GREP_OPTIONS, ...context, casing, ...ignoreOptions(request, place), '-e', request.pattern, '--', place.target ?? './']
}

/** Below a folder, what the workspace's own .gitignore says still counts. */
function ignoreOptions({ includeIgnored }: { readonly includeIgnored: boolean }, place: Place): readonly string[] {
  if (includeIgnored) return ['--no-ignore']
  return place.isSubfolder && place.hasIgnoreFile ? ['--ignore-file=./.gitignore'] : []
}

async function verify(collector: GrepCollector, known: KnownFiles): Promise<boolean> {
  const paths = new Set((await known.rows(collector.paths)).map((row) => row.path))
  collector.keepOnly((path) => paths.has(path))
  return !collector.isFull
}

/** What of the disk the database knows as a file: one query for many names, each name once. */
class KnownFiles {
  readonly #scope: SearchScope
  readonly #rows = new Map<string, FileRow | undefined>()

  constructor(scope: SearchScope) {
    this.#scope = scope
  }

  /** Those of `paths` that are files of the workspace, in the same order. */
  async rows(paths: readonly string[]): Promise<readonly FileRow[]> {
    const unknown = paths.filter((path) => !this.#rows.has(path))
    if (unknown.length > 0) await this.#load(unknown)
    return paths.map((path) => this.#rows.get(path)).filter((row) => row !== undefined)
  }

  async #load(paths: readonly string[]): Promise<void> {
    const found = await this.#scope.conn.run((conn) => findFiles(conn, this.#scope.workspaceId, paths))
    for (const path of paths) this.#rows.set(path, undefined)
    for (const row of found) if (row.fileType !== 'folder') this.#rows.set(row.path, row)
  }
}

function foundFile({ path, name, fileType, latest, updatedAt }: FileRow): FoundFile {
  return { path, name, file_type: fileType, size: latest?.size ?? null, version: latest?.number ?? null, updated_at: updatedAt.toISOString() }
}

function endCut(end: RipgrepEnd): SearchCut {
  switch (end.type) {
    case 'finished':
    case 'stopped':
      return null
    case 'time-limit':
      return 'time'
    case 'output-limit':
      return 'output'
  }
}

function patternError(pattern: string, errorText: string): AppError {
  const reason = errorText.replaceAll(/^rg: /gm, '').trim()
  return new AppError('invalid_request', `The pattern ${JSON.stringify(pattern)} is not a valid regular expression: ${reason}\nTo find special characters as text, put a backslash before them.`)
}

/** `./src/a.ts` when that is really there, without a symlink in any part of it. */
async function realTarget(root: string, path: string): Promise<string | undefined> {
  const target = path === '/' ? root : join(root, path)
  return (await realPath(target)) === target ? `.${path}` : undefined
}

async function realPath(path: string): Promise<string | undefined> {
  return realpath(path).catch((error: unknown) => absent(error))
}

async function isFile(path: string): Promise<boolean> {
  const stats = await lstat(path).catch((error: unknown) => absent(error))
  return stats?.isFile() ?? false
}

/** Undefined when the error says that nothing is there; other errors go on. */
function absent(error: unknown): undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined
  throw error
}
