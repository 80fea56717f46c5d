import { describe, expect, it } from 'vitest'
import type { StreamedAssistantContent, StreamFinal } from '../../completion/completion-event.ts'
import type { JsonObject } from '../../completion/json.ts'
import type { AssistantContent, ToolCall } from '../../completion/message-types.ts'
import { textOf } from '../../completion/message.ts'
import { PartsAccumulator } from '../../completion/parts-accumulator.ts'
import { ChatStreamDecoder } from './chat-stream-decoder.ts'
import { decodeChatResponse } from './decode-chat-response.ts'

interface Decoded { readonly items: readonly StreamedAssistantContent[]; readonly choice: readonly AssistantContent[]; readonly final: StreamFinal | undefined }

const DONE = '[DONE]'
const chunk = (delta: object, reason: string | null = null, more: object = {}) => ({ id: 'c1', model: 'm1', choices: [{ index: 0, delta, finish_reason: reason }], ...more })
const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, prompt_tokens_details: { cached_tokens: 2 }, completion_tokens_details: { reasoning_tokens: 1 } }
const calling = (...calls: object[]) => chunk({ tool_calls: calls })
const fragment = (index: number | undefined, call: { readonly id?: string; readonly name?: string; readonly args?: unknown }) => ({
  ...(index === undefined ? {} : { index }), ...(call.id === undefined ? {} : { id: call.id }), type: 'function',
  function: { ...(call.name === undefined ? {} : { name: call.name }), ...(call.args === undefined ? {} : { arguments: call.args }) },
})

function decode(events: readonly (object | string)[], { thinkTags = false, includeRaw = false, ends = true } = {}): Decoded {
  const items: StreamedAssistantContent[] = []
  const parts = new PartsAccumulator((item) => items.push(item))
  let ending: { readonly final: StreamFinal; readonly choice: readonly AssistantContent[] } | undefined
  const decoder = new ChatStreamDecoder({
    choice: (choice) => parts.accept(choice),
    finish: (final, options) => { ending = { final, choice: parts.finish(options) } },
  }, { provider: 'test', thinkTags, includeRaw, providerRequestId: 'req_1' })
  for (const event of events) decoder.push(typeof event === 'string' ? event : JSON.stringify(event))
  if (ends) decoder.end()
  expect(decoder.isFinished).toBe(ending !== undefined)
  return { items, choice: ending?.choice ?? parts.snapshot(), final: ending?.final }
}

const callsOf = (choice: readonly AssistantContent[]) => choice.flatMap((part) => (part.type === 'tool_call' ? [[part.id, part.function.name, part.function.rawArguments ?? '']] : []))
const thrownBy = (events: readonly (object | string)[]) => { try { decode(events); return undefined } catch (error) { return error } }

describe('the text of a streamed chat', () => {
  it('is what its deltas say, as strings or as parts', () => {
    const { choice, items } = decode([chunk({ role: 'assistant', content: '' }), chunk({ content: 'Grüße ' }), chunk({ content: [{ type: 'text', text: '東京' }] }), chunk({}, 'stop'), DONE])
    expect(choice).toEqual([{ type: 'text', text: 'Grüße 東京' }])
    expect(items.map(({ type }) => type)).toEqual(['text', 'text'])
  })

  it('is the refusal when there is one, and is marked as such', () => {
    const { choice } = decode([chunk({ content: null, refusal: 'I can' }), chunk({ refusal: 'not.' }), chunk({}, 'stop'), DONE])
    expect(choice).toEqual([{ type: 'text', text: 'I cannot.', meta: { openai: { refusal: true } } }])
    expect(decode([chunk({ content: 'a', refusal: 'b' }), chunk({}, 'stop'), DONE]).choice).toEqual([{ type: 'text', text: 'a' }])
  })

  it('is that of the first choice only', () => {
    const two = { id: 'c', choices: [{ index: 1, delta: { content: 'b' } }, { index: 0, delta: { content: 'a' } }] }
    expect(textOf(decode([two, { choices: [{ index: 1, delta: { content: 'b' }, finish_reason: 'length' }] }, chunk({}, 'stop'), DONE]).choice)).toBe('a')
  })
})

describe('the reasoning of a streamed chat', () => {
  it.each(['reasoning_content', 'reasoning'])('comes in %s, before the text whenever it was said', (field) => {
    const { choice, items } = decode([chunk({ [field]: 'a' }), chunk({ content: 'text' }), chunk({ [field]: 'b' }), chunk({}, 'stop'), DONE])
    expect(choice).toEqual([{ type: 'reasoning', content: [{ type: 'text', text: 'ab' }] }, { type: 'text', text: 'text' }])
    expect(items.map(({ type }) => type)).toEqual(['reasoning_delta', 'text', 'reasoning_delta', 'reasoning'])
  })

  it('is counted once when a server sends it under both names', () => {
    expect(decode([chunk({ reasoning_content: 'a', reasoning: 'a' }), chunk({}, 'length'), DONE]).choice).toEqual([{ type: 'reasoning', content: [{ type: 'text', text: 'a' }] }])
  })

  it('keeps its details as they came, put together by index, each encrypted one by itself', () => {
    const text = (more: object) => ({ type: 'reasoning.text', index: 0, format: 'anthropic-claude-v1', ...more })
    const { choice } = decode([
      chunk({ reasoning: 'Let', reasoning_details: [text({ text: 'Let', id: null, signature: null })] }),
      chunk({ reasoning: ' me', reasoning_details: [text({ text: ' me', format: null })] }),
      chunk({ reasoning_details: [text({ signature: 'sig' })] }),
      chunk({ content: 'x', reasoning_details: [{ type: 'reasoning.encrypted', data: 'e1', id: 'call_1', index: 0 }, { type: 'reasoning.encrypted', data: 'e2', id: 'call_2', index: 0 }] }),
      chunk({}, 'stop'), DONE,
    ])
    expect(choice[0]).toEqual({
      type: 'reasoning',
      content: [{ type: 'text', text: 'Let me', signature: 'sig' }, { type: 'encrypted', data: 'e1' }, { type: 'encrypted', data: 'e2' }],
      meta: { chat: { reasoningDetails: [
        { type: 'reasoning.text', index: 0, format: 'anthropic-claude-v1', text: 'Let me', id: null, signature: 'sig' },
        { type: 'reasoning.encrypted', data: 'e1', id: 'call_1', index: 0 },
        { type: 'reasoning.encrypted', data: 'e2', id: 'call_2', index: 0 },
      ] } },
    })
  })

  it('comes as a thinking part of the content with Mistral', () => {
    const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }
    expect(decode([chunk({ content: [thinking] }), chunk({ content: 'ok' }), chunk({}, 'stop'), DONE]).choice).toEqual([{ type: 'reasoning', content: [{ type: 'text', text: 'hm' }] }, { type: 'text', text: 'ok' }])
  })

  it('is told from the text by tags, only when asked to, wherever the pieces are cut', () => {
    const whole = '\n<think>Why < 2</th> not?</think>\n\nBecause <think>'
    const expected = [{ type: 'reasoning', content: [{ type: 'text', text: 'Why < 2</th> not?' }] }, { type: 'text', text: 'Because <think>' }]
    for (let size = 1; size <= whole.length; size++) {
      const pieces = whole.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
      expect(decode([...pieces.map((content) => chunk({ content })), chunk({}, 'stop'), DONE], { thinkTags: true }).choice).toEqual(expected)
    }
    expect(textOf(decode([chunk({ content: whole }), chunk({}, 'stop'), DONE]).choice)).toBe(whole)
    expect(textOf(decode([chunk({ content: ' <thi' }), chunk({}, 'stop'), DONE], { thinkTags: true }).choice)).toBe(' <thi')
    expect(decode([chunk({ content: '<think>half</th' }), chunk({}, 'length'), DONE], { thinkTags: true }).choice).toEqual([{ type: 'reasoning', content: [{ type: 'text', text: 'half</th' }] }])
  })
})

describe('the calls of a streamed chat', () => {
  it('are put together by index, held back until the end, and handed out in order with one internal id each', () => {
    const { items } = decode([
      calling(fragment(1, { id: 'b', name: 'g', args: '' })), calling(fragment(0, { id: 'a', name: 'f', args: '' })),
      calling(fragment(0, { args: '{"n"' }), fragment(1, { args: '{}' })), calling(fragment(0, { args: ':0}' })), chunk({}, 'tool_calls'), DONE,
    ])
    const handed = items.flatMap((item) => (item.type === 'tool_call' ? [item] : []))
    expect(handed.map(({ toolCall }) => [toolCall.id, toolCall.function.name, toolCall.function.arguments])).toEqual([['a', 'f', { n: 0 }], ['b', 'g', {}]])
    expect(items[0]).toMatchObject({ type: 'tool_call_delta', name: 'g', internalCallId: handed[1]?.internalCallId })
    expect(items.findLastIndex(({ type }) => type === 'tool_call_delta')).toBeLessThan(items.findIndex(({ type }) => type === 'tool_call'))
  })

  it('are several although one index is used for all, when both id and name are new; a new id alone says nothing', () => {
    expect(callsOf(decode([calling(fragment(0, { id: 'a', name: 'f', args: '{}' })), calling(fragment(0, { id: 'b', name: 'g', args: '{"x":1}' })), chunk({}, 'tool_calls'), DONE]).choice)).toEqual([['a', 'f', '{}'], ['b', 'g', '{"x":1}']])
    expect(callsOf(decode([calling(fragment(0, { id: 'a', name: 'f', args: '{"x"' })), calling(fragment(0, { id: 'other', name: 'f', args: ':1}' })), chunk({}, 'tool_calls'), DONE]).choice)).toEqual([['a', 'f', '{"x":1}']])
  })

  it('need no index: fragments go to the call with their id or to the latest, and whole calls follow one another', () => {
    expect(callsOf(decode([calling(fragment(undefined, { id: 'a', name: 'f', args: '{"x"' })), calling(fragment(undefined, { args: ':1}' })), chunk({}, 'tool_calls'), DONE]).choice)).toEqual([['a', 'f', '{"x":1}']])
    expect(callsOf(decode([calling(fragment(undefined, { id: '', name: 'f', args: '{"x":1}' })), calling(fragment(undefined, { id: '', name: 'f', args: '{"x":2}' })), chunk({}, 'stop'), DONE]).choice)).toEqual([
      [expect.stringMatching(/^call_/), 'f', '{"x":1}'], [expect.stringMatching(/^call_/), 'f', '{"x":2}'],
    ])
  })

  it('get an id of their own when the server gives none, or the same one twice', () => {
    const [first, second] = decode([calling(fragment(0, { id: 'same', name: 'f', args: '{}' }), fragment(1, { id: 'same', name: 'f', args: '{}' })), chunk({}, 'tool_calls'), DONE]).choice as ToolCall[]
    expect([first?.id, first?.provider]).toEqual(['same', { callId: 'same' }])
    expect(second?.id).toMatch(/^call_/)
    expect(second).not.toHaveProperty('provider')
  })

  it('keep their name when later fragments repeat it as nothing, and take arguments as an object', () => {
    const { choice, items } = decode([calling(fragment(0, { id: 'a', name: 'f' })), calling(fragment(0, { id: '', name: '', args: { x: 1 } })), chunk({ tool_calls: null }), chunk({}, 'tool_calls'), DONE])
    expect(callsOf(choice)).toEqual([['a', 'f', '{"x":1}']])
    expect(items.flatMap((item) => (item.type === 'tool_call_delta' ? [item.name] : []))).toEqual(['f', undefined])
  })

  it('carry Gemini\'s signature', () => {
    const extra = { google: { thought_signature: 'sig' } }
    expect(decode([calling({ ...fragment(0, { id: 'a', name: 'f', args: '{}' }), extra_content: extra }), chunk({}, 'tool_calls'), DONE]).choice).toMatchObject([{ signature: 'sig', additionalParams: { extra_content: extra } }])
  })

  it('of an answer that was cut off are only the whole ones', () => {
    const { choice, items, final } = decode([calling(fragment(0, { id: 'a', name: 'f', args: '{"x":1}' }), fragment(1, { id: 'b', name: 'g', args: '{"x' }), fragment(2, { id: 'c', name: 'h' })), chunk({}, 'length'), DONE])
    expect(callsOf(choice)).toEqual([['a', 'f', '{"x":1}']])
    expect(items.filter(({ type }) => type === 'tool_call')).toHaveLength(1)
    expect(final?.finishReason).toBe('length')
  })

  it('that make no sense are kept as such when the model was done with them, and dropped with a warning when it just stopped', () => {
    const half = calling(fragment(0, { id: 'a', name: 'f', args: '{"x' }))
    expect(decode([half, chunk({}, 'tool_calls'), DONE]).choice).toMatchObject([{ id: 'a', function: { arguments: {}, rawArguments: '{"x', argumentsError: expect.any(String) } }])
    const stopped = decode([half, chunk({}, 'stop'), DONE])
    expect(stopped.choice).toEqual([])
    expect(stopped.items.map(({ type }) => type)).toContain('warning')
  })

  it('may be the one call of older servers', () => {
    expect(callsOf(decode([chunk({ function_call: { name: 'f', arguments: '{' } }), chunk({ function_call: { arguments: '}' } }), chunk({}, 'function_call'), DONE]).choice)).toEqual([[expect.any(String), 'f', '{}']])
  })

  it('end the stream when their arguments never do', () => {
    const megabytes = calling(fragment(0, { id: 'a', name: 'f', args: 'x'.repeat(8 * 1024 * 1024) }))
    expect(() => decode([megabytes, megabytes, megabytes, megabytes, megabytes])).toThrow('exceed')
  })
})

describe('the end of a streamed chat', () => {
  it('carries usage from the chunk after it, the ids, and the request id', () => {
    const { final } = decode([chunk({ content: 'a' }), chunk({}, 'stop'), { id: 'c1', choices: [], usage }, DONE])
    expect(final).toEqual({
      usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7, cachedInputTokens: 2, cacheCreationInputTokens: 0, reasoningTokens: 1, toolUsePromptTokens: 0 },
      usageKnown: true, responseId: 'c1', model: 'm1', finishReason: 'stop', providerRequestId: 'req_1',
    })
  })

  it('finds usage where Groq, Moonshot and DeepSeek put it, and says when there was none', () => {
    expect(decode([chunk({}, 'stop', { x_groq: { usage } }), DONE]).final?.usage.totalTokens).toBe(7)
    expect(decode([{ choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage }] }, DONE]).final?.usage.totalTokens).toBe(7)
    expect(decode([chunk({}, 'stop', { usage: { prompt_tokens: 5, completion_tokens: 1, prompt_cache_hit_tokens: 4 } }), DONE]).final?.usage).toMatchObject({ totalTokens: 6, cachedInputTokens: 4 })
    expect(decode([chunk({ content: 'a' }, null, { usage: { prompt_tokens: 5 } }), chunk({}, 'stop', { usage: null }), chunk({}, null, { usage: { prompt_tokens: 6 } }), DONE]).final?.usage.inputTokens).toBe(6)
    expect(decode([chunk({}, 'stop'), DONE]).final).toMatchObject({ usageKnown: false })
    const odd = decode([chunk({}, 'stop', { usage: 'many' }), DONE])
    expect([odd.final?.usageKnown, odd.items[0]?.type]).toEqual([false, 'warning'])
  })

  it.each([
    ['stop', 'stop'], ['length', 'length'], ['max_tokens', 'length'], ['model_length', 'length'], ['tool_calls', 'tool_calls'],
    ['function_call', 'tool_calls'], ['content_filter', 'content_filter'], ['eos', { other: 'eos' }],
  ])('has the reason %s', (wire, reason) => {
    expect(decode([chunk({ content: 'a' }, wire), DONE]).final?.finishReason).toEqual(reason)
  })

  it('is [DONE] or the end of the bytes, once there was a reason; without one the answer is truncated', () => {
    expect(decode([chunk({ content: 'a' }), chunk({}, 'stop')]).final).toBeDefined()
    expect(decode([chunk({ content: 'a' }), chunk({}, '')]).final).toBeUndefined()
    expect(thrownBy([DONE])).toMatchObject({ kind: 'truncated_stream' })
    expect(thrownBy([chunk({ content: 'a' }), DONE])).toMatchObject({ kind: 'truncated_stream' })
    expect(decode([chunk({}, 'stop')], { ends: false }).final).toBeUndefined()
  })

  it('is final: what follows is ignored', () => {
    expect(decode([chunk({ content: 'a' }, 'stop'), DONE, chunk({ content: 'b' }), '{"error":{"message":"late"}}']).choice).toEqual([{ type: 'text', text: 'a' }])
  })

  it('hands over the chunks themselves on request only', () => {
    expect(decode([chunk({ content: 'a' }, 'stop'), DONE], { includeRaw: true }).final?.raw).toEqual([chunk({ content: 'a' }, 'stop')])
    expect(decode([chunk({ content: 'a' }, 'stop'), DONE]).final).not.toHaveProperty('raw')
  })
})

describe('what goes wrong in a streamed chat', () => {
  it.each<[string, object, object]>([
    ['an object', { error: { message: 'no', code: 'server_error' } }, { code: 'server_error' }],
    ['an object with a number', { error: { message: 'busy', code: 503 }, choices: [] }, { code: '503', status: 503 }],
    ['a string', { error: 'no' }, {}],
    ['the whole chunk', { object: 'error', message: 'no', type: 'BadRequestError', code: 400 }, { code: '400', status: 400 }],
    ['beside an empty choice', { error: { message: 'no' }, choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }] }, {}],
    ['within the choice', { choices: [{ index: 0, delta: {}, error: { message: 'no' }, finish_reason: 'error' }] }, {}],
  ])('is thrown when the error is %s', (_where, payload, details) => {
    expect(thrownBy([chunk({ content: 'a' }), payload])).toMatchObject({ kind: 'provider_response', provider: 'test', providerRequestId: 'req_1', bodyJson: payload, ...details })
  })

  it('is no error when it is empty, or when the chunk says something', () => {
    expect(textOf(decode([chunk({ content: 'a' }, null, { error: null }), chunk({ content: 'b' }, null, { error: {} }), chunk({ content: 'c' }, null, { error: { message: 'soft' } }), chunk({}, 'stop', { error: '' }), DONE]).choice)).toBe('abc')
  })

  it('is a warning when a chunk is malformed, and an error when that chunk was the end', () => {
    const { items, choice } = decode([chunk({ content: 'a' }), '{"choices":[{"delta":{"content":"b', '17', 'null', chunk({ content: 'c' }, 'stop'), DONE])
    expect(items.map(({ type }) => type)).toEqual(['text', 'warning', 'text'])
    expect(textOf(choice)).toBe('ac')
    expect(thrownBy(['{"choices":[{"delta":{},"finish_reason":"stop"'])).toMatchObject({ kind: 'json' })
    expect(thrownBy(['{"error":{"message":"x"'])).toMatchObject({ kind: 'json' })
  })

  it('is nothing when chunks have nulls, unknown fields, or neither choices nor a delta', () => {
    const { choice } = decode([
      { id: '', object: '', model: '', choices: [], prompt_filter_results: [{}] },
      { id: 'c', choices: [{ index: 0, finish_reason: null }] }, { id: 'c', choices: null },
      { id: 'c', model: 'm', choices: [{ index: 0, delta: { content: 'a', tool_calls: null, reasoning_content: null, refusal: null, audio: null, phase: null }, logprobs: null, token_ids: null, finish_reason: null }], obfuscation: 'zz', usage: null },
      chunk({}, 'stop'), DONE,
    ])
    expect(choice).toEqual([{ type: 'text', text: 'a' }])
  })
})

describe('a whole chat answer', () => {
  const decodeWhole = (answer: JsonObject) => decodeChatResponse(answer, { provider: 'test', thinkTags: false, providerRequestId: undefined })
  const answered = (message: JsonObject, reason: string | null = 'stop', more: JsonObject = {}) => decodeWhole({ id: 'c1', model: 'm', choices: [{ index: 0, message, finish_reason: reason }], ...more })

  it('has its parts in the order of the stream, and calls without ids apart', () => {
    const { choice, usage: counted, responseId } = answered({
      content: 'text', reasoning_content: 'why', tool_calls: [{ function: { name: 'f', arguments: { x: 1 } } }, { id: 'b', function: { name: 'f', arguments: '{"x":2}' } }],
    }, 'tool_calls', { usage })
    expect(choice).toMatchObject([{ type: 'reasoning', content: [{ text: 'why' }] }, { text: 'text' }, { function: { arguments: { x: 1 } } }, { id: 'b', function: { arguments: { x: 2 } } }])
    expect([responseId, counted.totalTokens]).toEqual(['c1', 7])
    expect(answered({ tool_calls: [{ function: { name: 'f' } }, { function: { name: 'f' } }] }, 'tool_calls').choice).toHaveLength(2)
  })

  it('is the refusal when there is nothing else, and the first of several choices', () => {
    expect(answered({ content: null, refusal: 'No.' }).choice).toMatchObject([{ text: 'No.' }])
    expect(decodeWhole({ choices: [{ index: 1, message: { content: 'b' } }, { index: 0, message: { content: 'a' } }] }).choice).toMatchObject([{ text: 'a' }])
  })

  it('loses a call that was cut off, and may then be empty', () => {
    expect(answered({ content: null, tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{"x' } }] }, 'length')).toMatchObject({ choice: [], finishReason: 'length' })
    expect(answered({ content: '' }, 'content_filter')).toMatchObject({ choice: [], finishReason: 'content_filter' })
  })

  it('throws when it is empty without a reason, has no choice, or tells of an error', () => {
    expect(() => answered({ content: '' })).toThrow('empty')
    expect(() => decodeWhole({ id: 'c' })).toThrow('no choice')
    expect(() => decodeWhole({ choices: [], error: { message: 'no', code: 'x' } })).toThrow('test: x: no')
  })
})
