import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MirrorFixture } from '../../test/support/mirror-fixture.ts'
import { removeFile } from '../services/files/file-tree.ts'

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
const statePath = (): string => join(fixture.dataDir, 'mirror-state', `${workspaceId}.json`)
const deepLook = () => fixture.mirror.inspect(workspaceId, { deep: true, repair: false })

async function begin(files: Readonly<Record<string, string>>): Promise<number> {
  const changes = await fixture.write(workspaceId, files)
  await restarted()
  return changes.at(-1)?.seq ?? 0
}

async function restarted(): Promise<void> {
  await fixture.restart()
  await fixture.mirror.start()
  await fixture.mirror.waitFor(workspaceId, { timeoutMs: 10_000 })
}

/** Files below a folder of the data directory, by the text in them. */
function textsIn(folder: string): string[] {
  if (!existsSync(join(fixture.dataDir, folder))) return []
  return readdirSync(join(fixture.dataDir, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .sort()
}

describe('B18: a process that dies while it imports an edit on disk', () => {
  it('before it has noted what it committed: the journal is applied to a disk that shows it already, and nothing changes', async () => {
    const seq = await begin({ '/edited': '1', '/gone': '2', '/moved': '3', '/folder/a': '4', '/folder/b': '5' })
    copyFileSync(statePath(), `${statePath()}.before`)
    writeFileSync(onDisk('/edited'), 'edited')
    rmSync(onDisk('/gone'))
    renameSync(onDisk('/moved'), onDisk('/elsewhere'))
    renameSync(onDisk('/folder'), onDisk('/renamed'))
    writeFileSync(onDisk('/new'), 'new')
    const imported = ['disk moved /folder → /renamed', 'disk moved /folder/a → /renamed/a', 'disk moved /folder/b → /renamed/b', 'disk moved /moved → /elsewhere', 'disk deleted /gone', 'disk created /new', 'disk updated /edited']
    await expect.poll(async () => (await fixture.journal(workspaceId, seq)).sort(), WAIT).toEqual(imported.sort())
    await fixture.mirror.close()
    renameSync(`${statePath()}.before`, statePath())
    await restarted()
    await expect.poll(deepLook, WAIT).toMatchObject({ differences: [] })
    expect((await fixture.journal(workspaceId, seq)).sort()).toEqual(imported)
    expect(textsIn(join('lost+found', workspaceId))).toEqual([])
  })

  it('while a move or removal of the workspace is half done: the disk is put right first, and only people\'s own edits are taken in', async () => {
    const seq = await begin({ '/a/x': '1', '/a/y': '2', '/b': '3' })
    await fixture.mirror.close()
    await fixture.change(workspaceId, (set) => removeFile(set, { path: '/a', recursive: true }))
    // One of two files is gone, the folder is still there; meanwhile somebody has edited a third one.
    writeFileSync(statePath(), JSON.stringify({ applied_seq: seq, target: seq + 3 }))
    rmSync(onDisk('/a/x'))
    writeFileSync(onDisk('/b'), 'edited meanwhile')
    await restarted()
    await expect.poll(() => fixture.history(workspaceId, '/b'), WAIT).toEqual(['user: 3', 'disk: edited meanwhile', 'disk: 3'])
    await expect.poll(deepLook, WAIT).toMatchObject({ differences: [] })
    expect(readdirSync(onDisk('/'))).toEqual(['b'])
    expect((await fixture.journal(workspaceId, seq)).filter((row) => row.includes('/a'))).toEqual(['user deleted /a', 'user deleted /a/x', 'user deleted /a/y'])
  })

  it('while an overtaken edit waits to become a version: it becomes one at the next start', async () => {
    await begin({ '/file': 'of the workspace', '/gone/file': 'x' })
    await fixture.mirror.close()
    const { rows } = await sql<{ id: string }>`SELECT id FROM files WHERE workspace_id = ${workspaceId}::uuid AND path = '/file'`.execute(fixture.database.db.kysely)
    const held = (fileId: string, path: string): string => join(fixture.dataDir, 'mirror-held', workspaceId, uuidv7(), fileId, path)
    const waiting = [held(rows[0]?.id ?? '', '/old-place'), held('unknown', '/gone/other')]
    for (const [index, path] of waiting.entries()) {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, `overtaken ${index}`)
    }
    await restarted()
    await expect.poll(() => fixture.history(workspaceId, '/file'), WAIT).toEqual(['user: of the workspace', 'disk: overtaken 0', 'disk: of the workspace'])
    await expect.poll(() => fixture.trashed(workspaceId), WAIT).toEqual([['/gone/other', 'overtaken 1']])
    await expect.poll(deepLook, WAIT).toMatchObject({ differences: [] })
    expect(textsIn(join('mirror-held', workspaceId))).toEqual([])
  })
})

describe('a workspace that is deleted', () => {
  it('goes from the disk with every file that the mirror wrote or imported; what nobody knows is kept in lost+found', async () => {
    const seq = await begin({ '/a/x': '1', '/b': '2' })
    writeFileSync(onDisk('/imported'), 'imported')
    await expect.poll(() => fixture.journal(workspaceId, seq), WAIT).toHaveLength(1)
    writeFileSync(onDisk('/a/unknown'), 'written a moment ago')
    await fixture.mirror.forget(workspaceId)
    expect(existsSync(onDisk('/'))).toBe(false)
    expect([existsSync(statePath()), existsSync(join(fixture.dataDir, 'mirror-tmp', workspaceId))]).toEqual([false, false])
    expect(textsIn(join('lost+found', workspaceId))).toEqual(['written a moment ago'])
  })

  it('is removed at the start when another node deleted it, rows and all', async () => {
    await begin({ '/a/x': '1' })
    writeFileSync(onDisk('/unknown'), 'unknown')
    await fixture.mirror.close()
    await sql`UPDATE files SET latest_version_id = NULL WHERE workspace_id = ${workspaceId}::uuid`.execute(fixture.database.db.kysely)
    await sql`DELETE FROM file_versions WHERE workspace_id = ${workspaceId}::uuid`.execute(fixture.database.db.kysely)
    await sql`DELETE FROM files WHERE workspace_id = ${workspaceId}::uuid`.execute(fixture.database.db.kysely)
    await sql`DELETE FROM workspaces WHERE id = ${workspaceId}::uuid`.execute(fixture.database.db.kysely)
    await fixture.restart()
    await fixture.mirror.start()
    expect(existsSync(onDisk('/'))).toBe(false)
    expect(textsIn(join('lost+found', workspaceId))).toEqual(['unknown'])
  })
})

describe('a deep look at the database', () => {
  it('names gaps of the journal, latest versions that are not the last, and files that are not where the journal says', async () => {
    await begin({ '/old': 'first', '/moved': '2', '/silent': '3' })
    await fixture.write(workspaceId, { '/old': 'second' })
    await expect.poll(deepLook, WAIT).toMatchObject({ differences: [] })
    const { kysely } = fixture.database.db
    await fixture.mirror.close()
    await sql`UPDATE files SET latest_version_id = (SELECT id FROM file_versions v WHERE v.file_id = files.id AND v.number = 1) WHERE workspace_id = ${workspaceId}::uuid AND path = '/old'`.execute(kysely)
    await sql`UPDATE files SET path = '/displaced', name = 'displaced' WHERE workspace_id = ${workspaceId}::uuid AND path = '/moved'`.execute(kysely)
    await sql`DELETE FROM changes WHERE workspace_id = ${workspaceId}::uuid AND to_path = '/silent'`.execute(kysely)
    await fixture.restart()
    const { differences } = await deepLook()
    expect(differences.filter(({ reason }) => reason !== undefined).map(({ path, reason }) => `${path}: ${reason ?? ''}`)).toEqual([
      '/: The journal should have the rows 1 to 4, and has 3 rows.',
      '/old: Its latest version is not its last one.',
      '/displaced: The journal says that it is at /moved.',
      '/old: The journal names another version of it.',
      '/silent: The journal says that it is not there.',
    ])
  })
})
