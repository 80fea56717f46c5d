import { type LogEvent, sql } from 'kysely'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MirrorFixture } from '../../../test/support/mirror-fixture.ts'
import type { DbConn } from '../../db/db.ts'
import { BlobCleanup } from '../../workers/blob-cleanup.ts'
import { userAuthor } from './author.ts'
import { BlobCollector } from './blob-collector.ts'
import { ChangeSet } from './change-set.ts'
import { type Content, discardContent } from './content.ts'
import { moveFile, removeFile, writeFile } from './file-tree.ts'

const MIB = 1024 * 1024
let fixture: MirrorFixture

beforeAll(async () => {
  fixture = await MirrorFixture.create()
})
afterAll(() => fixture[Symbol.asyncDispose]())

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const spooled = () => (existsSync(join(fixture.dataDir, 'spool')) ? readdirSync(join(fixture.dataDir, 'spool')) : [])
const conn = () => fixture.database.db.kysely

/** Pseudo-random bytes, a piece at a time, never all in memory. */
async function* pieces(total: number, size = 64 * 1024): AsyncGenerator<Buffer> {
  let block = createHash('sha512').update(String(total)).digest()
  for (let sent = 0; sent < total; sent += size) {
    block = createHash('sha512').update(block).digest()
    yield Buffer.alloc(Math.min(size, total - sent), block)
  }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

async function upload(workspaceId: string, path: string, stream: AsyncIterable<Buffer>) {
  const content = await fixture.files.spool(stream, { limitBytes: 1024 * MIB })
  try {
    await fixture.files.storeAhead(workspaceId, content)
    return (await fixture.files.change({ workspaceId, author: userAuthor(fixture.userId) }, (set) => writeFile(set, { path, content }))).result
  } finally {
    await discardContent(content)
  }
}

async function hashOf(stream: Readable): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of stream) hash.update(piece as Buffer)
  return hash.digest('hex')
}

describe('large files', () => {
  it('go in and out byte for byte, with little memory', { timeout: 120_000 }, async () => {
    const workspaceId = await fixture.newWorkspace()
    const size = 30 * MIB + 12_345
    const expected = await hashOf(Readable.from(pieces(size)))
    let peak = 0
    let looks = 0
    collectGarbage()
    collectGarbage()
    const before = process.memoryUsage().arrayBuffers
    // What counts is what is held, not what waits to be collected. Twice, because buffers are given back by another thread, which the second one waits for.
    const watch = setInterval(() => {
      collectGarbage()
      collectGarbage()
      looks += 1
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
    }, 150)
    const { file } = await upload(workspaceId, '/large.bin', pieces(size))
    const opened = await fixture.files.openContent({ workspaceId, path: '/large.bin' })
    expect(await hashOf(opened.stream())).toBe(expected)
    clearInterval(watch)
    expect(file).toMatchObject({ size, hash: expected })
    expect(looks).toBeGreaterThan(3)
    // Measured: 1.5 MiB at 24 MiB as at 192 MiB.
    expect(peak).toBeLessThan(8 * MIB)
    expect(spooled()).toEqual([])
  })

  it('read a range from its chunks alone', async () => {
    const workspaceId = await fixture.newWorkspace()
    const bytes = randomBytes(3 * MIB)
    await upload(workspaceId, '/a.bin', Readable.from([bytes]))
    // The chunks outside the range are taken away: whoever read them would fail.
    await sql`DELETE FROM blob_chunks WHERE workspace_id = ${workspaceId}::uuid AND index NOT IN (2, 3)`.execute(conn())
    const opened = await fixture.files.openContent({ workspaceId, path: '/a.bin' })
    const range = { start: 3 * 256 * 1024 - 10, end: 3 * 256 * 1024 + 9 }
    expect(Buffer.concat(await opened.stream(range).toArray())).toEqual(bytes.subarray(range.start, range.end + 1))
    await expect(opened.stream().toArray()).rejects.toThrow('lost bytes')
  })

  it('are stored once in a workspace, however many files have the same bytes', async () => {
    const workspaceId = await fixture.newWorkspace()
    const bytes = randomBytes(2 * MIB)
    await fixture.write(workspaceId, { '/a.bin': bytes, '/b.bin': bytes })
    const { rows } = await sql<{ chunks: number }>`SELECT count(*) AS chunks FROM blob_chunks WHERE workspace_id = ${workspaceId}::uuid`.execute(conn())
    expect(rows).toEqual([{ chunks: 8 }])
    expect((await fixture.files.read(conn(), { workspaceId, path: '/b.bin', maxBytes: 4 * MIB })).bytes.equals(bytes)).toBe(true)
  })

  it.each([MIB - 1, MIB, MIB + 1, MIB + 256 * 1024])('of %i bytes keep every byte on either side of the border', async (size) => {
    const workspaceId = await fixture.newWorkspace()
    const bytes = randomBytes(size)
    await upload(workspaceId, '/x', Readable.from([bytes.subarray(0, 1), bytes.subarray(1, 700_001), bytes.subarray(700_001)]))
    const opened = await fixture.files.openContent({ workspaceId, path: '/x' })
    expect(opened.size).toBe(size)
    expect(sha256(Buffer.concat(await opened.stream().toArray()))).toBe(sha256(bytes))
    expect(Buffer.concat(await opened.stream({ start: 5, end: 9 }).toArray())).toEqual(bytes.subarray(5, 10))
  })
})

describe('uploads', () => {
  it('are refused beyond the limit, and leave no file behind, nor do broken or abandoned ones', async () => {
    await expect(fixture.files.spool(pieces(3 * MIB), { limitBytes: 2 * MIB })).rejects.toMatchObject({ code: 'payload_too_large' })
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield* pieces(2 * MIB)
      throw new Error('connection lost')
    }
    await expect(fixture.files.spool(broken(), { limitBytes: 1024 * MIB })).rejects.toThrow('connection lost')
    await expect(fixture.files.spool(pieces(2 * MIB), { limitBytes: 1024 * MIB, signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone')
    expect(spooled()).toEqual([])
  })

  it('of a killed server are cleared at the next start', async () => {
    const content: Content = await fixture.files.spool(pieces(2 * MIB), { limitBytes: 1024 * MIB })
    expect(spooled()).toHaveLength(1)
    await fixture.files.clearSpool()
    expect(spooled()).toEqual([])
    await discardContent(content)
  })
})

describe('reading', () => {
  it('says what stands in the way: nothing there, a folder, too large, no such version', async () => {
    const workspaceId = await fixture.newWorkspace()
    await fixture.write(workspaceId, { '/a/b': 'text' })
    const refusal = (options: { path: string; maxBytes?: number; version?: number }) => fixture.files.read(conn(), { workspaceId, maxBytes: 100, ...options }).then(() => 'read', (error: unknown) => (error as { code: string }).code)
    expect(await refusal({ path: '/none' })).toBe('not_found')
    expect(await refusal({ path: '/a' })).toBe('conflict')
    expect(await refusal({ path: '/' })).toBe('conflict')
    expect(await refusal({ path: '/a/b', maxBytes: 3 })).toBe('payload_too_large')
    expect(await refusal({ path: '/a/b', version: 2 })).toBe('not_found')
    expect(await refusal({ path: '/a/b', version: 1 })).toBe('read')
    await expect(fixture.files.openContent({ workspaceId: await fixture.newWorkspace(), path: '/a/b' })).rejects.toMatchObject({ code: 'not_found' })
  })

  it('pages through versions, newest first', async () => {
    const workspaceId = await fixture.newWorkspace()
    for (const text of ['1', '2', '3', '4', '5']) await fixture.write(workspaceId, { '/a': text })
    const first = await fixture.files.versions(conn(), { workspaceId, path: '/a', limit: 3 })
    const rest = await fixture.files.versions(conn(), { workspaceId, path: '/a', limit: 3, cursor: first.nextCursor ?? '' })
    expect([first.items.map((of) => of.number), rest.items.map((of) => of.number), rest.nextCursor]).toEqual([[5, 4, 3], [2, 1], null])
  })
})

describe('change sets', () => {
  it('take one statement each to lock, to look, to store and to record, however deep the file', async () => {
    const workspaceId = await fixture.newWorkspace()
    await fixture.write(workspaceId, { '/a/b/c/d.txt': '1' })
    const statements = await statementsOf(workspaceId, '/a/b/c/x/y/z.txt')
    expect(statements.map((text) => /LOCK|FOR NO KEY UPDATE/.test(text) ? 'lock' : /^\s*SELECT/.test(text) ? 'look' : text.includes('INTO changes') ? 'record' : 'store')).toEqual(['lock', 'look', 'store', 'record'])
  })

  it('forget what was rolled back to a savepoint, and go on without a gap', async () => {
    const workspaceId = await fixture.newWorkspace()
    const changes = await fixture.change(workspaceId, async (set) => {
      await writeFile(set, { path: '/kept', content: Buffer.from('1') })
      const mark = set.mark()
      await sql`SAVEPOINT tool`.execute(set.tx)
      await writeFile(set, { path: '/undone', content: Buffer.from('2') })
      await sql`ROLLBACK TO SAVEPOINT tool`.execute(set.tx)
      set.rollbackTo(mark)
      await writeFile(set, { path: '/after', content: Buffer.from('3') })
    })
    expect(changes.map(({ seq, path }) => [seq, path])).toEqual([[1, '/kept'], [2, '/after']])
    expect((await fixture.files.list(conn(), { workspaceId, path: '/', recursive: true, limit: 9 })).items.map((item) => item.path)).toEqual(['/after', '/kept'])
  })

  it('keep the turn and the tool call of an agent with version and journal row', async () => {
    const workspaceId = await fixture.newWorkspace()
    const author = { kind: 'agent' as const, id: fixture.userId, turnId: '01890000-0000-7000-8000-000000000001', toolCallId: '01890000-0000-7000-8000-000000000002' }
    const { result } = await fixture.files.change({ workspaceId, author }, (set) => writeFile(set, { path: '/a', content: Buffer.from('1') }))
    expect(result.version).toMatchObject({ author: { kind: 'agent', id: fixture.userId }, turn_id: author.turnId, tool_call_id: author.toolCallId })
    const row = await conn().selectFrom('changes').selectAll().where('workspace_id', '=', workspaceId).executeTakeFirstOrThrow()
    expect(row).toMatchObject({ turn_id: author.turnId, tool_call_id: author.toolCallId, author_kind: 'agent', prev_version_id: null })
  })

  it('move and remove thousands of files in one change', async () => {
    const workspaceId = await fixture.newWorkspace()
    await fixture.change(workspaceId, (set) => writeFile(set, { path: '/big/first', content: Buffer.from('x') }))
    await sql`
      INSERT INTO files (id, workspace_id, parent_id, name, path, file_type, latest_version_id)
      SELECT gen_random_uuid(), workspace_id, parent_id, 'f' || n, '/big/f' || n, 'document', latest_version_id
      FROM files, generate_series(1, 6000) AS n WHERE workspace_id = ${workspaceId}::uuid AND path = '/big/first'`.execute(conn())
    expect(await fixture.change(workspaceId, (set) => moveFile(set, { from: '/big', to: '/moved' }))).toHaveLength(6_002)
    expect(await fixture.change(workspaceId, (set) => removeFile(set, { path: '/moved', recursive: true }))).toHaveLength(6_002)
    expect((await fixture.files.list(conn(), { workspaceId, path: '/', recursive: true, limit: 9 })).items).toEqual([])
  })
})

/** The statements of one write, as the driver sent them. */
async function statementsOf(workspaceId: string, path: string): Promise<string[]> {
  return fixture.database.db.kysely.connection().execute(async (plain) => {
    const statements: string[] = []
    const recording: DbConn = plain.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: ({ result }) => Promise.resolve(result),
    })
    const executor = recording.getExecutor()
    const execute = executor.executeQuery.bind(executor)
    Object.assign(executor, {
      executeQuery: (compiled: LogEvent['query'], ...rest: []) => {
        statements.push(compiled.sql)
        return execute(compiled, ...rest)
      },
    })
    const set = await ChangeSet.open(recording, { workspaceId, author: userAuthor(fixture.userId) })
    await writeFile(set, { path, content: Buffer.from('x') })
    await set.close()
    return statements
  })
}

describe('collecting bytes', () => {
  it('removes what no version has named for a day, and nothing else', async () => {
    const workspaceId = await fixture.newWorkspace()
    await fixture.write(workspaceId, { '/named': 'named', '/large': Buffer.alloc(2 * MIB, 'x') })
    await fixture.change(workspaceId, (set) => removeFile(set, { path: '/named', recursive: false }))
    const content = await fixture.files.spool(pieces(2 * MIB), { limitBytes: 4 * MIB })
    await fixture.files.storeAhead(workspaceId, content)
    await discardContent(content)
    const blobs = () => conn().selectFrom('blobs').select('hash').where('workspace_id', '=', workspaceId).execute()
    const collect = (hours: number) => new BlobCollector({ db: fixture.database.db, now: () => Date.now() + hours * 3_600_000 }).collect()
    expect(await collect(23)).toBe(0)
    expect(await blobs()).toHaveLength(3)
    expect(await collect(25)).toBe(1)
    expect(await blobs()).toHaveLength(2)
  })

  it('goes on with its schedule after a pass that failed', async () => {
    const warnings: string[] = []
    let passes = 0
    const blobs = { collect: () => ((passes += 1) === 1 ? Promise.reject(new Error('database away')) : Promise.resolve(0)) }
    const cleanup = new BlobCleanup({ blobs, log: { info: () => undefined, warn: (_, message) => warnings.push(message) }, everyMs: 1 })
    cleanup.start()
    await expect.poll(() => passes).toBeGreaterThan(2)
    await cleanup.close()
    const ended = passes
    await new Promise((done) => setTimeout(done, 20))
    expect([warnings.length, passes]).toEqual([1, ended])
  })

  it('lets an upload of the same bytes win over the collector', async () => {
    const workspaceId = await fixture.newWorkspace()
    const content = await fixture.files.spool(pieces(2 * MIB), { limitBytes: 4 * MIB })
    await fixture.files.storeAhead(workspaceId, content)
    await new BlobCollector({ db: fixture.database.db, now: () => Date.now() + 48 * 3_600_000 }).collect()
    await fixture.change(workspaceId, (set) => writeFile(set, { path: '/a', content }))
    await discardContent(content)
    expect(await hashOf((await fixture.files.openContent({ workspaceId, path: '/a' })).stream())).toBe(await hashOf(Readable.from(pieces(2 * MIB))))
  })
})
