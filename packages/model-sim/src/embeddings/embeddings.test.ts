import { createOpenAI } from '@ai-sdk/openai'
import { cosineSimilarity, embedMany } from 'ai'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { withSim } from '../../test/sim-client.ts'
import type { ModelSim } from '../index.ts'
import { embedText } from './embed-text.ts'

const openai = (sim: ModelSim): OpenAI => new OpenAI({ apiKey: 'any', baseURL: sim.url, maxRetries: 0 })
const TEXTS = ['The cat sat on the mat.', 'Two cats sat on a mat', 'Quarterly revenue grew in Asia']

it('puts texts that share words near each other and others far apart, the same every time', () =>
  withSim({}, async (sim) => {
    const provider = createOpenAI({ apiKey: 'any', baseURL: sim.url })
    const model = provider.textEmbeddingModel('text-embedding-3-small')
    const { embeddings, usage } = await embedMany({ model, values: TEXTS })
    const [cat = [], cats = [], revenue = []] = embeddings
    expect(embeddings.map((vector) => vector.length)).toEqual([1536, 1536, 1536])
    expect(cosineSimilarity(cat, cat)).toBeCloseTo(1, 5)
    expect(cosineSimilarity(cat, cats)).toBeGreaterThan(0.4)
    expect(Math.abs(cosineSimilarity(cat, revenue))).toBeLessThan(0.1)
    expect(usage.tokens).toBeGreaterThan(0)
    expect((await embedMany({ model, values: TEXTS })).embeddings).toEqual(embeddings)
  }))

it('gives the official client the same numbers as floats and in base64, in the dimensions that it asks for', () =>
  withSim({}, async (sim) => {
    const ask = { model: 'text-embedding-3-large', input: TEXTS, dimensions: 64 }
    const floats = await openai(sim).embeddings.create({ ...ask, encoding_format: 'float' })
    const decoded = await openai(sim).embeddings.create(ask) // this client asks for base64 and decodes it
    expect(sim.requests().at(-1)?.body).toMatchObject({ encoding_format: 'base64' })
    expect(decoded.data.map((entry) => [...entry.embedding])).toEqual(floats.data.map((entry) => entry.embedding))
    expect(floats.data.map((entry) => [entry.index, entry.embedding.length])).toEqual([[0, 64], [1, 64], [2, 64]])
    expect(floats.usage).toEqual({ prompt_tokens: 20, total_tokens: 20 })
  }))

it.each([1, 2, 3, 8])('makes unit vectors of few dimensions too: %d', (dimensions) =>
  withSim({}, async (sim) => {
    const { data } = await openai(sim).embeddings.create({ model: 'text-embedding-3-small', input: [...TEXTS, '!?'], dimensions, encoding_format: 'float' })
    for (const { embedding } of data) expect(Math.hypot(...embedding)).toBeCloseTo(1, 5)
  }))

it('makes a unit vector even where everything cancels out', () => {
  const words = Array.from({ length: 300 }, (_, index) => `w${index}`)
  expect(words.filter((word) => Math.abs(embedText(word, 1)[0] ?? 0) !== 1)).toEqual([])
})

describe('refuses', () => {
  it.each([
    [{ input: 'hi' }, 400, "Missing required parameter: 'model'."],
    [{ model: 'text-embedding-3-small' }, 400, "Missing required parameter: 'input'."],
    [{ model: 'text-embedding-3-small', input: '' }, 400, /cannot be an empty string/],
    [{ model: 'text-embedding-3-small', input: [] }, 400, /empty array/],
    [{ model: 'text-embedding-3-small', input: ['a', 5] }, 400, /Invalid type for 'input'/],
    [{ model: 'text-embedding-3-small', input: Array.from({ length: 2049 }, () => 'a') }, 400, /maximum length 2048/],
    [{ model: 'text-embedding-3-small', input: 'a', dimensions: 1537 }, 400, /between 1 and 1536/],
    [{ model: 'text-embedding-ada-002', input: 'a', dimensions: 10 }, 400, /does not support specifying dimensions/],
    [{ model: 'text-embedding-3-small', input: 'a', encoding_format: 'hex' }, 400, /Invalid value: 'hex'/],
    [{ model: 'embed-9', input: 'a' }, 404, /The model `embed-9` does not exist/],
  ])('%j', async (body, status, message) => {
    await withSim({}, async (sim) => {
      const reply = await fetch(`${sim.url}/embeddings`, { method: 'POST', body: JSON.stringify(body) })
      const { error } = (await reply.json()) as { error: { message: string } }
      expect([reply.status, error.message]).toEqual([status, expect.stringMatching(message)])
    })
  })
})

it('fails as a script says for embeddings, and leaves the other turns to those who talk', () =>
  withSim({ script: { turns: [{ text: 'for those who talk' }, { when: { wire: 'embeddings' }, http_error: { status: 503, body: '', headers: { 'content-type': 'text/html' } } }] } }, async (sim) => {
    const ask = (): Promise<unknown> => openai(sim).embeddings.create({ model: 'text-embedding-3-small', input: 'a' })
    await expect(ask()).rejects.toMatchObject({ status: 503 })
    await expect(ask()).resolves.toMatchObject({ object: 'list' })
  }))
