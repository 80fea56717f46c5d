import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { uuidv7 } from 'uuidv7'
import { SessionConn } from '../../src/db/session-conn.ts'
import { readTree } from '../../src/repositories/file-repository.ts'
import { userAuthor } from '../../src/services/files/author.ts'
import { FileService } from '../../src/services/files/file-service.ts'
import { writeFile as writeWorkspaceFile } from '../../src/services/files/file-tree.ts'
import { DiskSearch } from '../../src/services/search/disk/disk-search.ts'
import { JournalFollower } from '../../src/services/search/journal-follower.ts'
import { analyseText } from '../../src/services/search/words/text-analysis.ts'
import { TextIndex } from '../../src/services/search/words/text-index.ts'
import { TextSearch } from '../../src/services/search/words/text-search.ts'
import { WorkspaceSearch } from '../../src/services/search/workspace-search.ts'
import { ShellService } from '../../src/services/shell/shell-service.ts'
import { PageReader } from '../../src/services/web/page-reader.ts'
import { WebClient } from '../../src/services/web/web-client.ts'
import { WebPages } from '../../src/services/web/web-pages.ts'
import { prepareCall, type PreparedCall, runTool, type ToolOutcome } from '../../src/tools/run-tool.ts'
import type { ToolContext } from '../../src/tools/tool.ts'
import { silentLog } from './silent-log.ts'
import { createTestDatabase, type TestDatabase } from './test-database.ts'

export interface ToolWorkspaceOptions {
  /** False: as if the disk copy never catches up. */
  readonly isMirrorCurrent?: boolean
  readonly searchTimeLimitMs?: number
  /** Default: the guarded web, with nothing allowed besides what is public. */
  readonly pages?: ToolContext['pages']
  readonly webSearch?: ToolContext['webSearch']
}

/** Workspaces with files, for tests of tools: files in, result out. */
export class ToolWorkspaces {
  readonly #database: TestDatabase
  readonly #directory: string

  static async open(): Promise<ToolWorkspaces> {
    return new ToolWorkspaces(await createTestDatabase(), await mkdtemp(join(tmpdir(), 'buildscale-tools-')))
  }

  private constructor(database: TestDatabase, directory: string) {
    this.#database = database
    this.#directory = directory
  }

  /** A new workspace that holds `files`: path to text or bytes. */
  async with(files: Readonly<Record<string, string | Buffer>> = {}, options: ToolWorkspaceOptions = {}): Promise<ToolWorkspace> {
    const { db } = this.#database
    const userId = uuidv7()
    const workspaceId = uuidv7()
    await db.kysely.insertInto('users').values({ id: userId, name: 'Ada', email: null }).execute()
    await db.kysely.insertInto('workspaces').values({ id: workspaceId, name: 'test', owner_id: userId, deleted_at: null }).execute()
    const workspace = new ToolWorkspace({ database: this.#database, directory: this.#directory, workspaceId, userId }, options)
    for (const [path, content] of Object.entries(files)) await workspace.put(path, content)
    return workspace
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database[Symbol.asyncDispose]()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

interface ToolWorkspacePlace {
  readonly database: TestDatabase
  readonly directory: string
  readonly workspaceId: string
  readonly userId: string
}

export class ToolWorkspace {
  readonly files: FileService
  /** The disk copy. */
  readonly folder: string
  readonly #place: ToolWorkspacePlace
  readonly #context: ToolContext & { readonly files: FileService }

  constructor(place: ToolWorkspacePlace, { isMirrorCurrent = true, searchTimeLimitMs, pages = guardedPages(), webSearch }: ToolWorkspaceOptions) {
    const { database, directory, workspaceId, userId } = place
    this.#place = place
    this.folder = join(directory, workspaceId)
    this.files = new FileService({ db: database.db, journal: { changed: () => undefined }, limits: { fileBytes: 1024 ** 3 }, tempDir: join(directory, 'spool') })
    const waitFor = async () => {
      if (isMirrorCurrent) await this.#copyToDisk()
      return { applied: 0, current: isMirrorCurrent }
    }
    const mirrored = new DiskSearch({ mirror: { waitFor, folderOf: () => this.folder }, ...(searchTimeLimitMs !== undefined && { timeLimitMs: searchTimeLimitMs }) })
    const { db } = database
    const search = new WorkspaceSearch({ files: mirrored, text: new TextSearch(db.kysely), semantic: undefined, conn: db.kysely, log: silentLog })
    const shell = new ShellService({ mirror: { waitFor, folderOf: () => this.folder }, files: this.files })
    this.#context = { conn: new SessionConn(database.db), workspaceId, userId, mode: 'build', signal: new AbortController().signal, files: this.files, search, shell, pages, webSearch }
  }

  run(name: string, args: unknown, changes: Partial<Pick<ToolContext, 'mode' | 'signal'>> = {}): Promise<ToolOutcome> {
    return runTool({ name, args }, { ...this.#context, ...changes, author: userAuthor(this.#place.userId) })
  }

  /** The output of a call that must succeed. */
  async ok<Output = Record<string, unknown>>(name: string, args: unknown): Promise<Output> {
    const outcome = await this.run(name, args)
    if (!outcome.ok) throw new Error(`${name} failed: ${outcome.error.code}: ${outcome.error.message}`)
    return outcome.output as Output
  }

  /** The error of a call that must fail. */
  async refused(name: string, args: unknown): Promise<{ readonly code: string; readonly message: string }> {
    const outcome = await this.run(name, args)
    if (outcome.ok) throw new Error(`${name} did not fail: ${JSON.stringify(outcome.output).slice(0, 500)}`)
    return outcome.error
  }

  /** The first half of a call. */
  prepare(name: string, args: unknown): Promise<PreparedCall> {
    return prepareCall({ name, args }, this.#context)
  }

  /** The second half. */
  async apply(prepared: PreparedCall): Promise<unknown> {
    if (prepared.kind !== 'apply') throw new Error(`nothing to apply: ${JSON.stringify(prepared.outcome)}`)
    const { workspaceId, userId } = this.#place
    return (await this.files.change({ workspaceId, author: userAuthor(userId) }, (set) => prepared.apply(set))).result
  }

  async put(path: string, content: string | Buffer): Promise<void> {
    const { workspaceId, userId } = this.#place
    await this.files.change({ workspaceId, author: userAuthor(userId) }, (set) => writeWorkspaceFile(set, { path, content: Buffer.from(content) }))
  }

  /** Lets the index of words and links take in all that was written. */
  async index(): Promise<void> {
    const { database: { db }, workspaceId } = this.#place
    const index = new TextIndex({ db, analyser: { analyse: (file) => Promise.resolve(analyseText(file)) }, log: silentLog })
    await new JournalFollower({ db, index, log: silentLog }).catchUp(workspaceId, new AbortController().signal)
  }

  /** The bytes of a file. */
  async bytes(path: string): Promise<Buffer> {
    const { workspaceId, database } = this.#place
    return (await this.files.read(database.db.kysely, { workspaceId, path, maxBytes: 1024 ** 3 })).bytes
  }

  async text(path: string): Promise<string> {
    return (await this.bytes(path)).toString('utf8')
  }

  /** Every path, in order. */
  async paths(): Promise<readonly string[]> {
    return (await readTree(this.#place.database.db.kysely, this.#place.workspaceId)).map((entry) => entry.path)
  }

  /** The id of every path. */
  async ids(): Promise<Readonly<Record<string, string>>> {
    const { database, workspaceId } = this.#place
    const rows = await database.db.kysely.selectFrom('files').select(['path', 'id']).where('workspace_id', '=', workspaceId).where('deleted_at', 'is', null).execute()
    return Object.fromEntries(rows.map(({ path, id }) => [path, id]))
  }

  /** How many change sets the journal has. */
  async changeSets(): Promise<number> {
    const { database, workspaceId } = this.#place
    const rows = await database.db.kysely.selectFrom('changes').select('change_set_id').distinct().where('workspace_id', '=', workspaceId).execute()
    return rows.length
  }

  /** The same workspace, whose disk copy nobody brings up to date any more. */
  withMirrorAsItIs(): ToolWorkspace {
    return new ToolWorkspace(this.#place, { isMirrorCurrent: false })
  }

  /** Puts a file on disk that the workspace does not know. */
  async stray(path: string, content: string): Promise<void> {
    const target = join(this.folder, path)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, content)
  }

  /** The disk copy as the flusher leaves it, for tests that need no flusher: writes what differs, removes nothing that it does not know. */
  async #copyToDisk(): Promise<void> {
    const { database, workspaceId } = this.#place
    await mkdir(this.folder, { recursive: true })
    for (const entry of await readTree(database.db.kysely, workspaceId)) {
      const target = join(this.folder, entry.path)
      if (entry.isFolder) await mkdir(target, { recursive: true })
      else if (!(await readFile(target).catch(() => undefined))?.equals(await this.bytes(entry.path))) {
        // A folder may have been here.
        await rm(target, { recursive: true, force: true })
        await writeFile(target, await this.bytes(entry.path))
      }
    }
  }
}

function guardedPages(): WebPages {
  return new WebPages({ client: new WebClient({ allowed: { hosts: new Set(), ranges: [] } }), reader: new PageReader() })
}
