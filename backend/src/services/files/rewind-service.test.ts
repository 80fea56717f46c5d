import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MirrorFixture } from '../../../test/support/mirror-fixture.ts'
import { readTree } from '../../repositories/file-repository.ts'
import { userAuthor } from './author.ts'
import type { ChangeSet, RecordedChange } from './change-set.ts'
import { copyFile, createFolder, moveFile, removeFile } from './file-tree.ts'
import { RewindService } from './rewind-service.ts'

/** REWIND_FILES=20000 measures a large one. */
const MANY = Number(process.env['REWIND_FILES'] ?? 600)

let fixture: MirrorFixture
let rewinds: RewindService
let workspaceId: string
beforeAll(async () => {
  fixture = await MirrorFixture.create()
  rewinds = new RewindService({ db: fixture.database.db, files: { change: (options, apply) => fixture.files.change(options, apply) } })
})
beforeEach(async () => void (workspaceId = await fixture.newWorkspace()))
afterAll(() => fixture[Symbol.asyncDispose]())

const change = (apply: (set: ChangeSet) => Promise<unknown>) => fixture.change(workspaceId, apply)
const move = (from: string, to: string) => change((set) => moveFile(set, { from, to }))
const remove = (path: string) => change((set) => removeFile(set, { path, recursive: true }))
const write = (files: Readonly<Record<string, string>>) => fixture.write(workspaceId, files)
const seqOf = (changes: readonly RecordedChange[]): number => changes.at(-1)?.seq ?? 0
const back = (toSeq: number, paths?: readonly string[]) => rewinds.rewind({ workspaceId, toSeq, author: userAuthor(fixture.userId), ...(paths !== undefined && { paths }) })

async function tree(): Promise<readonly { readonly path: string; readonly hash: string | null }[]> {
  return (await readTree(fixture.database.db.kysely, workspaceId)).map(({ path, hash }) => ({ path, hash: hash?.toString('hex') ?? null }))
}

async function ids(): Promise<Record<string, string>> {
  const rows = await fixture.database.db.kysely.selectFrom('files').select(['id', 'path']).where('workspace_id', '=', workspaceId).where('deleted_at', 'is', null).execute()
  return Object.fromEntries(rows.map(({ id, path }) => [path, id]))
}

/** Database and disk show the same, byte for byte, and nothing had to be set aside on the way. */
async function expectDiskAgrees(): Promise<void> {
  expect(await fixture.mirror.waitFor(workspaceId, { timeoutMs: 60_000 })).toMatchObject({ current: true })
  expect((await fixture.mirror.inspect(workspaceId, { deep: true, repair: false })).differences).toEqual([])
  expect(existsSync(join(fixture.dataDir, 'lost+found', workspaceId))).toBe(false)
}

/** Does something, goes back, and expects everything as it was: paths, bytes and files; then goes forward again. */
async function expectUndone(before: Readonly<Record<string, string>>, changes: readonly (() => Promise<readonly RecordedChange[]>)[]): Promise<void> {
  const then = seqOf(await write(before))
  const [treeThen, idsThen] = [await tree(), await ids()]
  let now = then
  for (const apply of changes) now = seqOf(await apply())
  const [treeNow, idsNow] = [await tree(), await ids()]
  await expectDiskAgrees()
  await back(then)
  expect(await tree()).toEqual(treeThen)
  expect(await ids()).toEqual(idsThen)
  await expectDiskAgrees()
  await back(now)
  expect(await tree()).toEqual(treeNow)
  expect(await ids()).toEqual(idsNow)
  await expectDiskAgrees()
}

describe('going back, in the database and on disk', () => {
  it('swaps two files', () => expectUndone({ '/a': 'one', '/b': 'two' }, [() => move('/a', '/t'), () => move('/b', '/a'), () => move('/t', '/b')]))

  it('swaps two folders with their content', () =>
    expectUndone({ '/a/x': 'one', '/a/deep/y': 'two', '/b/x': 'three' }, [() => move('/a', '/t'), () => move('/b', '/a'), () => move('/t', '/b')]))

  it('swaps a folder and a file', () => expectUndone({ '/a/x': 'one', '/b': 'two' }, [() => move('/a', '/t'), () => move('/b', '/a'), () => move('/t', '/b')]))

  it('turns a folder and one inside it inside out', () => expectUndone({ '/a/b/f': 'x' }, [() => move('/a/b', '/t'), () => move('/a', '/t/a'), () => move('/t', '/b')]))

  it('renames the case of a file, and of a folder with its content', () => expectUndone({ '/Readme': '1', '/Docs/a': '2' }, [() => move('/Readme', '/README'), () => move('/Docs', '/docs')]))

  it('brings back what was removed where something else was made since', () =>
    expectUndone({ '/p/x': 'old', '/q': 'old file' }, [() => remove('/p'), () => write({ '/p': 'now a file' }), () => remove('/q'), () => write({ '/q/x': 'now a folder' })]))

  it('brings back the file that was there, not the one that was made at its path', () => expectUndone({ '/f': 'first' }, [() => remove('/f'), () => write({ '/f': 'second' })]))

  it('brings back moved and changed files, into folders that were removed', () =>
    expectUndone({ '/d/e/f': '1', '/d/g': '2' }, [() => move('/d/e/f', '/f'), () => write({ '/f': 'changed' }), () => remove('/d'), () => change((set) => createFolder(set, '/d'))]))

  it('keeps a file that is larger than what is kept in a row', () => expectUndone({ '/big': 'x'.repeat(3_000_000) }, [() => write({ '/big': 'small' }), () => remove('/big')]))

  it('gives exactly the bytes', async () => {
    const then = seqOf(await write({ '/f': 'a\r\nb' }))
    await write({ '/f': 'other' })
    await back(then)
    await expectDiskAgrees()
    expect(readFileSync(join(fixture.mirror.folderOf(workspaceId), 'f'), 'utf8')).toBe('a\r\nb')
  })

  it('is replayed on a disk that was behind, and by a server that starts anew', async () => {
    const then = seqOf(await write({ '/a/x': 'one', '/b': 'two' }))
    await fixture.restart()
    await move('/a', '/t')
    await move('/b', '/a')
    await move('/t', '/b')
    await write({ '/new': 'new' })
    await fixture.restart()
    await back(then)
    await fixture.restart()
    await expectDiskAgrees()
  })

  it('leaves no trace of what stepped aside, and names every row', async () => {
    const then = seqOf(await write({ '/a': 'one', '/b': 'two' }))
    await move('/a', '/t')
    await move('/b', '/a')
    await move('/t', '/b')
    const { change_set_id: set } = await back(then)
    expect((await tree()).map(({ path }) => path)).toEqual(['/a', '/b'])
    const rows = await fixture.database.db.kysely.selectFrom('changes').select(['kind', 'from_path', 'to_path']).where('workspace_id', '=', workspaceId).where('change_set_id', '=', set ?? '').orderBy('seq').execute()
    const aside = `/.rewind-${set ?? ''}-1`
    expect(rows).toEqual([
      { kind: 'moved', from_path: expect.any(String) as string, to_path: aside },
      { kind: 'moved', from_path: expect.any(String) as string, to_path: expect.any(String) as string },
      { kind: 'moved', from_path: aside, to_path: expect.any(String) as string },
    ])
  })

  it('waits for a writer that has the workspace, and is whole or not at all when it fails', async () => {
    const then = seqOf(await write({ '/f': '1' }))
    await write({ '/f': '2' })
    const before = await tree()
    const failing = fixture.files.change({ workspaceId, author: userAuthor(fixture.userId) }, async (set) => {
      await rewinds.within(set, { workspaceId, toSeq: then })
      throw new Error('the connection is lost')
    })
    await expect(failing).rejects.toThrow('the connection is lost')
    expect(await tree()).toEqual(before)
    const racing = Promise.all([back(then), ...Array.from({ length: 5 }, (_, index) => write({ [`/g${index}`]: String(index) }))])
    await racing
    await expectDiskAgrees()
  })

  it(`brings back ${MANY} files in seconds`, { timeout: 300_000 }, async () => {
    const folders = Math.ceil(MANY / 100)
    await write(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`/all/0/${index}`, String(index)])))
    for (let folder = 1; folder < folders; folder += 1) await change((set) => copyFile(set, { from: '/all/0', to: `/all/${folder}` }))
    const [then, treeThen] = [seqOf(await change((set) => createFolder(set, '/mark'))), await tree()]
    await move('/all', '/moved')
    await write(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`/moved/0/${index}`, 'edited'])))
    for (let folder = Math.ceil(folders / 2); folder < folders; folder += 1) await remove(`/moved/${folder}`)
    const startedAt = performance.now()
    const { changes } = await back(then)
    const ms = performance.now() - startedAt
    if (MANY >= 10_000) process.stdout.write(`rewind of ${MANY} files, ${changes.length} changes: ${Math.round(ms)} ms\n`)
    expect(changes.length).toBeGreaterThan(MANY)
    expect(await tree()).toEqual(treeThen)
    await expectDiskAgrees()
    expect(ms).toBeLessThan(30_000)
  })
})
