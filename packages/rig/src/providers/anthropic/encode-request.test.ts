import { describe, expect, it } from 'vitest'
import { bodyText } from '../../../test/body-text.ts'
import type { CompletionRequest } from '../../completion/completion-request.ts'
import { Message } from '../../completion/message.ts'
import type { AnyMessage, AssistantContent, ToolCall, ToolResult, UserContent } from '../../completion/message-types.ts'
import { RequestEncoder, type RequestOptions } from './encode-request.ts'

const origin = { provider: 'anthropic', api: 'messages', model: 'claude-sonnet-4-6' }
const encoder = (options: RequestOptions = {}, model = origin.model) => new RequestEncoder({ ...options, origin: { ...origin, model } })
const encode = (request: CompletionRequest, options: RequestOptions = {}) => JSON.parse(bodyText(encoder(options).encode(request, { isStreaming: false })))
const streamed = (request: CompletionRequest, options: RequestOptions = {}) => JSON.parse(bodyText(encoder(options).encode(request, { isStreaming: true })))
const messagesOf = (...messages: AnyMessage[]) => encode({ messages }).messages
const blocksOf = (...content: UserContent[]) => messagesOf(Message.user(content))[0].content
const turn = (content: readonly AssistantContent[], from = origin): AnyMessage => ({ role: 'assistant', content, origin: from })
const ask = [Message.user('u')]

const call: ToolCall = { type: 'tool_call', id: 'toolu_1', function: { name: 'f', arguments: { b: 1, a: 2 }, rawArguments: '{"b": 1, "a": 2}' }, provider: { callId: 'toolu_1' } }
const thinking: AssistantContent = { type: 'reasoning', content: [{ type: 'text', text: 'why', signature: 's' }] }
const silent: AssistantContent = { type: 'reasoning', content: [{ type: 'text', text: '', signature: 'only' }] }
const redacted: AssistantContent = { type: 'reasoning', content: [{ type: 'redacted', data: 'r' }] }
const search: AssistantContent = { type: 'provider_item', provider: 'anthropic', raw: { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'q' } } }
const found: AssistantContent = { type: 'provider_item', provider: 'anthropic', raw: { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [{ type: 'web_search_result', url: 'https://x', encrypted_content: 'e' }] } }
const cited: AssistantContent = { type: 'text', text: 'cited', meta: { anthropic: { citations: [{ type: 'web_search_result_location', url: 'https://x' }] } } }
const tool = { name: 'f', description: 'd', parameters: { type: 'object', properties: {} } }

describe('a request to Anthropic', () => {
  it('has system texts as blocks in front, wherever they stood, and leaves blank ones out', () => {
    const body = encode({ messages: [Message.system(' a '), Message.system(' '), Message.user('u'), Message.system('later')] })
    expect(body).toEqual({
      model: 'claude-sonnet-4-6', max_tokens: 64_000, system: [{ type: 'text', text: ' a ' }, { type: 'text', text: 'later' }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'u' }] }],
    })
  })

  it('leaves later system texts where they stand for models that read them there, and only where the wire permits it', () => {
    const messages = [Message.system('a'), Message.user('u'), Message.system('inline'), Message.assistant('b'), Message.system('lifted'), Message.user('v')]
    const roles = (body: { system: { text: string }[]; messages: { role: string }[] }) => [body.system.map(({ text }) => text), body.messages.map(({ role }) => role)]
    const opus = JSON.parse(bodyText(encoder({}, 'claude-opus-4-8').encode({ messages }, { isStreaming: false })))
    expect(roles(opus)).toEqual([['a', 'lifted'], ['user', 'system', 'assistant', 'user']])
    expect(opus.messages[1]).toEqual({ role: 'system', content: [{ type: 'text', text: 'inline' }] })
    expect(roles(encode({ messages }, { systemMessages: 'inline' }))).toEqual(roles(opus))
    expect(roles(encode({ messages }))).toEqual([['a', 'inline', 'lifted'], ['user', 'assistant', 'user']])
    const inlineOf = (...conversation: AnyMessage[]) => encode({ messages: conversation }, { systemMessages: 'inline' }).messages.map(({ role }: { role: string }) => role)
    expect(inlineOf(Message.user('u'), Message.system('s'))).toEqual(['user', 'system'])
    expect(inlineOf(Message.user('u'), Message.system('s'), Message.user('v'))).toEqual(['user'])
    expect(inlineOf(Message.user('u'), Message.assistant('a'), Message.system('s'))).toEqual(['user', 'assistant'])
    expect(inlineOf(Message.user('u'), turn([search]), Message.system('s'))).toEqual(['user', 'assistant', 'system'])
  })

  it('shows documents in a message of their own before the conversation', () => {
    const body = encode({ messages: [Message.system('a'), Message.user('u')], documents: [{ id: 'd', text: 'body', additionalProps: { z: '1', a: '2' } }, { id: 'e', text: 'more' }] })
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: '<file id: d>\n<metadata a: "2" z: "1" />\nbody\n</file>\n' } },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: '<file id: e>\nmore\n</file>\n' } },
        ],
      },
      { role: 'user', content: [{ type: 'text', text: 'u' }] },
    ])
  })

  it('refuses to ask nothing', () => {
    expect(() => encode({ messages: [] })).toThrow('nothing to answer')
    expect(() => encode({ messages: [Message.system('a'), Message.user(' ')] })).toThrow(expect.objectContaining({ kind: 'request' }))
  })

  it.each([
    ['claude-opus-4-8', 128_000], ['claude-opus-4-6', 128_000], ['claude-opus-4-5-20251101', 64_000], ['claude-opus-4-20250514', 32_000], ['claude-opus-4-0', 32_000],
    ['claude-sonnet-4-6', 64_000], ['claude-sonnet-4-0', 64_000], ['claude-haiku-4-5', 64_000], ['anthropic/claude-haiku-4.5', 64_000], ['claude-3-7-sonnet-latest', 64_000],
    ['claude-3-5-haiku-latest', 8192], ['claude-3-opus-20240229', 4096], ['claude-novel-9', 32_000], ['another-model', 2048],
  ])('asks %s for at most %i tokens when nothing else is said', (model, tokens) => {
    expect(encode({ messages: ask, model })).toMatchObject({ model, max_tokens: tokens })
  })

  it('prefers the limit of the request, then that of the parameters, then that of the client', () => {
    expect(encode({ messages: ask, maxTokens: 5, additionalParams: { max_tokens: 6 } }, { defaultMaxTokens: 7 }).max_tokens).toBe(5)
    expect(encode({ messages: ask, additionalParams: { max_tokens: 6 } }, { defaultMaxTokens: 7 }).max_tokens).toBe(6)
    expect(encode({ messages: ask }, { defaultMaxTokens: 7 }).max_tokens).toBe(7)
  })

  it('passes unknown parameters on and lets its own fields win', () => {
    const body = encode({ messages: ask, temperature: 0.5, additionalParams: { thinking: { type: 'adaptive' }, top_k: 3, temperature: 1, model: 'x', messages: [], system: 'x', stream: true } })
    expect(body).toMatchObject({ model: 'claude-sonnet-4-6', thinking: { type: 'adaptive' }, top_k: 3, temperature: 0.5, messages: [{ role: 'user' }] })
    expect(body).not.toHaveProperty('system')
    expect(body).not.toHaveProperty('stream')
  })
})

describe('a conversation', () => {
  it('goes back in wire order: thinking with its signature, redacted and silent thinking, text, calls', () => {
    expect(messagesOf(Message.user('u'), turn([thinking, redacted, { type: 'text', text: 't' }, silent, call]), Message.toolResult(call, 'out'))).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'u' }] },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'why', signature: 's' }, { type: 'redacted_thinking', data: 'r' }, { type: 'text', text: 't' },
          { type: 'thinking', thinking: '', signature: 'only' }, { type: 'tool_use', id: 'toolu_1', name: 'f', input: { b: 1, a: 2 } },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'out' }] }] },
    ])
  })

  it('takes tools that the provider ran, and citations of what they found, back as they were', () => {
    const [, assistant] = messagesOf(Message.user('u'), turn([search, found, cited]))
    expect(assistant.content).toEqual([
      search.type === 'provider_item' && search.raw, found.type === 'provider_item' && found.raw,
      { type: 'text', text: 'cited', citations: [{ type: 'web_search_result_location', url: 'https://x' }] },
    ])
  })

  it.each([
    ['another model', { ...origin, model: 'claude-opus-4-8' }],
    ['another provider', { provider: 'openai', api: 'responses', model: 'gpt-5' }],
  ])('drops what only %s can read, and keeps what was said and done', (_whose, from) => {
    expect(messagesOf(Message.user('u'), turn([thinking, redacted, search, found, cited, call], from))[1].content).toEqual([
      { type: 'text', text: 'cited' }, { type: 'tool_use', id: 'toolu_1', name: 'f', input: { b: 1, a: 2 } },
    ])
  })

  it('never sends reasoning in the form of another provider, nor thinking without a signature unless a server wants it', () => {
    const others: AssistantContent = { type: 'reasoning', id: 'rs_1', content: [{ type: 'summary', text: 's' }, { type: 'encrypted', data: 'e' }] }
    const unsigned: AssistantContent = { type: 'reasoning', content: [{ type: 'text', text: 'plain' }] }
    const item: AssistantContent = { type: 'provider_item', provider: 'openai', raw: { type: 'web_search_call' } }
    const messages = [Message.user('u'), Message.assistant([others, unsigned, item, { type: 'text', text: 't' }])]
    expect(encode({ messages }).messages[1].content).toEqual([{ type: 'text', text: 't' }])
    expect(encode({ messages }, { replayUnsignedThinking: true }).messages[1].content).toEqual([{ type: 'thinking', thinking: 'plain' }, { type: 'text', text: 't' }])
  })

  it('drops thinking that nothing follows, which is refused', () => {
    expect(messagesOf(Message.user('u'), turn([{ type: 'text', text: 't' }, thinking]), Message.user('v'))[1].content).toEqual([{ type: 'text', text: 't' }])
    expect(messagesOf(Message.user('u'), turn([thinking]), Message.user('v'))).toHaveLength(1)
  })

  it('reads a conversation for each model in its own way, with the same encoder', () => {
    const one = encoder()
    const messages = [Message.user('u'), turn([thinking, { type: 'text', text: 't' }]), Message.user('v')]
    const types = (model: string) => JSON.parse(bodyText(one.encode({ messages, model }, { isStreaming: false }))).messages[1].content.map(({ type }: { type: string }) => type)
    expect([types(origin.model), types('claude-opus-4-8'), types(origin.model)]).toEqual([['thinking', 'text'], ['text'], ['thinking', 'text']])
  })

  it('puts all results of a turn into one user message, before anything else that is said', () => {
    const second: ToolCall = { ...call, id: 'toolu_2', provider: { callId: 'toolu_2' } }
    const [, , results, ...rest] = messagesOf(Message.user('u'), turn([call, second]), Message.user('meanwhile'), Message.toolResult(call, 'one'), Message.toolResult(second, 'two'))
    expect(results.content.map((block: { type: string; tool_use_id?: string }) => block.tool_use_id ?? block.type)).toEqual(['toolu_1', 'toolu_2', 'text'])
    expect(rest).toEqual([])
  })

  it('joins neighbours of one role, also where a message in between has nothing to say', () => {
    const messages = [Message.user('a'), Message.assistant(''), Message.user('b'), Message.assistant('c'), turn([{ type: 'text', text: ' ' }, { type: 'text', text: 'd' }])]
    expect(encode({ messages }).messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'c' }, { type: 'text', text: 'd' }] },
    ])
    expect(encode({ messages }, { mergeMessages: false }).messages.map(({ role }: { role: string }) => role)).toEqual(['user', 'user', 'assistant', 'assistant'])
  })

  it('sends arguments as an object, with the figures that the model wrote', () => {
    const inputOf = (fields: Partial<ToolCall['function']>) => bodyText(encoder().encode({ messages: [...ask, turn([{ ...call, function: { name: 'f', arguments: {}, ...fields } }])] }, { isStreaming: false }))
    expect(inputOf({ arguments: { n: 12345678901234567000 }, rawArguments: '{"n": 12345678901234567890}' })).toContain('"input":{"n": 12345678901234567890}')
    expect(inputOf({ arguments: { changed: true }, rawArguments: '{"n":1}' })).toContain('"input":{"changed":true}')
    expect(inputOf({ arguments: { n: 1 }, rawArguments: '"{\\"n\\":1}"' })).toContain('"input":{"n":1}')
    expect(inputOf({ rawArguments: '{"half', argumentsError: 'no' })).toContain('"input":{}')
    expect(inputOf({ rawArguments: 'null' })).toContain('"input":{}')
  })

  it('replaces ids that are refused, on the call as on its result, and tells calls with one id apart', () => {
    const foreign = (id: string): ToolCall => ({ ...call, id, provider: { callId: id } })
    const calls = [foreign('functions.f:0'), foreign('functions.f:1'), { ...foreign('dup'), id: 'own' }, { ...foreign('dup'), id: 'other' }]
    const [, assistant, results] = messagesOf(Message.user('u'), turn(calls), { role: 'user', content: calls.flatMap((one) => Message.toolResult(one, 'r').content) })
    const ids = assistant.content.map(({ id }: { id: string }) => id)
    expect(results.content.map(({ tool_use_id }: { tool_use_id: string }) => tool_use_id)).toEqual(ids)
    expect(new Set(ids).size).toBe(4)
    expect(ids.every((id: string) => /^[a-zA-Z0-9_-]{1,64}$/.test(id))).toBe(true)
    expect(ids.slice(2)).toEqual(['dup', 'other'])
  })

  it('names the caller of a call that code made, to the model that made it only', () => {
    const coded: ToolCall = { ...call, additionalParams: { caller: { type: 'code_execution_20250825', tool_id: 'srvtoolu_1' } } }
    expect(messagesOf(Message.user('u'), turn([coded]))[1].content[0].caller).toEqual({ type: 'code_execution_20250825', tool_id: 'srvtoolu_1' })
    expect(messagesOf(Message.user('u'), turn([coded], { ...origin, model: 'other' }))[1].content[0]).not.toHaveProperty('caller')
  })

  it('writes each message once, however many requests it is in, and follows a conversation that grows', () => {
    let reads = 0
    const counted: AnyMessage = { role: 'user', get content() { reads++; return [{ type: 'text' as const, text: 'u' }] } }
    const one = encoder({ promptCaching: true })
    const bodies = [[counted], [counted, Message.assistant('a'), Message.user('v')], [counted, Message.assistant('a'), Message.user('v'), Message.user('w')]]
      .map((messages) => JSON.parse(bodyText(one.encode({ messages }, { isStreaming: true }))))
    const before = reads
    one.encode({ messages: [counted, Message.assistant('b'), Message.user('x')] }, { isStreaming: true })
    expect(reads).toBe(before)
    expect(bodies.map(({ messages }) => messages.map(({ content }: { content: unknown[] }) => content.length))).toEqual([[1], [1, 1, 1], [1, 1, 2]])
  })

  it('writes joined messages once too, and joins others anew', () => {
    let reads = 0
    const counted: AnyMessage = { role: 'user', get content() { reads++; return [{ type: 'text' as const, text: 'u' }] } }
    const one = encoder()
    const lengthOf = (...messages: AnyMessage[]) => JSON.parse(bodyText(one.encode({ messages }, { isStreaming: true }))).messages[0].content.length
    const last = Message.user('v')
    expect([lengthOf(counted, last), lengthOf(Message.user('w'), counted, last), lengthOf(last, last), lengthOf(last, last, last)]).toEqual([2, 3, 2, 3])
    lengthOf(counted, last, Message.assistant('a'))
    const before = reads
    expect(lengthOf(counted, last, Message.assistant('a'), Message.user('x'))).toBe(2)
    expect(reads).toBe(before)
  })
})

describe('what the user shows', () => {
  it('goes as the image or document that it is', () => {
    expect(blocksOf(
      { type: 'image', source: { kind: 'base64', data: 'AA' }, mediaType: 'image/png' },
      { type: 'image', source: { kind: 'url', url: 'https://x/y.png' } },
      { type: 'image', source: { kind: 'fileId', id: 'file_1' } },
      { type: 'document', source: { kind: 'base64', data: 'AA' }, filename: 'y.pdf' },
      { type: 'document', source: { kind: 'url', url: 'https://x/y.pdf' } },
      { type: 'document', source: { kind: 'fileId', id: 'file_2' } },
      { type: 'document', source: { kind: 'text', text: 'plain' } },
      { type: 'document', source: { kind: 'base64', data: Buffer.from('# hé').toString('base64') }, mediaType: 'text/markdown' },
    )).toEqual([
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA' } },
      { type: 'image', source: { type: 'url', url: 'https://x/y.png' } },
      { type: 'image', source: { type: 'file', file_id: 'file_1' } },
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AA' }, title: 'y.pdf' },
      { type: 'document', source: { type: 'url', url: 'https://x/y.pdf' } },
      { type: 'document', source: { type: 'file', file_id: 'file_2' } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'plain' } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: '# hé' } },
    ])
  })

  it('can be cited, all of it or none', () => {
    const messages = [Message.user([{ type: 'document', source: { kind: 'text', text: 'plain' } }, { type: 'text', text: 'u' }])]
    const body = encode({ messages, documents: [{ id: 'd', text: 't' }] }, { citeDocuments: true })
    expect(body.messages.flatMap(({ content }: { content: object[] }) => content)).toMatchObject([{ citations: { enabled: true } }, { citations: { enabled: true } }, { type: 'text' }])
  })

  it.each<[string, UserContent]>([
    ['media type', { type: 'image', source: { kind: 'base64', data: 'AA' } }],
    ['image/svg+xml', { type: 'image', source: { kind: 'base64', data: 'AA' }, mediaType: 'image/svg+xml' }],
    ['an address', { type: 'image', source: { kind: 'text', text: 'a cat' } }],
    ['application/zip', { type: 'document', source: { kind: 'base64', data: 'AA' }, mediaType: 'application/zip' }],
    ['no audio input', { type: 'audio', source: { kind: 'base64', data: 'AA' } }],
    ['no video input', { type: 'video', source: { kind: 'url', url: 'https://x' } }],
  ])('is refused with words about %s when the wire has no form for it', (words, part) => {
    expect(() => blocksOf(part)).toThrow(words)
  })

  it('has results of text, JSON, images and documents, without blank blocks, marked as failed only when asked', () => {
    const result: ToolResult = {
      type: 'tool_result', id: 'toolu_1', name: 'f', isError: true,
      content: [{ type: 'text', text: '' }, { type: 'json', value: { a: [1] } }, { type: 'image', source: { kind: 'base64', data: 'AA' }, mediaType: 'image/webp' }, { type: 'document', source: { kind: 'base64', data: 'AA' } }],
    }
    const media = [{ type: 'image', source: { type: 'base64', media_type: 'image/webp', data: 'AA' } }, { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AA' } }]
    const expected = { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: '{"a":[1]}' }, ...media] }
    expect(blocksOf(result)).toEqual([expected])
    expect(encode({ messages: [Message.user([result])] }, { replayIsError: true }).messages[0].content).toEqual([{ ...expected, is_error: true }])
  })
})

describe('tools', () => {
  it('are sent with their schemas, hosted ones and those of the parameters behind them', () => {
    const body = encode({ messages: ask, tools: [tool, { ...tool, name: 'g', description: '' }], hostedTools: [{ type: 'web_search_20250305', name: 'web_search' }], additionalParams: { tools: [{ type: 'bash_20250124', name: 'bash' }] } })
    expect(body.tools).toEqual([
      { name: 'f', description: 'd', input_schema: tool.parameters }, { name: 'g', input_schema: tool.parameters },
      { type: 'web_search_20250305', name: 'web_search' }, { type: 'bash_20250124', name: 'bash' },
    ])
    expect(() => encode({ messages: ask, additionalParams: { tools: {} } })).toThrow('array')
  })

  it('are strict when they say so, or when the client does', () => {
    const strict = { name: 'f', description: 'd', strict: true, parameters: { type: 'object', properties: { n: { type: 'integer', minimum: 1 } } } }
    expect(encode({ messages: ask, tools: [strict] }).tools[0]).toEqual({
      name: 'f', description: 'd', strict: true,
      input_schema: { type: 'object', properties: { n: { type: 'integer', description: '{minimum: 1}' } }, additionalProperties: false },
    })
    expect(encode({ messages: ask, tools: [tool, { ...tool, strict: false }] }, { strictTools: true }).tools).toMatchObject([{ strict: true }, { strict: false }])
  })

  it('that are strict tell in words what cannot be enforced', () => {
    const list = { type: 'array', items: { oneOf: [{ type: 'string', format: 'uuid' }, { type: 'string', format: 'int', maxLength: 3, description: 'Short.' }] }, minItems: 1, default: [] }
    const parameters = { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', properties: { list, more: { type: 'array', minItems: 2 } }, required: ['list'] }
    expect(encode({ messages: ask, tools: [{ ...tool, strict: true, parameters }] }).tools[0].input_schema).toEqual({
      type: 'object', required: ['list'], additionalProperties: false,
      properties: {
        list: { type: 'array', items: { anyOf: [{ type: 'string', format: 'uuid' }, { type: 'string', description: 'Short.\n\n{format: int, maxLength: 3}' }] }, default: [], minItems: 1 },
        more: { type: 'array', description: '{minItems: 2}' },
      },
    })
    expect(() => encode({ messages: ask, tools: [{ ...tool, strict: true, parameters: { type: 'object', additionalProperties: true } }] })).toThrow('additionalProperties')
  })

  it.each([
    ['auto', { type: 'auto' }], ['none', { type: 'none' }], ['required', { type: 'any' }],
    [{ type: 'specific', functionNames: ['f'] } as const, { type: 'tool', name: 'f' }],
  ] as const)('are chosen as %j says', (toolChoice, expected) => {
    expect(encode({ messages: ask, tools: [tool], toolChoice }).tool_choice).toEqual(expected)
    expect(encode({ messages: ask, toolChoice })).not.toHaveProperty('tool_choice')
  })

  it('cannot be forced to be one of several', () => {
    expect(() => encode({ messages: ask, tools: [tool], toolChoice: { type: 'specific', functionNames: ['f', 'g'] } })).toThrow('one of several')
  })

  it('are left to the model in so many words in a stream only, unless told otherwise', () => {
    expect(streamed({ messages: ask, tools: [tool] })).toMatchObject({ stream: true, tool_choice: { type: 'auto' } })
    expect(streamed({ messages: ask })).not.toHaveProperty('tool_choice')
    expect(streamed({ messages: ask, tools: [tool] }, { streamingToolChoice: 'omit' })).not.toHaveProperty('tool_choice')
    expect(encode({ messages: ask, tools: [tool] })).not.toHaveProperty('tool_choice')
  })

  it('can be kept from being called side by side', () => {
    const one = { disable_parallel_tool_use: true }
    expect(encode({ messages: ask, tools: [tool], toolChoice: 'required', additionalParams: one })).toMatchObject({ tool_choice: { type: 'any', ...one } })
    expect(encode({ messages: ask, tools: [tool], additionalParams: { tool_choice: one } }).tool_choice).toEqual({ type: 'auto', ...one })
    expect(encode({ messages: ask, tools: [tool], additionalParams: { tool_choice: { type: 'tool', name: 'f' } } }).tool_choice).toEqual({ type: 'tool', name: 'f' })
    expect(encode({ messages: ask, tools: [tool], toolChoice: 'none', additionalParams: one }).tool_choice).toEqual({ type: 'none' })
    expect(encode({ messages: ask, additionalParams: one })).not.toHaveProperty('disable_parallel_tool_use')
  })
})

describe('structured output', () => {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Answer', type: 'object', required: ['a'],
    properties: { a: { type: 'integer', minimum: 1, multipleOf: 2 }, b: { type: 'string' }, c: { type: ['string', 'null'] }, d: { oneOf: [{ $ref: '#/$defs/e', description: 'kept' }] } },
    $defs: { e: { type: 'object', properties: { minimum: { type: ['number', 'null'], maximum: 9 } }, required: ['minimum'] } },
  }

  it('is asked for with everything closed and required, without limits of numbers, and leaves the schema as it was', () => {
    const before = structuredClone(schema)
    const body = encode({ messages: ask, outputSchema: { schema } })
    expect(body.output_config).toEqual({
      format: {
        type: 'json_schema',
        schema: {
          $schema: schema.$schema, title: 'Answer', type: 'object', required: ['a', 'b', 'c', 'd'], additionalProperties: false,
          properties: {
            a: { type: 'integer' }, b: { anyOf: [{ type: 'string' }, { type: 'null' }] }, c: { type: ['string', 'null'] },
            d: { anyOf: [{ anyOf: [{ $ref: '#/$defs/e', description: 'kept' }] }, { type: 'null' }] },
          },
          $defs: { e: { type: 'object', properties: { minimum: { type: ['number', 'null'] } }, required: ['minimum'], additionalProperties: false } },
        },
      },
    })
    expect(schema).toEqual(before)
  })

  it('keeps the other settings of the output, and a format that the parameters give', () => {
    expect(encode({ messages: ask, outputSchema: { schema }, additionalParams: { output_config: { effort: 'low' } } }).output_config).toMatchObject({ effort: 'low', format: { type: 'json_schema' } })
    expect(encode({ messages: ask, outputSchema: { schema }, additionalParams: { output_config: { format: { type: 'own' } } } }).output_config).toEqual({ format: { type: 'own' } })
    expect(encode({ messages: ask, outputSchema: { schema, strict: false } }).output_config.format.schema).toEqual(schema)
  })

  it('refuses maps with free keys, which cannot be promised', () => {
    expect(() => encode({ messages: ask, outputSchema: { schema: { type: 'object', properties: { m: { type: 'object', additionalProperties: { type: 'string' } } } } } })).toThrow('additionalProperties')
  })
})

describe('prompt caching', () => {
  const marker = { type: 'ephemeral' }
  const request: CompletionRequest = { messages: [Message.system('a'), Message.system('b'), Message.user('u'), Message.assistant('v'), Message.user([{ type: 'text', text: 'w' }, { type: 'text', text: 'x' }])], tools: [tool, { ...tool, name: 'g' }] }
  const marks = (body: unknown) => [...JSON.stringify(body).matchAll(/"cache_control":(\{[^}]*\})/g)].map(([, mark]) => JSON.parse(mark ?? ''))

  it('is off unless asked for', () => {
    expect(marks(encode(request))).toEqual([])
  })

  it('marks the end of the system text and of the conversation', () => {
    const body = encode(request, { promptCaching: true })
    expect(body.system).toEqual([{ type: 'text', text: 'a' }, { type: 'text', text: 'b', cache_control: marker }])
    expect(body.messages[2].content).toEqual([{ type: 'text', text: 'w' }, { type: 'text', text: 'x', cache_control: marker }])
    expect(marks(body)).toHaveLength(2)
  })

  it('also marks the last tool when told to, and keeps what outlives a conversation for longer', () => {
    const body = encode(request, { promptCaching: { tools: true, prefixTtl: '1h', ttl: '5m' } })
    expect(body.tools.map(({ cache_control }: { cache_control?: object }) => cache_control)).toEqual([undefined, { type: 'ephemeral', ttl: '1h' }])
    expect(marks(body).toSorted((left, right) => left.ttl.localeCompare(right.ttl))).toEqual([{ type: 'ephemeral', ttl: '1h' }, { type: 'ephemeral', ttl: '1h' }, { type: 'ephemeral', ttl: '5m' }])
    const prefixOnly = encode(request, { promptCaching: { messages: false } })
    expect(prefixOnly.system[1].cache_control).toEqual({ type: 'ephemeral' })
    expect(JSON.stringify(prefixOnly.messages)).not.toContain('cache_control')
    expect(encode(request, { promptCaching: { ttl: '1h' } }).system[1].cache_control).toEqual({ type: 'ephemeral', ttl: '1h' })
  })

  it('changes nothing before the end of a conversation that grows: what was kept is found again', () => {
    const one = encoder({ promptCaching: true })
    const bodyOf = (messages: readonly AnyMessage[]) => bodyText(one.encode({ ...request, messages }, { isStreaming: true }))
    const first = bodyOf(request.messages)
    const second = bodyOf([...request.messages, turn([thinking, call]), Message.toolResult(call, 'out')])
    const prefix = first.slice(0, first.indexOf('"text":"x"') + '"text":"x"'.length)
    expect(second.startsWith(prefix)).toBe(true)
    expect(marks(JSON.parse(second))).toHaveLength(2)
    expect(JSON.parse(second).messages.at(-1).content).toMatchObject([{ type: 'tool_result', cache_control: marker }])
  })

  it('never has more than four marks, those of the caller and of the provider among them', () => {
    const owned = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `own${index}`, input_schema: {}, cache_control: marker }))
    const all = { promptCaching: { tools: true } }
    expect(marks(encode({ ...request, hostedTools: owned(1) }, all))).toHaveLength(3)
    expect(marks(encode({ ...request, hostedTools: [...owned(1), { name: 'last' }] }, all))).toHaveLength(4)
    expect(marks(encode({ ...request, hostedTools: [...owned(3), { name: 'last' }] }, all))).toHaveLength(4)
    expect(marks(encode({ ...request, hostedTools: [...owned(4), { name: 'last' }] }, all))).toHaveLength(4)
    expect(bodyText(encoder(all).encode({ ...request, hostedTools: owned(1) }, { isStreaming: false })).match(/"cache_control"/g)).toHaveLength(3)
    expect(marks(encode({ ...request, hostedTools: [...owned(2), { name: 'last' }], additionalParams: { cache_control: marker } }, all))).toHaveLength(4)
    const automatic = encode({ ...request, additionalParams: { cache_control: marker } }, all)
    expect(marks(automatic.messages)).toEqual([])
    expect(marks(automatic)).toHaveLength(3)
  })

  it('marks no thinking and no tool that is loaded on demand', () => {
    const body = encode({ messages: [...ask, turn([{ type: 'text', text: 't' }, thinking])], tools: [tool], hostedTools: [{ name: 'later', defer_loading: true }] }, { promptCaching: { tools: true } })
    expect(body.messages[1].content).toEqual([{ type: 'text', text: 't', cache_control: marker }])
    expect(body.tools.map((one: object) => 'cache_control' in one)).toEqual([true, false])
  })
})
