import { createClient } from '@buildscale/sdk'
import { setTimeout as sleep } from 'node:timers/promises'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forgetWorkspace, readProgress } from '../src/repositories/search-repository.ts'
import { userAuthor } from '../src/services/files/author.ts'
import { FileService } from '../src/services/files/file-service.ts'
import { writeFile } from '../src/services/files/file-tree.ts'
import { JournalFollower, type JournalIndex } from '../src/services/search/journal-follower.ts'
import { SemanticJournalIndex } from '../src/services/search/meaning/semantic-journal-index.ts'
import { TextAnalyser } from '../src/services/search/words/text-analyser.ts'
import { TextIndex } from '../src/services/search/words/text-index.ts'
import { TextSearch } from '../src/services/search/words/text-search.ts'
import { indexed } from './support/indexed.ts'
import { startApp } from './support/running-app.ts'
import { startServerProcess, temporaryDataDir } from './support/server-process.ts'
import { silentLog } from './support/silent-log.ts'
import { createTestDatabase, type TestDatabase } from './support/test-database.ts'

let database: TestDatabase
let analyser: TextAnalyser
beforeAll(async () => {
  database = await createTestDatabase()
  analyser = new TextAnalyser()
})
afterAll(async () => {
  await analyser.close()
  await database[Symbol.asyncDispose]()
})

async function workspaceWith(contents: Readonly<Record<string, string>>) {
  const { db } = database
  const [userId, workspaceId] = [uuidv7(), uuidv7()]
  await db.kysely.insertInto('users').values({ id: userId, name: 'Ada', email: null }).execute()
  await db.kysely.insertInto('workspaces').values({ id: workspaceId, name: 'test', owner_id: userId, deleted_at: null }).execute()
  const files = new FileService({ db, journal: { changed: () => undefined }, limits: { fileBytes: 1024 ** 3 }, tempDir: '' })
  const putAll = (texts: Readonly<Record<string, string>>) =>
    files.change({ workspaceId, author: userAuthor(userId) }, async (set) => {
      for (const [path, text] of Object.entries(texts)) await writeFile(set, { path, content: Buffer.from(text) })
    })
  const put = (path: string, text: string) => putAll({ [path]: text })
  await putAll(contents)
  const signal = new AbortController().signal
  return {
    workspaceId,
    put,
    progress: async () => (await readProgress(db.kysely, workspaceId, 'text'))?.seq,
    find: async (question: string) => (await new TextSearch(db.kysely).search({ workspaceId, question, folder: '/', limit: 100, signal })).hits.map(({ path }) => path),
  }
}

const textIndex = (): TextIndex => new TextIndex({ db: database.db, analyser, log: silentLog })
const follow = (index: JournalIndex, workspaceId: string): Promise<void> => new JournalFollower({ db: database.db, index, log: silentLog }).catchUp(workspaceId, new AbortController().signal)
const numbered = (count: number): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, index) => [`/f${index}.md`, `needle number${index}`]))

describe('the search index, when something goes wrong', () => {
  it('goes on where it was after a failure in the middle, and stores nothing of the batch that failed', async () => {
    const workspace = await workspaceWith(numbered(300))
    const index = textIndex()
    let batches = 0
    const failing: JournalIndex = {
      name: 'text',
      prepare: async (batch, signal) => {
        const store = await index.prepare(batch, signal)
        return async (tx) => {
          await store(tx)
          if (++batches === 2) throw new Error('the power went off')
        }
      },
    }
    await expect(follow(failing, workspace.workspaceId)).rejects.toThrow('the power went off')
    expect(await workspace.progress()).toBe(256)
    expect(await workspace.find('number255')).toEqual(['/f255.md'])
    expect(await workspace.find('number256')).toEqual([])
    await follow(index, workspace.workspaceId)
    expect(await workspace.find('number299')).toEqual(['/f299.md'])
  })

  it('R: two that work on the same workspace at once end with every file once', async () => {
    const workspace = await workspaceWith(numbered(600))
    await Promise.all([1, 2, 3].map(() => follow(textIndex(), workspace.workspaceId)))
    await follow(textIndex(), workspace.workspaceId)
    expect(await workspace.progress()).toBe(600)
    const { rows } = await countRows(workspace.workspaceId)
    expect(rows).toBe(600)
  })

  it('R: a file that is written again and again while it is indexed ends with its latest words', async () => {
    const workspace = await workspaceWith({ '/a.md': 'version0' })
    const writing = (async () => {
      for (let version = 1; version <= 30; version++) await workspace.put('/a.md', `version${version}`)
    })()
    for (let round = 0; round < 10; round++) await follow(textIndex(), workspace.workspaceId)
    await writing
    await follow(textIndex(), workspace.workspaceId)
    expect(await workspace.find('"version30"')).toEqual(['/a.md'])
    expect(await workspace.find('"version3"')).toEqual([])
  })

  it('a text that takes too long is found by its name, holds up no other one, and is not tried again', async () => {
    const workspace = await workspaceWith({ '/slow.md': 'needle in slow', '/fast.md': 'needle in fast' })
    let asked = 0
    const analyse: TextAnalyser['analyse'] = (file) => {
      asked += 1
      return file.path === '/slow.md' ? Promise.resolve(undefined) : analyser.analyse(file)
    }
    const index = new TextIndex({ db: database.db, analyser: { analyse }, log: silentLog })
    await follow(index, workspace.workspaceId)
    expect([await workspace.find('needle'), await workspace.find('slow')]).toEqual([['/fast.md'], ['/slow.md']])
    await follow(index, workspace.workspaceId)
    expect(asked).toBe(2)
    await workspace.put('/slow.md', 'needle in quick')
    await follow(textIndex(), workspace.workspaceId)
    expect(await workspace.find('quick')).toEqual(['/slow.md'])
  })

  it('a text that never ends costs the thread that looks into it, and nothing else', async () => {
    await using impatient = { analyser: new TextAnalyser({ timeLimitMs: 1 }), [Symbol.asyncDispose]: () => impatient.analyser.close() }
    expect(await impatient.analyser.analyse({ path: '/a.md', mime: 'text/markdown', text: 'x '.repeat(500_000), scope: '@x' })).toBeUndefined()
    expect(await analyser.analyse({ path: '/a.md', mime: 'text/markdown', text: 'fine', scope: '@x' })).toMatchObject({ hasAllWords: true })
  })

  it('an outage of the model behind the meanings holds up no word', async () => {
    const workspace = await workspaceWith({ '/a.md': 'needle' })
    const outage = { update: () => Promise.reject(new Error('the model is away')), remove: () => Promise.resolve() }
    await expect(follow(new SemanticJournalIndex({ db: database.db, semantic: outage }), workspace.workspaceId)).rejects.toThrow('the model is away')
    await follow(textIndex(), workspace.workspaceId)
    expect(await workspace.find('needle')).toEqual(['/a.md'])
    expect((await readProgress(database.db.kysely, workspace.workspaceId, 'semantic'))?.seq).toBe(0)
  })

  it('forgets a workspace that was deleted, and begins from the start when its rows are gone', async () => {
    const workspace = await workspaceWith({ '/a.md': 'needle [[b]]' })
    await follow(textIndex(), workspace.workspaceId)
    await database.db.transaction((tx) => forgetWorkspace(tx, workspace.workspaceId, 'text'))
    expect(await workspace.find('needle')).toEqual([])
    await follow(textIndex(), workspace.workspaceId)
    expect(await workspace.find('needle')).toEqual(['/a.md'])
    await database.db.kysely.updateTable('workspaces').set({ deleted_at: new Date() }).where('id', '=', workspace.workspaceId).execute()
    await follow(textIndex(), workspace.workspaceId)
    expect(await countRows(workspace.workspaceId)).toEqual({ rows: 0, links: 0 })
  })
})

async function countRows(workspaceId: string): Promise<{ readonly rows: number; readonly links: number }> {
  const { kysely } = database.db
  const rows = await kysely.selectFrom('search_texts').select('file_id').where('workspace_id', '=', workspaceId).execute()
  const links = await kysely.selectFrom('file_links').select('file_id').where('workspace_id', '=', workspaceId).execute()
  return { rows: rows.length, links: links.length }
}

describe('the search of several nodes on one database', () => {
  it('finds on each what was written on the other, and goes on when one of them stops', async () => {
    await using one = await startApp()
    const other = await startApp({ beside: one })
    const onOther = other.client.files(one.workspaceId)
    try {
      await onOther.put('/there.md', 'needle')
      await indexed(one)
      expect((await one.client.files(one.workspaceId).search('needle', { modes: ['text'] })).items.map(({ path }) => path)).toEqual(['/there.md'])
    } finally {
      await other[Symbol.asyncDispose]()
    }
    await one.client.files(one.workspaceId).put('/here.md', 'needle')
    await indexed(one)
    expect((await one.client.files(one.workspaceId).search('needle', { modes: ['text'] })).items).toHaveLength(2)
  })
})

const KILLS = Number(process.env['KILL_ROUNDS'] ?? 2)
const FILES = 110

describe('a server that is killed while it indexes', () => {
  it(`finds every file after the restart (${KILLS} kills), and stops in time when asked to in the middle`, { timeout: 60_000 + KILLS * 60_000 }, async () => {
    await using own = await createTestDatabase()
    using data = temporaryDataDir()
    const start = async () => {
      const server = await startServerProcess({ dataDir: data.path, env: { DATABASE_URL: own.url } })
      const client = createClient({ url: server.url, token: server.token })
      const workspaceId = (await client.me()).workspaces[0]?.id ?? ''
      return { server, client, workspaceId, files: client.files(workspaceId) }
    }
    let place = await start()
    for (let round = 0; round < KILLS; round++) {
      for (let from = 0; from < FILES; from += 10) await Promise.all(Array.from({ length: 10 }, (_, index) => place.files.put(`/round${round}/f${from + index}.md`, `needle${round} ${'and more words '.repeat(500)}`)))
      await sleep(Math.random() * 1_500)
      await place.server.end('SIGKILL')
      place = await start()
    }
    await place.files.put('/last.md', 'needle at last')
    await indexed(place, { withinMs: 60_000 })
    for (let round = 0; round < KILLS; round++) {
      const { items, truncated } = await place.files.search(`needle${round}`, { modes: ['text'], limit: 100, path: `/round${round}` })
      expect([items.length, truncated]).toEqual([100, true])
    }
    expect(await countOf(own, place.workspaceId)).toBe(KILLS * FILES + 1)
    for (let index = 0; index < 20; index++) await place.files.put(`/again${index}.md`, `${index} ${'once more '.repeat(5_000)}`)
    const startedAt = performance.now()
    expect(await place.server.end('SIGTERM')).toBe(0)
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })
})

async function countOf(own: TestDatabase, workspaceId: string): Promise<number> {
  return (await own.db.kysely.selectFrom('search_texts').select('file_id').where('workspace_id', '=', workspaceId).execute()).length
}
