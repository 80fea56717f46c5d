import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { readTree } from '../src/repositories/file-repository.ts'
import { userAuthor } from '../src/services/files/author.ts'
import { RewindService } from '../src/services/files/rewind-service.ts'
import { DiskEditor, diskTree } from './support/disk-editor.ts'
import { MirrorFixture } from './support/mirror-fixture.ts'
import { randomNumbers } from './support/random-numbers.ts'
import { type ModelRow, type ModelTree, readRows, treeLines, WorkspaceModel } from './support/workspace-model.ts'
import { hashOf, logLine, type Operation } from './support/workspace-operations.ts'

const OPERATIONS = Number(process.env['PROPERTY_OPERATIONS'] ?? 300)
const SEED = Number(process.env['PROPERTY_SEED'] ?? Math.floor(Math.random() * 1_000_000))
const PROGRAM = join(import.meta.dirname, 'support/workspace-writers.ts')
/** Of the operations, those that are made on disk. */
const DISK_SHARE = 0.12

interface Run {
  readonly fixture: MirrorFixture
  readonly workspaceId: string
  readonly logFile: string
  readonly editor: DiskEditor
  readonly random: () => number
}

interface Log {
  readonly meant: ReadonlyMap<string, Operation>
  readonly ended: ReadonlyMap<string, number | null | string>
}

function readLog(path: string): Log {
  const meant = new Map<string, Operation>()
  const ended = new Map<string, number | null | string>()
  for (const text of existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []) {
    const line = logLine.parse(JSON.parse(text))
    if ('operation' in line) meant.set(line.id, line.operation)
    else ended.set(line.id, line.ended)
  }
  return { meant, ended }
}

/** Writers in a process of their own, and edits on disk beside them, until it is killed or its share is done. */
async function runRound({ fixture, workspaceId, logFile, editor, random }: Run, round: number): Promise<void> {
  const share = OPERATIONS * (1 - DISK_SHARE) - readLog(logFile).meant.size
  const child = spawn(process.execPath, [PROGRAM, fixture.dataDir, workspaceId, logFile, String(SEED), String(round), String(Math.max(0, Math.ceil(share)))], {
    env: { ...process.env, ...fixture.database.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  await Promise.race([once(child.stdout, 'data'), ended])
  const until = Date.now() + 300 + random() * Math.max(2_500, 2 * OPERATIONS)
  while (isRunning(child) && Date.now() < until) {
    if (editor.edits < OPERATIONS * DISK_SHARE) editor.edit()
    await sleep(20 + random() * 200)
  }
  child.kill('SIGKILL')
  await ended
  expect(child.exitCode ?? 0, 'a writer failed').toBe(0)
  if (editor.edits < OPERATIONS * DISK_SHARE) editor.edit() // while nobody looks
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

/** The mirror of a process that is not killed has taken in everything when two looks at it find nothing. */
async function settle({ fixture, workspaceId }: Run): Promise<void> {
  await fixture.mirror.start()
  await fixture.mirror.waitFor(workspaceId, { timeoutMs: 30_000 })
  await expect.poll(() => fixture.mirror.inspect(workspaceId, { deep: false, repair: false }), { timeout: 30_000, interval: 400 }).toMatchObject({ differences: [] })
  await sleep(1_000)
  await fixture.mirror.waitFor(workspaceId, { timeoutMs: 30_000 })
  expect(await fixture.mirror.inspect(workspaceId, { deep: true, repair: false })).toMatchObject({ differences: [] })
}

/** Replays the journal beside what was meant. */
function replay(rows: readonly ModelRow[], { meant, ended }: Log): WorkspaceModel {
  const model = new WorkspaceModel()
  const seen = new Map<string, number>()
  for (const set of Map.groupBy(rows, ({ changeSetId }) => changeSetId).values()) {
    const [first] = set
    const id = first?.author === 'user' ? (first.authorId ?? '') : undefined
    const operation = id === undefined ? undefined : meant.get(id)
    if (id !== undefined && operation === undefined) throw new Error(`nobody meant to make the change set of ${id}`)
    const difference = model.take(set, operation)
    if (difference !== undefined) throw new Error(`change set of row ${first?.seq ?? 0}: ${difference}`)
    if (id !== undefined) seen.set(id, set.at(-1)?.seq ?? 0)
  }
  // What a writer was told is so: nothing that was acknowledged is missing, nothing that was refused is there.
  for (const [id, result] of ended) expect([id, seen.get(id) ?? null]).toEqual([id, typeof result === 'number' ? result : null])
  return model
}

async function databaseTree({ fixture, workspaceId }: Run): Promise<string[]> {
  return (await readTree(fixture.database.db.kysely, workspaceId)).map(({ path, hash }) => `${path} ${hash?.toString('hex') ?? 'folder'}`).sort()
}

/** Going back to any seq gives that tree, read from the journal and, for some, made anew. */
async function checkRewinds(run: Run, model: WorkspaceModel, head: number): Promise<void> {
  const { fixture, workspaceId, random } = run
  const rewinds = new RewindService({ db: fixture.database.db, files: fixture.files })
  for (let check = 0; check < 60; check += 1) {
    const seq = Math.floor(random() * (head + 1))
    const entries = await rewinds.treeAt(workspaceId, seq)
    expect([seq, ...entries.map(({ path, hash }) => `${path} ${hash?.toString('hex') ?? 'folder'}`).sort()]).toEqual([seq, ...treeLines(model.at(seq))])
  }
  for (let check = 0; check < 6; check += 1) {
    const seq = Math.floor(random() * (head + 1))
    await rewinds.rewind({ workspaceId, toSeq: seq, author: userAuthor(fixture.userId) })
    await checkTrees(run, model.wholeAt(seq))
  }
}

async function checkTrees(run: Run, tree: ModelTree): Promise<void> {
  const { fixture, workspaceId } = run
  expect(await databaseTree(run)).toEqual(treeLines(tree))
  expect(await fixture.mirror.waitFor(workspaceId, { timeoutMs: 20_000 })).toMatchObject({ current: true })
  expect(diskTree(fixture.mirror.folderOf(workspaceId), hashOf)).toEqual(treeLines(tree))
}

/** What a person wrote on disk and did not destroy there is some version's bytes, whatever the workspace did meanwhile. */
async function checkDiskEdits({ fixture, workspaceId, editor }: Run): Promise<void> {
  const { rows } = await sql<{ hash: string }>`SELECT DISTINCT encode(blob_hash, 'hex') AS hash FROM file_versions WHERE workspace_id = ${workspaceId}::uuid`.execute(fixture.database.db.kysely)
  const kept = new Set(rows.map(({ hash }) => hash))
  const lostAndFound = join(fixture.dataDir, 'lost+found', workspaceId)
  const aside = existsSync(lostAndFound) ? diskTree(lostAndFound, hashOf).map((line) => line.slice(-64)) : []
  expect([...editor.written].filter(([hash]) => !kept.has(hash) && !aside.includes(hash))).toEqual([])
}

it(`B18: ${OPERATIONS} random operations of four writers, edits on disk among them, killed again and again: model, database and mirror agree (seed ${SEED})`, async () => {
  await using fixture = await MirrorFixture.create({ mirror: { times: { everyMs: 500, pollMs: 500 } } })
  const workspaceId = await fixture.newWorkspace()
  await fixture.mirror.close()
  const root = fixture.mirror.folderOf(workspaceId)
  mkdirSync(root, { recursive: true })
  const random = randomNumbers(SEED)
  const run: Run = { fixture, workspaceId, logFile: join(fixture.dataDir, 'operations'), editor: new DiskEditor(root, random), random }
  let rounds = 0
  while (readLog(run.logFile).meant.size < Math.floor(OPERATIONS * (1 - DISK_SHARE)) || run.editor.edits < Math.floor(OPERATIONS * DISK_SHARE)) await runRound(run, rounds++)
  await fixture.restart()
  await settle(run)

  const rows = await readRows(fixture.database.db.kysely, workspaceId)
  const log = readLog(run.logFile)
  const model = replay(rows, log)
  await checkTrees(run, model.tree)
  await checkDiskEdits(run)
  await checkRewinds(run, model, rows.length)
  expect(await fixture.mirror.inspect(workspaceId, { deep: true, repair: false })).toMatchObject({ differences: [] })
  expect(readdirSync(join(fixture.dataDir, 'mirror-tmp'))).toEqual(expect.not.arrayContaining(['upload']))
  process.stdout.write(`seed ${SEED}: ${log.meant.size} operations in ${rounds} processes, ${run.editor.edits} edits on disk, ${rows.length} journal rows (${rows.filter(({ author }) => author === 'disk').length} by disk)\n`)
}, Math.max(120_000, OPERATIONS * 400))
