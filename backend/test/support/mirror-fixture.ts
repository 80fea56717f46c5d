import { sql } from 'kysely'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiskMirrorService, type DiskMirrorServiceDeps } from '../../src/mirror/disk-mirror-service.ts'
import { userAuthor } from '../../src/services/files/author.ts'
import type { ChangeSet, RecordedChange } from '../../src/services/files/change-set.ts'
import { DiskEditService } from '../../src/services/files/disk-edit-service.ts'
import { FileService } from '../../src/services/files/file-service.ts'
import { writeFile } from '../../src/services/files/file-tree.ts'
import { JournalFeed } from '../../src/services/files/journal-feed.ts'
import { silentLog } from './silent-log.ts'
import { createTestDatabase, type TestDatabase } from './test-database.ts'

export interface MirrorFixtureOptions {
  readonly mirror?: Partial<Pick<DiskMirrorServiceDeps, 'times' | 'subscribe' | 'isCaseSensitive' | 'log'>>
  readonly limits?: { readonly fileBytes: number }
}

const LIMITS = { fileBytes: 1024 ** 3 }

/** Files and their mirror over a real database and a data directory of its own. */
export class MirrorFixture {
  readonly database: TestDatabase
  readonly dataDir: string
  readonly userId = randomUUID()
  mirror: DiskMirrorService
  files: FileService
  #journal = new JournalFeed()
  #options: MirrorFixtureOptions

  static async create(options: MirrorFixtureOptions = {}): Promise<MirrorFixture> {
    const fixture = new MirrorFixture(await createTestDatabase(), options)
    await fixture.database.db.kysely.insertInto('users').values({ id: fixture.userId, name: 'Ada', email: null }).execute()
    return fixture
  }

  private constructor(database: TestDatabase, options: MirrorFixtureOptions) {
    this.database = database
    this.#options = options
    this.dataDir = mkdtempSync(join(realpathSync(tmpdir()), 'buildscale-mirror-'))
    this.files = this.#newFiles()
    this.mirror = this.#newMirror()
  }

  /** As a restart of the server: nothing of the old mirror's memory is left. */
  async restart(options: MirrorFixtureOptions = this.#options): Promise<void> {
    await this.mirror.close()
    this.#options = options
    this.files = this.#newFiles()
    this.mirror = this.#newMirror()
  }

  async newWorkspace(): Promise<string> {
    const id = randomUUID()
    await this.database.db.kysely.insertInto('workspaces').values({ id, name: id, owner_id: this.userId, deleted_at: null }).execute()
    return id
  }

  async change<T>(workspaceId: string, apply: (set: ChangeSet) => Promise<T>): Promise<readonly RecordedChange[]> {
    return (await this.files.change({ workspaceId, author: userAuthor(this.userId) }, apply)).changes
  }

  /** Several files in one change. */
  write(workspaceId: string, files: Readonly<Record<string, string | Buffer>>): Promise<readonly RecordedChange[]> {
    return this.change(workspaceId, async (set) => {
      for (const [path, bytes] of Object.entries(files)) await writeFile(set, { path, content: Buffer.from(bytes) })
    })
  }

  /** Every version of a file, oldest first: who made it, and its text. */
  async history(workspaceId: string, path: string): Promise<string[]> {
    const { kysely } = this.database.db
    const { items } = await this.files.versions(kysely, { workspaceId, path, limit: 500 })
    const texts = items.map(async ({ number, author }) => `${author.kind}: ${(await this.files.read(kysely, { workspaceId, path, version: number, maxBytes: 1e6 })).bytes.toString()}`)
    return (await Promise.all(texts)).reverse()
  }

  /** What is in the trash: path, and the text of a file. */
  async trashed(workspaceId: string): Promise<[path: string, text: string | null][]> {
    const { rows } = await sql<{ path: string; content: Buffer | null }>`
      SELECT f.path, b.content FROM files f LEFT JOIN file_versions v ON v.id = f.latest_version_id LEFT JOIN blobs b ON b.workspace_id = v.workspace_id AND b.hash = v.blob_hash
      WHERE f.workspace_id = ${workspaceId}::uuid AND f.deleted_at IS NOT NULL ORDER BY f.path, f.deleted_at`.execute(this.database.db.kysely)
    return rows.map(({ path, content }) => [path, content?.toString() ?? null])
  }

  /** The journal: kind, author, path. */
  async journal(workspaceId: string, after = 0): Promise<string[]> {
    const { rows } = await sql<{ row: string }>`
      SELECT author_kind || ' ' || kind || ' ' || concat_ws(' → ', from_path, to_path) AS row FROM changes WHERE workspace_id = ${workspaceId}::uuid AND seq > ${after} ORDER BY seq`.execute(this.database.db.kysely)
    return rows.map(({ row }) => row)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mirror.close()
    await this.database[Symbol.asyncDispose]()
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  #newMirror(): DiskMirrorService {
    const { db } = this.database
    const importer = new DiskEditService({ files: this.files, limits: this.#options.limits ?? LIMITS })
    const mirror = new DiskMirrorService({ db, dataDir: this.dataDir, log: silentLog, importer, ...this.#options.mirror })
    this.#journal.onChanged(({ workspaceId, seq }) => mirror.changed(workspaceId, seq))
    return mirror
  }

  #newFiles(): FileService {
    this.#journal = new JournalFeed()
    return new FileService({ db: this.database.db, journal: this.#journal, limits: LIMITS, tempDir: join(this.dataDir, 'spool') })
  }
}
