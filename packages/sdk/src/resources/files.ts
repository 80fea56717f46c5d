import {
  blameFile,
  copyFile,
  createFolder,
  deleteFile,
  diffFile,
  exportFiles,
  type FileBlame,
  type FileDiff,
  type FileEntry,
  getFileContent,
  getFileLinks,
  getFileTags,
  importFiles,
  type ImportProgress,
  type ImportResult,
  listChanges,
  listFiles,
  listFileVersions,
  moveFile,
  putFileContent,
  putFileTags,
  restoreFile,
  rewind,
  type SearchMode,
  searchWorkspace,
  type WorkspaceEvent,
  workspaceEvents,
} from '@buildscale/protocol'
import type { CallOptions, CreateOptions, QueryValue, RequestBody } from '../api.ts'
import { type BodyOf, type Caller, readJson, type ResponseOf } from '../client.ts'
import { decodeWorkspaceEvent } from '../decode-event.ts'
import { eventStream, type EventStreamOptions } from '../event-stream.ts'
import { importedBy } from '../import-events.ts'
import { SdkError } from '../sdk-error.ts'
import type { PageOptions } from './workspaces.ts'

/** The content of one version of a file; read it once, by one of `bytes`, `text` and `stream`. */
export interface FileContent {
  /** SHA-256 of the bytes, in hex. */
  readonly hash: string
  readonly mime: string
  /** In bytes; null when the server did not say. */
  readonly size: number | null
  readonly stream: ReadableStream<Uint8Array> | null
  bytes(): Promise<Uint8Array>
  text(): Promise<string>
}

export interface ImportOptions extends CallOptions {
  /** The folder that receives the files. */
  readonly path?: string | undefined
  /** What the archive is; a `FormData` says so by itself. */
  readonly type?: 'application/x-tar' | 'application/gzip' | 'application/zip' | undefined
  /** Called after each batch that was stored. */
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined
}

/** Guards against overwriting what somebody else wrote: the call fails with `version_mismatch` when the file is not as expected. */
export interface WriteGuard {
  /** The hash that the file must have. */
  readonly ifHash?: string | undefined
  /** The file must not exist. */
  readonly ifMissing?: boolean | undefined
}

export interface SearchOptions extends CallOptions {
  /** How to search; by words and by meaning when left out. */
  readonly modes?: readonly SearchMode[] | undefined
  /** The folder or file to search in; everywhere when left out. */
  readonly path?: string | undefined
  readonly limit?: number | undefined
}

/** The files of one workspace. Paths are absolute, `/` is the root. */
export class FilesResource {
  readonly #caller: Caller
  readonly #params: { readonly w: string }

  constructor(caller: Caller, workspaceId: string) {
    this.#caller = caller
    this.#params = { w: workspaceId }
  }

  /** The entries of a folder, folders first; of a file, that one entry. */
  list(path = '/', { recursive, limit, cursor, ...options }: PageOptions & { readonly recursive?: boolean } = {}): Promise<ResponseOf<typeof listFiles>> {
    return this.#caller.call(listFiles, { params: this.#params, query: { path, recursive, limit, cursor }, options })
  }

  async content(path: string, { version, signal }: CallOptions & { readonly version?: number | undefined } = {}): Promise<FileContent> {
    const response = await this.#caller.api.send(getFileContent, { params: this.#params, query: { path, version }, signal })
    const length = response.headers.get('content-length')
    return {
      hash: (response.headers.get('etag') ?? '').replaceAll('"', ''),
      mime: response.headers.get('content-type') ?? 'application/octet-stream',
      size: length === null ? null : Number(length),
      stream: response.body,
      bytes: async () => new Uint8Array(await response.arrayBuffer()),
      text: () => response.text(),
    }
  }

  /** Stores `content` as the file's new version and creates the folders above it. */
  async put(path: string, content: RequestBody, { ifHash, ifMissing, signal }: WriteGuard & CallOptions = {}): Promise<ResponseOf<typeof putFileContent>> {
    const headers = { 'content-type': 'application/octet-stream', ...guardHeaders({ ifHash, ifMissing }) }
    const response = await this.#caller.api.send(putFileContent, { params: this.#params, query: { path }, headers, body: content, signal })
    return readJson(putFileContent, response, signal)
  }

  async folder(path: string, options?: CreateOptions): Promise<FileEntry> {
    return (await this.#caller.call(createFolder, { params: this.#params, body: { path }, options })).file
  }

  async move(from: string, to: string, options?: CreateOptions): Promise<FileEntry> {
    return (await this.#caller.call(moveFile, { params: this.#params, body: { from, to }, options })).file
  }

  /** Copies a file, or a folder with its content; the copies begin at version 1. */
  async copy(from: string, to: string, options?: CreateOptions): Promise<FileEntry> {
    return (await this.#caller.call(copyFile, { params: this.#params, body: { from, to }, options })).file
  }

  async tags(path: string, options?: CallOptions): Promise<readonly string[]> {
    return (await this.#caller.call(getFileTags, { params: this.#params, query: { path }, options })).tags
  }

  /** The file has these tags from now on; answers them as they are kept (lower case, in order). */
  async setTags(path: string, tags: readonly string[], options?: CallOptions): Promise<readonly string[]> {
    return (await this.#caller.call(putFileTags, { params: this.#params, query: { path }, body: { tags: [...tags] }, options })).tags
  }

  /** Moves a file, or a folder with its content, to the trash. */
  remove(path: string, { ifHash, ...options }: Pick<WriteGuard, 'ifHash'> & CallOptions = {}): Promise<void> {
    return this.#caller.call(deleteFile, { params: this.#params, query: { path }, headers: guardHeaders({ ifHash }), options })
  }

  versions(path: string, { limit, cursor, ...options }: PageOptions = {}): Promise<ResponseOf<typeof listFileVersions>> {
    return this.#caller.call(listFileVersions, { params: this.#params, query: { path, limit, cursor }, options })
  }

  /** A new version with the bytes of `version`. */
  async restore(path: string, version: number, options?: CreateOptions): Promise<FileEntry> {
    return (await this.#caller.call(restoreFile, { params: this.#params, body: { path, version }, options })).file
  }

  /** The difference between two versions; by default of the latest to the one before. */
  diff(path: string, { from, to, ...options }: CallOptions & { readonly from?: number | undefined; readonly to?: number | undefined } = {}): Promise<FileDiff> {
    return this.#caller.call(diffFile, { params: this.#params, query: { path, from, to }, options })
  }

  /** Who wrote which lines of a version; by default of the latest. */
  blame(path: string, { version, ...options }: CallOptions & { readonly version?: number | undefined } = {}): Promise<FileBlame> {
    return this.#caller.call(blameFile, { params: this.#params, query: { path, version }, options })
  }

  /** The journal after a seq, oldest first; `next_cursor` goes on. */
  changes({ after, limit, cursor, ...options }: PageOptions & { readonly after?: number | undefined } = {}): Promise<ResponseOf<typeof listChanges>> {
    return this.#caller.call(listChanges, { params: this.#params, query: { after, limit, cursor }, options })
  }

  /** Every change of the workspace's files, exactly once and in order, over any number of cut connections; it has no end. See `eventStream`. */
  events(options: EventStreamOptions = {}): AsyncGenerator<WorkspaceEvent, void, undefined> {
    const open = (query: Readonly<Record<string, QueryValue>>, signal: AbortSignal): Promise<Response> => this.#caller.api.send(workspaceEvents, { params: this.#params, query, signal })
    return eventStream({ open, decode: decodeWorkspaceEvent }, options)
  }

  /** Brings files back to what they were: to a seq of the journal, or to before a turn. Look first with `dry_run`. */
  rewind(body: BodyOf<typeof rewind>, options?: CreateOptions): Promise<ResponseOf<typeof rewind>> {
    return this.#caller.call(rewind, { params: this.#params, body, options })
  }

  /** Files that have the words of a question, or its meaning; or lines that match a regular expression. Best first. */
  search(question: string, { modes, path, limit, ...options }: SearchOptions = {}): Promise<ResponseOf<typeof searchWorkspace>> {
    return this.#caller.call(searchWorkspace, { params: this.#params, query: { q: question, mode: modes?.join(','), path, limit }, options })
  }

  /** The links of a Markdown file, and those of others that lead to it. */
  links(path: string, options?: CallOptions): Promise<ResponseOf<typeof getFileLinks>> {
    return this.#caller.call(getFileLinks, { params: this.#params, query: { path }, options })
  }

  /** Stores the files of an archive or a form below a folder. Sending the same again stores only what is missing, so a call that broke off may be repeated. */
  async import(archive: RequestBody, { path = '/', type = 'application/x-tar', onProgress, signal }: ImportOptions = {}): Promise<ImportResult> {
    const connection = new AbortController()
    const response = await this.#caller.api.send(importFiles, {
      params: this.#params,
      query: { path },
      headers: { accept: onProgress === undefined ? 'application/json' : 'text/event-stream', ...(!(archive instanceof FormData) && { 'content-type': type }) },
      body: archive,
      signal: signal === undefined ? connection.signal : AbortSignal.any([signal, connection.signal]),
    })
    if (onProgress === undefined) return readJson(importFiles, response, signal)
    return importedBy(response, { onProgress, signal, giveUp: () => connection.abort() })
  }

  /** A folder with its content, or one file, as a tar. */
  async export(path = '/', { signal }: CallOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#caller.api.send(exportFiles, { params: this.#params, query: { path }, signal })
    if (response.body === null) throw new SdkError('invalid_response', 'The export has no body', { status: response.status })
    return response.body
  }
}

function guardHeaders({ ifHash, ifMissing }: WriteGuard): Readonly<Record<string, string | undefined>> {
  return { 'if-match': ifHash === undefined ? undefined : `"${ifHash}"`, 'if-none-match': ifMissing === true ? '*' : undefined }
}
