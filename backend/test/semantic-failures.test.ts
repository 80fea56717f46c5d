import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { openai } from '@buildscale/rig'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import type { AppError } from '../src/errors.ts'
import { claimSpace } from '../src/repositories/semantic-vector-repository.ts'
import { RigEmbedder } from '../src/services/chat/rig-embedder.ts'
import { type EmbeddingFault, EmbeddingServer } from './support/embedding-server.ts'
import { SemanticFixture, type SemanticNode } from './support/semantic-fixture.ts'

const PROGRAM = fileURLToPath(new URL('support/embedding-program.ts', import.meta.url))
const TEXTS = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`/${index}.md`, `Sentence number ${index} of the story.\n`]))

/** As a model of one's own: its first answer decides how many numbers a vector has. */
function embedderAt(url: string): RigEmbedder {
  const model = new openai.Client({ baseUrl: url, retry: false }).embeddingModel('text-embedding-3-small', { ndims: 128 })
  return new RigEmbedder({ id: 'test:words', model: { maxDocuments: 100, ndims: 0, embedTexts: (texts, options) => model.embedTexts(texts, options), embedText: (text, options) => model.embedText(text, options) } })
}

async function failing(semantic: SemanticFixture, { index }: SemanticNode, workspaceId: string): Promise<string> {
  for (let tries = 0; tries < 500; tries++) {
    const { lastError } = await index.status(workspaceId)
    if (lastError !== null) return lastError
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('no failure was noted')
}

describe('an embedder that does not work', () => {
  it.each<{ readonly fault: EmbeddingFault; readonly says: string }>([
    { fault: 'down', says: 'test:words cannot be reached.' },
    { fault: 'error', says: 'test:words answered with status 500.' },
    { fault: 'key', says: 'test:words answered with status 401: check the key of the provider.' },
    { fault: 'refuse-all', says: 'test:words does not take the text (status 400).' },
    { fault: 'fewer', says: 'Expected 20 embeddings, got 19' },
    { fault: 'mixed', says: 'Embedding 0 has 100 coordinates instead of 128' },
    { fault: 'nonsense', says: 'The answer has no list of embeddings' },
  ])('($fault) delays the search by meaning and loses nothing: it says why, and goes on when it works again', async ({ fault, says }) => {
    await using semantic = await SemanticFixture.create()
    await using server = await EmbeddingServer.start(semantic.model.url)
    const warnings: string[] = []
    const log = { info: (_: object, message: string) => void warnings.push(message), warn: (_: object, message: string) => void warnings.push(message), error: () => undefined }
    const node = semantic.startNode({ embedder: embedderAt(server.url), log })
    const workspaceId = await semantic.files.newWorkspace()
    server.fault = fault
    await semantic.write(node, workspaceId, TEXTS)
    expect(await failing(semantic, node, workspaceId)).toContain(says)
    expect(await node.index.status(workspaceId)).toMatchObject({ chunks: 20, embedded: 0, pending: 20, refused: 0 })
    server.fault = 'none'
    await semantic.settled(node, workspaceId)
    expect(await node.index.status(workspaceId)).toMatchObject({ embedded: 20, lastError: null })
    expect(warnings).toEqual(['texts cannot be embedded now; they are kept and tried again', 'texts are embedded again'])
  })

  it('is not asked all the time', async () => {
    await using semantic = await SemanticFixture.create()
    await using server = await EmbeddingServer.start(semantic.model.url)
    let asked = 0
    const embedder = embedderAt(server.url)
    const counting = { id: embedder.id, isOffline: false, noise: 0, embed: (texts: readonly string[], signal: AbortSignal) => (asked++, embedder.embed(texts, signal)) }
    const node = semantic.startNode({ embedder: counting, times: { firstPauseMs: 300, longestPauseMs: 10_000 } })
    const workspaceId = await semantic.files.newWorkspace()
    server.fault = 'error'
    await semantic.write(node, workspaceId, TEXTS)
    await failing(semantic, node, workspaceId)
    for (let round = 0; round < 10; round++) await semantic.write(node, workspaceId, { '/0.md': `Version ${round}.\n` })
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(asked).toBeLessThan(5)
  })

  it('makes a search by meaning fail with a sentence, and every question that it knows still works', async () => {
    await using semantic = await SemanticFixture.create()
    await using server = await EmbeddingServer.start(semantic.model.url)
    const node = semantic.startNode({ embedder: embedderAt(server.url) })
    const workspaceId = await semantic.files.newWorkspace()
    await semantic.write(node, workspaceId, TEXTS)
    await semantic.settled(node, workspaceId)
    await semantic.search(node, workspaceId, { query: 'sentence number 7' })
    server.fault = 'error'
    expect((await semantic.search(node, workspaceId, { query: 'sentence number 7' }))[0]).toMatchObject({ path: '/7.md' })
    const error: unknown = await semantic.search(node, workspaceId, { query: 'sentence number 8' }).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('Search by meaning does not work right now') } satisfies Partial<Record<keyof AppError, unknown>>)
  })

  it('that answers vectors of another size is refused with what to do, and what is stored stays', async () => {
    await using semantic = await SemanticFixture.create()
    await using server = await EmbeddingServer.start(semantic.model.url)
    const sized = (ndims: number) => new RigEmbedder({ id: 'test:sized', model: new openai.Client({ baseUrl: server.url, retry: false }).embeddingModel('text-embedding-3-small', ndims) })
    const node = semantic.startNode({ embedder: sized(128) })
    const workspaceId = await semantic.files.newWorkspace()
    await semantic.write(node, workspaceId, { '/a.md': 'One.\n' })
    await semantic.settled(node, workspaceId)
    await node.worker.close()
    const other = semantic.startNode({ embedder: sized(64) })
    await semantic.write(other, workspaceId, { '/b.md': 'Two.\n' })
    expect(await failing(semantic, other, workspaceId)).toBe('test:sized now answers vectors of 64 numbers; those that are stored have 128. Give the changed model another name.')
    expect(await other.index.status(workspaceId)).toMatchObject({ chunks: 2, embedded: 1, pending: 1 })
  })

  it('refuses one text: that one is left out and counted, all others are found', async () => {
    await using semantic = await SemanticFixture.create()
    await using server = await EmbeddingServer.start(semantic.model.url)
    const node = semantic.startNode({ embedder: embedderAt(server.url) })
    const workspaceId = await semantic.files.newWorkspace()
    server.fault = 'refuse'
    await semantic.write(node, workspaceId, { ...TEXTS, '/bad.md': 'This is poison for it.\n' })
    await semantic.settled(node, workspaceId)
    expect(await node.index.status(workspaceId)).toEqual({ chunks: 21, embedded: 20, pending: 0, refused: 1, embedder: 'test:words', isOffline: false, lastError: null })
    expect((await semantic.search(node, workspaceId, { query: 'sentence number 7' }))[0]).toMatchObject({ path: '/7.md' })
  })
})

describe('two servers on one database', () => {
  it('send each text once between them, and each finds what the other has embedded', async () => {
    await using semantic = await SemanticFixture.create()
    const [one, two] = [semantic.startNode(), semantic.startNode()]
    const workspaces = await Promise.all([1, 2, 3].map(() => semantic.files.newWorkspace()))
    for (const [at, workspaceId] of workspaces.entries()) {
      await semantic.write(at % 2 === 0 ? one : two, workspaceId, TEXTS)
      two.worker.wake()
      one.worker.wake()
    }
    for (const workspaceId of workspaces) await semantic.settled(one, workspaceId)
    expect(semantic.sent).toHaveLength(60)
    const find = async (node: SemanticNode): Promise<string | undefined> => (await semantic.search(node, workspaces[0] ?? '', { query: 'lighthouse keeper' }))[0]?.path
    expect([await find(one), await find(two)]).toEqual([undefined, undefined])
    await semantic.write(one, workspaces[0] ?? '', { '/new.md': 'The lighthouse keeper.\n' })
    await semantic.settled(one, workspaces[0] ?? '')
    expect([await find(one), await find(two)]).toEqual(['/new.md', '/new.md'])
  })

  it('that take in the same files at the same time do not get in each other\'s way', async () => {
    await using semantic = await SemanticFixture.create()
    const [one, two] = [semantic.startNode(), semantic.startNode()]
    const workspaceId = await semantic.files.newWorkspace()
    await semantic.files.write(workspaceId, TEXTS)
    const texts = await semantic.texts(workspaceId)
    const signal = new AbortController().signal
    await Promise.all([one, two, one, two].map(({ index }, at) => index.update(at % 2 === 0 ? texts : texts.toReversed(), signal)))
    await semantic.settled(one, workspaceId)
    expect(await two.index.status(workspaceId)).toMatchObject({ chunks: 20, embedded: 20 })
  })
})

it('a server that is killed between embedding and storing loses nothing: the next one embeds that batch again', async () => {
  await using semantic = await SemanticFixture.create()
  const workspaceId = await semantic.files.newWorkspace()
  const stopped = semantic.startNode()
  await stopped.worker.close()
  await semantic.write(stopped, workspaceId, TEXTS)
  const { db, connection } = { db: semantic.db, connection: semantic.files.database.url }
  let child: ReturnType<typeof spawn> | undefined
  await db.transaction(async (tx) => {
    // Whoever stores vectors waits for this lock: the vectors are there, and nothing of them is stored.
    await sql`LOCK TABLE semantic_vectors IN SHARE MODE`.execute(tx)
    child = spawn(process.execPath, [PROGRAM, semantic.model.url], { env: { ...process.env, DATABASE_URL: connection }, stdio: ['ignore', 'pipe', 'inherit'] })
    await waitFor(async () => (await sql<{ n: number }>`SELECT count(*) AS n FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`.execute(db.kysely)).rows[0]?.n === 1)
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  expect(semantic.sent).toHaveLength(20)
  expect(await stopped.index.status(workspaceId)).toMatchObject({ chunks: 20, embedded: 0, pending: 20 })
  const next = semantic.startNode()
  await semantic.settled(next, workspaceId)
  expect(semantic.sent).toHaveLength(40)
  expect((await semantic.search(next, workspaceId, { query: 'sentence number 7' }))[0]).toMatchObject({ path: '/7.md' })
})

it('a server that starts again after a crash goes on at once; others wait until its lease has run out', async () => {
  await using semantic = await SemanticFixture.create()
  const workspaceId = await semantic.files.newWorkspace()
  const nodeId = randomUUID()
  const times = { leaseMs: 60_000 }
  const crashed = semantic.startNode({ nodeId, times })
  await crashed.worker.close()
  await semantic.write(crashed, workspaceId, TEXTS)
  await claimSpace(semantic.db.kysely, { workspaceId, embedder: 'offline:words' }, { worker: nodeId, ms: 60_000 })
  const other = semantic.startNode({ times })
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(await other.index.status(workspaceId)).toMatchObject({ pending: 20 })
  await semantic.settled(semantic.startNode({ nodeId, times }), workspaceId)
})

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('it did not come to that')
}
