import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { chatReplyOf, chunkOf, startChatServer, type ChatReply } from '../../../test/chat-server.ts'
import { Message } from '../../completion/message.ts'
import { ConfigError, isRetryable } from '../../errors.ts'
import { DEFAULT_RETRY } from '../../http/retry.ts'
import { calls, says, toolCall, type ScriptedTurn } from '../../testing/scripted-model.ts'
import { tool } from '../../tool/tool.ts'
import { CompatibleClient, CompletionsClient } from './client.ts'
import { CHAT_SERVERS, type ChatServer, type ChatServerName } from './dialects.ts'
import { azure, compatibleFromEnv, deepSeek, groq, llamaCpp, lmStudio, mistral, ollama, openRouter, perplexity, together, vllm, xAi } from './servers.ts'

const retry = { ...DEFAULT_RETRY, initialDelayMs: 1 }
const request = { messages: [Message.user('Hello')] }
const streamed = (turn: ScriptedTurn) => chatReplyOf(turn, { isStreaming: true })
const whole = (turn: ScriptedTurn) => chatReplyOf(turn, { isStreaming: false })
const refused = (status: number, code: string, headers: Record<string, string> = {}): ChatReply => ({ type: 'json', status, body: { error: { code, message: 'no' } }, headers })
const saying = (content: string) => chunkOf([{ index: 0, delta: { content } }])
const client = (baseUrl: string) => new CompletionsClient({ baseUrl, retry })

describe('a client of Chat Completions', () => {
  it('is made from the environment; an address alone works and sends no authorization', async () => {
    await using server = await startChatServer([streamed(says('ok')), streamed(says('ok'))])
    await CompletionsClient.fromEnv({ OPENAI_BASE_URL: `${server.baseUrl}/` }).completionModel('m').stream(request).response
    const full = CompletionsClient.fromEnv({ OPENAI_BASE_URL: server.baseUrl, OPENAI_API_KEY: 'k' }, { organization: 'o', project: 'p', headers: { 'x-mine': '1' } })
    const { origin } = await full.completionModel('m').stream(request).response
    expect(server.requests.map(({ method, url, headers }) => [method, url, headers.authorization, headers.accept])).toEqual([
      ['POST', '/v1/chat/completions', undefined, 'text/event-stream'], ['POST', '/v1/chat/completions', 'Bearer k', 'text/event-stream'],
    ])
    expect(server.requests[1]?.headers).toMatchObject({ 'openai-organization': 'o', 'openai-project': 'p', 'x-mine': '1' })
    expect(origin).toEqual({ provider: 'openai', api: 'chat', model: 'm' })
    expect(() => CompletionsClient.fromEnv({})).toThrow(ConfigError)
  })

  it('differs from OpenAI where it is told to', async () => {
    await using server = await startChatServer([whole(says('<think>so</think>ok'))])
    const model = new CompletionsClient({ baseUrl: server.baseUrl, dialect: { thinkTags: true, systemContent: 'string' } }).completionModel('m')
    const { choice } = await model.completion({ messages: [Message.system('s'), Message.user('u')] })
    expect(choice).toMatchObject([{ type: 'reasoning' }, { type: 'text', text: 'ok' }])
    expect(server.requests[0]?.body.messages[0]).toEqual({ role: 'system', content: 's' })
  })

  it('works over a given fetch as it does over its own transport, and uses connections again', async () => {
    await using server = await startChatServer([1, 2, 3].map(() => streamed(says('Grüße 東京'))))
    const own = client(server.baseUrl).completionModel('m')
    const first = await own.stream(request).response
    expect(await own.stream(request).response).toEqual(first)
    expect(await server.openConnections()).toBe(1)
    expect(await new CompletionsClient({ baseUrl: server.baseUrl, fetch }).completionModel('m').stream(request).response).toEqual(first)
  })

  it('extracts data, and embeds where the server can', async () => {
    await using server = await startChatServer([
      whole(calls(toolCall('c', 'submit', { name: 'Ada' }))),
      { type: 'json', status: 200, body: { data: [{ index: 0, embedding: [1, 2] }] } },
    ])
    const connected = ollama({ baseUrl: server.baseUrl })
    await expect(connected.extractor('m', z.object({ name: z.string() })).build().extract('Ada')).resolves.toEqual({ name: 'Ada' })
    await expect(connected.embeddingModel('e', { encodingFormat: 'omit' }).embedText('Ada')).resolves.toEqual({ document: 'Ada', vec: [1, 2] })
  })

  it('lists the models and verifies the key', async () => {
    const models: ChatReply = { type: 'json', status: 200, body: { object: 'list', data: [{ id: 'a' }, { id: 'b' }, {}] } }
    await using server = await startChatServer([models, { type: 'json', status: 200, body: [{ id: 'c' }] }, models, refused(401, 'invalid_api_key'), { type: 'body', status: 200, body: '<html>' }])
    const subject = client(server.baseUrl)
    expect([await subject.listModels(), await subject.listModels()]).toEqual([['a', 'b'], ['c']])
    await subject.verify()
    await expect(subject.verify()).rejects.toMatchObject({ status: 401 })
    await expect(subject.listModels()).rejects.toMatchObject({ kind: 'json' })
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(Array.from({ length: 5 }, () => 'GET /v1/models'))
    await using keys = await startChatServer([refused(401, '401')])
    await expect(openRouter({ apiKey: 'k', baseUrl: keys.baseUrl }).verify()).rejects.toMatchObject({ status: 401 })
    expect(keys.requests[0]?.url).toBe('/v1/key')
    await expect(perplexity({ apiKey: 'k' }).listModels()).rejects.toMatchObject({ kind: 'request' })
  })
})

describe('a chat that fails', () => {
  it('tells as much in a stream as in a whole answer, from JSON that calls itself text too', async () => {
    const wrongKey: ChatReply = { type: 'body', status: 401, body: '{"error":{"message":"Incorrect API key","type":"invalid_request_error","code":"invalid_api_key"}}', headers: { 'x-request-id': 'req_9' } }
    await using server = await startChatServer([wrongKey, wrongKey])
    const expected = { kind: 'provider_response', status: 401, code: 'invalid_api_key', providerRequestId: 'req_9', message: expect.stringContaining('Incorrect API key') }
    const model = client(server.baseUrl).completionModel('m')
    await expect(model.completion(request)).rejects.toMatchObject(expected)
    await expect(model.stream(request).response).rejects.toMatchObject(expected)
    expect(server.requests).toHaveLength(2)
  })

  it.each<[string, ChatReply]>([
    ['a gateway\'s HTML page', { type: 'body', status: 502, body: '<html>Bad Gateway</html>', headers: { 'content-type': 'text/html' } }],
    ['a busy server', refused(429, 'rate_limit_exceeded', { 'retry-after-ms': '1' })],
    ['a connection that is reset', { type: 'reset' }],
    ['an error inside a stream that has said nothing', { type: 'chunks', chunks: [chunkOf([{ index: 0, delta: { role: 'assistant', content: '' } }]), { error: { code: 502, message: 'upstream' } }] }],
    ['a stream that ends before it said anything', { type: 'chunks', chunks: [chunkOf([{ index: 0, delta: { role: 'assistant', content: '' } }])], ending: 'end' }],
    ['a stream that is done before it said anything', { type: 'chunks', chunks: [] }],
  ])('is tried again after %s', async (_what, failure) => {
    await using server = await startChatServer([failure, streamed(says('ok'))])
    const response = await client(server.baseUrl).completionModel('m').stream(request).response
    expect(response.choice).toMatchObject([{ text: 'ok' }])
    expect(server.requests).toHaveLength(2)
  })

  it('waits as long as a busy server asks for', async () => {
    await using server = await startChatServer([refused(429, 'rate_limit_exceeded', { 'retry-after': '0.2' }), whole(says('ok'))])
    const startedAt = performance.now()
    await client(server.baseUrl).completionModel('m').completion(request)
    expect(performance.now() - startedAt).toBeGreaterThan(190)
  })

  it('is not tried again once something was seen: truncated, reset or refused in the middle', async () => {
    await using server = await startChatServer([
      { type: 'chunks', chunks: [saying('half')], ending: 'end' },
      { type: 'chunks', chunks: [saying('half')], ending: 'cut' },
      { type: 'chunks', chunks: [saying('half'), { error: { code: 'server_error', message: 'x' } }] },
    ])
    const model = client(server.baseUrl).completionModel('m')
    for (const kind of ['truncated_stream', 'truncated_stream', 'provider_response']) {
      const error = await model.stream(request).response.catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ kind })
      expect(isRetryable(error)).toBe(true)
    }
    expect(server.requests).toHaveLength(3)
  })

  it('hands out no call of an answer that broke off', async () => {
    const call = { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }
    await using server = await startChatServer([{ type: 'chunks', chunks: [chunkOf([{ index: 0, delta: { tool_calls: [call] } }])], ending: 'cut' }])
    const types: string[] = []
    const reading = (async () => { for await (const item of client(server.baseUrl).completionModel('m').stream(request)) types.push(item.type) })()
    await expect(reading).rejects.toMatchObject({ kind: 'truncated_stream' })
    expect(types).not.toContain('tool_call')
  })

  it('is a timeout when the answer stops coming', async () => {
    await using server = await startChatServer([{ type: 'chunks', chunks: [saying('half')], ending: 'hang' }, { type: 'silence' }])
    const subject = new CompletionsClient({ baseUrl: server.baseUrl, retry: false, idleTimeoutMs: 40, timeoutMs: 80 }).completionModel('m')
    await expect(subject.stream(request).response).rejects.toMatchObject({ kind: 'timeout' })
    await expect(subject.stream(request).response).rejects.toMatchObject({ kind: 'timeout' })
  })

  it('is no failure when `[DONE]` never comes', async () => {
    const reply = streamed(says('ok'))
    if (reply.type !== 'chunks') throw new Error('unexpected')
    await using server = await startChatServer([{ ...reply, ending: 'end' }])
    expect(await client(server.baseUrl).completionModel('m').stream(request).response).toMatchObject({ finishReason: 'stop', responseId: 'chatcmpl-1', providerRequestId: 'req_1' })
  })

  it('throws for a whole answer that makes no sense', async () => {
    await using server = await startChatServer([{ type: 'json', status: 200, body: { choices: [], error: { message: 'x', code: 'bad' } } }, { type: 'json', status: 200, body: { choices: [] } }, { type: 'json', status: 200, body: [] }])
    const model = new CompletionsClient({ baseUrl: server.baseUrl, retry: false }).completionModel('m')
    await expect(model.completion(request)).rejects.toMatchObject({ kind: 'provider_response', code: 'bad' })
    await expect(model.completion(request)).rejects.toMatchObject({ kind: 'response' })
    await expect(model.completion(request)).rejects.toMatchObject({ kind: 'json' })
  })
})

describe('the client of a server', () => {
  it('of one\'s own machine needs no key, and sends the one it is given', async () => {
    await using server = await startChatServer([1, 2, 3, 4, 5].map(() => whole(says('ok'))))
    const options = { baseUrl: server.baseUrl }
    for (const subject of [ollama(options), vllm(options), llamaCpp(options), lmStudio(options), ollama({ ...options, apiKey: 'k' })]) await subject.completionModel('m').completion(request)
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined, undefined, undefined, 'Bearer k'])
  })

  it('elsewhere sends its key as a bearer token and names itself in origins', async () => {
    const factories = [openRouter, deepSeek, groq, mistral, xAi, together, perplexity]
    await using server = await startChatServer(factories.map(() => whole(says('ok'))))
    const providers: string[] = []
    for (const factory of factories) providers.push((await factory({ apiKey: 'k', baseUrl: server.baseUrl }).completionModel('m').completion(request)).origin.provider)
    expect(providers).toEqual(['openrouter', 'deepseek', 'groq', 'mistral', 'xai', 'together', 'perplexity'])
    expect(server.requests.every(({ headers }) => headers.authorization === 'Bearer k')).toBe(true)
  })

  it('on Azure has the key in a header of its own, the deployment in the path and the version in the query', async () => {
    await using server = await startChatServer([whole(says('ok')), whole(says('ok')), { type: 'json', status: 200, body: { data: [] } }])
    const options = { apiKey: 'k', endpoint: server.origin, apiVersion: '2024-10-21' }
    await azure(options).completionModel('my gpt').completion(request)
    await azure({ ...options, deployment: 'mine' }).completionModel('gpt-5').completion({ ...request, maxTokens: 5 })
    await azure(options).verify()
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21', '/openai/deployments/mine/chat/completions?api-version=2024-10-21', '/openai/models?api-version=2024-10-21',
    ])
    expect(server.requests[0]?.headers).toMatchObject({ 'api-key': 'k' })
    expect(server.requests[0]?.headers.authorization).toBeUndefined()
    expect(server.requests[1]?.body['max_completion_tokens']).toBe(5)
  })

  it('is made from the environment by name; what is missing is named', async () => {
    await using server = await startChatServer([whole(says('ok')), whole(says('ok')), whole(says('ok'))])
    await compatibleFromEnv('groq', { GROQ_API_KEY: 'k', GROQ_BASE_URL: server.baseUrl }).completionModel('m').completion(request)
    await compatibleFromEnv('ollama', { OLLAMA_BASE_URL: server.baseUrl }).completionModel('m').completion(request)
    await compatibleFromEnv('azure', { AZURE_OPENAI_API_KEY: 'k', AZURE_OPENAI_ENDPOINT: server.origin, OPENAI_API_VERSION: 'v' }).completionModel('m').completion(request)
    expect(server.requests.map(({ url }) => url)).toEqual(['/v1/chat/completions', '/v1/chat/completions', '/openai/deployments/m/chat/completions?api-version=v'])
    expect(() => compatibleFromEnv('deepseek', {})).toThrow('DEEPSEEK_API_KEY')
    expect(() => compatibleFromEnv('azure', { AZURE_OPENAI_API_KEY: 'k' })).toThrow('AZURE_OPENAI_ENDPOINT')
    expect(() => compatibleFromEnv('azure', { AZURE_OPENAI_API_KEY: 'k' })).toThrow(ConfigError)
  })
})

describe('an agent', () => {
  const names = Object.keys(CHAT_SERVERS).filter((name): name is ChatServerName => name in CHAT_SERVERS && name !== 'perplexity')

  it.each(names)('calls tools side by side over %s, and every call gets its result under its own id', async (name) => {
    const { provider, dialect }: ChatServer = CHAT_SERVERS[name]
    const reasoning = dialect.replayReasoning === 'none' ? 'reasoning_content' : dialect.replayReasoning
    const thought = { type: 'reasoning', id: 'rs_1', content: [{ type: 'text', text: 'Both at once.' }] } as const
    const turns: readonly ScriptedTurn[] = [
      { type: 'answer', content: [thought, toolCall('call_a', 'double', { n: 1 }), toolCall('call_b', 'double', { n: 2 })] },
      calls(toolCall('call_c', 'double', { n: 4 })),
      says('Grüße: 8'),
    ]
    await using server = await startChatServer(turns.map((turn) => chatReplyOf(turn, { isStreaming: true, reasoning })))
    let running = 0
    let most = 0
    const double = tool({
      name: 'double', description: 'Doubles.', parameters: z.object({ n: z.number() }),
      call: async ({ n }) => {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setTimeout(resolve, 10 / n))
        running--
        return 2 * n
      },
    })
    const agent = new CompatibleClient({ provider, dialect, baseUrl: server.baseUrl, retry: false }).agent('m').preamble('Count.').tools([double]).build()
    let output = ''
    for await (const item of agent.streamPrompt('Go')) if (item.type === 'finalResponse') output = item.response.output
    expect([output, most]).toEqual(['Grüße: 8', 2])
    const [, second, third] = server.requests.map(({ body }) => body.messages)
    const results = third?.filter(({ role }) => role === 'tool') ?? []
    const asked = third?.flatMap((message) => (Array.isArray(message['tool_calls']) ? message['tool_calls'] : [])) ?? []
    expect(results.map(({ content }) => content)).toEqual(['2', '4', '8'])
    expect(results.map((result) => result['tool_call_id'])).toEqual(asked.map(({ id }) => id))
    expect(second?.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'tool'])
    expect(second?.[2]?.['content']).toBe(dialect.emptyContent === 'string' ? '' : undefined)
    expect(Object.keys(second?.[2] ?? {}).filter((key) => key.startsWith('reasoning'))).toEqual(dialect.replayReasoning === 'none' ? [] : [dialect.replayReasoning])
  })
})
