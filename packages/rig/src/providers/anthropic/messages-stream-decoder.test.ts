import { describe, expect, it } from 'vitest'
import { blockEvents, type WireBlock } from '../../../test/messages-server.ts'
import type { StreamedAssistantContent, StreamFinal } from '../../completion/completion-event.ts'
import { textOf } from '../../completion/message.ts'
import type { AssistantContent } from '../../completion/message-types.ts'
import { PartsAccumulator } from '../../completion/parts-accumulator.ts'
import { CompletionError } from '../../errors.ts'
import { decodeMessage } from './decode-response.ts'
import { MessagesStreamDecoder } from './messages-stream-decoder.ts'

interface Decoded { readonly items: readonly StreamedAssistantContent[]; readonly choice: readonly AssistantContent[]; readonly final: StreamFinal | undefined }

function decode(events: readonly (object | string)[], options = {}): Decoded {
  const items: StreamedAssistantContent[] = []
  const parts = new PartsAccumulator((item) => items.push(item))
  let ending: { readonly final: StreamFinal; readonly choice: readonly AssistantContent[] } | undefined
  const decoder = new MessagesStreamDecoder({
    choice: (choice) => parts.accept(choice),
    finish: (final, how) => { ending = { final, choice: parts.finish(how) } },
  }, options)
  for (const event of events) decoder.push(typeof event === 'string' ? event : JSON.stringify(event))
  decoder.end()
  return { items, choice: ending?.choice ?? parts.snapshot(), final: ending?.final }
}

const usage = { input_tokens: 10, cache_read_input_tokens: 3, cache_creation_input_tokens: 5, output_tokens: 1 }
const begin = { type: 'message_start', message: { id: 'msg_1', model: 'claude-x', content: [], stop_reason: null, usage } }
const end = (stopReason = 'end_turn', more: object = { usage: { output_tokens: 7 } }) => ({ type: 'message_delta', delta: { stop_reason: stopReason, stop_sequence: null }, ...more })
const start = (index: number, block: object) => ({ type: 'content_block_start', index, content_block: block })
const delta = (index: number, fields: object) => ({ type: 'content_block_delta', index, delta: fields })
const stop = (index: number) => ({ type: 'content_block_stop', index })
const words = (text: string, index = 0) => delta(index, { type: 'text_delta', text })
const call = (index: number, input: string, id = `toolu_${index}`) => [start(index, { type: 'tool_use', id, name: 'f', input: {}, caller: { type: 'direct' } }), delta(index, { type: 'input_json_delta', partial_json: input }), stop(index)]
const text = (index: number, said: string) => [start(index, { type: 'text', text: '' }), words(said, index), stop(index)]

describe('a streamed message', () => {
  it('tells its id, its model, why it ended, and what it used', () => {
    expect(decode([begin, ...text(0, 'hi'), end()]).final).toEqual({
      messageId: 'msg_1', model: 'claude-x', finishReason: 'stop', usageKnown: true,
      usage: { inputTokens: 10, outputTokens: 7, totalTokens: 25, cachedInputTokens: 3, cacheCreationInputTokens: 5, reasoningTokens: 0, toolUsePromptTokens: 0 },
    })
    expect(decode([begin, end('end_turn', { usage: { input_tokens: 12, output_tokens: 7, output_tokens_details: { thinking_tokens: 4 } } })]).final?.usage)
      .toMatchObject({ inputTokens: 12, totalTokens: 27, reasoningTokens: 4 })
  })

  it('is counted from gateways too, which say null and zero in one place or the other', () => {
    const empty = { input_tokens: 0, output_tokens: 0, cache_read_input_tokens: null, cache_creation_input_tokens: null }
    expect(decode([{ type: 'message_start', message: { id: 'm', usage: empty } }, end('end_turn', { usage: { input_tokens: 32, output_tokens: 16, cache_read_input_tokens: 0 } })]).final?.usage).toMatchObject({ inputTokens: 32, totalTokens: 48 })
    expect(decode([begin, end('end_turn', { usage: { ...empty, output_tokens: 16 } })]).final?.usage).toMatchObject({ inputTokens: 10, cachedInputTokens: 3, outputTokens: 16 })
    expect(decode([{ type: 'message_start', message: null }, end('end_turn', { usage: null })]).final).toMatchObject({ usageKnown: false, usage: { totalTokens: 0 } })
    expect(() => decode([begin, end('end_turn', { usage: 'many' })])).toThrow('malformed usage')
  })

  it.each([
    ['end_turn', 'stop'], ['stop_sequence', 'stop'], ['tool_use', 'tool_calls'], ['max_tokens', 'length'], ['model_context_window_exceeded', 'length'],
    ['refusal', 'content_filter'], ['pause_turn', { other: 'pause_turn' }],
  ])('that stops for %s has finished as %j', (stopReason, reason) => {
    expect(decode([begin, end(stopReason)]).final?.finishReason).toEqual(reason)
  })

  it('ends with its stop reason, whatever follows or does not follow', () => {
    const { items, final } = decode([begin, ...text(0, 'a'), end(), words('late', 1), { type: 'message_stop' }, '[DONE]', { type: 'error', error: { type: 'api_error', message: 'late' } }])
    expect(textOf(decode([begin, ...text(0, 'a'), end()]).choice)).toBe('a')
    expect(items.map(({ type }) => type)).toEqual(['text'])
    expect(final).toMatchObject({ finishReason: 'stop' })
    expect(decode([begin, ...text(0, 'a')]).final).toBeUndefined()
    expect(decode([begin, { type: 'message_delta', delta: { stop_reason: null }, usage: { output_tokens: 9 } }, ...text(0, 'a'), { type: 'message_stop' }])).toMatchObject({ choice: [{ text: 'a' }], final: { usage: { outputTokens: 9 } } })
  })

  it('may say nothing at all', () => {
    expect(decode([begin, end()])).toMatchObject({ choice: [], items: [], final: { finishReason: 'stop' } })
    const empty = [{ type: 'text', text: '' }, { type: 'thinking', thinking: '', signature: '' }, { type: 'redacted_thinking', data: '' }]
    expect(decode([begin, ...empty.flatMap((block, index) => [start(index, block), stop(index)]), end()]).choice).toEqual([])
    expect(decodeMessage({ content: empty, stop_reason: 'end_turn' }, {}).choice).toEqual([])
  })

  it('keeps thinking with its signature, silent and redacted thinking too, and everything in its place', () => {
    const { choice, items } = decode([
      begin, start(0, { type: 'thinking', thinking: '', signature: '' }), delta(0, { type: 'thinking_delta', thinking: 'wh' }), delta(0, { type: 'thinking_delta', thinking: 'y' }),
      delta(0, { type: 'signature_delta', signature: 'si' }), delta(0, { type: 'signature_delta', signature: 'gned' }), stop(0),
      start(1, { type: 'redacted_thinking', data: 'opaque' }), stop(1),
      start(2, { type: 'thinking', thinking: '', signature: '' }), delta(2, { type: 'thinking_delta', thinking: '' }), delta(2, { type: 'signature_delta', signature: 'silent' }), stop(2),
      ...text(3, 'said'), end(),
    ])
    expect(choice).toEqual([
      { type: 'reasoning', content: [{ type: 'text', text: 'why', signature: 'signed' }] },
      { type: 'reasoning', content: [{ type: 'redacted', data: 'opaque' }] },
      { type: 'reasoning', content: [{ type: 'text', text: '', signature: 'silent' }] },
      { type: 'text', text: 'said' },
    ])
    expect(items.map(({ type }) => type)).toEqual(['reasoning_delta', 'reasoning_delta', 'reasoning', 'reasoning', 'reasoning', 'text'])
  })

  it('names its parts differently from those of another message', () => {
    const idOf = (message: string) => decode([{ type: 'message_start', message: { id: message } }, words('a')]).items.map((item) => (item.type === 'text' ? item.id : ''))
    expect(idOf('msg_1')).not.toEqual(idOf('msg_2'))
  })

  it('holds calls back until its end and hands them out in order, with the text of their arguments', () => {
    const { items, choice } = decode([begin, ...call(0, '{"n": 0}'), ...call(1, '{"n": 1}'), end('tool_use')])
    expect(items.map(({ type }) => type)).toEqual(['tool_call_delta', 'tool_call_delta', 'tool_call_delta', 'tool_call_delta', 'tool_call', 'tool_call'])
    expect(choice).toEqual([0, 1].map((n) => ({ type: 'tool_call', id: `toolu_${n}`, provider: { callId: `toolu_${n}` }, function: { name: 'f', arguments: { n }, rawArguments: `{"n": ${n}}` } })))
    expect(decode([begin, ...call(0, '{}')]).items.some(({ type }) => type === 'tool_call')).toBe(false)
  })

  it('has calls without arguments, and calls whose arguments came at once', () => {
    expect(decode([begin, ...call(0, ''), end('tool_use')]).choice).toMatchObject([{ function: { arguments: {} } }])
    expect(decode([begin, start(0, { type: 'tool_use', id: 't', name: 'f', input: { whole: true } }), stop(0), end('tool_use')]).choice).toMatchObject([{ function: { arguments: { whole: true } } }])
    expect(decode([begin, start(0, { type: 'tool_use', name: 'f' }), end('tool_use')]).choice).toMatchObject([{ id: expect.stringMatching(/^call_/), function: { name: 'f', arguments: {} } }])
  })

  it('keeps a call whose arguments make no sense, marked, unless the answer was cut off', () => {
    expect(decode([begin, ...call(0, '{oops'), end('tool_use')]).choice).toMatchObject([{ function: { arguments: {}, rawArguments: '{oops', argumentsError: expect.any(String) } }])
    expect(decode([begin, ...call(0, '{"whole":true}'), ...call(1, '{"ha'), end('max_tokens')]).choice).toMatchObject([{ id: 'toolu_0' }])
  })

  it('that was cut off in the middle of a call forgets the call and keeps the rest', () => {
    const half = [start(1, { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }), delta(1, { type: 'input_json_delta', partial_json: '{}' })]
    expect(decode([begin, ...text(0, 'first'), ...half, end('max_tokens')])).toMatchObject({ choice: [{ type: 'text', text: 'first' }], final: { finishReason: 'length', usage: { outputTokens: 7 } } })
    const query = [start(1, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }), delta(1, { type: 'input_json_delta', partial_json: '{"qu' })]
    expect(decode([begin, start(0, { type: 'thinking', thinking: '' }), delta(0, { type: 'thinking_delta', thinking: 'half' }), ...query, end('max_tokens')]).choice)
      .toEqual([{ type: 'reasoning', content: [{ type: 'text', text: 'half' }] }])
  })

  it('keeps tools that the provider ran where they stand, and the citations of a text', () => {
    const found = { type: 'web_search_tool_result', tool_use_id: 's', content: [{ type: 'web_search_result', url: 'https://x' }] }
    const novel = { type: 'novel_block', anything: [1] }
    const { choice, items } = decode([
      begin, ...text(0, 'looking'),
      start(1, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }), delta(1, { type: 'input_json_delta', partial_json: '{"query":' }), delta(1, { type: 'input_json_delta', partial_json: '"q"}' }), stop(1),
      start(2, found), stop(2), start(3, novel), stop(3),
      start(4, { type: 'text', text: '', citations: [] }), delta(4, { type: 'citations_delta', citation: { url: 'https://x' } }), words('cited', 4), delta(4, { type: 'citations_delta', citation: { url: 'https://y' } }), stop(4),
      end(),
    ])
    expect(choice).toEqual([
      { type: 'text', text: 'looking' },
      { type: 'provider_item', provider: 'anthropic', raw: { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'q' } } },
      { type: 'provider_item', provider: 'anthropic', raw: found },
      { type: 'provider_item', provider: 'anthropic', raw: novel },
      { type: 'text', text: 'cited', meta: { anthropic: { citations: [{ url: 'https://x' }, { url: 'https://y' }] } } },
    ])
    expect(items.filter(({ type }) => type === 'unknown')).toHaveLength(3)
    const broken = [start(0, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }), delta(0, { type: 'input_json_delta', partial_json: '{"qu' }), stop(0)]
    expect(decode([begin, ...broken, end()]).choice).toEqual([])
  })

  it.each([
    [{ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_9' }, { code: 'overloaded_error', providerRequestId: 'req_9' }],
    [{ type: 'error', error: { type: 'invalid_request_error', message: 'no' } }, { code: 'invalid_request_error', providerRequestId: 'req_1' }],
    [{ type: 'error' }, { kind: 'provider_response' }],
  ])('that fails throws what the provider says: %j', (event, expected) => {
    expect(() => decode([begin, words('x'), event], { providerRequestId: 'req_1' })).toThrow(expect.objectContaining({ kind: 'provider_response', provider: 'anthropic', ...expected }))
  })

  it('goes on after a malformed frame or a delta that nobody knows, unless that frame was the end', () => {
    const { items } = decode([begin, words('a'), '{"type":"content_block_delta","del', { type: 'ping' }, '"keep-alive"', delta(0, { type: 'novel_delta' }), words('b'), end()])
    expect(items.map(({ type }) => type)).toEqual(['text', 'warning', 'warning', 'text'])
    expect(() => decode([begin, '{"delta":{"stop_reason":"end_turn"},"type":"message_delta","us'])).toThrow(CompletionError)
    expect(decode([begin, String.raw`{"type":"content_block_delta","delta":{"text":"say \"type\":\"error\" `, words('b'), end()]).choice).toMatchObject([{ text: 'b' }])
  })

  it('is understood from servers that announce no block, never end one, or count them wrongly', () => {
    expect(textOf(decode([begin, { type: 'content_block_delta', delta: { type: 'text_delta', text: 'a' } }, { type: 'content_block_delta', delta: { type: 'text_delta', text: 'b' } }, end()]).choice)).toBe('ab')
    expect(decode([begin, start(0, { type: 'thinking', thinking: 'why', signature: 's' }), start(1, { type: 'text', text: 'be' }), words('gun', 1), end()]).choice)
      .toEqual([{ type: 'reasoning', content: [{ type: 'text', text: 'why', signature: 's' }] }, { type: 'text', text: 'begun' }])
    expect(decode([begin, ...text(0, 'a').slice(0, 2), ...text(0, 'b'), words('late'), end()]).choice).toEqual([{ type: 'text', text: 'ab' }])
    expect(decode([begin, ...text(0, 'a'), ...call(0, '{}', 'toolu_a'), ...call(0, '{}', 'toolu_b'), end('end_turn')]).choice).toMatchObject([{ text: 'a' }, { id: 'toolu_a' }, { id: 'toolu_b' }])
  })

  it('gives the provider\'s own object, with all counters, on request only', () => {
    expect(decode([begin, ...text(0, 'a'), end()], { includeRaw: true }).final?.raw).toMatchObject({ id: 'msg_1', stop_reason: 'end_turn', usage: { ...usage, output_tokens: 7 } })
    expect(decode([begin, end()]).final).not.toHaveProperty('raw')
  })

  it('has the same parts as the same message at once', () => {
    const content: readonly WireBlock[] = [
      { type: 'thinking', thinking: 'why', signature: 's' }, { type: 'redacted_thinking', data: 'r' }, { type: 'text', text: 'said' },
      { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'q' } }, { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
      { type: 'thinking', thinking: '', signature: 'silent' }, { type: 'tool_use', id: 'a', name: 'f', input: { n: [1, { x: 'ü' }] } },
      { type: 'tool_use', id: 'b', name: 'g', input: {}, caller: { type: 'code_execution_20250825', tool_id: 's' } },
    ]
    const whole = decodeMessage({ id: 'msg_1', model: 'claude-x', content, stop_reason: 'tool_use', usage: { ...usage, output_tokens: 7 } }, {})
    const streamed = decode([begin, ...content.flatMap(blockEvents), end('tool_use')])
    expect(whole.choice).toEqual(streamed.choice)
    expect(whole.choice.map(({ type }) => type)).toEqual(['reasoning', 'reasoning', 'text', 'provider_item', 'provider_item', 'reasoning', 'tool_call', 'tool_call'])
    expect(whole.choice.at(-1)).toMatchObject({ additionalParams: { caller: { tool_id: 's' } } })
    expect(whole).toMatchObject({ ...streamed.final })
  })

  it('never breaks the decoder, whatever the frames say: 20,000 of them', () => {
    const random = mulberry32(11)
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
    const junk = [null, 0, -1, 1.5, '', 'x', true, [], {}, [null], { type: 'text' }, { type: 'text_delta', text: 'ok' }, { type: 'text_delta', text: 4 }, { type: 'thinking', signature: 7 }, { type: 'thinking_delta', thinking: 't' },
      { type: 'signature_delta' }, { type: 'tool_use', input: 'x' }, { type: 'tool_use', id: 'same', name: 'f' }, { type: 'input_json_delta', partial_json: '{' }, { type: 'server_tool_use' }, { type: 'citations_delta' }, { id: 5, usage: [] }]
    const types = ['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop', 'ping', null, 7]
    const parts = new PartsAccumulator()
    const decoder = new MessagesStreamDecoder({ choice: (choice) => parts.accept(choice), finish: () => undefined })
    for (let frame = 0; frame < 20_000; frame++) {
      const keys = ['message', 'content_block', 'index', 'delta', 'usage'].filter(() => random() < 0.7)
      const json = JSON.stringify({ type: pick(types), ...Object.fromEntries(keys.map((key) => [key, key === 'index' ? Math.floor(random() * 400) : pick(junk)])) })
      decoder.push(random() < 0.05 ? json.slice(0, Math.floor(random() * json.length)) : json)
    }
    decoder.push(JSON.stringify(end('tool_use')))
    const choice = parts.finish({ isComplete: true })
    expect(decoder.isFinished).toBe(true)
    expect(choice.every((part) => part.type !== 'tool_call' || part.id !== '')).toBe(true)
    expect(choice.length).toBeGreaterThan(100)
  })
})

describe('a whole message', () => {
  it('keeps what the model said before it was cut off', () => {
    expect(decodeMessage({ content: [{ type: 'text', text: 'half', citations: [{ url: 'https://x' }] }, null], stop_reason: 'max_tokens' }, {}))
      .toMatchObject({ choice: [{ text: 'half', meta: { anthropic: { citations: [{ url: 'https://x' }] } } }], finishReason: 'length', usageKnown: false })
    expect(decodeMessage({ content: [{ type: 'tool_use', id: 't', name: 'f', input: '{"ha' }], stop_reason: 'max_tokens' }, {}).choice).toEqual([])
  })

  it('may have input as text, as some servers send it', () => {
    expect(decodeMessage({ content: [{ type: 'tool_use', id: 't', name: 'f', input: '{"n":1}' }] }, {}).choice).toMatchObject([{ function: { arguments: { n: 1 } } }])
  })

  it('that is an error, or nothing of the kind, throws', () => {
    expect(() => decodeMessage({ type: 'error', error: { type: 'api_error', message: 'broke' } }, {})).toThrow(expect.objectContaining({ kind: 'provider_response', code: 'api_error' }))
    expect(() => decodeMessage({ error: { message: 'broke' }, content: [] }, {})).toThrow('anthropic: broke')
    expect(() => decodeMessage({ id: 'm' }, {})).toThrow(expect.objectContaining({ kind: 'response' }))
  })

  it('gives the object that it was read from on request', () => {
    expect(decodeMessage({ id: 'm', content: [] }, { includeRaw: true, providerRequestId: 'req_1' })).toMatchObject({ raw: { id: 'm' }, providerRequestId: 'req_1', messageId: 'm', choice: [] })
  })
})

/** A small repeatable source of numbers from 0 to 1. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
