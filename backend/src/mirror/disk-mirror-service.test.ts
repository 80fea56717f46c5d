import { sql } from 'kysely'
import { randomBytes } from 'node:crypto'
import { existsSync, globSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MirrorFixture } from '../../test/support/mirror-fixture.ts'
import { createFolder, moveFile, removeFile, writeFile } from '../services/files/file-tree.ts'

let fixture: MirrorFixture
let workspaceId: string

beforeAll(async () => {
  fixture = await MirrorFixture.create()
})
beforeEach(async () => {
  workspaceId = await fixture.newWorkspace()
})
afterAll(() => fixture[Symbol.asyncDispose]())

const root = () => fixture.mirror.folderOf(workspaceId)
const onDisk = (path: string) => join(root(), path)
const text = (path: string) => readFileSync(onDisk(path), 'utf8')
const statePath = () => join(fixture.dataDir, 'mirror-state', `${workspaceId}.json`)

function tree(folder = root()): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => `/${relative(root(), join(entry.parentPath, entry.name))}${entry.isDirectory() ? '/' : ''}`)
    .sort()
}

/** Contents of what was set aside, by the end of its path. */
function lostAndFound(): string[] {
  const folder = join(fixture.dataDir, 'lost+found', workspaceId)
  return globSync('**', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .sort()
}

async function synced(seq?: number): Promise<void> {
  expect(await fixture.mirror.waitFor(workspaceId, { timeoutMs: 10_000, ...(seq !== undefined && { seq }) })).toMatchObject({ current: true })
}

const differences = async (options = { deep: true, repair: false }) => (await fixture.mirror.inspect(workspaceId, options)).differences
const move = (from: string, to: string) => fixture.change(workspaceId, (set) => moveFile(set, { from, to }))
const remove = (path: string) => fixture.change(workspaceId, (set) => removeFile(set, { path, recursive: true }))

describe('following the journal', () => {
  it('shows what is written, moved and removed, byte for byte, and nothing else', async () => {
    const bytes = randomBytes(3_000)
    await fixture.write(workspaceId, { '/a/[id] é.tsx': 'one\r\n', '/a/b/c.bin': bytes, '/d.txt': '', '/old/x': '1' })
    await fixture.change(workspaceId, (set) => createFolder(set, '/empty'))
    await synced()
    expect(tree()).toEqual(['/a/', '/a/[id] é.tsx', '/a/b/', '/a/b/c.bin', '/d.txt', '/empty/', '/old/', '/old/x'])
    expect(readFileSync(onDisk('/a/b/c.bin'))).toEqual(bytes)
    await fixture.write(workspaceId, { '/d.txt': 'two' })
    await move('/a', '/new/a')
    await remove('/old')
    await synced()
    expect(tree()).toEqual(['/d.txt', '/empty/', '/new/', '/new/a/', '/new/a/[id] é.tsx', '/new/a/b/', '/new/a/b/c.bin'])
    expect(text('/d.txt')).toBe('two')
    expect(await differences()).toEqual([])
    expect(lostAndFound()).toEqual([])
    expect(existsSync(join(fixture.dataDir, 'mirror-tmp', workspaceId)) ? readdirSync(join(fixture.dataDir, 'mirror-tmp', workspaceId)) : []).toEqual([])
  })

  it('agrees with the database after many writers changed files, moved and removed folders at once', async () => {
    const names = ['/a', '/b', '/a/c', '/d/e']
    const pick = () => names[Math.floor(Math.random() * names.length)] ?? '/a'
    const writer = async (name: number): Promise<void> => {
      for (let step = 0; step < 25; step += 1) {
        const action = Math.random()
        const changed = action < 0.6 ? fixture.write(workspaceId, { [`${pick()}/${name}-${step % 7}.txt`]: `${name} ${step}` }) : action < 0.8 ? move(pick(), `${pick()}/m${name}${step}`) : remove(pick())
        await changed.catch((error: unknown) => expect(error).toHaveProperty('code')) // a refusal, as two people may meet
      }
    }
    await Promise.all([1, 2, 3, 4, 5].map(writer))
    await synced()
    expect(await differences()).toEqual([])
    expect(lostAndFound()).toEqual([])
  })

  it('takes in one go what was removed folder by folder, from the inside out', async () => {
    await fixture.write(workspaceId, { '/a/b/x': '1', '/a/y': '2', '/c': '3' })
    await synced()
    await fixture.mirror.close()
    await remove('/a/b')
    await remove('/a')
    await fixture.restart()
    await synced()
    expect(tree()).toEqual(['/c'])
    expect(existsSync(join(fixture.dataDir, 'lost+found', workspaceId))).toBe(false)
  })

  it('brings a large file to disk', async () => {
    const bytes = randomBytes(5 * 1024 * 1024 + 17)
    await fixture.write(workspaceId, { '/large.bin': bytes })
    await synced()
    expect(readFileSync(onDisk('/large.bin')).equals(bytes)).toBe(true)
  })

  it('takes in two thousand files in seconds', async () => {
    for (let start = 0; start < 2_000; start += 500) {
      await fixture.write(workspaceId, Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`/src/${(start + index) % 40}/file-${start + index}.ts`, `export const value = ${start + index}\n`.repeat(20)])))
    }
    const before = performance.now()
    await fixture.mirror.waitFor(workspaceId, { timeoutMs: 20_000 })
    expect(tree()).toHaveLength(2_000 + 41)
    expect(performance.now() - before).toBeLessThan(10_000)
    expect(await differences({ deep: false, repair: false })).toEqual([])
  })

  it('answers that it is not current when the time runs out, and rejects when the caller gives up', async () => {
    await fixture.write(workspaceId, { '/a': 'x' })
    await synced()
    expect(await fixture.mirror.waitFor(workspaceId, { seq: 99, timeoutMs: 30 })).toEqual({ applied: 1, current: false })
    const giveUp = new AbortController()
    const waiting = fixture.mirror.waitFor(workspaceId, { seq: 99, timeoutMs: 5_000, signal: giveUp.signal })
    giveUp.abort(new Error('stopped'))
    await expect(waiting).rejects.toThrow('stopped')
  })
})

describe('what other programs do in the folder', () => {
  it('keeps an edit of a file that is then written, moved or removed as a version, below what the workspace says', async () => {
    await fixture.write(workspaceId, { '/written': '1', '/moved': '2', '/removed': '3', '/folder/inner': '4' })
    await synced()
    for (const name of ['written', 'moved', 'removed']) writeFileSync(onDisk(`/${name}`), `edit of ${name}`)
    await fixture.write(workspaceId, { '/written': 'one' })
    await move('/moved', '/elsewhere/moved')
    await remove('/removed')
    await remove('/folder')
    await synced()
    expect(tree()).toEqual(['/elsewhere/', '/elsewhere/moved', '/written'])
    await fixture.mirror.inspect(workspaceId, { deep: false, repair: true })
    expect(tree()).toEqual(['/elsewhere/', '/elsewhere/moved', '/written'])
    expect([text('/written'), text('/elsewhere/moved')]).toEqual(['one', '2'])
    expect(await fixture.history(workspaceId, '/written')).toEqual(['user: 1', 'user: one', 'disk: edit of written', 'disk: one'])
    expect(await fixture.history(workspaceId, '/elsewhere/moved')).toEqual(['user: 2', 'disk: edit of moved', 'disk: 2'])
    expect(await fixture.trashed(workspaceId)).toContainEqual(['/removed', 'edit of removed'])
    expect(lostAndFound()).toEqual([])
  })

  it('leaves alone what is not in the way, and takes it along when its folder moves', async () => {
    await fixture.write(workspaceId, { '/a/ours': '1' })
    await synced()
    writeFileSync(onDisk('/a/theirs'), 'theirs')
    await move('/a', '/b')
    await synced()
    expect(text('/b/theirs')).toBe('theirs')
    expect(lostAndFound()).toEqual([])
  })

  it('makes room where something foreign stands in the place of a file or folder', async () => {
    await fixture.write(workspaceId, { '/a': '1' })
    await synced()
    mkdirSync(onDisk('/new.txt'))
    writeFileSync(onDisk('/new.txt/in'), 'in a folder')
    writeFileSync(onDisk('/dir'), 'a file')
    mkdirSync(onDisk('/target'))
    writeFileSync(onDisk('/target/x'), 'target')
    await fixture.write(workspaceId, { '/new.txt': 'new', '/dir/file': 'deep' })
    await synced()
    await move('/dir', '/target')
    await synced()
    expect([text('/new.txt'), text('/target/file')]).toEqual(['new', 'deep'])
    expect(lostAndFound()).toEqual(['a file', 'in a folder', 'target'])
  })

  it('never writes, moves or removes through a symbolic link', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'buildscale-outside-'))
    try {
      writeFileSync(join(outside, 'secret'), 'secret')
      writeFileSync(join(outside, 'file'), 'outside')
      await fixture.write(workspaceId, { '/dir/file': '1', '/dir/other': '2', '/gone/file': '3', '/link': '4', '/from/secret': '5' })
      await synced()
      for (const name of ['dir', 'gone', 'from']) {
        rmSync(onDisk(`/${name}`), { recursive: true })
        symlinkSync(outside, onDisk(`/${name}`))
      }
      unlinkSync(onDisk('/link'))
      symlinkSync(join(outside, 'secret'), onDisk('/link'))
      await fixture.write(workspaceId, { '/dir/file': 'one', '/link': 'four' })
      await remove('/gone')
      await move('/from', '/to')
      await synced()
      expect(readdirSync(outside).sort()).toEqual(['file', 'secret'])
      expect([readFileSync(join(outside, 'file'), 'utf8'), readFileSync(join(outside, 'secret'), 'utf8')]).toEqual(['outside', 'secret'])
      expect([text('/dir/file'), text('/dir/other'), text('/link'), text('/to/secret')]).toEqual(['one', '2', 'four', '5'])
      expect([lstatSync(onDisk('/dir')).isDirectory(), lstatSync(onDisk('/link')).isFile()]).toEqual([true, true])
    } finally {
      rmSync(outside, { recursive: true })
    }
  })

  it('does not follow a link that stands in the place of the whole folder', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'buildscale-outside-'))
    try {
      await fixture.write(workspaceId, { '/a': '1' })
      await synced()
      rmSync(root(), { recursive: true })
      symlinkSync(outside, root())
      await fixture.write(workspaceId, { '/b': '2' })
      await synced()
      expect(readdirSync(outside)).toEqual([])
      expect(tree()).toEqual(['/a', '/b'])
    } finally {
      rmSync(outside, { recursive: true })
    }
  })
})

describe('failures and restarts', () => {
  it('never fails a commit: the workspace is marked behind, says why, and catches up by itself', async () => {
    await fixture.write(workspaceId, { '/a': '1' })
    await synced()
    // A file where the mirror's temporary folder has to be: every write to disk fails, for root too.
    const temporary = join(fixture.dataDir, 'mirror-tmp', workspaceId)
    rmSync(temporary, { recursive: true })
    writeFileSync(temporary, '')
    const changes = await fixture.write(workspaceId, { '/b': '2' })
    expect(changes).toHaveLength(1)
    expect(await fixture.mirror.waitFor(workspaceId, { timeoutMs: 200 })).toEqual({ applied: 1, current: false })
    const status = () => fixture.mirror.status().find((of) => of.workspaceId === workspaceId)
    expect(status()).toMatchObject({ behind: true, appliedSeq: 1, error: expect.stringMatching(/EEXIST|ENOTDIR/) as string })
    expect(await differences()).toEqual([{ path: '/b', kind: 'missing' }])
    unlinkSync(temporary)
    await synced()
    expect(status()).toMatchObject({ behind: false, appliedSeq: 2, error: null })
    expect(text('/b')).toBe('2')
  })

  it('applies at the start what was committed while it did not run', async () => {
    await fixture.write(workspaceId, { '/a': '1' })
    await synced()
    await fixture.mirror.close()
    await fixture.write(workspaceId, { '/b': '2' })
    await remove('/a')
    expect(tree()).toEqual(['/a'])
    await fixture.restart()
    await fixture.mirror.start()
    await expect.poll(() => tree()).toEqual(['/b'])
  })

  it.each([
    ['lost', () => rmSync(statePath())],
    ['damaged', () => writeFileSync(statePath(), '{"applied_seq": "many"')],
    ['of another database', () => writeFileSync(statePath(), '{"applied_seq": 999, "target": null}')],
    ['of an interrupted move', () => writeFileSync(statePath(), '{"applied_seq": 2, "target": 9}')],
  ])('compares the tree and puts it right when its state is %s', async (_what, spoil) => {
    await fixture.write(workspaceId, { '/a/x': '1', '/b': '2', '/c/y': '3' })
    await synced()
    await fixture.mirror.close()
    spoil()
    await move('/a', '/moved')
    await remove('/c')
    writeFileSync(onDisk('/theirs'), 'theirs')
    await fixture.restart()
    await synced()
    expect(tree()).toEqual(['/b', '/moved/', '/moved/x', '/theirs'])
    expect(await differences()).toEqual([{ path: '/theirs', kind: 'extra' }])
    expect(lostAndFound()).toEqual([])
  })

  it('rebuilds a folder that is gone as a whole', async () => {
    await fixture.write(workspaceId, { '/a/x': '1' })
    await synced()
    rmSync(root(), { recursive: true })
    await fixture.restart()
    await synced()
    expect(text('/a/x')).toBe('1')
  })

  it('may be ahead of its state after a crash: applying again changes nothing and sets nothing aside', async () => {
    await fixture.write(workspaceId, { '/a/x': '1', '/b': '2' })
    await synced()
    const before = readFileSync(statePath())
    await fixture.write(workspaceId, { '/b': 'two', '/a/new': 'n' })
    await fixture.write(workspaceId, { '/b': 'three' })
    await synced()
    writeFileSync(statePath(), before)
    await fixture.restart()
    await synced()
    expect([text('/b'), text('/a/new')]).toEqual(['three', 'n'])
    expect(lostAndFound()).toEqual([])
    expect(await differences()).toEqual([])
  })

  it('agrees with the database wherever a run of moves was cut short', async () => {
    await fixture.write(workspaceId, { '/a/x': 'first', '/b/y': 'second' })
    await synced()
    await fixture.mirror.close()
    // As if the process had died after the renames of the next change, before its state: the intent is on disk, the rename is done.
    await move('/a', '/c')
    await fixture.write(workspaceId, { '/a/x': 'third' })
    writeFileSync(statePath(), JSON.stringify({ applied_seq: 4, target: 8 }))
    renameSync(onDisk('/a'), onDisk('/c'))
    mkdirSync(onDisk('/a'))
    await fixture.restart()
    await synced()
    expect([text('/c/x'), text('/a/x'), text('/b/y')]).toEqual(['first', 'third', 'second'])
    expect(lostAndFound()).toEqual([])
    expect(await differences()).toEqual([])
  })
})

describe('inspecting and repairing', () => {
  it('names what is missing, extra, different or of another type, and repairs it without losing a byte', async () => {
    await fixture.write(workspaceId, { '/gone': '1', '/edited': '2', '/kind': '3', '/folder/x': '4', '/fine': '5' })
    await synced()
    unlinkSync(onDisk('/gone'))
    writeFileSync(onDisk('/edited'), 'edited')
    unlinkSync(onDisk('/kind'))
    mkdirSync(onDisk('/kind'))
    rmSync(onDisk('/folder'), { recursive: true })
    writeFileSync(onDisk('/folder'), 'not a folder')
    mkdirSync(onDisk('/theirs/deep'), { recursive: true })
    writeFileSync(onDisk('/theirs/deep/file'), 'theirs')
    const found = [
      { path: '/edited', kind: 'content' },
      { path: '/folder', kind: 'type' },
      { path: '/folder/x', kind: 'missing' },
      { path: '/gone', kind: 'missing' },
      { path: '/kind', kind: 'type' },
      { path: '/theirs', kind: 'extra' },
    ]
    expect(await fixture.mirror.inspect(workspaceId, { deep: false, repair: false })).toEqual({ changeSeq: 6, appliedSeq: 6, differences: found, notice: null })
    expect(await differences({ deep: true, repair: true })).toEqual(found)
    expect(await differences()).toEqual([])
    // What people did is the workspace's state now; what was there before is in the history and in the trash.
    expect(tree()).toEqual(['/edited', '/fine', '/folder', '/kind/', '/theirs/', '/theirs/deep/', '/theirs/deep/file'])
    expect(await fixture.history(workspaceId, '/edited')).toEqual(['user: 2', 'disk: edited'])
    expect(await fixture.history(workspaceId, '/folder')).toEqual(['disk: not a folder'])
    expect((await fixture.trashed(workspaceId)).map(([path]) => path)).toEqual(['/folder', '/folder/x', '/gone', '/kind'])
    expect(lostAndFound()).toEqual([])
  })

  it('finds an edit that kept size and time only when it looks deep', async () => {
    await fixture.write(workspaceId, { '/a': 'right' })
    await synced()
    const { mtimeMs } = lstatSync(onDisk('/a'))
    writeFileSync(onDisk('/a'), 'wrong')
    utimesSync(onDisk('/a'), mtimeMs / 1_000, mtimeMs / 1_000)
    expect(await differences({ deep: false, repair: false })).toEqual([])
    expect(await differences({ deep: true, repair: true })).toEqual([{ path: '/a', kind: 'content' }])
    expect(text('/a')).toBe('right')
    expect(await fixture.history(workspaceId, '/a')).toEqual(['user: right', 'disk: wrong', 'disk: right'])
  })

  it('names files of which the database has lost bytes of any version', async () => {
    await fixture.write(workspaceId, { '/a': 'old', '/b': 'fine' })
    await fixture.write(workspaceId, { '/a': 'new' })
    await synced()
    await sql`UPDATE blobs SET content = 'bad' WHERE workspace_id = ${workspaceId}::uuid AND content = 'old'`.execute(fixture.database.db.kysely)
    expect(await differences({ deep: false, repair: false })).toEqual([])
    expect(await differences({ deep: true, repair: false })).toEqual([{ path: '/a', kind: 'content' }])
  })

  it('knows no workspace that does not exist', async () => {
    await expect(fixture.mirror.inspect('01890000-0000-7000-8000-000000000000', { deep: false, repair: false })).rejects.toMatchObject({ code: 'not_found' })
  })

  it('gives files the time of their version, so that other tools see when they changed', async () => {
    await fixture.change(workspaceId, (set) => writeFile(set, { path: '/a', content: Buffer.from('x') }))
    await synced()
    const { items } = await fixture.files.versions(fixture.database.db.kysely, { workspaceId, path: '/a', limit: 1 })
    expect(lstatSync(onDisk('/a')).mtime.toISOString()).toBe(items[0]?.created_at)
    expect(dirname(root())).toBe(join(fixture.dataDir, 'workspaces'))
  })
})
