import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MirrorFixture } from '../../../test/support/mirror-fixture.ts'
import { AppError } from '../../errors.ts'
import { readChangeSeq } from '../../repositories/change-repository.ts'
import { readTree } from '../../repositories/file-repository.ts'
import { userAuthor } from './author.ts'
import type { ChangeSet } from './change-set.ts'
import { ancestorPaths } from './file-path.ts'
import { createFolder, moveFile, removeFile, writeFile } from './file-tree.ts'
import { RewindService } from './rewind-service.ts'

const ROUNDS = Number(process.env['REWIND_ROUNDS'] ?? 3)
const STEPS = 60

let fixture: MirrorFixture
beforeAll(async () => void (fixture = await MirrorFixture.create()))
afterAll(() => fixture[Symbol.asyncDispose]())

/** Numbers from 0 to 1 that are the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
}

const NAMES = ['a', 'b', 'A', 'a b', 'é']

function randomPath(random: () => number): string {
  const depth = 1 + Math.floor(random() * 3)
  return Array.from({ length: depth }, () => `/${NAMES[Math.floor(random() * NAMES.length)] ?? 'a'}`).join('')
}

/** One change as people make them; many are refused, which is as good. */
async function randomChange(set: ChangeSet, random: () => number): Promise<unknown> {
  const [path, other, kind] = [randomPath(random), randomPath(random), random()]
  if (kind < 0.4) return writeFile(set, { path, content: Buffer.from(`text ${Math.floor(random() * 12)}`) })
  if (kind < 0.5) return createFolder(set, path)
  if (kind < 0.8) return moveFile(set, { from: path, to: other })
  return removeFile(set, { path, recursive: true })
}

class History {
  readonly workspaceId: string
  readonly rewinds: RewindService
  readonly trees = new Map<number, string>()

  constructor(workspaceId: string) {
    this.workspaceId = workspaceId
    this.rewinds = new RewindService({ db: fixture.database.db, files: fixture.files })
  }

  async tree(): Promise<string> {
    const entries = await readTree(fixture.database.db.kysely, this.workspaceId)
    return entries.map(({ path, hash }) => `${path}\t${hash?.toString('hex').slice(0, 8) ?? 'folder'}`).join('\n')
  }

  async remember(): Promise<void> {
    this.trees.set((await readChangeSeq(fixture.database.db.kysely, this.workspaceId)) ?? 0, await this.tree())
  }

  async change(random: () => number): Promise<void> {
    try {
      await fixture.change(this.workspaceId, (set) => randomChange(set, random))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
    }
    await this.remember()
  }

  /** Goes back to a remembered state, as its preview says, and checks the tree. */
  async rewind(toSeq: number): Promise<void> {
    const target = { workspaceId: this.workspaceId, toSeq }
    const preview = await this.rewinds.preview(target)
    const done = await this.rewinds.rewind({ ...target, author: userAuthor(fixture.userId), ifSeq: preview.change_seq })
    expect(done.changes.map(withoutNewIds)).toEqual(preview.changes.map(withoutNewIds))
    expect(await this.tree(), `back to ${toSeq}`).toBe(this.trees.get(toSeq))
    await this.remember()
  }

  /** Goes back to any row of the journal, also in the middle of a change that nobody ever saw the half of: its files, and the folders that they need. */
  async rewindInto(toSeq: number): Promise<void> {
    const past = await this.rewinds.treeAt(this.workspaceId, toSeq)
    const lines = new Set(past.flatMap(({ path, hash }) => [...ancestorPaths(path).map((above) => `${above}\tfolder`), `${path}\t${hash?.toString('hex').slice(0, 8) ?? 'folder'}`]))
    await this.rewinds.rewind({ workspaceId: this.workspaceId, toSeq, author: userAuthor(fixture.userId) })
    expect((await this.tree()).split('\n').sort().join('\n'), `back into ${toSeq}`).toBe([...lines].sort().join('\n'))
    await this.remember()
  }

  /** Goes back with a part of the tree: what was never there stays as it is. */
  async rewindPart(toSeq: number, path: string): Promise<void> {
    const isAsked = (line: string): boolean => line.startsWith(`${path}\t`) || line.startsWith(`${path}/`)
    const before = await this.tree()
    const { left } = await this.rewinds.rewind({ workspaceId: this.workspaceId, toSeq, paths: [path], author: userAuthor(fixture.userId) })
    const then = (this.trees.get(toSeq) ?? '').split('\n').filter(isAsked)
    const now = (await this.tree()).split('\n')
    if (left.length === 0) expect(now.filter(isAsked), `${path} back to ${toSeq}`).toEqual(then)
    // Outside of the path nothing goes, unless it came from inside.
    const cameFrom = new Set((this.trees.get(toSeq) ?? '').split('\n').filter(isAsked).map((line) => line.split('\t').at(-1)))
    for (const line of before.split('\n')) if (line !== '' && !isAsked(line) && !cameFrom.has(line.split('\t').at(-1)) && !line.endsWith('\tfolder')) expect(now).toContain(line)
    await this.remember()
  }

  async expectDiskAgrees(): Promise<void> {
    await fixture.mirror.waitFor(this.workspaceId, { timeoutMs: 20_000 })
    expect((await fixture.mirror.inspect(this.workspaceId, { deep: true, repair: false })).differences).toEqual([])
    expect(existsSync(join(fixture.dataDir, 'lost+found', this.workspaceId))).toBe(false)
  }
}

const withoutNewIds = <Change extends object>(change: Change): Change => ({ ...change, file_id: undefined })

describe('after any changes, going back', () => {
  it.for(Array.from({ length: ROUNDS }, (_, index) => index + 1))('to any state gives exactly that tree, on disk too, and can itself be undone (seed %i)', { timeout: 120_000 }, async (seed) => {
    const random = randomNumbers(seed * 7919)
    const history = new History(await fixture.newWorkspace())
    await history.remember()
    for (let step = 0; step < STEPS; step += 1) {
      await history.change(random)
      if (step % 5 !== 4) continue
      const seqs = [...history.trees.keys()]
      const before = seqs.at(-1) ?? 0
      await history.rewind(seqs[Math.floor(random() * seqs.length)] ?? 0)
      await history.expectDiskAgrees()
      if (random() < 0.5) await history.rewind(before)
    }
    for (const seq of [...history.trees.keys()].filter(() => random() < 0.2)) await history.rewind(seq)
    await history.expectDiskAgrees()
  })

  it.for(Array.from({ length: ROUNDS }, (_, index) => index + 1))('with a part of the tree, or into the middle of a change, leaves database and disk in agreement (seed %i)', { timeout: 120_000 }, async (seed) => {
    const random = randomNumbers(seed * 104_729)
    const history = new History(await fixture.newWorkspace())
    await history.remember()
    for (let step = 0; step < STEPS; step += 1) {
      await history.change(random)
      if (step % 6 !== 5) continue
      const seqs = [...history.trees.keys()]
      if (random() < 0.5) await history.rewindPart(seqs[Math.floor(random() * seqs.length)] ?? 0, `/${NAMES[Math.floor(random() * NAMES.length)] ?? 'a'}`)
      else await history.rewindInto(Math.floor(random() * ((seqs.at(-1) ?? 0) + 1)))
      await history.expectDiskAgrees()
    }
  })
})
