import type { FileEntry, FileVersion } from '@buildscale/protocol'
import { randomBytes } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Random } from '../../../../packages/rig/test/fuzz/random.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.ts'
import { AppError } from '../../errors.ts'
import { type Author, userAuthor } from './author.ts'
import { FileService } from './file-service.ts'
import { createFolder, writeFile, writeFiles } from './file-tree.ts'
import type { EntryOutcome, WantedEntry } from './write-files.ts'

let database: TestDatabase
let files: FileService
let author: Author
beforeAll(async () => {
  database = await createTestDatabase()
  files = new FileService({ db: database.db, journal: { changed: () => undefined }, limits: { fileBytes: 1024 ** 3 } })
  author = userAuthor(uuidv7())
  await database.db.kysely.insertInto('users').values({ id: author.id ?? '', name: 'Ada', email: null }).execute()
})
afterAll(() => database[Symbol.asyncDispose]())

async function newWorkspace(): Promise<string> {
  const id = uuidv7()
  await database.db.kysely.insertInto('workspaces').values({ id, name: id, owner_id: author.id ?? '', deleted_at: null }).execute()
  return id
}

const batch = (workspaceId: string, entries: readonly WantedEntry[]) => files.change({ workspaceId, author }, (set) => writeFiles(set, entries))
const file = (path: string, content: string | Buffer): WantedEntry => ({ type: 'file', path, content: Buffer.from(content) })

/** What `writeFile` and `createFolder` make of the same entries, one after the other, each in a transaction of its own. */
async function oneByOne(workspaceId: string, entries: readonly WantedEntry[]): Promise<EntryOutcome[]> {
  const outcomes: EntryOutcome[] = []
  for (const entry of entries) {
    try {
      const { result } = await files.change({ workspaceId, author }, async (set): Promise<EntryOutcome> =>
        entry.type === 'file' ? { type: 'file', ...(await writeFile(set, entry)) } : { type: 'folder', created: (await createFolder(set, entry.path)).created },
      )
      outcomes.push(result)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      outcomes.push({ type: 'refused', error })
    }
  }
  return outcomes
}

/** Without what differs from one workspace to another: ids and times. */
function comparable(outcome: EntryOutcome): unknown {
  if (outcome.type === 'refused') return { refused: outcome.error.code, message: outcome.error.message }
  if (outcome.type === 'folder') return outcome
  const fileOf = ({ id: _id, updated_at: _at, ...rest }: FileEntry) => rest
  const versionOf = ({ created_at: _at, ...rest }: FileVersion) => rest
  return { ...outcome, file: fileOf(outcome.file), version: versionOf(outcome.version) }
}

/** Everything that a workspace holds, without ids and times. */
async function stateOf(workspaceId: string): Promise<unknown> {
  const { kysely } = database.db
  const inWorkspace = <T>(query: { where(column: 'workspace_id', operator: '=', value: string): T }): T => query.where('workspace_id', '=', workspaceId)
  const changes = await inWorkspace(kysely.selectFrom('changes').select(['seq', 'kind', 'file_type', 'from_path', 'to_path'])).orderBy('seq').execute()
  const tree = await inWorkspace(kysely.selectFrom('files').select(['path', 'name', 'file_type'])).orderBy('path').execute()
  const blobs = await inWorkspace(kysely.selectFrom('blobs').select(['hash', 'size', 'content', 'counted'])).orderBy('hash').execute()
  const versions = await inWorkspace(kysely.selectFrom('file_versions').select(['number', 'blob_hash', 'size', 'mime'])).orderBy('blob_hash').orderBy('number').orderBy('mime').execute()
  const workspace = await kysely.selectFrom('workspaces').select(['change_seq', 'stored_bytes']).where('id', '=', workspaceId).executeTakeFirst()
  return { changes, tree, blobs, versions, workspace }
}

function randomOf(seed: number): (below: number) => number {
  const random = new Random(seed)
  return (below) => random.below(below)
}

/** Few names, so that files, folders and conflicts meet; no path twice. */
function randomEntries(random: (below: number) => number): WantedEntry[] {
  const entries = new Map<string, WantedEntry>()
  for (let count = 1 + random(30); count > 0; count -= 1) {
    const path = Array.from({ length: 1 + random(4) }, () => `/${['a', 'b', 'c.md', 'd%_', 'é'][random(5)]}`).join('')
    entries.set(path, random(5) === 0 ? { type: 'folder', path } : file(path, ['', 'same', `text ${random(6)}`, Buffer.from([0, random(4)])][random(4)] ?? ''))
  }
  return [...entries.values()]
}

describe('a batch of files', () => {
  it('does what one write after the other does: outcomes, tree, versions, bytes and journal', { timeout: 120_000 }, async () => {
    for (let seed = 1; seed <= 15; seed += 1) {
      const [together, apart, random] = [await newWorkspace(), await newWorkspace(), randomOf(seed)]
      for (let round = 0; round < 4; round += 1) {
        const entries = randomEntries(random)
        const { result } = await batch(together, entries)
        expect(result.map(comparable), `seed ${seed}, round ${round}`).toEqual((await oneByOne(apart, entries)).map(comparable))
        expect(await stateOf(together), `seed ${seed}, round ${round}`).toEqual(await stateOf(apart))
      }
    }
  })

  it('takes large files that were stored ahead and files with the same bytes', async () => {
    const workspaceId = await newWorkspace()
    const large = randomBytes(1_500_000)
    await files.storeAhead(workspaceId, large)
    const { result } = await batch(workspaceId, [file('/large.bin', large), file('/again.bin', large), file('/x', 'x'), file('/y', 'x')])
    expect(result.every((outcome) => outcome.type === 'file' && outcome.created)).toBe(true)
    expect((await files.read(database.db.kysely, { workspaceId, path: '/again.bin', maxBytes: 2_000_000 })).bytes.equals(large)).toBe(true)
    const usage = await database.db.kysely.selectFrom('workspaces').select('stored_bytes').where('id', '=', workspaceId).executeTakeFirst()
    expect(usage?.stored_bytes).toBe(large.length + 1)
  })

  it('refuses a path that comes a second time, and takes the others', async () => {
    const workspaceId = await newWorkspace()
    const { result, changes } = await batch(workspaceId, [file('/twice', 'one'), file('/twice', 'two'), file('/once', '1')])
    expect(result.map(({ type }) => type)).toEqual(['file', 'refused', 'file'])
    expect(changes.map(({ path }) => path)).toEqual(['/twice', '/once'])
  })

  it('stores nothing of a batch that the quota does not hold', async () => {
    const workspaceId = await newWorkspace()
    await database.db.kysely.updateTable('workspaces').set({ quota_bytes: 10 }).where('id', '=', workspaceId).execute()
    await expect(batch(workspaceId, [file('/a', '12345'), file('/b', '678901')])).rejects.toMatchObject({ code: 'insufficient_storage' })
    expect(await stateOf(workspaceId)).toMatchObject({ tree: [], blobs: [], changes: [] })
  })

  it('leaves the files of another workspace alone', async () => {
    const [mine, theirs] = [await newWorkspace(), await newWorkspace()]
    await batch(theirs, [file('/a', 'theirs')])
    const before = await stateOf(theirs)
    await batch(mine, [file('/a', 'mine'), file('/a/b', 'below')])
    expect(await stateOf(theirs)).toEqual(before)
  })
})
