import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { BagOfWordsModel } from '../../embeddings/bag-of-words-model.ts'
import { EmbeddingsBuilder } from '../../embeddings/embeddings-builder.ts'
import { FetchTransport } from '../../http/fetch-transport.ts'
import { HttpClient } from '../../http/http-client.ts'
import { NodeTransport } from '../../http/node-transport.ts'
import { DEFAULT_RETRY } from '../../http/retry.ts'
import type { Transport } from '../../http/transport.ts'
import { Client } from './client.ts'
import { OpenAiEmbeddingModel } from './embedding-model.ts'

interface EmbeddingBody {
  readonly model: string
  readonly input: readonly string[]
  readonly encoding_format?: string
  readonly dimensions?: number
}

interface Received {
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: EmbeddingBody
}

type Handler = (received: Received, response: ServerResponse) => void

interface EmbeddingServer extends AsyncDisposable {
  readonly baseUrl: string
  readonly requests: readonly Received[]
}

/** A real server whose request `n` is served by `handlers[n]`, or the last one. */
async function startServer(...handlers: readonly Handler[]): Promise<EmbeddingServer> {
  const requests: Received[] = []
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const received = { url: request.url, headers: request.headers, body: JSON.parse(await text(request)) }
    requests.push(received)
    handlers[Math.min(requests.length, handlers.length) - 1]?.(received, response)
  }
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const answers = (status: number, body: unknown, headers: Record<string, string> = {}): Handler =>
  (_received, response) => void response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_1', ...headers }).end(JSON.stringify(body))

function base64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes.toString('base64')
}

/** Counts letters: `a`, `b`, `c`. Exact as 32-bit floats. */
const vectorOf = (input: string): readonly number[] => [...'abc'].map((letter) => input.split(letter).length - 1.5)

/** Embeds in the asked encoding and answers in reverse order, as the service may. */
const embeds: Handler = ({ body }, response) => {
  const data = body.input.map((input, index) => ({ object: 'embedding', index, embedding: body.encoding_format === 'base64' ? base64(vectorOf(input)) : vectorOf(input) }))
  answers(200, { object: 'list', data: data.reverse(), model: body.model, usage: { prompt_tokens: 1, total_tokens: 1 } })({ url: '', headers: {}, body }, response)
}

const retry = { ...DEFAULT_RETRY, initialDelayMs: 1 }

function modelAt(baseUrl: string, options: { readonly model?: string; readonly ndims?: number; readonly maxDocuments?: number; readonly encodingFormat?: 'base64' | 'float' | 'omit'; readonly transport?: Transport } = {}) {
  const { model = 'small', transport = new NodeTransport({ timeoutMs: 5000 }), ...rest } = options
  return new OpenAiEmbeddingModel({ http: new HttpClient({ provider: 'openai', baseUrl, headers: { authorization: 'Bearer k' }, transport, retry }), model, ...rest })
}

const numbers = (embeddings: readonly { readonly vec: readonly number[] | Float32Array }[]) => embeddings.map(({ vec }) => Array.from(vec))

describe('the embedding model of OpenAI', () => {
  it('asks for the texts at once, in base64, and puts the answer into their order', async () => {
    await using server = await startServer(embeds)
    const embeddings = await modelAt(server.baseUrl).embedTexts(['aa', 'Grüße', 'abc'])
    expect(embeddings.map(({ document }) => document)).toEqual(['aa', 'Grüße', 'abc'])
    expect(numbers(embeddings)).toEqual([vectorOf('aa'), vectorOf('Grüße'), vectorOf('abc')])
    expect(embeddings[0]?.vec).toBeInstanceOf(Float32Array)
    expect(server.requests).toMatchObject([{ url: '/v1/embeddings', headers: { authorization: 'Bearer k' } }])
    expect(server.requests[0]?.body).toEqual({ model: 'small', input: ['aa', 'Grüße', 'abc'], encoding_format: 'base64' })
  })

  it('takes lists of numbers from servers that know no base64, with or without an index', async () => {
    await using server = await startServer(answers(200, { data: [{ index: 1, embedding: [3, 4.25] }, { index: 0, embedding: [1, 2] }] }), answers(200, { data: [{ embedding: [1, 2] }, { embedding: [3, 4] }] }))
    const model = modelAt(server.baseUrl)
    expect(numbers(await model.embedTexts(['x', 'y']))).toEqual([[1, 2], [3, 4.25]])
    expect(numbers(await model.embedTexts(['x', 'y']))).toEqual([[1, 2], [3, 4]])
  })

  it('asks for numbers, or leaves the encoding to the server, when told to', async () => {
    await using server = await startServer(embeds)
    for (const encodingFormat of ['float', 'omit'] as const) expect(numbers([await modelAt(server.baseUrl, { encodingFormat }).embedText('ab')])).toEqual([vectorOf('ab')])
    const given = { model: 'small', input: ['ab'] }
    expect(server.requests.map(({ body }) => body)).toEqual([{ ...given, encoding_format: 'float' }, given])
  })

  it('is made by the client with all its options, or with the size of the vectors alone', async () => {
    await using server = await startServer(embeds)
    const client = new Client({ baseUrl: server.baseUrl })
    await client.embeddingModel('small', { ndims: 3, encodingFormat: 'omit', maxDocuments: 1 }).embedText('a')
    await client.embeddingModel('small', 3).embedText('a')
    expect(server.requests.map(({ body }) => body)).toEqual([{ model: 'small', input: ['a'], dimensions: 3 }, { model: 'small', input: ['a'], encoding_format: 'base64', dimensions: 3 }])
    await expect(client.embeddingModel('small', { maxDocuments: 1 }).embedTexts(['a', 'b'])).rejects.toMatchObject({ kind: 'request' })
  })

  it('works over a given fetch as over its own transport', async () => {
    await using server = await startServer(embeds)
    const given = modelAt(server.baseUrl, { transport: new FetchTransport({ fetch, timeoutMs: 5000 }) })
    expect(await given.embedText('abba')).toEqual(await modelAt(server.baseUrl).embedText('abba'))
  })

  it('embeds many documents in batches and keeps their order', async () => {
    await using server = await startServer(embeds)
    const documents = Array.from({ length: 50 }, (_, index) => 'a'.repeat(index) + 'b')
    const embedded = await new EmbeddingsBuilder(modelAt(server.baseUrl, { maxDocuments: 8 })).documents(documents).build()
    expect(server.requests.map(({ body }) => body.input.length).toSorted()).toEqual([2, 8, 8, 8, 8, 8, 8])
    expect(embedded.map(([, embeddings]) => numbers(embeddings))).toEqual(documents.map((document) => [vectorOf(document)]))
  })

  it('knows the sizes of the vectors of OpenAI\'s models, asks for another size only when told, and never asks the model that refuses', async () => {
    const vector = Array.from({ length: 8 }, () => 1)
    await using server = await startServer(answers(200, { data: [{ index: 0, embedding: vector }] }))
    const ndims = (model: string, size?: number) => modelAt(server.baseUrl, { model, ...(size === undefined ? {} : { ndims: size }) }).ndims
    expect(['text-embedding-3-small', 'text-embedding-3-large', 'text-embedding-ada-002', 'another'].map((model) => ndims(model))).toEqual([1536, 3072, 1536, 0])
    expect(ndims('text-embedding-3-large', 256)).toBe(256)
    for (const model of ['text-embedding-3-small', 'text-embedding-ada-002']) await modelAt(server.baseUrl, { model, ndims: 8 }).embedText('x')
    await modelAt(server.baseUrl).embedText('x')
    expect(server.requests.map(({ body }) => body.dimensions)).toEqual([8, undefined, undefined])
  })

  it('makes no call for no texts, for an empty one, or for more than one request takes', async () => {
    await using server = await startServer(embeds)
    const model = modelAt(server.baseUrl, { maxDocuments: 2 })
    expect(await model.embedTexts([])).toEqual([])
    await expect(model.embedTexts(['a', ''])).rejects.toMatchObject({ name: 'EmbeddingError', kind: 'request', message: expect.stringContaining('Text 1 is empty') })
    await expect(model.embedTexts(['a', 'b', 'c'])).rejects.toMatchObject({ kind: 'request' })
    expect(server.requests).toHaveLength(0)
  })

  it.each<[string, Handler]>([
    ['a busy server', answers(429, { error: { code: 'rate_limit_exceeded', message: 'slow down' } }, { 'retry-after-ms': '1' })],
    ['a failing server', answers(503, 'oops')],
    ['a connection that is reset', (_received, response) => void response.socket?.resetAndDestroy()],
    ['an answer that breaks off', (_received, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('{"data":[')
      setTimeout(() => response.socket?.resetAndDestroy(), 20)
    }],
  ])('tries again after %s', async (_what, fails) => {
    await using server = await startServer(fails, embeds)
    expect(numbers([await modelAt(server.baseUrl).embedText('ab')])).toEqual([vectorOf('ab')])
    expect(server.requests).toHaveLength(2)
  })

  it('gives up after the last permitted attempt, and at once where another would be no use', async () => {
    await using server = await startServer(answers(429, {}), answers(429, {}), answers(429, {}), answers(401, { error: { code: 'invalid_api_key', message: 'no' } }))
    const model = modelAt(server.baseUrl)
    await expect(model.embedText('a')).rejects.toMatchObject({ name: 'CompletionError', kind: 'provider_response', status: 429 })
    expect(server.requests).toHaveLength(3)
    await expect(model.embedText('a')).rejects.toMatchObject({ status: 401, code: 'invalid_api_key', providerRequestId: 'req_1' })
    expect(server.requests).toHaveLength(4)
  })

  it('reports an error that comes with status 200 as the provider\'s', async () => {
    await using server = await startServer(answers(200, { error: { code: 'model_not_found', message: 'no such model' } }))
    await expect(modelAt(server.baseUrl).embedText('a')).rejects.toMatchObject({ kind: 'provider_response', code: 'model_not_found', providerRequestId: 'req_1' })
  })

  it('can be aborted while the server is silent and while it waits for its next attempt', async () => {
    await using silent = await startServer(() => undefined)
    await using busy = await startServer(answers(429, {}, { 'retry-after': '30' }))
    for (const { baseUrl } of [silent, busy]) {
      const controller = new AbortController()
      const embedding = modelAt(baseUrl).embedText('a', { signal: controller.signal })
      setTimeout(() => controller.abort(), 50)
      await expect(embedding).rejects.toMatchObject({ name: 'CompletionError', kind: 'aborted' })
    }
    expect([silent.requests.length, busy.requests.length]).toEqual([1, 1])
  })

  it.each<[string, unknown, string]>([
    ['too few embeddings', { data: [{ index: 0, embedding: [1] }] }, 'Expected 2 embeddings, got 1'],
    ['too many embeddings', { data: [0, 1, 2].map((index) => ({ index, embedding: [1] })) }, 'got 3'],
    ['two embeddings for one text', { data: [{ index: 0, embedding: [1] }, { index: 0, embedding: [2] }] }, 'no embedding for text 1'],
    ['no list', { object: 'list' }, 'no list'],
    ['a list of something else', { data: ['a', 'b'] }, 'not an object'],
    ['an empty vector', { data: [{ index: 0, embedding: [1] }, { index: 1, embedding: [] }] }, 'Embedding 1 is not a vector'],
    ['a vector with a gap', { data: [{ index: 0, embedding: [1, null] }, { index: 1, embedding: [1, 2] }] }, 'Embedding 0 is not a vector'],
    ['bytes that are cut short', { data: [{ index: 0, embedding: 'AACAPw==' }, { index: 1, embedding: 'AACAPwA=' }] }, 'Embedding 1 is not a vector'],
    ['bytes that are no number', { data: [{ index: 0, embedding: base64([Number.NaN]) }, { index: 1, embedding: base64([1]) }] }, 'Embedding 0 is not a vector'],
    ['vectors of different sizes', { data: [{ index: 0, embedding: [1, 2] }, { index: 1, embedding: [1, 2, 3] }] }, 'Embedding 1 has 3 coordinates instead of 2'],
  ])('refuses an answer with %s', async (_what, body, message) => {
    await using server = await startServer(answers(200, body))
    await expect(modelAt(server.baseUrl).embedTexts(['a', 'b'])).rejects.toMatchObject({ name: 'EmbeddingError', kind: 'response', message: expect.stringContaining(message) })
    expect(server.requests).toHaveLength(1)
  })

  it('refuses vectors of another size than it was told, and answers that are no JSON', async () => {
    await using server = await startServer(embeds, (_received, response) => void response.end('<html>'))
    const model = modelAt(server.baseUrl, { ndims: 4 })
    await expect(model.embedText('a')).rejects.toMatchObject({ kind: 'response', message: 'Embedding 0 has 3 coordinates instead of 4' })
    await expect(model.embedText('a')).rejects.toMatchObject({ name: 'EmbeddingError', kind: 'json' })
  })

  it('gives the same vectors in base64 as a list would hold, to the last bit of a 32-bit float', async () => {
    const { vec } = await new BagOfWordsModel({ ndims: 1536 }).embedText('one two three')
    const exact = Array.from(vec, (value, index) => Math.fround(value + Math.sin(index) * 1e-3))
    await using server = await startServer(answers(200, { data: [{ index: 0, embedding: base64(exact) }] }), answers(200, { data: [{ index: 0, embedding: exact }] }))
    const model = modelAt(server.baseUrl)
    expect(numbers([await model.embedText('x')])).toEqual(numbers([await model.embedText('x')]))
  })
})
