import { describe, expect, it } from 'vitest'
import { blockEvents, replyOf, startMessagesServer, type MessagesReply, type WireBlock } from '../../../test/messages-server.ts'
import { Message } from '../../completion/message.ts'
import type { AssistantContent } from '../../completion/message-types.ts'
import { CompletionError, ConfigError, isRetryable } from '../../errors.ts'
import { DEFAULT_RETRY } from '../../http/retry.ts'
import { says, toolCall, type ScriptedTurn } from '../../testing/scripted-model.ts'
import { tool } from '../../tool/tool.ts'
import { Client, type ClientOptions } from './client.ts'

const retry = { ...DEFAULT_RETRY, initialDelayMs: 1 }
const request = { messages: [Message.user('Hello')] }
const refused = (status: number, type: string, headers: Record<string, string> = {}): MessagesReply => ({ type: 'json', status, body: { type: 'error', error: { type, message: 'no' }, request_id: 'req_1' }, headers })
const begun = { type: 'message_start', message: { id: 'msg_1', content: [], usage: { input_tokens: 1, output_tokens: 1 } } }
const half = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'half' } }
const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_7' }
const modelOf = (server: { readonly baseUrl: string }, options: ClientOptions = {}) => new Client({ baseUrl: server.baseUrl, retry: false, ...options }).completionModel('test-model')

describe('a client', () => {
  it('is made from the environment; an address alone works and sends no key', async () => {
    await using server = await startMessagesServer([says('ok'), says('ok'), says('ok')])
    await Client.fromEnv({ ANTHROPIC_BASE_URL: `${server.baseUrl}/` }).completionModel('m').completion(request)
    await Client.fromEnv({ ANTHROPIC_BASE_URL: server.baseUrl, ANTHROPIC_API_KEY: 'k' }, { version: '2024-01-01', betas: ['a', 'b'], headers: { 'x-own': '1' } }).completionModel('m').completion(request)
    expect(server.requests.map(({ headers }) => [headers['x-api-key'], headers['anthropic-version'], headers['anthropic-beta'], headers['x-own']]))
      .toEqual([[undefined, '2023-06-01', undefined, undefined], ['k', '2024-01-01', 'a,b', '1']])
    expect(() => Client.fromEnv({ ANTHROPIC_API_KEY: '' })).toThrow(ConfigError)
  })

  it('asks below the address that it is given, with or without the version at its end', async () => {
    await using server = await startMessagesServer([says('ok'), says('ok'), says('ok')])
    for (const base of ['', '/api', '/api/v1/']) await modelOf({ baseUrl: server.baseUrl + base }).completion(request)
    expect(server.requests.map(({ url }) => url)).toEqual(['/v1/messages', '/api/v1/messages', '/api/v1/messages'])
  })

  it('refuses marks that the wire would refuse', () => {
    expect(() => new Client({ promptCaching: { ttl: '1h', prefixTtl: '5m' } })).toThrow(ConfigError)
  })

  it('never lets what only the client needs into a request', async () => {
    await using server = await startMessagesServer([says('ok')])
    await modelOf(server, { apiKey: 'secret', betas: ['b'], defaultMaxTokens: 9 }).completion(request)
    expect(server.requests[0]?.body).toEqual({ model: 'test-model', max_tokens: 9, messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] })
  })

  it('says where an answer comes from', async () => {
    await using server = await startMessagesServer([says('a'), says('b')])
    expect(await modelOf(server).completion(request)).toMatchObject({ origin: { provider: 'anthropic', api: 'messages', model: 'test-model' }, messageId: 'msg_1', providerRequestId: 'req_1' })
    expect(await modelOf(server).stream({ ...request, model: 'other' }).response).toMatchObject({ origin: { model: 'other' }, messageId: 'msg_1', providerRequestId: 'req_1' })
  })

  it('works over a given fetch as it does over its own transport', async () => {
    await using server = await startMessagesServer([says('Grüße 東京'), says('Grüße 東京')])
    const own = await modelOf(server).stream(request).response
    expect(await modelOf(server, { fetch }).stream(request).response).toEqual(own)
  })

  it('is verified by asking for the models, and lists them page by page', async () => {
    const page = (ids: readonly string[], more: boolean): MessagesReply => ({ type: 'json', status: 200, body: { data: ids.map((id) => ({ type: 'model', id })), has_more: more, last_id: ids.at(-1) ?? null } })
    await using server = await startMessagesServer([page(['a'], true), refused(401, 'authentication_error'), page(['a', 'b/c'], true), page(['d'], false), { type: 'text', status: 200, body: '<html>' }])
    const client = new Client({ baseUrl: server.baseUrl, apiKey: 'k', retry: false })
    await client.verify()
    await expect(client.verify()).rejects.toMatchObject({ status: 401, code: 'authentication_error' })
    expect(await client.listModels()).toEqual(['a', 'b/c', 'd'])
    await expect(client.listModels()).rejects.toMatchObject({ kind: 'json' })
    expect(server.requests.map(({ url }) => url).slice(2, 4)).toEqual(['/v1/models?limit=1000', '/v1/models?limit=1000&after_id=b%2Fc'])
    expect(server.requests[0]?.headers['x-api-key']).toBe('k')
  })
})

describe('a failing service', () => {
  it('is told of as fully in a stream as in a whole answer: status, code, body, request id', async () => {
    await using server = await startMessagesServer([refused(404, 'not_found_error'), refused(404, 'not_found_error')])
    const expected = { kind: 'provider_response', status: 404, code: 'not_found_error', providerRequestId: 'req_1', bodyJson: { error: { message: 'no' } } }
    await expect(modelOf(server).completion(request)).rejects.toMatchObject(expected)
    await expect(modelOf(server).stream(request).response).rejects.toMatchObject(expected)
  })

  it.each<[string, MessagesReply]>([
    ['a service that is overloaded', refused(529, 'overloaded_error')],
    ['a limit of requests', refused(429, 'rate_limit_error', { 'retry-after-ms': '1' })],
    ['a connection that is reset', { type: 'reset' }],
    ['a stream that is overloaded before its first delta', { type: 'events', events: [begun, overloaded] }],
    ['a stream that ends before its first delta', { type: 'events', events: [begun, { type: 'ping' }] }],
  ])('is asked again after %s', async (_what, failure) => {
    await using server = await startMessagesServer([failure, says('ok')])
    const response = await modelOf(server, { retry: { ...retry, statuses: [...retry.statuses, 529] } }).stream(request).response
    expect(response.choice).toEqual([{ type: 'text', text: 'ok' }])
    expect(server.requests).toHaveLength(2)
  })

  it('is asked again when it is overloaded without any setting', async () => {
    await using server = await startMessagesServer([refused(529, 'overloaded_error', { 'retry-after-ms': '1' }), says('ok')])
    expect((await new Client({ baseUrl: server.baseUrl }).completionModel('m').completion(request)).choice).toMatchObject([{ text: 'ok' }])
  })

  it('is not asked again once a delta was seen, nor for a request that is wrong', async () => {
    await using server = await startMessagesServer([{ type: 'events', events: [begun, half, overloaded] }, refused(400, 'invalid_request_error'), says('no')])
    const model = modelOf(server, { retry })
    await expect(model.stream(request).response).rejects.toMatchObject({ kind: 'provider_response', code: 'overloaded_error', providerRequestId: 'req_7' })
    await expect(model.completion(request)).rejects.toMatchObject({ status: 400 })
    expect(server.requests).toHaveLength(2)
  })

  it.each<['end' | 'cut']>([['end'], ['cut']])('that breaks an answer off (%s) has given no answer: what was said is there, no call is', async (ending) => {
    const call = blockEvents({ type: 'tool_use', id: 't', name: 'f', input: { n: 1 } }, 1)
    await using server = await startMessagesServer([{ type: 'events', events: [begun, half, ...call], ending }])
    const stream = modelOf(server, { retry }).stream(request)
    const types: string[] = []
    const error = await (async () => { for await (const item of stream) types.push(item.type) })().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ kind: 'truncated_stream' })
    expect(isRetryable(error)).toBe(true)
    expect(types[0]).toBe('text')
    expect(types).not.toContain('tool_call')
    expect(stream.choice).toEqual([{ type: 'text', text: 'half' }])
  })

  it('that stops talking is given up after the permitted silence', async () => {
    await using server = await startMessagesServer([{ type: 'events', events: [begun, half], ending: 'hang' }])
    await expect(modelOf(server, { idleTimeoutMs: 40 }).stream(request).response).rejects.toMatchObject({ kind: 'timeout' })
  })

  it('that answers with a page instead of an answer makes no sense', async () => {
    const page: MessagesReply = { type: 'text', status: 200, body: '<html>Sign in</html>' }
    await using server = await startMessagesServer([page, page, { ...page, status: 502 }])
    await expect(modelOf(server).completion(request)).rejects.toMatchObject({ kind: 'json' })
    await expect(modelOf(server).stream(request).response).rejects.toMatchObject({ kind: 'truncated_stream' })
    await expect(modelOf(server).stream(request).response).rejects.toMatchObject({ kind: 'provider_response', status: 502, bodyText: '<html>Sign in</html>' })
  })

  it('that reports an error with a status of success has failed', async () => {
    await using server = await startMessagesServer([{ type: 'json', status: 200, body: { type: 'error', error: { type: 'api_error', message: 'broke' } } }])
    await expect(modelOf(server).completion(request)).rejects.toMatchObject({ kind: 'provider_response', code: 'api_error' })
  })

  it('does not keep an answer waiting that is over', async () => {
    const whole = replyOf(says('ok'), { isStreaming: true })
    if (whole.type !== 'events') throw new Error('unexpected')
    await using server = await startMessagesServer([{ ...whole, events: whole.events.slice(0, -1), ending: 'hang' }])
    expect(await modelOf(server).stream(request).response).toMatchObject({ finishReason: 'stop', choice: [{ text: 'ok' }] })
  })

  it('can be left in the middle of an answer', async () => {
    await using server = await startMessagesServer([{ type: 'events', events: [begun, half], ending: 'hang' }])
    const controller = new AbortController()
    const stream = modelOf(server).stream(request, { signal: controller.signal })
    const reading = (async () => { for await (const item of stream) if (item.type === 'text') controller.abort() })()
    await expect(reading).rejects.toSatisfy((error) => error instanceof CompletionError && error.kind === 'aborted')
  })
})

describe('an agent', () => {
  const thought: AssistantContent = { type: 'reasoning', content: [{ type: 'text', text: 'Both at once.', signature: 'signed' }] }
  const hidden: AssistantContent = { type: 'reasoning', content: [{ type: 'redacted', data: 'opaque' }] }
  const silent: AssistantContent = { type: 'reasoning', content: [{ type: 'text', text: '', signature: 'silent' }] }
  const script: readonly ScriptedTurn[] = [
    { type: 'answer', content: [thought, hidden, { type: 'text', text: 'I look.' }, toolCall('toolu_slow', 'look', { at: 'slow' }), silent, toolCall('toolu_fast', 'look', { at: 'fast' })] },
    { type: 'answer', content: [] },
  ]
  const look = tool({
    name: 'look', description: 'Looks.', parameters: { type: 'object', properties: { at: { type: 'string' } }, required: ['at'] },
    call: async (args: unknown) => {
      const at = JSON.stringify(args).includes('slow') ? 'slow' : 'fast'
      if (at === 'slow') await new Promise((resolve) => setTimeout(resolve, 20))
      return `${at} seen`
    },
  })
  const agentOf = (server: { readonly baseUrl: string }) => new Client({ baseUrl: server.baseUrl }).agent('test-model').preamble('Look twice.').tool(look).build()
  const blocks: readonly WireBlock[] = [
    { type: 'thinking', thinking: 'Both at once.', signature: 'signed' }, { type: 'redacted_thinking', data: 'opaque' }, { type: 'text', text: 'I look.' },
    { type: 'tool_use', id: 'toolu_slow', name: 'look', input: { at: 'slow' } }, { type: 'thinking', thinking: '', signature: 'silent' },
    { type: 'tool_use', id: 'toolu_fast', name: 'look', input: { at: 'fast' } },
  ]

  it('sends a turn back as it came, with all results in one message and in the order of the calls', async () => {
    await using server = await startMessagesServer(script)
    const { output } = await agentOf(server).streamPrompt('Look.').response
    expect(output).toBe('')
    expect(server.requests).toHaveLength(2)
    expect(server.requests[1]?.body?.messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'Look.' }] },
      { role: 'assistant', content: blocks },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_slow', content: [{ type: 'text', text: 'slow seen' }] },
          { type: 'tool_result', tool_use_id: 'toolu_fast', content: [{ type: 'text', text: 'fast seen' }] },
        ],
      },
    ])
  })

  it('says and sends the same whether it streams or not', async () => {
    await using streaming = await startMessagesServer(script)
    await using whole = await startMessagesServer(script)
    const streamed = await agentOf(streaming).streamPrompt('Look.').response
    const atOnce = await agentOf(whole).run('Look.')
    expect(atOnce.messages).toEqual(streamed.messages)
    expect(atOnce.usage).toEqual(streamed.usage)
    expect(whole.requests.map(({ body }) => body?.messages)).toEqual(streaming.requests.map(({ body }) => body?.messages))
  })

  it('goes on with a stored conversation as if it had never been put away', async () => {
    await using server = await startMessagesServer([...script, says('again')])
    const agent = agentOf(server)
    const { messages } = await agent.run('Look.')
    const restored = JSON.parse(JSON.stringify(messages)).map((message: unknown) => Message.parse(message))
    await agent.run('And now?', { history: restored })
    const [, second, third] = server.requests
    expect(third?.body?.messages.slice(0, 2)).toEqual(second?.body?.messages.slice(0, 2))
    expect(third?.body?.messages.at(-1)?.content.map(({ type }) => type)).toEqual(['tool_result', 'tool_result', 'text'])
  })
})
