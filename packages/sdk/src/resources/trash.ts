import { emptyTrash, type FileEntry, listTagged, listTags, listTrash, purgeTrash, restoreTrash } from '@buildscale/protocol'
import type { CallOptions, CreateOptions } from '../api.ts'
import type { Caller, ResponseOf } from '../client.ts'
import type { PageOptions } from './workspaces.ts'

/** What was removed from one workspace. */
export class TrashResource {
  readonly #caller: Caller
  readonly #params: { readonly w: string }

  constructor(caller: Caller, workspaceId: string) {
    this.#caller = caller
    this.#params = { w: workspaceId }
  }

  /** The latest first; a folder stands for what was removed with it. */
  list({ limit, cursor, ...options }: PageOptions = {}): Promise<ResponseOf<typeof listTrash>> {
    return this.#caller.call(listTrash, { params: this.#params, query: { limit, cursor }, options })
  }

  /** Puts a file back where it was, or at `to`: the same file, with its versions. */
  async restore(fileId: string, { to, ...options }: CreateOptions & { readonly to?: string | undefined } = {}): Promise<FileEntry> {
    return (await this.#caller.call(restoreTrash, { params: { ...this.#params, fileId }, body: { to }, options })).file
  }

  /** Removes a file for good, with every version. */
  purge(fileId: string, options?: CallOptions): Promise<void> {
    return this.#caller.call(purgeTrash, { params: { ...this.#params, fileId }, options })
  }

  /** Removes everything in the trash for good. */
  empty(options?: CallOptions): Promise<void> {
    return this.#caller.call(emptyTrash, { params: this.#params, options })
  }
}

/** The tags of one workspace; those of one file are read and set by `files(…).tags`. */
export class TagsResource {
  readonly #caller: Caller
  readonly #params: { readonly w: string }

  constructor(caller: Caller, workspaceId: string) {
    this.#caller = caller
    this.#params = { w: workspaceId }
  }

  /** Every tag with the number of files that have it. */
  list({ limit, cursor, ...options }: PageOptions = {}): Promise<ResponseOf<typeof listTags>> {
    return this.#caller.call(listTags, { params: this.#params, query: { limit, cursor }, options })
  }

  /** The files that have a tag, by path. */
  files(tag: string, { limit, cursor, ...options }: PageOptions = {}): Promise<ResponseOf<typeof listTagged>> {
    return this.#caller.call(listTagged, { params: { ...this.#params, tag }, query: { limit, cursor }, options })
  }
}
