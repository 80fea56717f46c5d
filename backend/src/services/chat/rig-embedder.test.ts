import type { Embedding, EmbeddingModel } from '@buildscale/rig'
import { startModelSim } from '@buildscale/model-sim'
import { describe, expect, it } from 'vitest'
import { RigEmbedder, type RigEmbedderSettings } from './rig-embedder.ts'

const NONE = { openai: undefined, anthropic: undefined, openrouter: undefined, ollama: undefined }
const key = { apiKey: 'k', baseUrl: undefined }
const address = { apiKey: undefined, baseUrl: 'http://127.0.0.1:2/v1' }
const signal = new AbortController().signal
const embedderOf = (providers: Partial<RigEmbedderSettings['providers']>, model?: string): RigEmbedder =>
  RigEmbedder.fromSettings({ model, providers: { ...NONE, ...providers }, offlineUrl: 'http://127.0.0.1:1/v1' })

describe('the model that makes vectors', () => {
  it.each([
    ['the offline one without any provider', {}, 'offline:words'],
    ["OpenAI's small one where OpenAI is configured", { openai: key, anthropic: key }, 'openai:text-embedding-3-small'],
    ['the offline one where the address is of a server of one\'s own, whose models only its owner knows', { openai: { ...key, baseUrl: 'http://127.0.0.1:2/v1' } }, 'offline:words'],
    ['the offline one where a provider has none', { anthropic: key }, 'offline:words'],
  ])('is %s', (_title, providers, expected) => {
    const { id, isOffline } = embedderOf(providers)
    expect([id, isOffline]).toEqual([expected, expected === 'offline:words'])
  })

  it('may be named', () => {
    expect(embedderOf({ openai: key }, 'offline:words').isOffline).toBe(true)
    expect(embedderOf({ openai: key }, 'openai:text-embedding-3-large').id).toBe('openai:text-embedding-3-large')
    expect(embedderOf({ ollama: address }, 'ollama:nomic-embed-text:v1.5')).toMatchObject({ id: 'ollama:nomic-embed-text:v1.5', isOffline: false, noise: 0 })
  })

  it.each([
    ['ollama:nomic-embed-text', {}, 'BUILDSCALE_EMBEDDING_MODEL: "ollama:nomic-embed-text" cannot be used: set OLLAMA_BASE_URL and restart.'],
    ['anthropic:claude', { anthropic: key }, 'Anthropic has no models that make vectors'],
    ['offline:rules', {}, 'the offline one is offline:words.'],
    ['nobody:x', {}, 'there is no provider "nobody".'],
  ])('%s is refused with what to do', (model, providers, message) => {
    expect(() => embedderOf(providers, model)).toThrow(message)
  })
})

describe('embedding', () => {
  it('gives one vector for each text in its order, over HTTP', async () => {
    const sim = await startModelSim({ models: 'any' })
    try {
      const embedder = RigEmbedder.fromSettings({ model: undefined, providers: NONE, offlineUrl: sim.url })
      const texts = Array.from({ length: 300 }, (_, index) => `text number ${index}`)
      const vectors = await embedder.embed(texts, signal)
      expect(vectors).toHaveLength(300)
      expect(vectors.every((vector) => vector instanceof Float32Array && vector.length === 512)).toBe(true)
      expect([...(await embedder.embed([texts[200] ?? ''], signal))[0] ?? []]).toEqual([...(vectors[200] ?? [])])
      expect(sim.requests().map(({ path }) => path)).toEqual(Array.from({ length: 4 }, () => '/v1/embeddings'))
    } finally {
      await sim.close()
    }
  })

  it('sends few texts at a time where they are long', async () => {
    const batches: number[] = []
    const model: EmbeddingModel = {
      maxDocuments: 2_048,
      ndims: 1,
      embedTexts: (texts): Promise<readonly Embedding[]> => {
        batches.push(texts.length)
        return Promise.resolve(texts.map((document) => ({ document, vec: [1] })))
      },
      embedText: (document) => Promise.resolve({ document, vec: [1] }),
    }
    await new RigEmbedder({ id: 'test:x', model }).embed([...Array.from({ length: 5 }, () => 'x'.repeat(150_000)), 'y'.repeat(900_000), 'z'], signal)
    expect(batches).toEqual([2, 2, 1, 1, 1])
  })

  it('ends when it is told to', async () => {
    const embedder = RigEmbedder.fromSettings({ model: undefined, providers: NONE, offlineUrl: 'http://127.0.0.1:1/v1' })
    await expect(embedder.embed(['a'], AbortSignal.abort())).rejects.toMatchObject({ kind: 'aborted' })
  })

  it('never repeats what a provider said, which may hold what nobody should read', async () => {
    const sim = await startModelSim({ script: { turns: [{ when: { wire: 'embeddings' }, http_error: { status: 400, message: 'secret-4711' } }] } })
    try {
      const error: unknown = await RigEmbedder.fromSettings({ model: undefined, providers: NONE, offlineUrl: sim.url }).embed(['a'], signal).catch((cause: unknown) => cause)
      expect(error).toMatchObject({ name: 'EmbedderError', kind: 'refused', message: 'offline:words does not take the text (status 400).' })
    } finally {
      await sim.close()
    }
  })
})
