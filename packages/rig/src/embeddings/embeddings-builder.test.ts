import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { CallOptions } from '../completion/completion-request.ts'
import { BagOfWordsModel } from './bag-of-words-model.ts'
import { EmbeddingError } from './embedding-error.ts'
import { onlyEmbedding, type Embedding } from './embedding-model.ts'
import { EmbeddingsBuilder } from './embeddings-builder.ts'

interface Article {
  readonly title: string
  readonly paragraphs: readonly string[]
}

/** Answers later calls sooner, fails where told, and knows how many calls are under way. */
class SlowModel extends BagOfWordsModel {
  underWay = 0
  mostUnderWay = 0
  ended: string[] = []

  override async embedTexts(texts: readonly string[], options: CallOptions = {}): Promise<readonly Embedding[]> {
    this.underWay++
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay)
    try {
      if (texts.includes('fails')) throw new EmbeddingError('response', 'no')
      await pause(texts.includes('slow') ? 5000 : 30 - this.batches.length, undefined, options.signal === undefined ? {} : { signal: options.signal })
      return await super.embedTexts(texts, options)
    } finally {
      await pause(5) // Nothing ends in the very moment it is told to.
      this.underWay--
      this.ended.push(texts.join())
    }
  }
}

class ForgetfulModel extends BagOfWordsModel {
  override async embedTexts(texts: readonly string[], options?: CallOptions): Promise<readonly Embedding[]> {
    return (await super.embedTexts(texts, options)).slice(1)
  }
}

describe('embedding documents', () => {
  it('gives every string its embedding, in the order of adding', async () => {
    const model = new BagOfWordsModel()
    const embedded = await new EmbeddingsBuilder(model).document('one').documents(['two', 'three', 'one']).build()
    expect(embedded.map(([document, [embedding]]) => [document, embedding?.document])).toEqual([['one', 'one'], ['two', 'two'], ['three', 'three'], ['one', 'one']])
    expect(embedded[0]?.[1][0]?.vec).toEqual((await model.embedText('one')).vec)
  })

  it('embeds the texts that are taken out of each document, several, one or none', async () => {
    const articles: readonly Article[] = [{ title: 'a', paragraphs: ['a1', 'a2', 'a3'] }, { title: 'b', paragraphs: [] }, { title: 'c', paragraphs: ['c1'] }]
    const model = new BagOfWordsModel({ maxDocuments: 2 })
    const embedded = await new EmbeddingsBuilder<Article>(model, ({ paragraphs }) => paragraphs).documents(articles).build()
    expect(embedded.map(([{ title }, embeddings]) => [title, embeddings.map(({ document }) => document)])).toEqual([['a', ['a1', 'a2', 'a3']], ['b', []], ['c', ['c1']]])
    expect(model.batches).toEqual([['a1', 'a2'], ['a3', 'c1']])
    const [only] = await new EmbeddingsBuilder<Article>(model, ({ title }) => title).documents(articles).build()
    expect(only?.[1]).toHaveLength(1)
  })

  it('makes no call for no documents', async () => {
    const model = new BagOfWordsModel()
    expect(await new EmbeddingsBuilder(model).build()).toEqual([])
    expect(model.batches).toEqual([])
  })

  it('keeps the order when batches are answered in another one', async () => {
    const documents = Array.from({ length: 100 }, (_, index) => `text ${index}`)
    const embedded = await new EmbeddingsBuilder(new SlowModel({ maxDocuments: 7 })).documents(documents).build()
    expect(embedded.map(([document, [embedding]]) => [document, embedding?.document])).toEqual(documents.map((text) => [text, text]))
  })

  it.each([[1, 1024], [256, 4], [300, 3], [1024, 1], [2048, 1]])('has batches of %i in at most %i calls at once', async (maxDocuments, calls) => {
    const model = new SlowModel({ maxDocuments, ndims: 1 })
    await new EmbeddingsBuilder(model).documents(Array.from({ length: maxDocuments * calls + 1 }, () => 'x')).build()
    expect(model.mostUnderWay).toBe(calls)
  })

  it('ends the calls that are under way and makes no more when one fails', async () => {
    const model = new SlowModel({ maxDocuments: 512 })
    const texts = [...Array.from({ length: 512 }, () => 'slow'), ...Array.from({ length: 512 }, () => 'fails'), 'never']
    await expect(new EmbeddingsBuilder(model).documents(texts).build()).rejects.toMatchObject({ kind: 'response', message: 'no' })
    expect(model.underWay).toBe(0)
    expect(model.ended).toHaveLength(2)
    expect(model.ended).not.toContain('never')
  })

  it('can be aborted while it waits, and before it begins', async () => {
    const model = new SlowModel({ maxDocuments: 1024 })
    const controller = new AbortController()
    const building = new EmbeddingsBuilder(model).document('slow').build({ signal: controller.signal })
    setTimeout(() => controller.abort(), 20)
    await expect(building).rejects.toMatchObject({ name: 'CompletionError', kind: 'aborted' })
    await expect(new EmbeddingsBuilder(model).document('x').build({ signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: 'aborted' })
    expect(model.ended).toEqual(['slow'])
  })

  it('throws when the model forgets a text', async () => {
    await expect(new EmbeddingsBuilder(new ForgetfulModel()).documents(['a', 'b']).build()).rejects.toMatchObject({ name: 'EmbeddingError', kind: 'response', message: 'Expected 2 embeddings, got 1' })
  })

  it('says so when no texts can be taken out of a document', () => {
    const cause = new Error('no paragraphs')
    const builder = new EmbeddingsBuilder<Article>(new BagOfWordsModel(), () => { throw cause })
    expect(() => builder.document({ title: 'a', paragraphs: [] })).toThrow(expect.objectContaining({ kind: 'document', cause }))
  })

  it('wants a function that takes out the texts of what is no string', () => {
    // @ts-expect-error The second argument is missing.
    const builder = new EmbeddingsBuilder<Article>(new BagOfWordsModel())
    expect(() => builder.document({ title: 'a', paragraphs: [] })).toThrow(EmbeddingError)
  })
})

describe('the embedding of one text', () => {
  it('is the only one of an answer', async () => {
    const [one, two] = await new BagOfWordsModel().embedTexts(['one', 'two'])
    if (one === undefined || two === undefined) throw new Error('unexpected')
    expect(onlyEmbedding([one])).toBe(one)
    expect(() => onlyEmbedding([])).toThrow('got 0')
    expect(() => onlyEmbedding([one, two])).toThrow('got 2')
  })
})
