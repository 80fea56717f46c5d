import type { FileEntry } from '@buildscale/protocol'
import { sql } from 'kysely'
import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.ts'
import { AppError } from '../../errors.ts'
import { userAuthor } from './author.ts'
import type { RecordedChange } from './change-set.ts'
import { FileService } from './file-service.ts'
import { createFolder, moveFile, removeFile, restoreVersion, touchFile, writeFile, type WriteFileOptions } from './file-tree.ts'

let database: TestDatabase
let files: FileService
const userId = randomUUID()
const author = userAuthor(userId)
const woken: { workspaceId: string; seq: number }[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  files = new FileService({ db: database.db, journal: { changed: (workspaceId, seq) => woken.push({ workspaceId, seq }) }, limits: { fileBytes: 64 * 1024 * 1024 } })
  await database.db.kysely.insertInto('users').values({ id: userId, name: 'Ada', email: null }).execute()
})
afterAll(() => database[Symbol.asyncDispose]())

async function newWorkspace(): Promise<string> {
  const id = randomUUID()
  await database.db.kysely.insertInto('workspaces').values({ id, name: id, owner_id: userId, deleted_at: null }).execute()
  return id
}

async function workspaceWith(paths: Readonly<Record<string, string>>): Promise<string> {
  const workspaceId = await newWorkspace()
  for (const [path, text] of Object.entries(paths)) await write(workspaceId, { path, content: Buffer.from(text) })
  return workspaceId
}

const change = <T>(workspaceId: string, apply: Parameters<typeof files.change<T>>[1]) => files.change({ workspaceId, author }, apply)
const write = async (workspaceId: string, options: WriteFileOptions) => (await change(workspaceId, (set) => writeFile(set, options))).result
const read = async (workspaceId: string, path: string, version?: number) =>
  (await files.read(database.db.kysely, { workspaceId, path, maxBytes: 1e9, ...(version !== undefined && { version }) })).bytes
const list = async (workspaceId: string, path = '/', recursive = true) => (await files.list(database.db.kysely, { workspaceId, path, recursive, limit: 1000 })).items.map((item) => item.path)
const journal = (workspaceId: string) => database.db.kysely.selectFrom('changes').selectAll().where('workspace_id', '=', workspaceId).orderBy('seq').execute()
const brief = (changes: readonly RecordedChange[]) => changes.map(({ kind, path, fromPath, version }) => [kind, path, fromPath, version])

describe('bytes and paths', () => {
  it.each([
    ['JSON that could be reformatted', '/package.json', Buffer.from('{"b":1,  "a": 1e3, "a": 10000000000000000000001}')],
    ['CRLF line ends', '/Dos.TXT', Buffer.from('one\r\ntwo\r\n')],
    ['no newline at the end', '/src/[id].tsx', Buffer.from('export {}')],
    ['every byte there is', '/@scope/all.bin', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    ['a byte order mark', '/bom.txt', Buffer.from('\ufefftext')],
    ['a name of emoji', '/👩‍🚀/🚀 plan.md', Buffer.from('go')],
    ['nothing', '/__tests__/.gitkeep', Buffer.alloc(0)],
    ['characters that patterns give a meaning', '/100%_done\'s "list" $x.md', Buffer.from('x')],
    ['text with NUL', '/nul.txt', Buffer.from('a\0b')],
  ])('keeps %s exactly', async (_what, path, bytes) => {
    const workspaceId = await newWorkspace()
    const { file } = await write(workspaceId, { path, content: bytes })
    expect(file.path).toBe(path)
    expect(await read(workspaceId, path)).toEqual(bytes)
    expect(await list(workspaceId)).toContain(path)
  })

  it('tells names apart that differ only in case, and finds a name however its accents were typed', async () => {
    const workspaceId = await workspaceWith({ '/Readme.md': 'a', '/README.md': 'b' })
    expect(await list(workspaceId)).toEqual(['/README.md', '/Readme.md'])
    expect((await read(workspaceId, '/Readme.md')).toString()).toBe('a')
  })

  it('labels text, known names and other bytes', async () => {
    const workspaceId = await newWorkspace()
    const mime = async (path: string, content: Buffer) => (await write(workspaceId, { path, content })).file.mime
    expect(await mime('/a.json', Buffer.from('{'))).toBe('application/json')
    expect(await mime('/Makefile', Buffer.from('all: ünïcode'))).toBe('text/plain')
    expect(await mime('/blob', Buffer.from([0xff, 0xfe, 0x80]))).toBe('application/octet-stream')
  })
})

describe('versions and the journal', () => {
  it('numbers versions from 1 and keeps the bytes of each', async () => {
    const workspaceId = await workspaceWith({ '/a.txt': 'one' })
    const second = await write(workspaceId, { path: '/a.txt', content: Buffer.from('two') })
    expect(second).toMatchObject({ created: false, unchanged: false, version: { number: 2, author: { kind: 'user', id: userId } } })
    expect((await read(workspaceId, '/a.txt', 1)).toString()).toBe('one')
    const { items } = await files.versions(database.db.kysely, { workspaceId, path: '/a.txt', limit: 10 })
    expect(items.map((version) => version.number)).toEqual([2, 1])
  })

  it('stores nothing and records nothing when the bytes are the latest already', async () => {
    const workspaceId = await workspaceWith({ '/a.txt': 'same' })
    const { result, changes } = await change(workspaceId, (set) => writeFile(set, { path: '/a.txt', content: Buffer.from('same') }))
    expect(result).toMatchObject({ unchanged: true, created: false, version: { number: 1 } })
    expect(changes).toEqual([])
    expect(await journal(workspaceId)).toHaveLength(1)
  })

  it('records the folders that a write makes, each once, before the file', async () => {
    const workspaceId = await newWorkspace()
    const { changes } = await change(workspaceId, (set) => writeFile(set, { path: '/a/b/c.txt', content: Buffer.from('x') }))
    expect(brief(changes)).toEqual([
      ['created', '/a', null, null],
      ['created', '/a/b', null, null],
      ['created', '/a/b/c.txt', null, 1],
    ])
    expect((await change(workspaceId, (set) => writeFile(set, { path: '/a/b/d.txt', content: Buffer.from('x') }))).changes).toHaveLength(1)
    expect(woken.filter((wake) => wake.workspaceId === workspaceId).map((wake) => wake.seq)).toEqual([3, 4])
  })

  it('makes a new file from version 1 where a removed one was', async () => {
    const workspaceId = await workspaceWith({ '/a.txt': 'one' })
    const first = await files.stat(database.db.kysely, { workspaceId, path: '/a.txt' })
    await change(workspaceId, (set) => removeFile(set, { path: '/a.txt', recursive: false }))
    const again = await write(workspaceId, { path: '/a.txt', content: Buffer.from('one') })
    expect(again).toMatchObject({ created: true, version: { number: 1 } })
    expect(again.file.id).not.toBe(first?.id)
  })

  it('restores the bytes of an old version as a new one', async () => {
    const workspaceId = await workspaceWith({ '/a.txt': 'one' })
    await write(workspaceId, { path: '/a.txt', content: Buffer.from('two') })
    const { result, changes } = await change(workspaceId, (set) => restoreVersion(set, { path: '/a.txt', version: 1 }))
    expect(result.version.number).toBe(3)
    expect(brief(changes)).toEqual([['updated', '/a.txt', null, 3]])
    expect((await read(workspaceId, '/a.txt')).toString()).toBe('one')
    await expect(change(workspaceId, (set) => restoreVersion(set, { path: '/a.txt', version: 9 }))).rejects.toMatchObject({ code: 'not_found', message: expect.stringContaining('newest one is 3') as string })
  })

  it('is gap-free and in commit order under eight writers at once', async () => {
    const workspaceId = await newWorkspace()
    const writer = async (name: number): Promise<void> => {
      for (let round = 0; round < 15; round += 1) await write(workspaceId, { path: `/${name % 3}/${name}-${round % 4}.txt`, content: Buffer.from(`${name} ${round}`) })
    }
    await Promise.all(Array.from({ length: 8 }, (_, name) => writer(name)))
    const rows = await journal(workspaceId)
    expect(rows.map((row) => row.seq)).toEqual(rows.map((_, index) => index + 1))
    const { change_seq: seq } = await database.db.kysely.selectFrom('workspaces').select('change_seq').where('id', '=', workspaceId).executeTakeFirstOrThrow()
    expect(seq).toBe(rows.length)
    const numbers = await database.db.kysely.selectFrom('file_versions').select(['file_id', 'number']).where('workspace_id', '=', workspaceId).orderBy('file_id').orderBy('number').execute()
    expect(Object.values(Object.groupBy(numbers, (row) => row.file_id)).every((of) => of?.every((row, index) => row.number === index + 1))).toBe(true)
  })

  it('records nothing of a change that failed', async () => {
    const workspaceId = await newWorkspace()
    const failing = change(workspaceId, async (set) => {
      await writeFile(set, { path: '/a.txt', content: Buffer.from('x') })
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await list(workspaceId)).toEqual([])
    expect(await journal(workspaceId)).toEqual([])
  })
})

describe('moving', () => {
  it('B20: moves a folder with its content, its own row first, and nothing whose name only looks alike', async () => {
    const workspaceId = await workspaceWith({ '/a_b/x.txt': '1', '/a_b/sub/y.txt': '2', '/axb/z.txt': '3', '/a_b2/w.txt': '4', '/a%/v.txt': '5' })
    const { changes } = await change(workspaceId, (set) => moveFile(set, { from: '/a_b', to: '/new/a%b' }))
    expect(brief(changes)).toEqual([
      ['created', '/new', null, null],
      ['moved', '/new/a%b', '/a_b', null],
      ['moved', '/new/a%b/sub', '/a_b/sub', null],
      ['moved', '/new/a%b/sub/y.txt', '/a_b/sub/y.txt', 1],
      ['moved', '/new/a%b/x.txt', '/a_b/x.txt', 1],
    ])
    await change(workspaceId, (set) => moveFile(set, { from: '/a%', to: '/b' }))
    expect(await list(workspaceId)).toEqual(['/a_b2', '/a_b2/w.txt', '/axb', '/axb/z.txt', '/b', '/b/v.txt', '/new', '/new/a%b', '/new/a%b/sub', '/new/a%b/sub/y.txt', '/new/a%b/x.txt'])
    expect(await list(workspaceId, '/new', false)).toEqual(['/new/a%b'])
    expect((await read(workspaceId, '/new/a%b/sub/y.txt')).toString()).toBe('2')
  })

  it('changes the case of a name', async () => {
    const workspaceId = await workspaceWith({ '/readme.md': 'x' })
    await change(workspaceId, (set) => moveFile(set, { from: '/readme.md', to: '/README.md' }))
    expect(await list(workspaceId)).toEqual(['/README.md'])
  })

  it('refuses a taken place, a place below a file, itself, the root and what is not there', async () => {
    const workspaceId = await workspaceWith({ '/a/x.txt': '1', '/b.txt': '2' })
    const refusal = (from: string, to: string) => change(workspaceId, (set) => moveFile(set, { from, to })).then(() => 'moved', (error: unknown) => (error as { code: string }).code)
    expect(await refusal('/a/x.txt', '/b.txt')).toBe('conflict')
    expect(await refusal('/a', '/b.txt/a')).toBe('conflict')
    expect(await refusal('/a', '/a/b/c')).toBe('conflict')
    expect(await refusal('/', '/a/b')).toBe('conflict')
    expect(await refusal('/none', '/c')).toBe('not_found')
    expect(await refusal('/a', `${'/long-folder-name-of-30-letters'.repeat(32)}/${'x'.repeat(30)}`)).toBe('invalid_request')
  })
})

describe('removing and making', () => {
  it('removes a folder with its content only when told to, its own row first', async () => {
    const workspaceId = await workspaceWith({ '/a/x.txt': '1', '/a/b/y.txt': '2', '/ab.txt': '3' })
    await expect(change(workspaceId, (set) => removeFile(set, { path: '/a', recursive: false }))).rejects.toMatchObject({ code: 'conflict' })
    const { result, changes } = await change(workspaceId, (set) => removeFile(set, { path: '/a', recursive: true }))
    expect(result.removed).toBe(4)
    expect(brief(changes)).toEqual([
      ['deleted', '/a', null, null],
      ['deleted', '/a/b', null, null],
      ['deleted', '/a/b/y.txt', null, null],
      ['deleted', '/a/x.txt', null, null],
    ])
    expect(await list(workspaceId)).toEqual(['/ab.txt'])
  })

  it('makes a folder once, and touches a file without a version', async () => {
    const workspaceId = await newWorkspace()
    const make = () => change(workspaceId, (set) => createFolder(set, '/a/b'))
    expect((await make()).result.created).toBe(true)
    expect((await make()).result.created).toBe(false)
    const touch = () => change(workspaceId, (set) => touchFile(set, '/a/c.txt'))
    const first = (await touch()).result
    const second = await touch()
    expect([first.created, second.result.created]).toEqual([true, false])
    expect(second.result.file.updated_at > first.file.updated_at).toBe(true)
    expect(second.changes).toEqual([])
    expect(await journal(workspaceId)).toHaveLength(3)
  })

  it('keeps files and folders from taking each other’s place', async () => {
    const workspaceId = await workspaceWith({ '/file': 'x', '/folder/y': 'x' })
    await expect(write(workspaceId, { path: '/folder', content: Buffer.from('') })).rejects.toMatchObject({ code: 'conflict' })
    await expect(write(workspaceId, { path: '/file/below/deep', content: Buffer.from('') })).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('"/file" is a file') as string })
    await expect(change(workspaceId, (set) => createFolder(set, '/file'))).rejects.toMatchObject({ code: 'conflict' })
    await expect(write(workspaceId, { path: '/', content: Buffer.from('') })).rejects.toMatchObject({ code: 'conflict' })
    await expect(change(randomUUID(), (set) => createFolder(set, '/x'))).rejects.toMatchObject({ code: 'not_found' })
  })

  it('leaves the same path of another workspace alone', async () => {
    const [mine, other] = [await workspaceWith({ '/a/x': 'mine' }), await workspaceWith({ '/a/x': 'other' })]
    await change(mine, (set) => moveFile(set, { from: '/a', to: '/b' }))
    await change(mine, (set) => removeFile(set, { path: '/b', recursive: true }))
    expect(await list(other)).toEqual(['/a', '/a/x'])
    expect((await read(other, '/a/x')).toString()).toBe('other')
  })
})

describe('guards and races', () => {
  it('lets a write through only with the hash of the latest version, and says the new one', async () => {
    const workspaceId = await workspaceWith({ '/a.txt': 'one' })
    const { version } = await write(workspaceId, { path: '/a.txt', content: Buffer.from('two') })
    const old = '7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed'
    await expect(write(workspaceId, { path: '/a.txt', content: Buffer.from('3'), ifHash: old })).rejects.toMatchObject({ code: 'version_mismatch', details: { hash: version.hash } })
    await write(workspaceId, { path: '/a.txt', content: Buffer.from('three'), ifHash: version.hash })
    await expect(change(workspaceId, (set) => removeFile(set, { path: '/a.txt', recursive: false, ifHash: version.hash }))).rejects.toMatchObject({ code: 'version_mismatch' })
    await expect(write(workspaceId, { path: '/b.txt', content: Buffer.from('3'), ifHash: old })).rejects.toMatchObject({ code: 'version_mismatch' })
    await expect(write(workspaceId, { path: '/a.txt', content: Buffer.from('3'), mustNotExist: true })).rejects.toMatchObject({ code: 'version_mismatch' })
    const checkExisting = ({ version }: FileEntry): void => {
      throw new AppError('conflict', `There is version ${version}.`)
    }
    await expect(write(workspaceId, { path: '/a.txt', content: Buffer.from('3'), checkExisting })).rejects.toMatchObject({ code: 'conflict', message: 'There is version 3.' })
  })

  it('B19: gives one of two guarded writes at once the file, and the other a version_mismatch', async () => {
    const workspaceId = await workspaceWith({ '/a.txt': 'base' })
    const { hash } = (await files.versions(database.db.kysely, { workspaceId, path: '/a.txt', limit: 1 })).items[0] ?? { hash: '' }
    const race = await Promise.allSettled(Array.from({ length: 6 }, (_, index) => write(workspaceId, { path: '/a.txt', content: Buffer.from(`writer ${index}`), ifHash: hash })))
    expect(race.filter((of) => of.status === 'fulfilled')).toHaveLength(1)
    expect(race.filter((of) => of.status === 'rejected').map((of) => (of.reason as { code: string }).code)).toEqual(Array.from({ length: 5 }, () => 'version_mismatch'))
    const winner = race.findIndex((of) => of.status === 'fulfilled')
    expect((await read(workspaceId, '/a.txt')).toString()).toBe(`writer ${winner}`)
  })

  it('makes one file when two create the same path at once', async () => {
    const workspaceId = await newWorkspace()
    const results = await Promise.all(['a', 'b'].map((text) => write(workspaceId, { path: '/new/deep/file.txt', content: Buffer.from(text) })))
    expect(results.map((result) => result.version.number).sort()).toEqual([1, 2])
    expect(await list(workspaceId)).toEqual(['/new', '/new/deep', '/new/deep/file.txt'])
  })

  it('stays whole when a folder is moved or removed while files are written into it', async () => {
    for (let round = 0; round < 8; round += 1) {
      const workspaceId = await workspaceWith({ '/old/a.txt': '1' })
      const rival = round % 2 === 0 ? change(workspaceId, (set) => moveFile(set, { from: '/old', to: '/new' })) : change(workspaceId, (set) => removeFile(set, { path: '/old', recursive: true }))
      await Promise.all([rival, write(workspaceId, { path: '/old/b.txt', content: Buffer.from('2') }), write(workspaceId, { path: '/old/a.txt', content: Buffer.from('3') })])
      const { rows: orphans } = await sql`
        SELECT f.path FROM files f LEFT JOIN files p ON p.id = f.parent_id AND p.deleted_at IS NULL
        WHERE f.workspace_id = ${workspaceId}::uuid AND f.deleted_at IS NULL AND f.path IS DISTINCT FROM coalesce(p.path, CASE WHEN f.parent_id IS NULL THEN '' END) || '/' || f.name`.execute(database.db.kysely)
      expect(orphans).toEqual([])
    }
  })
})

describe('the tree at any seq', () => {
  it('is the last journal row of each file up to that seq', async () => {
    const workspaceId = await newWorkspace()
    const snapshots = new Map<number, string[]>()
    const paths = ['/a', '/a/b', '/c', '/c/d', '/e']
    for (let step = 0; step < 60; step += 1) {
      const pick = () => paths[Math.floor(Math.random() * paths.length)] ?? '/a'
      const action = Math.random()
      const { seq } = await change(workspaceId, (set) =>
        action < 0.5 ? writeFile(set, { path: `${pick()}/f${step % 5}`, content: randomBytes(8) }) : action < 0.75 ? moveFile(set, { from: pick(), to: `${pick()}/m${step}` }) : removeFile(set, { path: pick(), recursive: true }),
      ).then(({ changes }) => ({ seq: changes.at(-1)?.seq }), () => ({ seq: undefined })) // refused ones change nothing, which is what is tested
      if (seq !== undefined) snapshots.set(seq, (await list(workspaceId)).toSorted())
    }
    const rows = await journal(workspaceId)
    expect(snapshots.size).toBeGreaterThan(10)
    for (const [seq, expected] of snapshots) {
      const last = new Map(rows.filter((row) => row.seq <= seq).map((row) => [row.file_id, row.to_path]))
      expect([...last.values()].filter((path) => path !== null).toSorted()).toEqual(expected)
    }
  })
})

describe('listing', () => {
  it('pages through folders first, then names by their bytes; recursively depth first', async () => {
    const workspaceId = await workspaceWith({ '/b.txt': '', '/B.txt': '', '/z/1': '', '/a/1': '', '/a-b': '', '/a/é': '', '/a.txt': '' })
    const pages = async (recursive: boolean): Promise<string[]> => {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await files.list(database.db.kysely, { workspaceId, path: '/', recursive, limit: 2, ...(cursor !== undefined && { cursor }) })
        expect(page.items.length).toBeLessThanOrEqual(2)
        seen.push(...page.items.map((item) => item.path))
        cursor = page.nextCursor ?? undefined
      } while (cursor !== undefined)
      return seen
    }
    expect(await pages(false)).toEqual(['/a', '/z', '/B.txt', '/a-b', '/a.txt', '/b.txt'])
    expect(await pages(true)).toEqual(['/B.txt', '/a', '/a/1', '/a/é', '/a-b', '/a.txt', '/b.txt', '/z', '/z/1'])
    await expect(files.list(database.db.kysely, { workspaceId, path: '/', recursive: false, limit: 2, cursor: 'rubbish' })).rejects.toMatchObject({ code: 'invalid_request' })
    expect(await list(workspaceId, '/a/1')).toEqual(['/a/1'])
    await expect(list(workspaceId, '/none')).rejects.toMatchObject({ code: 'not_found' })
  })

  it('shows the root as a folder, and nothing of what does not exist', async () => {
    const workspaceId = await newWorkspace()
    expect(await files.stat(database.db.kysely, { workspaceId, path: '/' })).toMatchObject({ path: '/', file_type: 'folder', version: null, hash: null })
    expect(await files.stat(database.db.kysely, { workspaceId: randomUUID(), path: '/' })).toBeUndefined()
    expect(await files.stat(database.db.kysely, { workspaceId, path: '/x' })).toBeUndefined()
    expect(await list(workspaceId)).toEqual([])
  })
})
