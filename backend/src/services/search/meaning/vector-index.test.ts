/** What every index of vectors does. pgvector is tried where the database server offers it: `DATABASE_URL=… npm test -- backend/src/services/search/vector-index`. */
import { sql } from 'kysely'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MirrorFixture } from '../../../../test/support/mirror-fixture.ts'
import { sha256 } from '../../../../test/support/semantic-fixture.ts'
import { silentLog } from '../../../../test/support/silent-log.ts'
import type { Db } from '../../../db/db.ts'
import { advanceChunkSeq, storeChunks } from '../../../repositories/semantic-passage-repository.ts'
import { claimSpace, fixDimensions, storeVectors, type VectorSpace } from '../../../repositories/semantic-vector-repository.ts'
import { ExactVectorIndex } from './exact-vector-index.ts'
import { PgvectorIndex } from './pgvector-index.ts'
import { sweepSemanticIndex } from './semantic-sweep.ts'
import { normalised, vectorBytes, vectorOf } from './vector-bytes.ts'
import type { NearChunk, VectorIndex } from './vector-index.ts'

const signal = new AbortController().signal
const fixture = await MirrorFixture.create()
afterAll(() => fixture[Symbol.asyncDispose]())

type Vectors = Readonly<Record<string, readonly number[]>>

/** Stores vectors under names, as the worker does. */
async function put(space: VectorSpace, vectors: Vectors): Promise<void> {
  const { db } = fixture.database
  const named = Object.entries(vectors).map(([name, vector]) => ({ name, hash: sha256(name), vector: vectorBytes(unit(vector)) }))
  await db.transaction(async (tx) => {
    await advanceChunkSeq(tx, space.workspaceId)
    await storeChunks(tx, space.workspaceId, named.map(({ name, hash }) => ({ hash, context: '', body: name })))
  })
  await claimSpace(db.kysely, space, { worker: randomUUID(), ms: 0 })
  await db.transaction(async (tx) => {
    await fixDimensions(tx, space, (named[0]?.vector.byteLength ?? 0) / 4)
    await storeVectors(tx, space, named.map(({ hash, vector }) => ({ hash, vector, refusal: null })))
  })
}

const unit = (vector: readonly number[]): Float32Array => normalised(Float32Array.from(vector)) ?? new Float32Array(vector.length)
const hex = (name: string): string => sha256(name).toString('hex')

/** Names of the nearest, best first. */
async function namesNear(index: VectorIndex, space: VectorSpace, query: { readonly vector: readonly number[]; readonly limit?: number; readonly of: readonly string[] }): Promise<readonly string[]> {
  const near = await index.nearest({ space, vector: unit(query.vector), limit: query.limit ?? 10, signal })
  return near.map(({ hash }) => query.of.find((name) => hex(name) === hash.toString('hex')) ?? 'unknown')
}

/** As many vectors as asked for, the same ones each time. */
function manyVectors(count: number, dimensions: number): Vectors {
  let state = 7
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
    return (state >>> 8) / 16_777_216 - 0.5
  }
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`v${index}`, Array.from({ length: dimensions }, random)]))
}

/** By the definition: all cosines, sorted. */
function byHand(vectors: Vectors, query: readonly number[], limit: number): readonly string[] {
  const asked = unit(query)
  const scored = Object.entries(vectors).map(([name, vector]) => ({ name, score: unit(vector).reduce((sum, value, index) => sum + value * (asked[index] ?? 0), 0) }))
  return scored.toSorted((a, b) => b.score - a.score).slice(0, limit).map(({ name }) => name)
}

const pgvector = await PgvectorIndex.open({ db: fixture.database.db, log: silentLog, indexFrom: 2_000 })

const KINDS: readonly { readonly name: string; readonly make: ((db: Db) => VectorIndex) | undefined }[] = [
  { name: 'in memory', make: (db) => new ExactVectorIndex({ db, maxBytes: 64 * 1024 * 1024 }) },
  { name: 'read page by page, because it is larger than the memory', make: (db) => new ExactVectorIndex({ db, maxBytes: 16 }) },
  { name: 'of pgvector', make: pgvector === undefined ? undefined : () => pgvector },
]

describe.each(KINDS)('an index $name', ({ make }) => {
  const test = it.skipIf(make === undefined)
  let space: VectorSpace
  const open = (): VectorIndex => make?.(fixture.database.db) ?? new ExactVectorIndex({ db: fixture.database.db, maxBytes: 0 })
  beforeAll(async () => {
    space = { workspaceId: await fixture.newWorkspace(), embedder: 'test:one' }
  })

  test('of a space without vectors answers nothing', async () => {
    expect(await open().nearest({ space, vector: unit([1, 0, 0]), limit: 5, signal })).toEqual([])
  })

  test('answers the nearest first, with the cosine', async () => {
    await put(space, { east: [1, 0, 0], north: [0, 2, 0], northeast: [3, 3, 0], up: [0, 0, 1] })
    const near = await open().nearest({ space, vector: unit([10, 1, 0]), limit: 3, signal })
    expect(near.map(({ hash }) => hash.toString('hex'))).toEqual([hex('east'), hex('northeast'), hex('north')])
    expect(near.map(({ score }) => Number(score.toFixed(4)))).toEqual([0.995, 0.774, 0.0995])
  })

  test('follows what is stored after it was opened', async () => {
    const index = open()
    const of = ['east', 'north', 'northeast', 'up', 'west', 'south']
    expect(await namesNear(index, space, { vector: [-1, 0.1, 0], limit: 1, of })).not.toEqual(['west'])
    await put(space, { west: [-1, 0, 0] })
    expect(await namesNear(index, space, { vector: [-1, 0.1, 0], limit: 1, of })).toEqual(['west'])
    await put(space, { south: [0, -1, 0] })
    expect(await namesNear(index, space, { vector: [0, -1, 0], limit: 1, of })).toEqual(['south'])
  })

  test('keeps workspaces and embedders apart', async () => {
    const index = open()
    const [other, newer] = [{ workspaceId: await fixture.newWorkspace(), embedder: space.embedder }, { workspaceId: space.workspaceId, embedder: 'test:two' }]
    await put(other, { theirs: [1, 0, 0] })
    await put(newer, { new: [1, 0] })
    const of = ['theirs', 'new', 'east']
    expect(await namesNear(index, other, { vector: [1, 0, 0], of })).toEqual(['theirs'])
    expect(await namesNear(index, newer, { vector: [1, 0], of })).toEqual(['new'])
    expect((await namesNear(index, space, { vector: [1, 0, 0], of }))[0]).toBe('east')
    expect(await namesNear(index, space, { vector: [1, 0, 0], of })).not.toContain('theirs')
  })

  test('refuses a question of another number of coordinates', async () => {
    await expect(open().nearest({ space, vector: unit([1, 0]), limit: 5, signal })).rejects.toThrow('the question has 2 coordinates, the stored vectors have 3')
  })

  test('of 3,000 vectors finds those that comparing all by hand finds, also when asked for more than 1,000', async () => {
    const vectors = manyVectors(3_000, 24)
    const large = { workspaceId: await fixture.newWorkspace(), embedder: 'test:large' }
    for (let from = 0; from < 3_000; from += 1_000) await put(large, Object.fromEntries(Object.entries(vectors).slice(from, from + 1_000)))
    const index = open()
    const query = Array.from({ length: 24 }, (_, at) => Math.sin(at))
    const ask = (limit: number): Promise<readonly NearChunk[]> => index.nearest({ space: large, vector: unit(query), limit, signal })
    expect((await ask(20)).map(({ hash }) => hash.toString('hex'))).toEqual(byHand(vectors, query, 20).map(hex))
    expect((await ask(2_500)).map(({ hash }) => hash.toString('hex')).slice(0, 500)).toEqual(byHand(vectors, query, 500).map(hex))
    expect(await ask(5_000)).toHaveLength(3_000)
  })

  test('loses what was swept away', async () => {
    const swept = { workspaceId: await fixture.newWorkspace(), embedder: 'test:one' }
    await put(swept, { gone: [1, 0, 0] })
    const index = open()
    expect(await namesNear(index, swept, { vector: [1, 0, 0], of: ['gone'] })).toEqual(['gone'])
    await sweepSemanticIndex(fixture.database.db, { embedder: 'test:one', now: Date.now() + 25 * 60 * 60_000 })
    expect(await namesNear(index, swept, { vector: [1, 0, 0], of: ['gone'] })).toEqual([])
  })
})

describe('an index in memory', () => {
  it('forgets the workspace that was asked least recently when the memory is used up', async () => {
    const spaces = await Promise.all([1, 2, 3].map(async () => ({ workspaceId: await fixture.newWorkspace(), embedder: 'test:lru' })))
    for (const space of spaces) await put(space, manyVectors(300, 16))
    const index = new ExactVectorIndex({ db: fixture.database.db, maxBytes: 2 * 300 * (16 * 4 + 32) + 1_000 })
    for (const space of [...spaces, ...spaces]) {
      expect(await index.nearest({ space, vector: unit(Array.from({ length: 16 }, () => 1)), limit: 3, signal })).toHaveLength(3)
      expect(index.bytes).toBeLessThanOrEqual(2 * 300 * (16 * 4 + 32) + 1_000)
    }
  })

  it('loads a workspace once for searches that begin together', async () => {
    const space = { workspaceId: await fixture.newWorkspace(), embedder: 'test:once' }
    await put(space, manyVectors(500, 8))
    const index = new ExactVectorIndex({ db: fixture.database.db, maxBytes: 1_000_000 })
    const answers = await Promise.all(Array.from({ length: 20 }, () => index.nearest({ space, vector: unit([1, 0, 0, 0, 0, 0, 0, 0]), limit: 500, signal })))
    expect(new Set(answers.map((near) => near.length))).toEqual(new Set([500]))
  })

  it('ends a search that is aborted', async () => {
    const space = { workspaceId: await fixture.newWorkspace(), embedder: 'test:abort' }
    await put(space, manyVectors(10, 8))
    const index = new ExactVectorIndex({ db: fixture.database.db, maxBytes: 1_000_000 })
    await expect(index.nearest({ space, vector: unit([1, 0, 0, 0, 0, 0, 0, 0]), limit: 5, signal: AbortSignal.abort() })).rejects.toThrow()
  })
})

describe.skipIf(pgvector === undefined)('an index of pgvector for a large workspace', () => {
  it('is made in the background, belongs to that workspace alone, and is used', async () => {
    const { db } = fixture.database
    const space = { workspaceId: await fixture.newWorkspace(), embedder: "test:it's" }
    const vectors = manyVectors(2_500, 16)
    await put(space, vectors)
    const query = { space, vector: unit(Array.from({ length: 16 }, (_, at) => Math.cos(at))), limit: 10, signal }
    const exact = (await pgvector?.nearest(query)) ?? []
    await pgvector?.settle()
    const { rows } = await sql<{ name: string; definition: string }>`
      SELECT i.indexname AS name, i.indexdef AS definition FROM pg_indexes i WHERE i.indexname LIKE 'semantic_hnsw_%' AND i.indexdef LIKE ${`%${space.workspaceId}%`}`.execute(db.kysely)
    expect(rows.map(({ definition }) => definition)).toEqual([expect.stringContaining("embedder = 'test:it''s'")])
    const near = (await pgvector?.nearest(query)) ?? []
    expect(near.filter(({ hash }) => exact.some((other) => other.hash.equals(hash))).length).toBeGreaterThanOrEqual(9)
    // Statistics of scans come late; a plan does not.
    const plan = await sql<Record<string, string>>`
      EXPLAIN SELECT chunk_hash FROM semantic_pgvectors WHERE workspace_id = ${sql.lit(space.workspaceId)} AND embedder = ${sql.lit(space.embedder)}
      ORDER BY embedding::vector(16) <=> ${`[${query.vector.join(',')}]`}::vector(16) LIMIT 10`.execute(db.kysely)
    expect(JSON.stringify(plan.rows)).toContain(rows[0]?.name)
  })
})

it('vectors are the same numbers after they were stored', () => {
  const vector = Float32Array.from([0.1, -2.5, 3e-20, 1e20])
  expect(vectorOf(vectorBytes(vector))).toEqual(vector)
  expect(normalised(new Float32Array(3))).toBeUndefined()
  expect(normalised(Float32Array.from([Number.NaN, 1]))).toBeUndefined()
})
