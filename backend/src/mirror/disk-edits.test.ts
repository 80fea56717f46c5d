import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, closeSync, existsSync, lstatSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MirrorFixture } from '../../test/support/mirror-fixture.ts'
import { createFolder, moveFile, removeFile } from '../services/files/file-tree.ts'

const WAIT = { timeout: 20_000, interval: 50 }

let fixture: MirrorFixture
let workspaceId: string

beforeAll(async () => {
  fixture = await MirrorFixture.create({ mirror: { times: { everyMs: 500, pollMs: 500 } } })
})
beforeEach(async () => {
  workspaceId = await fixture.newWorkspace()
})
afterAll(() => fixture[Symbol.asyncDispose]())

const onDisk = (path: string): string => join(fixture.mirror.folderOf(workspaceId), path)
const text = (path: string): string => readFileSync(onDisk(path), 'utf8')
const journal = (after = 0): Promise<string[]> => fixture.journal(workspaceId, after)
const differences = async () => (await fixture.mirror.inspect(workspaceId, { deep: true, repair: false })).differences

/** The workspace with these files, on disk, with somebody looking at it. */
async function begin(files: Readonly<Record<string, string | Buffer>>): Promise<number> {
  const changes = await fixture.write(workspaceId, files)
  await fixture.restart()
  await fixture.mirror.start()
  await fixture.mirror.waitFor(workspaceId, { timeoutMs: 10_000 })
  return changes.at(-1)?.seq ?? 0
}

describe('what people change on disk', () => {
  it('becomes versions, new files, folders and removals, whole, by the author "disk"', async () => {
    const bytes = randomBytes(3 * 1024 * 1024)
    const seq = await begin({ '/edited': 'before', '/gone': 'x', '/old/a': '1', '/old/b': '2' })
    writeFileSync(onDisk('/edited'), 'after')
    writeFileSync(onDisk('/large.bin'), bytes)
    mkdirSync(onDisk('/new/empty'), { recursive: true })
    writeFileSync(onDisk('/new/[id] ünïcode.ts'), 'new\r\n')
    rmSync(onDisk('/gone'))
    rmSync(onDisk('/old'), { recursive: true })
    await expect.poll(async () => (await journal(seq)).sort(), WAIT).toEqual([
      'disk created /large.bin', 'disk created /new', 'disk created /new/[id] ünïcode.ts', 'disk created /new/empty',
      'disk deleted /gone', 'disk deleted /old', 'disk deleted /old/a', 'disk deleted /old/b', 'disk updated /edited',
    ])
    expect(await fixture.history(workspaceId, '/edited')).toEqual(['user: before', 'disk: after'])
    expect((await fixture.files.read(fixture.database.db.kysely, { workspaceId, path: '/large.bin', maxBytes: 1e8 })).bytes.equals(bytes)).toBe(true)
    expect(await differences()).toEqual([])
  })

  it('keeps a moved file and a moved folder what they are: the same versions at another path', async () => {
    const seq = await begin({ '/a.txt': 'one', '/src/x/1.ts': '1', '/src/x/2.ts': '22', '/src/y.ts': '333' })
    renameSync(onDisk('/a.txt'), onDisk('/b.txt'))
    mkdirSync(onDisk('/lib'))
    renameSync(onDisk('/src/x'), onDisk('/lib/x'))
    await expect.poll(() => journal(seq), WAIT).toEqual(['disk created /lib', 'disk moved /src/x → /lib/x', 'disk moved /src/x/1.ts → /lib/x/1.ts', 'disk moved /src/x/2.ts → /lib/x/2.ts', 'disk moved /a.txt → /b.txt'])
    expect(await fixture.history(workspaceId, '/b.txt')).toEqual(['user: one'])
    expect(await differences()).toEqual([])
  })

  it('may put a folder in the place of a file and a file in the place of a folder', async () => {
    const seq = await begin({ '/a': 'file', '/b/inner': 'inner' })
    rmSync(onDisk('/a'))
    mkdirSync(onDisk('/a'))
    writeFileSync(onDisk('/a/new'), 'new')
    rmSync(onDisk('/b'), { recursive: true })
    writeFileSync(onDisk('/b'), 'now a file')
    await expect.poll(() => journal(seq), WAIT).toEqual(['disk deleted /a', 'disk deleted /b', 'disk deleted /b/inner', 'disk created /a', 'disk created /a/new', 'disk created /b'])
    expect(await differences()).toEqual([])
  })

  it('is noticed although one file takes the place of another of the same size and time', async () => {
    const seq = await begin({ '/a': 'aaaa', '/b': 'bbbb' })
    renameSync(onDisk('/b'), onDisk('/a'))
    await expect.poll(() => journal(seq), WAIT).toEqual(['disk deleted /b', 'disk updated /a'])
    expect(await fixture.history(workspaceId, '/a')).toEqual(['user: aaaa', 'disk: bbbb'])
  })

  it('is never taken in half written', async () => {
    const seq = await begin({ '/other': 'x' })
    const handle = openSync(onDisk('/log'), 'w')
    for (let line = 0; line < 25; line += 1) {
      writeSync(handle, `line ${line}\n`)
      await sleep(60)
    }
    closeSync(handle)
    await expect.poll(() => journal(seq), WAIT).toEqual(['disk created /log'])
    expect((await fixture.history(workspaceId, '/log'))[0]).toContain('line 0\n')
    expect((await fixture.history(workspaceId, '/log'))[0]).toContain('line 24\n')
  })

  it('goes on in the same file: the mirror does not put another one in place of what a program has open', async () => {
    const seq = await begin({ '/other': 'x' })
    const handle = openSync(onDisk('/log'), 'a')
    writeSync(handle, 'one\n')
    await expect.poll(() => journal(seq), WAIT).toHaveLength(1)
    writeSync(handle, 'two\n')
    await expect.poll(() => journal(seq), WAIT).toHaveLength(2)
    closeSync(handle)
    expect(await fixture.history(workspaceId, '/log')).toEqual(['disk: one\n', 'disk: one\ntwo\n'])
  })

  it('meets what an agent changed at the same time: both are versions, the newest of the workspace on top', async () => {
    const seq = await begin({ '/shared': 'base', '/moved': 'base', '/folder/kept': '1' })
    for (let round = 0; round < 5; round += 1) {
      writeFileSync(onDisk('/shared'), `disk ${round}`)
      await fixture.write(workspaceId, { '/shared': `agent ${round}` })
      await fixture.mirror.waitFor(workspaceId, { timeoutMs: 5_000 })
      await expect.poll(() => fixture.history(workspaceId, '/shared'), WAIT).toContain(`disk: disk ${round}`)
      await expect.poll(() => text('/shared'), WAIT).toBe(`agent ${round}`)
    }
    writeFileSync(onDisk('/moved'), 'edited')
    await fixture.change(workspaceId, (set) => moveFile(set, { from: '/moved', to: '/there' }))
    await expect.poll(() => fixture.history(workspaceId, '/there'), WAIT).toEqual(['user: base', 'disk: edited', 'disk: base'])
    writeFileSync(onDisk('/folder/new'), 'came while the folder went')
    await fixture.change(workspaceId, (set) => removeFile(set, { path: '/folder', recursive: true }))
    await expect.poll(async () => (await journal(seq)).slice(-2), WAIT).toEqual(['disk created /folder', 'disk created /folder/new'])
    await expect.poll(differences, WAIT).toEqual([])
  })

  it('is not what the mirror writes itself: a busy workspace makes no change of the author "disk"', async () => {
    await begin({ '/x': '1' })
    for (let round = 0; round < 40; round += 1) {
      await fixture.write(workspaceId, { [`/d${round % 4}/f${round}`]: `content ${round}`, '/x': String(round) })
      if (round % 5 === 4) await fixture.change(workspaceId, (set) => moveFile(set, { from: `/d${round % 4}`, to: `/m${round}` }))
      if (round % 10 === 9) await fixture.change(workspaceId, (set) => removeFile(set, { path: `/m${round}`, recursive: true }))
      await sleep(25)
    }
    await sleep(1_500)
    expect((await journal()).filter((row) => row.startsWith('disk'))).toEqual([])
    expect(await differences()).toEqual([])
  })

  it('is found by looking from time to time where nothing tells of it', async () => {
    const subscribe = () => Promise.reject(new Error('inotify watch limit reached'))
    const logged: string[] = []
    const log = { info: () => undefined, error: () => undefined, warn: (_: object, message: string) => void logged.push(message) }
    const seq = await begin({ '/a': '1' })
    await fixture.restart({ mirror: { times: { everyMs: 600_000, pollMs: 300 }, subscribe, log } })
    await fixture.mirror.start()
    await fixture.mirror.waitFor(workspaceId, { timeoutMs: 5_000 })
    await sleep(700)
    writeFileSync(onDisk('/a'), 'edited')
    await expect.poll(() => journal(seq), WAIT).toEqual(['disk updated /a'])
    expect(logged).toEqual(['the copies on disk cannot be watched; they are looked through from time to time instead'])
    await fixture.restart({ mirror: { times: { everyMs: 500, pollMs: 500 } } })
  })

  it('is taken in at the start when the server did not run', async () => {
    const seq = await begin({ '/a': '1', '/b': '2', '/c/d': '3' })
    await fixture.mirror.close()
    writeFileSync(onDisk('/a'), 'edited')
    rmSync(onDisk('/b'))
    renameSync(onDisk('/c'), onDisk('/e'))
    await fixture.restart()
    await fixture.mirror.start()
    await expect.poll(() => journal(seq), WAIT).toEqual(['disk moved /c → /e', 'disk moved /c/d → /e/d', 'disk deleted /b', 'disk updated /a'])
  })
})

describe('what is no edit', () => {
  it('heals many files that are gone at once from the database, and says so', async () => {
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`/d${index % 5}/f${index}`, `content ${index}`]))
    const seq = await begin(files)
    for (const name of readdirSync(onDisk('/'))) if (name !== 'd0') rmSync(onDisk(`/${name}`), { recursive: true })
    await expect.poll(() => existsSync(onDisk('/d4/f59')), WAIT).toBe(true)
    expect(await journal(seq)).toEqual([])
    await expect.poll(differences, WAIT).toEqual([])
    const status = () => fixture.mirror.status().find((of) => of.workspaceId === workspaceId)
    expect(status()?.notice).toMatch(/48 files were gone from the disk at once/)
    await fixture.mirror.inspect(workspaceId, { deep: false, repair: true })
    expect(status()?.notice).toBeNull()
  })

  it.each([
    ['is gone', (root: string) => rmSync(root, { recursive: true })],
    ['is another one, as where a disk is not mounted', (root: string) => (renameSync(root, `${root}-unmounted`), mkdirSync(root))],
  ])('heals a workspace of which the whole folder %s, however few files it has', async (_what, lose) => {
    const seq = await begin({ '/a': '1', '/b/c': '2' })
    await sleep(500)
    lose(fixture.mirror.folderOf(workspaceId))
    await expect.poll(() => existsSync(onDisk('/b/c')), WAIT).toBe(true)
    await expect.poll(differences, WAIT).toEqual([])
    expect(await journal(seq)).toEqual([])
    rmSync(`${fixture.mirror.folderOf(workspaceId)}-unmounted`, { recursive: true, force: true })
  })

  it('reports names that cannot be paths, links, pipes and what stands twice, and neither imports nor loses them', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'buildscale-outside-'))
    writeFileSync(join(outside, 'secret'), 'secret')
    const seq = await begin({ '/linked/x': '1', '/was-a-file': '2', '/composed-é': 'ours' })
    const raw = Buffer.concat([Buffer.from(`${fixture.mirror.folderOf(workspaceId)}/bad-`), Buffer.from([0xff, 0xfe])])
    writeFileSync(raw, 'no text')
    writeFileSync(onDisk('/back\\slash'), 'b')
    writeFileSync(onDisk('/control\u0007'), 'c')
    writeFileSync(onDisk('/composed-e\u0301'), 'theirs')
    const deep = `/${'d'.repeat(250)}/${'e'.repeat(250)}/${'f'.repeat(250)}/${'g'.repeat(250)}`
    mkdirSync(onDisk(deep), { recursive: true })
    writeFileSync(onDisk(`${deep}/${'h'.repeat(200)}`), 'too long')
    rmSync(onDisk('/linked'), { recursive: true })
    symlinkSync(outside, onDisk('/linked'))
    rmSync(onDisk('/was-a-file'))
    execFileSync('mkfifo', [onDisk('/was-a-file')])
    symlinkSync('/etc/passwd', onDisk('/new-link'))
    await expect.poll(() => journal(seq), WAIT).toHaveLength(4)
    await sleep(1_200)
    expect((await journal(seq)).every((row) => /^disk created \/d+/.test(row))).toBe(true)
    const found = (await differences()).map(({ path, kind, reason }) => [path.length > 300 ? 'long' : path, kind, reason?.slice(0, 60)])
    expect(found).toEqual([
      ['/back\\slash', 'extra', 'The path "/back\\\\slash" contains a backslash: folders are se'],
      [`/bad-${Buffer.from([0xff, 0xfe]).toString()}`, 'extra', 'Its name is not UTF-8.'],
      ['/composed-e\u0301', 'extra', 'Its name differs from that of another one only in the way it'],
      ['/control\u0007', 'extra', 'The path "/control\\u0007" contains a control character.'],
      ['long', 'extra', expect.stringContaining('The path "/ddd') as string],
      ['/linked', 'type', 'It is a symbolic link, which is never followed.'],
      ['/linked/x', 'missing', undefined],
      ['/new-link', 'extra', 'It is a symbolic link, which is never followed.'],
      ['/was-a-file', 'type', 'It is neither a file nor a folder.'],
    ])
    expect(readFileSync(raw, 'utf8')).toBe('no text')
    await fixture.mirror.inspect(workspaceId, { deep: true, repair: true })
    expect(await differences()).toEqual([])
    expect([text('/linked/x'), text('/was-a-file'), text('/composed-é')]).toEqual(['1', '2', 'ours'])
    const kept = readdirSync(join(fixture.dataDir, 'lost+found', workspaceId), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !entry.parentPath.endsWith('/linked'))
    expect(kept.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')).sort()).toEqual(['b', 'c', 'no text', 'theirs', 'too long'])
    expect(readdirSync(outside)).toEqual(['secret'])
    rmSync(outside, { recursive: true })
  })

  it('takes a decomposed name in as the composed one, on disk too', async () => {
    const seq = await begin({ '/x': '1' })
    mkdirSync(onDisk('/cafe\u0301'))
    writeFileSync(onDisk('/cafe\u0301/re\u0301sume\u0301'), 'cv')
    await expect.poll(() => journal(seq), WAIT).toEqual(['disk created /café', 'disk created /café/résumé'])
    expect(readdirSync(onDisk('/'))).toEqual(['café', 'x'])
    await expect.poll(differences, WAIT).toEqual([])
  })

  it('leaves a file alone that is larger than a file may be, and says how large', async () => {
    await fixture.restart({ mirror: { times: { everyMs: 500, pollMs: 500 } }, limits: { fileBytes: 1_000 } })
    await fixture.write(workspaceId, { '/x': '1' })
    await fixture.mirror.start()
    await fixture.mirror.waitFor(workspaceId, { timeoutMs: 5_000 })
    writeFileSync(onDisk('/huge'), Buffer.alloc(1_001))
    writeFileSync(onDisk('/small'), Buffer.alloc(1_000))
    await expect.poll(() => journal(1), WAIT).toEqual(['disk created /small'])
    expect(await differences()).toEqual([{ path: '/huge', kind: 'extra', reason: 'It has 1001 bytes, more than the 1000 that a file may have.' }])
    expect(lstatSync(onDisk('/huge')).size).toBe(1_001)
    await fixture.restart({ mirror: { times: { everyMs: 500, pollMs: 500 } } })
  })
})

describe('a file system that takes A and a for one name', () => {
  it('shows one of two, keeps the other in the database, reports it, and shows it when the first one goes', async () => {
    await fixture.restart({ mirror: { isCaseSensitive: false, times: { everyMs: 500, pollMs: 500 } } })
    await fixture.mirror.start()
    await fixture.write(workspaceId, { '/Readme': 'upper', '/x': '1' })
    await fixture.mirror.waitFor(workspaceId, { timeoutMs: 5_000 })
    await fixture.write(workspaceId, { '/readme': 'lower', '/X/deep': 'below' })
    await fixture.mirror.waitFor(workspaceId, { timeoutMs: 5_000 })
    await sleep(1_200)
    expect(readdirSync(onDisk('/')).sort()).toEqual(['Readme', 'x'])
    expect((await differences()).map(({ path, kind, reason }) => [path, kind, reason !== undefined])).toEqual([['/X', 'missing', true], ['/X/deep', 'missing', true], ['/readme', 'missing', true]])
    await fixture.change(workspaceId, (set) => removeFile(set, { path: '/Readme', recursive: false }))
    await fixture.change(workspaceId, (set) => moveFile(set, { from: '/x', to: '/y' }))
    await fixture.change(workspaceId, (set) => createFolder(set, '/done'))
    await fixture.mirror.waitFor(workspaceId, { timeoutMs: 5_000 })
    expect([text('/readme'), text('/X/deep'), text('/y')]).toEqual(['lower', 'below', '1'])
    await sleep(1_200)
    expect((await journal()).filter((row) => row.startsWith('disk'))).toEqual([])
    expect(await differences()).toEqual([])
    await fixture.restart({ mirror: { times: { everyMs: 500, pollMs: 500 } } })
  })
})

it('an append right after an import is an edit of its own, also when nothing but the time tells', async () => {
  const seq = await begin({ '/a': 'aa' })
  writeFileSync(onDisk('/a'), 'bb')
  await expect.poll(() => journal(seq), WAIT).toHaveLength(1)
  writeFileSync(onDisk('/a'), 'cc')
  await expect.poll(() => journal(seq), WAIT).toHaveLength(2)
  appendFileSync(onDisk('/a'), 'd')
  await expect.poll(() => fixture.history(workspaceId, '/a'), WAIT).toEqual(['user: aa', 'disk: bb', 'disk: cc', 'disk: ccd'])
})
