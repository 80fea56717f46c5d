import { mkdtemp, rm, symlink, unlink, writeFile as writeDisk } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLog } from '../../../../test/support/silent-log.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database.ts'
import { SessionConn } from '../../../db/session-conn.ts'
import { DiskMirrorService } from '../../../mirror/disk-mirror-service.ts'
import { userAuthor } from '../../files/author.ts'
import { DiskEditService } from '../../files/disk-edit-service.ts'
import { FileService } from '../../files/file-service.ts'
import { removeFile, writeFile } from '../../files/file-tree.ts'
import { JournalFeed } from '../../files/journal-feed.ts'
import { type GrepRequest, DiskSearch } from './disk-search.ts'

describe('searching the disk copy of a workspace', () => {
  let dataDir: string
  let database: TestDatabase
  let mirror: DiskMirrorService
  let files: FileService
  let search: DiskSearch
  const userId = uuidv7()

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'buildscale-search-'))
    database = await createTestDatabase()
    const { db } = database
    await db.kysely.insertInto('users').values({ id: userId, name: 'Ada', email: null }).execute()
    const [limits, journal] = [{ fileBytes: 1024 ** 3 }, new JournalFeed()]
    files = new FileService({ db, journal, limits, tempDir: join(dataDir, 'spool') })
    mirror = new DiskMirrorService({ db, dataDir, log: silentLog, importer: new DiskEditService({ files, limits }) })
    journal.onChanged(({ workspaceId, seq }) => mirror.changed(workspaceId, seq))
    search = new DiskSearch({ mirror })
  })
  afterAll(async () => {
    await mirror.close()
    await database[Symbol.asyncDispose]()
    await rm(dataDir, { recursive: true, force: true })
  })

  const newWorkspace = async (): Promise<string> => {
    const id = uuidv7()
    await database.db.kysely.insertInto('workspaces').values({ id, name: id, owner_id: userId, deleted_at: null }).execute()
    return id
  }
  const write = (workspaceId: string, contents: Readonly<Record<string, string>>) =>
    files.change({ workspaceId, author: userAuthor(userId) }, async (set) => {
      for (const [path, content] of Object.entries(contents)) await writeFile(set, { path, content: Buffer.from(content) })
    })
  const scope = (workspaceId: string) => ({ conn: new SessionConn(database.db), workspaceId, signal: new AbortController().signal })
  const request = (changes: Partial<GrepRequest> = {}): GrepRequest => ({
    pattern: 'needle', at: { path: '/', isFolder: true }, accepts: () => true, caseSensitive: true, before: 0, after: 0, limit: 50, sizeLimit: 1_000_000, includeIgnored: false, ...changes,
  })

  it('sees what was committed right before, among 400 files, and no more what was removed', async () => {
    const workspaceId = await newWorkspace()
    await write(workspaceId, Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`/src/folder-${n % 40}/file-${n}.ts`, `export const value${n} = ${n}\n`])))
    for (let round = 0; round < 5; round++) {
      await write(workspaceId, { [`/src/late-${round}.ts`]: `a needle ${round}\n` })
      const { matches, isCurrent } = await search.grep(scope(workspaceId), request())
      expect(matches).toEqual([{ path: `/src/late-${round}.ts`, line_number: 1, line_text: `a needle ${round}` }])
      expect(isCurrent).toBe(true)
      await files.change({ workspaceId, author: userAuthor(userId) }, (set) => removeFile(set, { path: `/src/late-${round}.ts`, recursive: false }))
    }
    const { files: found } = await search.glob(scope(workspaceId), { folder: '/src/folder-7', accepts: () => true, limit: 1_000, includeIgnored: false })
    expect(found).toHaveLength(10)
    expect((await search.grep(scope(workspaceId), request())).matches).toEqual([])
  })

  it('follows no link that another program put in the place of a file or folder', async () => {
    const workspaceId = await newWorkspace()
    await write(workspaceId, { '/a.md': 'nothing', '/docs/b.md': 'nothing' })
    await mirror.waitFor(workspaceId, { timeoutMs: 10_000 })
    const outside = join(dataDir, 'outside.md')
    await writeDisk(outside, 'a needle that belongs to the host\n')
    await unlink(join(mirror.folderOf(workspaceId), 'a.md'))
    await symlink(outside, join(mirror.folderOf(workspaceId), 'a.md'))
    await rm(join(mirror.folderOf(workspaceId), 'docs'), { recursive: true })
    await symlink(dataDir, join(mirror.folderOf(workspaceId), 'docs'))
    for (const path of ['/', '/a.md', '/docs', '/docs/b.md']) {
      expect((await search.grep(scope(workspaceId), request({ at: { path, isFolder: false } }))).matches, path).toEqual([])
    }
  })

  it('finds nothing of another workspace', async () => {
    const [one, other] = [await newWorkspace(), await newWorkspace()]
    await write(one, { '/a.md': 'needle' })
    await write(other, { '/a.md': 'nothing' })
    expect((await search.grep(scope(other), request())).matches).toEqual([])
    expect((await search.grep(scope(one), request())).matches).toHaveLength(1)
  })
})
