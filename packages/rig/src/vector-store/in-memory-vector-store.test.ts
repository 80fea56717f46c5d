import { describe, expect, it } from 'vitest'
import { BagOfWordsModel } from '../embeddings/bag-of-words-model.ts'
import { onlyEmbedding, type Embedding, type EmbeddingModel } from '../embeddings/embedding-model.ts'
import { EmbeddingsBuilder, type EmbeddedDocument } from '../embeddings/embeddings-builder.ts'
import { InMemoryVectorStore, type InMemoryVectorStoreOptions } from './in-memory-vector-store.ts'
import { VectorStoreError } from './vector-store-error.ts'

interface Animal {
  readonly name: string
  readonly facts: readonly string[]
  readonly legs: number
}

const ANIMALS: readonly Animal[] = [
  { name: 'cat', facts: ['a cat sleeps all day', 'a cat hunts mice'], legs: 4 },
  { name: 'spider', facts: ['a spider hunts flies with a web'], legs: 8 },
  { name: 'dog', facts: ['a dog guards the house'], legs: 4 },
  { name: 'ghost', facts: [], legs: 0 },
]

const model = new BagOfWordsModel()
const embedded = (animals: readonly Animal[] = ANIMALS) => new EmbeddingsBuilder<Animal>(model, ({ facts }) => facts).documents(animals).build()
const byVector = (vec: readonly number[]): readonly Embedding[] => [{ document: '', vec }]

/** Vectors by name; the query is a name too. */
class TableModel implements EmbeddingModel {
  readonly maxDocuments = 1
  readonly ndims = 0
  readonly #table: Readonly<Record<string, readonly number[]>>

  constructor(table: Readonly<Record<string, readonly number[]>>) {
    this.#table = table
  }

  async embedTexts(texts: readonly string[]): Promise<readonly Embedding[]> {
    return texts.map((document) => ({ document, vec: this.#table[document] ?? [] }))
  }

  async embedText(text: string): Promise<Embedding> {
    return onlyEmbedding(await this.embedTexts([text]))
  }
}

// Enough tables of few hyperplanes that nothing in these small stores is missed: the seed is fixed.
const STRATEGIES: readonly [string, InMemoryVectorStoreOptions][] = [
  ['brute force', {}],
  ['locality-sensitive hashing', { strategy: { type: 'lsh', numTables: 64, numHyperplanes: 2, seed: 7 } }],
]

describe.each(STRATEGIES)('a store in memory, searched by %s', (_name, options) => {
  it('finds the most similar documents first, each by the best of its texts', async () => {
    const index = InMemoryVectorStore.fromDocuments(await embedded(), options).index(model)
    const found = await index.topN({ query: 'hunts mice', samples: 2 })
    expect(found.map(({ id, document }) => [id, document.name])).toEqual([['doc0', 'cat'], ['doc1', 'spider']])
    expect(found[0]?.score).toBeCloseTo(2 / Math.sqrt(2 * 4), 6)
    expect(await index.topNIds({ query: 'sleeps all day', samples: 1 })).toEqual([{ score: expect.closeTo(3 / Math.sqrt(3 * 5), 6), id: 'doc0' }])
    expect(await index.topNIds({ query: 'hunts mice', samples: 2 })).toEqual(found.map(({ score, id }) => ({ score, id })))
  })

  it('gives no more than asked for, no less than there is, and nothing below the threshold', async () => {
    const index = InMemoryVectorStore.fromDocuments(await embedded(), options).index(model)
    expect(await index.topNIds({ query: 'a', samples: 1 })).toHaveLength(1)
    expect((await index.topNIds({ query: 'a', samples: 1e9 })).map(({ id }) => id).toSorted()).toEqual(['doc0', 'doc1', 'doc2'])
    expect((await index.topNIds({ query: 'a dog guards the house', samples: 9, threshold: 0.9 })).map(({ id }) => id)).toEqual(['doc2'])
    expect(await index.topNIds({ query: 'submarine', samples: 9, threshold: 0.5 })).toEqual([])
  })

  it('fills the samples with documents that meet the filter', async () => {
    const index = InMemoryVectorStore.fromDocuments(await embedded(), options).index(model)
    const filter = { and: [{ gt: ['legs', 4] }, { eq: ['name', 'spider'] }] } as const
    expect((await index.topN({ query: 'a cat sleeps all day', samples: 1, filter })).map(({ document }) => document.name)).toEqual(['spider'])
  })

  it('keeps the order of adding among equally good documents, the same every time', async () => {
    const store = InMemoryVectorStore.fromDocuments<string>(Array.from({ length: 50 }, (_, index) => [`text ${index}`, byVector([1, 0])]), options)
    const index = store.index(new TableModel({ q: [1, 0] }))
    const expected = Array.from({ length: 7 }, (_, place) => `text ${place}`)
    for (let round = 0; round < 3; round++) expect((await index.topN({ query: 'q', samples: 7 })).map(({ document }) => document)).toEqual(expected)
  })

  it('finds at once what is added later, and no longer what is removed or replaced', async () => {
    const store = InMemoryVectorStore.fromDocuments(await embedded(), options)
    const index = store.index(model)
    const names = async (query: string) => (await index.topN({ query, samples: 9, threshold: 0.4 })).map(({ document }) => document.name)
    const horse = await embedded([{ name: 'horse', facts: ['a horse eats hay'], legs: 4 }])
    store.addDocuments(horse)
    expect(await names('horse eats hay')).toEqual(['horse'])
    expect(store.removeDocument('doc4')).toBe(true)
    expect(store.removeDocument('doc4')).toBe(false)
    expect(await names('horse eats hay')).toEqual([])
    store.addDocumentsWithIds(horse.map(([document, embeddings]) => ['doc0', document, embeddings]))
    expect(await names('horse eats hay')).toEqual(['horse'])
    expect(await names('sleeps all day')).toEqual([])
    expect(store.size).toBe(4)
  })

  it('takes vectors of any size again once it is empty', async () => {
    const store = InMemoryVectorStore.fromDocumentsWithIds<string>([['a', 'A', byVector([1, 0])]], options)
    store.removeDocument('a')
    store.addDocumentsWithIds([['b', 'B', byVector([1, 0, 0])]])
    expect(await store.index(new TableModel({ q: [1, 0, 0] })).topNIds({ query: 'q', samples: 1 })).toEqual([{ score: 1, id: 'b' }])
  })

  it('finds nothing while it is empty, and scores a query without direction as similar to nothing', async () => {
    expect(await new InMemoryVectorStore<string>(options).index(model).topN({ query: 'x', samples: 3 })).toEqual([])
    const index = InMemoryVectorStore.fromDocuments<string>([['A', byVector([1, 0])]], options).index(new TableModel({ q: [0, 0] }))
    for (const { score } of await index.topN({ query: 'q', samples: 3 })) expect(score).toBe(0)
  })
})

describe('a store in memory', () => {
  it('gives out ids that are free, takes those it is given, or has them made', async () => {
    const documents: readonly EmbeddedDocument<string>[] = [['A', byVector([1])], ['B', byVector([2])]]
    expect(InMemoryVectorStore.fromDocumentsWithIdF(documents, (document) => `id ${document}`).getDocument('id B')).toBe('B')
    const store = InMemoryVectorStore.fromDocumentsWithIds<string>([['doc1', 'mine', byVector([1])]]).addDocuments(documents)
    expect(['doc0', 'doc1', 'doc2'].map((id) => store.getDocument(id))).toEqual(['A', 'mine', 'B'])
    store.removeDocument('doc2')
    store.addDocuments([['C', byVector([1])]])
    expect([store.getDocument('doc2'), store.getDocument('doc3'), store.size]).toEqual([undefined, 'C', 3])
  })

  it('keeps a document without embeddings and never finds it', async () => {
    const store = InMemoryVectorStore.fromDocumentsWithIdF(await embedded(), ({ name }) => name)
    expect(store.getDocument('ghost')).toBe(ANIMALS[3])
    expect((await store.index(model).topNIds({ query: 'ghost', samples: 9 })).map(({ id }) => id)).not.toContain('ghost')
  })

  it('refuses vectors of another size or without meaning, and then adds none of their company', () => {
    const store = InMemoryVectorStore.fromDocumentsWithIds<string>([['a', 'A', byVector([1, 0])]])
    const adding = (vec: readonly number[]) => () => store.addDocumentsWithIds([['b', 'B', byVector([1, 1])], ['c', 'C', byVector(vec)]])
    expect(adding([1, 0, 0])).toThrow(expect.objectContaining({ name: 'VectorStoreError', kind: 'dimensions', message: 'Document "c" has a vector of 3 coordinates where the others have 2' }))
    expect(adding([1, Number.NaN])).toThrow(expect.objectContaining({ kind: 'vector' }))
    expect(adding([])).toThrow(VectorStoreError)
    expect(store.size).toBe(1)
    expect(adding([0, 1])().size).toBe(3)
  })

  it('refuses a model whose vectors have another size: at once when the model knows it, else at the search', async () => {
    const store = InMemoryVectorStore.fromDocuments<string>([['A', byVector([1, 0])]])
    expect(() => store.index(model)).toThrow(expect.objectContaining({ kind: 'dimensions' }))
    await expect(store.index(new TableModel({ q: [1, 2, 3] })).topN({ query: 'q', samples: 1 })).rejects.toMatchObject({ kind: 'dimensions' })
  })

  it.each([{ samples: 0 }, { samples: 1.5 }, { samples: -1 }, { samples: Number.NaN }, { samples: 1, threshold: Number.NaN }])('refuses to search for %j', async (request) => {
    const index = InMemoryVectorStore.fromDocuments(await embedded()).index(model)
    await expect(index.topN({ query: 'a', ...request })).rejects.toMatchObject({ name: 'VectorStoreError', kind: 'request' })
  })

  it('can be stopped while the query is embedded', async () => {
    const index = InMemoryVectorStore.fromDocuments(await embedded()).index(model)
    await expect(index.topN({ query: 'a', samples: 1 }, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })
})

describe('locality-sensitive hashing', () => {
  const vectors = Array.from({ length: 2000 }, (_, row) => Array.from({ length: 32 }, (_unused, column) => Math.sin(row * 37.7 + column * column * 3.1 + row * column)))
  const documents = vectors.map((vec, row): EmbeddedDocument<number> => [row, byVector(vec)])
  const near = new TableModel(Object.fromEntries(vectors.map((vec, row) => [String(row), vec.map((value, column) => value + 0.05 * Math.cos(row + column * 7.3))])))
  const search = async (options: InMemoryVectorStoreOptions, row: number) => InMemoryVectorStore.fromDocuments(documents.slice(0, 500), options).index(near).topN({ query: String(row), samples: 20 })

  it('finds nearly every near neighbour while it looks at a part of the store', async () => {
    const store = InMemoryVectorStore.fromDocuments(documents, { strategy: { type: 'lsh', numTables: 12, numHyperplanes: 10 } })
    const index = store.index(near)
    let hits = 0
    let comparisons = 0
    for (let row = 0; row < 200; row++) {
      const found = await index.topN({ query: String(row * 10), samples: 2000 })
      if (found[0]?.document === row * 10) hits++
      comparisons += found.length
    }
    expect(hits).toBeGreaterThan(190)
    expect(comparisons / 200).toBeLessThan(2000 / 4)
  })

  it('gives the same for the same seed, a part of what brute force gives, and another part for another seed', async () => {
    const strategy = { type: 'lsh', numTables: 2, numHyperplanes: 8, seed: 5 } as const
    const exact = await search({}, 3)
    const first = await search({ strategy }, 3)
    expect(await search({ strategy }, 3)).toEqual(first)
    expect(exact).toHaveLength(20)
    expect(first.length).toBeGreaterThan(0)
    const all = await InMemoryVectorStore.fromDocuments(documents.slice(0, 500)).index(near).topN({ query: '3', samples: 500 })
    for (const result of first) expect(all).toContainEqual(result)
    expect((await search({ strategy: { ...strategy, seed: 6 } }, 3)).map(({ id }) => id)).not.toEqual(first.map(({ id }) => id))
  })

  it.each([{ numTables: 0, numHyperplanes: 4 }, { numTables: 1, numHyperplanes: 31 }, { numTables: 1.5, numHyperplanes: 4 }, { numTables: 1, numHyperplanes: 0 }])('refuses %j', (settings) => {
    expect(() => new InMemoryVectorStore({ strategy: { type: 'lsh', ...settings } })).toThrow(expect.objectContaining({ kind: 'request' }))
  })
})
