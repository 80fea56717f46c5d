import { describe, expect, it } from 'vitest'
import { bodyText } from '../../../test/body-text.ts'
import type { CompletionRequest } from '../../completion/completion-request.ts'
import type { AnyMessage, AssistantContent, ToolCall, ToolResultContent } from '../../completion/message-types.ts'
import { Message } from '../../completion/message.ts'
import { OPENAI_DIALECT, type ChatDialect } from './chat-dialect.ts'
import { AZURE, DEEPSEEK, GROQ, LLAMA_CPP, MISTRAL, OLLAMA, OPENROUTER, PERPLEXITY, VLLM } from './dialects.ts'
import { ChatRequestEncoder } from './encode-chat-request.ts'

const origin = { provider: 'openai', api: 'chat', model: 'm' }
const encoder = (dialect: Partial<ChatDialect> = {}, strictTools?: boolean) => new ChatRequestEncoder({ origin, dialect: { ...OPENAI_DIALECT, ...dialect }, strictTools })
const encode = (request: CompletionRequest, dialect?: Partial<ChatDialect>, isStreaming = false) => JSON.parse(bodyText(encoder(dialect).encode(request, { isStreaming })))
const messagesOf = (messages: readonly AnyMessage[], dialect?: Partial<ChatDialect>) => encode({ messages }, dialect).messages
const turn = (content: readonly AssistantContent[], from = origin): AnyMessage => ({ role: 'assistant', content, origin: from })
const hello = Message.user('u')
const ask = { messages: [hello] }
const call: ToolCall = { type: 'tool_call', id: 'call_1', function: { name: 'f', arguments: { b: 1, 2: 3 }, rawArguments: '{"b": 1, "2": 3}' }, provider: { callId: 'call_1', itemId: 'fc_1' } }
const wireCall = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"b": 1, "2": 3}' } }
const tools = [{ name: 'f', description: 'd', parameters: { type: 'object', properties: { a: { type: 'string' } } } }, { name: 'g', description: '', parameters: {} }]
const outputSchema = { schema: { title: 'My Answer', type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } }

describe('messages to Chat Completions', () => {
  it('are the system text in parts, a single user text as a string, and several parts as a list', () => {
    expect(messagesOf([Message.system('s'), Message.system(' '), hello, Message.user([{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }])])).toEqual([
      { role: 'system', content: [{ type: 'text', text: 's' }] },
      { role: 'user', content: 'u' },
      { role: 'user', content: [{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }] },
    ])
  })

  it('have documents between the system messages and the conversation: one as a string, several as parts', () => {
    const one = { id: 'd', text: 'body', additionalProps: { z: '1', a: '2' } }
    const text = '<file id: d>\n<metadata a: "2" z: "1" />\nbody\n</file>\n'
    expect(encode({ messages: [Message.system('s'), hello], documents: [one] }).messages[1]).toEqual({ role: 'user', content: text })
    expect(encode({ messages: [hello], documents: [one, one] }).messages).toEqual([{ role: 'user', content: [{ type: 'text', text }, { type: 'text', text }] }, { role: 'user', content: 'u' }])
    expect(encode({ messages: [Message.system('s')], documents: [one] }).messages.map(({ role }: { role: string }) => role)).toEqual(['system', 'user'])
  })

  it('carry a turn of calls without content, its arguments to the byte, and one tool message per result', () => {
    const second: ToolCall = { ...call, id: 'call_2', provider: { callId: 'call_2' } }
    const results: AnyMessage = { role: 'user', content: [...Message.toolResult(call, 'one').content, ...Message.toolResult(second, 'two').content] }
    expect(messagesOf([hello, turn([call, second]), results]).slice(1)).toEqual([
      { role: 'assistant', tool_calls: [wireCall, { ...wireCall, id: 'call_2' }] },
      { role: 'tool', tool_call_id: 'call_1', content: 'one' },
      { role: 'tool', tool_call_id: 'call_2', content: 'two' },
    ])
  })

  it('keep text and calls of a turn in one message', () => {
    expect(messagesOf([hello, turn([{ type: 'text', text: 'a' }, { type: 'text', text: '' }, call])])[1]).toEqual({ role: 'assistant', content: [{ type: 'text', text: 'a' }], tool_calls: [wireCall] })
  })

  it('split what the user says before, between and after results, in order', () => {
    const [result] = Message.toolResult(call, 'r').content
    const mixed: AnyMessage = { role: 'user', content: [{ type: 'text', text: 'a' }, ...(result === undefined ? [] : [result]), { type: 'text', text: 'b' }] }
    expect(messagesOf([mixed])).toEqual([{ role: 'user', content: 'a' }, { role: 'tool', tool_call_id: 'call_1', content: 'r' }, { role: 'user', content: 'b' }])
  })

  it('write a result of several blocks as lines, or as parts where the server takes them', () => {
    const several = Message.toolResult(call, [{ type: 'text', text: 'a' }, { type: 'json', value: { n: 1 } }])
    expect(messagesOf([several])[0].content).toBe('a\n{"n":1}')
    expect(messagesOf([several], { toolResultArrayContent: true })[0].content).toEqual([{ type: 'text', text: 'a' }, { type: 'text', text: '{"n":1}' }])
  })

  it('show the images and files of results right behind the results, or inside where the server takes them, or refuse them', () => {
    const show = (id: string, block: ToolResultContent) => Message.toolResult({ ...call, id, provider: { callId: id } }, [{ type: 'text', text: 'a' }, block]).content
    const image = show('call_1', { type: 'image', source: { kind: 'url', url: 'https://x/y.png' } })
    const pdf = show('call_2', { type: 'document', source: { kind: 'base64', data: 'AA' }, filename: 'x.pdf' })
    const message: AnyMessage = { role: 'user', content: [...image, ...pdf, { type: 'text', text: 'and?' }] } as AnyMessage
    const imagePart = { type: 'image_url', image_url: { url: 'https://x/y.png', detail: 'auto' } }
    const filePart = { type: 'file', file: { file_data: 'data:application/pdf;base64,AA', filename: 'x.pdf' } }
    const label = (id: string) => ({ type: 'text', text: `Shown by the result of ${call.function.name} (${id}):` })
    expect(messagesOf([message])).toEqual([
      { role: 'tool', tool_call_id: 'call_1', content: 'a' },
      { role: 'tool', tool_call_id: 'call_2', content: 'a' },
      { role: 'user', content: [label('call_1'), imagePart, label('call_2'), filePart, { type: 'text', text: 'and?' }] },
    ])
    expect(messagesOf([{ role: 'user', content: [...image, ...pdf] } as AnyMessage], { toolResultImages: true })).toEqual([
      { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'a' }, imagePart] },
      { role: 'tool', tool_call_id: 'call_2', content: 'a' },
      { role: 'user', content: [label('call_2'), filePart] },
    ])
    expect(() => messagesOf([message], { toolMediaFollows: false })).toThrow('no images in tool results')
    expect(() => messagesOf([{ role: 'user', content: pdf } as AnyMessage], { stringContentOnly: true })).toThrow('no documents in tool results')
  })

  it('send images, audio and files the way the wire wants them, and refuse what it has no place for', () => {
    const [image, audio, pdf, file, plain] = messagesOf([Message.user([
      { type: 'image', source: { kind: 'base64', data: 'AA' }, mediaType: 'image/png', detail: 'low' },
      { type: 'audio', source: { kind: 'base64', data: 'AA' }, mediaType: 'audio/mpeg' },
      { type: 'document', source: { kind: 'base64', data: 'AA' } },
      { type: 'document', source: { kind: 'fileId', id: 'file-1' } },
      { type: 'document', source: { kind: 'base64', data: Buffer.from('# hé').toString('base64') }, mediaType: 'text/markdown' },
    ])])[0].content
    expect(image).toEqual({ type: 'image_url', image_url: { url: 'data:image/png;base64,AA', detail: 'low' } })
    expect(audio).toEqual({ type: 'input_audio', input_audio: { data: 'AA', format: 'mp3' } })
    expect(pdf).toEqual({ type: 'file', file: { file_data: 'data:application/pdf;base64,AA', filename: 'document.pdf' } })
    expect(file).toEqual({ type: 'file', file: { file_id: 'file-1' } })
    expect(plain).toEqual({ type: 'text', text: '# hé' })
    const refused = (part: Parameters<typeof Message.user>[0]) => () => messagesOf([Message.user(part)])
    expect(refused([{ type: 'video', source: { kind: 'url', url: 'https://x' } }])).toThrow('Unsupported message')
    expect(refused([{ type: 'image', source: { kind: 'base64', data: 'AA' } }])).toThrow('media type')
    expect(refused([{ type: 'document', source: { kind: 'url', url: 'https://x' } }])).toThrow('fetches no addresses')
    expect(refused([{ type: 'audio', source: { kind: 'url', url: 'https://x' } }])).toThrow('base64')
  })

  it('replay reasoning beside content or calls only', () => {
    const reasoning: AssistantContent = { type: 'reasoning', id: 'rs_1', content: [{ type: 'summary', text: 'a' }, { type: 'text', text: 'b', signature: 's' }, { type: 'encrypted', data: 'e' }] }
    expect(messagesOf([hello, turn([reasoning, call])])[1]).toEqual({ role: 'assistant', reasoning_content: 'a\nb', tool_calls: [wireCall] })
    expect(messagesOf([hello, turn([reasoning])])).toHaveLength(1)
    expect(messagesOf([hello, turn([reasoning, call])], GROQ.dialect)[1]).toEqual({ role: 'assistant', tool_calls: [wireCall] })
    expect(messagesOf([hello, turn([reasoning, call])], VLLM.dialect)[1]).toMatchObject({ reasoning: 'a\nb' })
  })

  it('leave out what only another model could read, and keep what was said and done', () => {
    const thought: AssistantContent = { type: 'reasoning', content: [{ type: 'text', text: 'plain', signature: 's' }, { type: 'redacted', data: 'r' }], meta: { chat: { reasoningDetails: [{ type: 'reasoning.text', text: 'plain', signature: 's' }] } } }
    const signed: ToolCall = { ...call, additionalParams: { extra_content: { google: { thought_signature: 'x' } } } }
    const content: AssistantContent[] = [thought, { type: 'text', text: 't', meta: { openai: { itemId: 'msg_1' } } }, { type: 'provider_item', provider: 'openai', raw: {} }, signed]
    const kept = { role: 'assistant', content: 't', tool_calls: [wireCall] }
    const messages = (from: typeof origin) => messagesOf([hello, turn(content, from), Message.toolResult(signed, 'r')], OPENROUTER.dialect)
    expect(messages({ provider: 'anthropic', api: 'messages', model: 'c' }).slice(1)).toEqual([kept, { role: 'tool', tool_call_id: 'call_1', content: 'r' }])
    expect(messages({ ...origin, model: 'other' })[1]).toEqual({ ...kept, reasoning: 'plain' })
    expect(messages(origin)[1]).toEqual({ ...kept, reasoning_details: [{ type: 'reasoning.text', text: 'plain', signature: 's' }], tool_calls: [{ ...wireCall, extra_content: { google: { thought_signature: 'x' } } }] })
  })

  it('never name two calls of one message alike, even when the provider did', () => {
    const second: ToolCall = { ...call, id: 'call_minted' }
    const results: AnyMessage = { role: 'user', content: [call, second].flatMap((one) => Message.toolResult(one, 'r').content) }
    const [, said, ...answers] = messagesOf([hello, turn([call, second]), results])
    expect(said.tool_calls.map(({ id }: { id: string }) => id)).toEqual(['call_1', 'call_minted'])
    expect(answers.map((answer: { tool_call_id: string }) => answer.tool_call_id)).toEqual(['call_1', 'call_minted'])
  })

  it('replace arguments that are no object: servers that parse them refuse the whole request', () => {
    const half: ToolCall = { ...call, function: { name: 'f', arguments: {}, rawArguments: '{"a', argumentsError: 'cut' } }
    expect(messagesOf([hello, turn([half])])[1].tool_calls[0].function.arguments).toBe('{}')
  })

  it('need at least one of them', () => {
    expect(() => encode({ messages: [Message.system('')] })).toThrow('nothing to answer')
  })
})

describe('a request to Chat Completions', () => {
  it('describes tools with what they need only: no `strict` unless asked, and never a schema without its type', () => {
    expect(encode({ ...ask, tools }).tools).toEqual([{ type: 'function', function: tools[0] }, { type: 'function', function: { name: 'g', description: '', parameters: { type: 'object', properties: {} } } }])
    const strict = JSON.parse(bodyText(encoder({}, true).encode({ ...ask, tools }, { isStreaming: false }))).tools[0].function
    expect(strict).toMatchObject({ strict: true, parameters: { required: ['a'], additionalProperties: false } })
    expect(JSON.parse(bodyText(encoder(LLAMA_CPP.dialect, true).encode({ ...ask, tools }, { isStreaming: false }))).tools[0].function).not.toHaveProperty('strict')
  })

  it('names the tool choice in words, one function or several, and none without tools', () => {
    const choice = (toolChoice: CompletionRequest['toolChoice'], dialect?: Partial<ChatDialect>) => encode({ ...ask, tools, ...(toolChoice === undefined ? {} : { toolChoice }) }, dialect).tool_choice
    expect([choice('auto'), choice('none'), choice('required'), choice(undefined)]).toEqual(['auto', 'none', 'required', undefined])
    expect(choice({ type: 'specific', functionNames: ['f'] })).toEqual({ type: 'function', function: { name: 'f' } })
    const named = ['f', 'g'].map((name) => ({ type: 'function', function: { name } }))
    expect(choice({ type: 'specific', functionNames: ['f', 'g'] })).toEqual({ type: 'allowed_tools', allowed_tools: { mode: 'required', tools: named } })
    expect(() => choice({ type: 'specific', functionNames: ['f', 'g'] }, AZURE.dialect)).toThrow('not one of several')
    expect(() => choice({ type: 'specific', functionNames: [] })).toThrow('at least one')
    expect(encode({ ...ask, toolChoice: 'required' })).not.toHaveProperty('tool_choice')
  })

  it.each([
    ['gpt-4o', 'max_tokens'], ['o3-mini', 'max_completion_tokens'], ['gpt-5', 'max_completion_tokens'], ['gpt-5.2', 'max_completion_tokens'],
    ['gpt-5-mini', 'max_completion_tokens'], ['gpt-50', 'max_tokens'], ['omni', 'max_tokens'],
  ])('limits the answer of %s by %s, whichever name the caller used', (model, field) => {
    const other = field === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'
    const given = encode({ ...ask, model, maxTokens: 5, additionalParams: { max_tokens: 9 } })
    expect([given[field], given[other]]).toEqual([5, undefined])
    expect(encode({ ...ask, model, additionalParams: { max_tokens: 9 } })[field]).toBe(9)
    expect(encode({ ...ask, model, additionalParams: { max_completion_tokens: 9 } }).max_completion_tokens).toBe(9)
    expect(encode({ ...ask, model, maxTokens: 5 }, VLLM.dialect).max_tokens).toBe(5)
  })

  it('passes unknown parameters on, adds tools to its own, and lets the request decide what is its to decide', () => {
    const body = encode({ ...ask, tools, temperature: 0, hostedTools: [{ type: 'a' }], additionalParams: { model: 'x', messages: [], stream: true, temperature: 1, seed: 7, tools: [{ type: 'b' }] } })
    expect(body).toMatchObject({ model: 'm', seed: 7, temperature: 0, messages: [{ role: 'user', content: 'u' }] })
    expect(body.tools.slice(2)).toEqual([{ type: 'a' }, { type: 'b' }])
    expect(body).not.toHaveProperty('stream')
    expect(() => encode({ ...ask, additionalParams: { tools: {} } })).toThrow('array')
  })

  it('asks for usage when it streams, beside the caller\'s stream options', () => {
    expect(encode(ask, {}, true)).toMatchObject({ stream: true, stream_options: { include_usage: true } })
    expect(encode({ ...ask, additionalParams: { stream_options: { include_obfuscation: false } } }, {}, true).stream_options).toEqual({ include_usage: true, include_obfuscation: false })
    expect(encode({ ...ask, additionalParams: { stream_options: { include_usage: true } } })).not.toHaveProperty('stream_options')
    expect(encode(ask, MISTRAL.dialect, true)).not.toHaveProperty('stream_options')
  })

  it('asks for structured output under a name that is allowed; with tools only once one has answered', () => {
    const format = { type: 'json_schema', json_schema: { name: 'My_Answer', strict: true, schema: { ...outputSchema.schema, additionalProperties: false } } }
    expect(encode({ ...ask, outputSchema }).response_format).toEqual(format)
    expect(encode({ ...ask, outputSchema, tools })).not.toHaveProperty('response_format')
    expect(encode({ messages: [hello, turn([call]), Message.toolResult(call, 'r')], outputSchema, tools }).response_format).toEqual(format)
    expect(encode({ ...ask, outputSchema, tools, toolChoice: 'none' }).response_format).toEqual(format)
    expect(encode({ ...ask, outputSchema, additionalParams: { response_format: { type: 'text' } } }).response_format).toEqual({ type: 'text' })
  })

  it('writes each message and each tool once, however many requests they are in', () => {
    let reads = 0
    const counted: AnyMessage = { role: 'user', get content() { reads++; return [{ type: 'text' as const, text: 'u' }] } }
    const described = { name: 'f', parameters: {}, get description() { reads++; return 'd' } }
    const one = encoder()
    for (let n = 0; n < 3; n++) one.encode({ messages: [counted], tools: [described] }, { isStreaming: true })
    expect(reads).toBe(2)
  })
})

describe('the dialect of', () => {
  it('OpenRouter asks for usage with every request', () => {
    expect(encode(ask, OPENROUTER.dialect)).toMatchObject({ usage: { include: true } })
    expect(encode({ ...ask, additionalParams: { usage: { include: false } } }, OPENROUTER.dialect)).toMatchObject({ usage: { include: false } })
  })

  it('DeepSeek has plain strings only, and is told the schema in words', () => {
    const body = encode({ messages: [Message.system('s'), Message.user([{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }]), turn([{ type: 'text', text: 'x' }, { type: 'text', text: 'y' }])], outputSchema }, DEEPSEEK.dialect)
    expect(body.response_format).toEqual({ type: 'json_object' })
    expect(body.messages).toEqual([
      { role: 'system', content: 's' },
      { role: 'system', content: expect.stringContaining(JSON.stringify(outputSchema.schema)) },
      { role: 'user', content: 'a\nb' },
      { role: 'assistant', content: 'xy' },
    ])
    expect(() => messagesOf([Message.user([{ type: 'image', source: { kind: 'url', url: 'https://x' } }])], DEEPSEEK.dialect)).toThrow('texts only')
  })

  it('keep a place for the text of a turn of calls only where a server misses it: DeepSeek refuses such a turn in which it did not reason', () => {
    expect(messagesOf([hello, turn([call]), Message.toolResult(call, 'r')], DEEPSEEK.dialect)[1]).toEqual({ role: 'assistant', content: '', tool_calls: [wireCall] })
    expect(messagesOf([hello, turn([call]), Message.toolResult(call, 'r')], GROQ.dialect)[1]).toEqual({ role: 'assistant', tool_calls: [wireCall] })
  })

  it('Mistral has tool call ids of nine letters and digits, alike for a call and its result, different for different calls', () => {
    const second: ToolCall = { ...call, id: 'call_2', provider: { callId: 'call_2' } }
    const own: ToolCall = { ...call, id: 'abcDEF123', provider: { callId: 'abcDEF123' } }
    const results: AnyMessage = { role: 'user', content: [call, second, own].flatMap((one) => Message.toolResult(one, 'r').content) }
    const [, said, ...answers] = messagesOf([hello, turn([call, second, own]), results], MISTRAL.dialect)
    const ids = said.tool_calls.map(({ id }: { id: string }) => id)
    expect(ids).toEqual([expect.stringMatching(/^[a-zA-Z0-9]{9}$/), expect.stringMatching(/^[a-zA-Z0-9]{9}$/), 'abcDEF123'])
    expect(new Set(ids).size).toBe(3)
    expect(answers.map((answer: { tool_call_id: string }) => answer.tool_call_id)).toEqual(ids)
    expect(encode({ messages: [hello, turn([call]), Message.toolResult(call, 'r')], outputSchema, tools, toolChoice: 'required' }, MISTRAL.dialect)).not.toHaveProperty('response_format')
  })

  it('llama.cpp offers only the functions that may be chosen, for it cannot be told which', () => {
    const body = encode({ ...ask, tools, toolChoice: { type: 'specific', functionNames: ['g'] } }, LLAMA_CPP.dialect)
    expect(body.tool_choice).toBe('required')
    expect(body.tools.map((one: { function: { name: string } }) => one.function.name)).toEqual(['g'])
  })

  it('Perplexity refuses tools before anything is sent', () => {
    expect(() => encode({ ...ask, tools }, PERPLEXITY.dialect)).toThrow('takes no tools')
    expect(encode(ask, PERPLEXITY.dialect, true)).not.toHaveProperty('stream_options')
  })

  it('a local server has system and assistant texts as plain strings', () => {
    expect(messagesOf([Message.system('s'), hello, turn([{ type: 'text', text: 'x' }])], OLLAMA.dialect)).toEqual([{ role: 'system', content: 's' }, { role: 'user', content: 'u' }, { role: 'assistant', content: 'x' }])
    expect(messagesOf([Message.system('s'), hello], { systemRole: 'developer' })[0].role).toBe('developer')
  })
})
