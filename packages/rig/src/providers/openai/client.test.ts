import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { startResponsesServer, startScriptedServer, replyOf, type Reply } from '../../../test/responses-server.ts'
import { Message } from '../../completion/message.ts'
import { ConfigError } from '../../errors.ts'
import { retryAfterMs, retryDelay, DEFAULT_RETRY } from '../../http/retry.ts'
import { says } from '../../testing/scripted-model.ts'
import { CompletionError, isRetryable } from '../../errors.ts'
import { Client } from './client.ts'

const retry = { ...DEFAULT_RETRY, initialDelayMs: 1 }
const request = { messages: [Message.user('Hello')] }
const refused = (status: number, code: string, headers: Record<string, string> = {}): Reply => ({ type: 'json', status, body: { error: { code, message: 'no', type: 'x' } }, headers })

describe('a client', () => {
  it('is made from the environment; an address alone works and sends no authorization', async () => {
    await using server = await startScriptedServer([says('ok'), says('ok')])
    await Client.fromEnv({ OPENAI_BASE_URL: `${server.baseUrl}/` }).completionModel('m').stream(request).response
    await Client.fromEnv({ OPENAI_BASE_URL: server.baseUrl, OPENAI_API_KEY: 'k' }).completionModel('m').stream(request).response
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, 'Bearer k'])
    expect(() => Client.fromEnv({})).toThrow(ConfigError)
  })

  it('works over a given fetch as it does over its own transport', async () => {
    await using server = await startScriptedServer([says('Grüße 東京'), says('Grüße 東京')])
    const own = await new Client({ baseUrl: server.baseUrl }).completionModel('m').stream(request).response
    const given = await new Client({ baseUrl: server.baseUrl, fetch }).completionModel('m').stream(request).response
    expect(given).toEqual(own)
  })

  it('uses a connection again after an answer', async () => {
    await using server = await startScriptedServer([says('a'), says('b'), says('c')])
    const model = new Client({ baseUrl: server.baseUrl }).completionModel('m')
    for (let n = 0; n < 3; n++) await model.stream(request).response
    expect(await server.openConnections()).toBe(1)
  })

  it('tells of a refusal as much in a stream as in a whole answer: status, code, body, request id', async () => {
    await using server = await startResponsesServer([refused(401, 'invalid_api_key'), refused(401, 'invalid_api_key')])
    const model = new Client({ baseUrl: server.baseUrl }).completionModel('m')
    const expected = { kind: 'provider_response', status: 401, code: 'invalid_api_key', providerRequestId: 'req_1', bodyJson: { error: { message: 'no' } } }
    await expect(model.completion(request)).rejects.toMatchObject(expected)
    await expect(model.stream(request).response).rejects.toMatchObject(expected)
  })

  it.each([
    ['a busy server', refused(429, 'rate_limit_exceeded', { 'retry-after-ms': '1' })],
    ['a failing server', refused(503, 'server_error')],
    ['a connection that is reset', { type: 'reset' } as const],
    ['a stream that fails before its first delta', { type: 'events', events: [{ type: 'response.created', response: {} }, { type: 'error', code: 'server_error', message: 'oops' }] } as const],
    ['a stream that ends before its first delta', { type: 'events', events: [{ type: 'response.created', response: {} }] } as const],
  ])('tries again after %s', async (_what, failure) => {
    await using server = await startScriptedServer([failure, says('ok')])
    const response = await new Client({ baseUrl: server.baseUrl, retry }).completionModel('m').stream(request).response
    expect(response.choice).toMatchObject([{ text: 'ok' }])
    expect(server.requests).toHaveLength(2)
  })

  it('does not try again once a delta was seen, nor when the server advises against it', async () => {
    await using server = await startScriptedServer([{ type: 'truncated', content: [{ type: 'text', text: 'half' }] }, refused(500, 'x', { 'x-should-retry': 'false' }), refused(429, 'insufficient_quota'), says('no')])
    const model = new Client({ baseUrl: server.baseUrl, retry }).completionModel('m')
    await expect(model.stream(request).response).rejects.toMatchObject({ kind: 'truncated_stream' })
    await expect(model.stream(request).response).rejects.toMatchObject({ status: 500 })
    await expect(model.stream(request).response).rejects.toMatchObject({ code: 'insufficient_quota' })
    expect(server.requests).toHaveLength(3)
  })

  it('calls a connection that breaks in the middle of an answer a truncated stream', async () => {
    await using server = await startResponsesServer([{ type: 'events', events: [{ type: 'response.output_text.delta', output_index: 0, item_id: 'm', delta: 'half' }], ending: 'cut' }])
    const error = await new Client({ baseUrl: server.baseUrl, retry }).completionModel('m').stream(request).response.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ kind: 'truncated_stream' })
    expect(isRetryable(error)).toBe(true)
  })

  it('calls a server that is not there an http failure, and one that says nothing a timeout', async () => {
    await using server = await startResponsesServer([{ type: 'silence' }])
    await expect(new Client({ baseUrl: server.baseUrl, timeoutMs: 30, retry: false }).completionModel('m').stream(request).response).rejects.toMatchObject({ kind: 'timeout' })
    await expect(new Client({ baseUrl: 'http://127.0.0.1:1/v1', retry: false }).completionModel('m').completion(request)).rejects.toMatchObject({ kind: 'http' })
    await expect(new Client({ baseUrl: 'nonsense', retry: false }).completionModel('m').completion(request)).rejects.toMatchObject({ kind: 'url' })
  })

  it('tries a whole answer again whose bytes break off', async () => {
    const broken = `HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"id"`
    await using server = await startResponsesServer([{ type: 'raw', bytes: broken }, { type: 'raw', bytes: broken }, replyOf(says('ok'), { isStreaming: false })])
    const models = [new Client({ baseUrl: server.baseUrl, retry }), new Client({ baseUrl: server.baseUrl, retry: false, fetch })].map((client) => client.completionModel('m'))
    await expect(models[1]?.completion(request)).rejects.toMatchObject({ kind: 'http' })
    await expect(models[0]?.completion(request)).resolves.toMatchObject({ responseId: 'resp_1' })
  })

  it('ends an answer that stops coming, in the time given for the client or for the call, however slowly it came before', async () => {
    const stalled: Reply = { type: 'events', events: [{ type: 'response.output_text.delta', output_index: 0, item_id: 'm', delta: 'so' }], ending: 'hang' }
    await using server = await startResponsesServer([stalled, stalled])
    const model = new Client({ baseUrl: server.baseUrl, idleTimeoutMs: 60 }).completionModel('m')
    const said: string[] = []
    const iterate = async () => {
      for await (const item of model.stream(request)) if (item.type === 'text') said.push(item.text)
    }
    await expect(iterate()).rejects.toMatchObject({ kind: 'timeout', message: 'The answer stopped: no byte for 60 ms' })
    expect(said).toEqual(['so'])
    await expect(model.stream(request, { idleTimeoutMs: 30 }).response).rejects.toMatchObject({ message: 'The answer stopped: no byte for 30 ms' })
    expect(server.requests).toHaveLength(2)
  })

  it('does not take its own consumer for a server that has stopped', async () => {
    const reply = replyOf(says('x'.repeat(5000)), { isStreaming: true })
    if (reply.type !== 'events') throw new Error('unexpected')
    const deltas = Array.from({ length: 4000 }, (_, n) => ({ type: 'response.output_text.delta', output_index: 0, item_id: 'm', delta: String(n) }))
    await using server = await startResponsesServer([{ ...reply, events: [...deltas, ...reply.events.slice(-1)] }], { isFragmented: false })
    const stream = new Client({ baseUrl: server.baseUrl, idleTimeoutMs: 40 }).completionModel('m').stream(request)
    let count = 0
    for await (const item of stream) {
      if (item.type === 'text' && count++ === 10) await sleep(150)
    }
    expect(count).toBe(4000)
  })

  it('says whether its key is right, and which models there are', async () => {
    await using server = await startResponsesServer([{ type: 'json', status: 200, body: { data: [{ id: 'a' }, { id: 'b' }] } }, refused(401, 'invalid_api_key')])
    const client = new Client({ baseUrl: server.baseUrl, apiKey: 'k' })
    await expect(client.listModels()).resolves.toEqual(['a', 'b'])
    await expect(client.verify()).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' })
  })

  it('can be stopped while it waits for its next attempt', async () => {
    await using server = await startResponsesServer([refused(429, 'rate_limit_exceeded', { 'retry-after': '30' })])
    const controller = new AbortController()
    const stream = new Client({ baseUrl: server.baseUrl }).completionModel('m').stream(request, { signal: controller.signal })
    setTimeout(() => controller.abort(), 50)
    await expect(stream.response).rejects.toMatchObject({ kind: 'aborted' })
  })

  it('ends with the answer, not with the connection', async () => {
    const whole = replyOf(says('ok'), { isStreaming: true })
    if (whole.type !== 'events') throw new Error('unexpected')
    await using server = await startResponsesServer([{ ...whole, ending: 'hang' }])
    expect(await new Client({ baseUrl: server.baseUrl }).completionModel('m').stream(request).response).toMatchObject({ finishReason: 'stop', responseId: 'resp_1', messageId: 'msg_0', providerRequestId: 'req_1' })
  })

  it('gives the provider\'s own object on request only, whole and streamed', async () => {
    await using server = await startScriptedServer([says('a'), says('b'), says('c')], [false, true, true])
    const model = new Client({ baseUrl: server.baseUrl }).completionModel('m')
    expect(await model.completion(request, { includeRaw: true })).toMatchObject({ rawResponse: { object: 'response' } })
    expect(await model.stream(request, { includeRaw: true }).response).toMatchObject({ rawResponse: { object: 'response' } })
    expect(await model.stream(request).response).not.toHaveProperty('rawResponse')
  })

  it('throws for a whole answer that has failed or is empty', async () => {
    await using server = await startResponsesServer([
      { type: 'json', status: 200, body: { id: 'r', status: 'failed', error: { code: 'server_error', message: 'x' } } },
      { type: 'json', status: 200, body: { id: 'r', status: 'completed', output: [] } },
      { type: 'json', status: 200, body: [] },
    ])
    const model = new Client({ baseUrl: server.baseUrl, retry: false }).completionModel('m')
    await expect(model.completion(request)).rejects.toMatchObject({ kind: 'provider_response', code: 'server_error' })
    await expect(model.completion(request)).rejects.toMatchObject({ kind: 'response' })
    await expect(model.completion(request)).rejects.toMatchObject({ kind: 'json' })
  })
})

describe('the pause before another attempt', () => {
  const error = (details: ConstructorParameters<typeof CompletionError>[2]) => new CompletionError('provider_response', 'x', { status: 429, ...details })

  it('is what the server asks for, in any of its spellings', () => {
    expect(retryAfterMs(new Headers({ 'retry-after-ms': '20', 'retry-after': '9' }), 0)).toBe(20)
    expect(retryAfterMs(new Headers({ 'retry-after': '1.5' }), 0)).toBe(1500)
    expect(retryAfterMs(new Headers({ 'retry-after': 'Thu, 01 Jan 1970 00:00:10 GMT' }), 4000)).toBe(6000)
    expect(retryAfterMs(new Headers(), 0)).toBeUndefined()
    expect(retryDelay(error({ retryAfterMs: 20 }), 0, { policy: DEFAULT_RETRY })).toBe(20)
  })

  it('grows otherwise, up to its ceiling, and ends after the last permitted attempt', () => {
    const delay = (failures: number) => retryDelay(error({}), failures, { policy: { ...DEFAULT_RETRY, maxRetries: 9 }, random: () => 1 })
    expect([delay(0), delay(1), delay(8)]).toEqual([500, 1000, 8000])
    expect(retryDelay(error({}), 2, { policy: DEFAULT_RETRY })).toBeUndefined()
  })
})
