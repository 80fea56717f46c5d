import { randomUUID } from 'node:crypto'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiskMirrorService } from '../../src/mirror/disk-mirror-service.ts'
import { userAuthor } from '../../src/services/files/author.ts'
import type { ChangeSet, RecordedChange } from '../../src/services/files/change-set.ts'
import { FileService } from '../../src/services/files/file-service.ts'
import { writeFile } from '../../src/services/files/file-tree.ts'
import { silentLog } from './silent-log.ts'
import { createTestDatabase, type TestDatabase } from './test-database.ts'

/** Files and their mirror over a real database and a data directory of its own. */
export class MirrorFixture {
  readonly database: TestDatabase
  readonly dataDir: string
  readonly userId = randomUUID()
  mirror: DiskMirrorService
  files: FileService

  static async create(): Promise<MirrorFixture> {
    const fixture = new MirrorFixture(await createTestDatabase())
    await fixture.database.db.kysely.insertInto('users').values({ id: fixture.userId, name: 'Ada', email: null }).execute()
    return fixture
  }

  private constructor(database: TestDatabase) {
    this.database = database
    this.dataDir = mkdtempSync(join(realpathSync(tmpdir()), 'buildscale-mirror-'))
    this.mirror = this.#newMirror()
    this.files = this.#newFiles()
  }

  /** As a restart of the server: nothing of the old mirror's memory is left. */
  async restart(): Promise<void> {
    await this.mirror.close()
    this.mirror = this.#newMirror()
    this.files = this.#newFiles()
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mirror.close()
    await this.database[Symbol.asyncDispose]()
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  #newMirror(): DiskMirrorService {
    return new DiskMirrorService({ db: this.database.db, dataDir: this.dataDir, log: silentLog })
  }

  #newFiles(): FileService {
    return new FileService({ db: this.database.db, journal: this.mirror, limits: { fileBytes: 1024 ** 3 }, tempDir: join(this.dataDir, 'spool') })
  }
}
