/**
 * The tool by itself: without a request around it and without a turn's ledger, whose statements come on top in a turn. It runs on a node beside the server,
 * which hears of every commit as nodes hear of each other.
 */
import type { Db } from '../../../backend/src/db/db.ts'
import { ChatBroadcast } from '../../../backend/src/services/chat/chat-broadcast.ts'
import { userAuthor } from '../../../backend/src/services/files/author.ts'
import { FileService } from '../../../backend/src/services/files/file-service.ts'
import { runTool } from '../../../backend/src/tools/run-tool.ts'
import type { SampleFile } from './sample-files.ts'

export interface ToolCallerDeps {
  readonly db: Db
  readonly userId: string
}

const SILENT = { warn: () => undefined }

export class ToolCaller {
  readonly #deps: ToolCallerDeps
  readonly #broadcast: ChatBroadcast
  readonly #files: FileService

  constructor(deps: ToolCallerDeps) {
    this.#deps = deps
    this.#broadcast = new ChatBroadcast({ db: deps.db, nodeId: 'bench', log: SILENT })
    const journal = { changed: (workspaceId: string, seq: number) => this.#broadcast.journalChanged(workspaceId, seq) }
    this.#files = new FileService({ db: deps.db, journal, limits: { fileBytes: 1024 ** 3 } })
  }

  /** @throws Error with what the tool said when it did not write */
  async write(workspaceId: string, { path, bytes }: SampleFile): Promise<void> {
    const { db, userId } = this.#deps
    const outcome = await runTool(
      { name: 'write', args: { path: `/${path}`, content: bytes.toString() } },
      {
        workspaceId,
        userId,
        author: userAuthor(userId),
        mode: 'build',
        signal: new AbortController().signal,
        conn: { run: (use) => db.kysely.connection().execute(use) },
        files: this.#files,
        search: { grep: unused, glob: unused, search: unused },
        shell: { run: unused },
        pages: { read: unused },
        webSearch: undefined,
      },
    )
    if (!outcome.ok) throw new Error(`write: ${outcome.error.message}`)
  }

  close(): Promise<void> {
    return this.#broadcast.close()
  }
}

function unused(): Promise<never> {
  return Promise.reject(new Error('the tool write needs none of this'))
}
