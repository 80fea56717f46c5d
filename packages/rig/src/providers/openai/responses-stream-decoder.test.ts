import { describe, expect, it } from 'vitest'
import type { StreamedAssistantContent, StreamFinal } from '../../completion/completion-event.ts'
import { textOf } from '../../completion/message.ts'
import type { AssistantContent } from '../../completion/message-types.ts'
import { PartsAccumulator } from '../../completion/parts-accumulator.ts'
import { CompletionError } from '../../errors.ts'
import { ResponsesStreamDecoder } from './responses-stream-decoder.ts'

interface Decoded { readonly items: readonly StreamedAssistantContent[]; readonly choice: readonly AssistantContent[]; readonly final: StreamFinal | undefined }

function decode(events: readonly (object | string)[]): Decoded {
  const items: StreamedAssistantContent[] = []
  const parts = new PartsAccumulator((item) => items.push(item))
  let ending: { readonly final: StreamFinal; readonly choice: readonly AssistantContent[] } | undefined
  const decoder = new ResponsesStreamDecoder({
    choice: (choice) => parts.accept(choice),
    finish: (final, options) => { ending = { final, choice: parts.finish(options) } },
  })
  for (const event of events) decoder.push(typeof event === 'string' ? event : JSON.stringify(event))
  return { items, choice: ending?.choice ?? parts.snapshot(), final: ending?.final }
}

const completed = (more: object = {}) => ({ type: 'response.completed', response: { id: 'resp_1', status: 'completed', usage: { input_tokens: 3, output_tokens: 4 }, ...more } })
const delta = (text: string, index = 0) => ({ type: 'response.output_text.delta', output_index: index, item_id: `msg_${index}`, content_index: 0, delta: text })
const call = (index: number, args: string, status = 'completed') => ({ type: 'response.output_item.done', output_index: index, item: { type: 'function_call', id: `fc_${index}`, call_id: `call_${index}`, name: 'f', arguments: args, status } })

describe('a streamed response', () => {
  it('keeps parts in the order of the wire, whichever of them is finished first', () => {
    const { choice } = decode([
      delta('text', 1),
      { type: 'response.output_item.done', output_index: 0, item: { type: 'reasoning', id: 'rs_0', summary: [{ type: 'summary_text', text: 'why' }], encrypted_content: 'e' } },
      call(2, '{}'),
      completed(),
    ])
    expect(choice.map(({ type }) => type)).toEqual(['reasoning', 'text', 'tool_call'])
  })

  it('calls a reasoning item what it is called in the end, for its encrypted content goes with that name', () => {
    const { choice } = decode([
      { type: 'response.output_item.added', output_index: 0, item: { type: 'reasoning', id: 'rs_early', summary: [] } },
      { type: 'response.output_item.done', output_index: 0, item: { type: 'reasoning', id: 'rs_late', summary: [], encrypted_content: 'e' } },
      completed(),
    ])
    expect(choice).toEqual([{ type: 'reasoning', id: 'rs_late', content: [{ type: 'encrypted', data: 'e' }] }])
  })

  it('takes the encrypted content of the finished reasoning item, and every summary once', () => {
    const place = { output_index: 0, item_id: 'rs_0' }
    const { choice, items } = decode([
      { type: 'response.output_item.added', output_index: 0, item: { type: 'reasoning', id: 'rs_0', summary: [], encrypted_content: 'early' } },
      { type: 'response.reasoning_summary_part.added', ...place, summary_index: 0 },
      { type: 'response.reasoning_summary_text.delta', ...place, summary_index: 0, delta: 'a' },
      { type: 'response.reasoning_summary_text.delta', ...place, summary_index: 1, delta: 'b' },
      { type: 'response.output_item.done', output_index: 0, item: { type: 'reasoning', id: 'rs_0', summary: [{ type: 'summary_text', text: 'a' }, { type: 'summary_text', text: 'b' }], encrypted_content: 'kept' } },
      completed({ output: [{ type: 'reasoning', id: 'rs_0', encrypted_content: 'late' }] }),
    ])
    expect(choice).toEqual([{ type: 'reasoning', id: 'rs_0', content: [{ type: 'summary', text: 'a' }, { type: 'summary', text: 'b' }, { type: 'encrypted', data: 'kept' }] }])
    expect(items.map(({ type }) => type)).toEqual(['reasoning_delta', 'reasoning_delta', 'reasoning'])
  })

  it('holds calls back until its end and then hands them out in order, with one internal id from delta to call', () => {
    const added = (index: number) => ({ type: 'response.output_item.added', output_index: index, item: { type: 'function_call', id: `fc_${index}`, call_id: `call_${index}`, name: 'f', arguments: '' } })
    const { items } = decode([added(0), added(1), { type: 'response.function_call_arguments.delta', output_index: 0, item_id: 'fc_0', delta: '{"n":' }, call(1, '{"n":1}'), call(0, '{"n":0}'), completed()])
    const calls = items.flatMap((item) => (item.type === 'tool_call' ? [item] : []))
    expect(calls.map(({ toolCall }) => [toolCall.id, toolCall.function.rawArguments])).toEqual([['call_0', '{"n":0}'], ['call_1', '{"n":1}']])
    expect(items[0]).toMatchObject({ type: 'tool_call_delta', name: 'f', internalCallId: calls[0]?.internalCallId })
    expect(items.findLastIndex(({ type }) => type === 'tool_call_delta')).toBeLessThan(items.findIndex(({ type }) => type === 'tool_call'))
  })

  it('that was cut off is an answer: half a call is forgotten, a whole one survives, usage is known', () => {
    const { choice, final } = decode([
      call(0, '{"whole":true}'),
      { type: 'response.output_item.added', output_index: 1, item: { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'f', arguments: '' } },
      { type: 'response.function_call_arguments.delta', output_index: 1, item_id: 'fc_1', delta: '{"ha' },
      { type: 'response.incomplete', response: { id: 'r', status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 } } },
    ])
    expect(choice).toMatchObject([{ id: 'call_0' }])
    expect(final).toMatchObject({ finishReason: 'length', usage: { totalTokens: 3 } })
  })

  it('keeps a call whose arguments make no sense, marked, so that the model can be told', () => {
    expect(decode([call(0, '{oops'), completed()]).choice).toMatchObject([{ function: { arguments: {}, rawArguments: '{oops', argumentsError: expect.any(String) } }])
  })

  it.each([
    [{ type: 'response.failed', response: { id: 'r', status: 'failed', error: { code: 'server_error', message: 'broke' } } }, 'server_error'],
    [{ type: 'error', code: 'rate_limit_exceeded', message: 'slow down', param: null }, 'rate_limit_exceeded'],
    [{ type: 'error', error: { type: 'invalid_request_error', code: 'bad', message: 'no' } }, 'bad'],
    [{ type: 'response.cancelled', response: { id: 'r', status: 'cancelled' } }, 'cancelled'],
  ])('that fails throws what the provider says: %j', (event, code) => {
    expect(() => decode([delta('x'), event])).toThrow(expect.objectContaining({ kind: 'provider_response', code }))
  })

  it('shows a refusal as text and marks it', () => {
    const { choice, items } = decode([
      { type: 'response.refusal.delta', output_index: 0, item_id: 'msg_0', content_index: 0, delta: 'I cannot.' },
      { type: 'response.output_item.done', output_index: 0, item: { type: 'message', id: 'msg_0', content: [{ type: 'refusal', refusal: 'I cannot.' }] } },
      completed(),
    ])
    expect(choice).toMatchObject([{ type: 'text', text: 'I cannot.', meta: { openai: { refusal: true } } }])
    expect(items).toHaveLength(1)
  })

  it('keeps items of tools that the provider runs, in their place', () => {
    const search = { type: 'web_search_call', id: 'ws_0', status: 'completed' }
    expect(decode([{ type: 'response.output_item.done', output_index: 0, item: search }, delta('found', 1), completed()]).choice).toMatchObject([{ type: 'provider_item', provider: 'openai', raw: search }, { type: 'text' }])
  })

  it('is understood from servers that leave out indexes, send keep-alives, or say everything at the end', () => {
    expect(textOf(decode([{ type: 'response.output_text.delta', delta: 'a' }, '"keep-alive"', '[DONE]', { type: 'keepalive' }, { type: 'response.output_text.delta', delta: 'b' }, completed()]).choice)).toBe('ab')
    expect(textOf(decode([completed({ output: [{ type: 'message', id: 'm', content: [{ type: 'output_text', text: 'all' }] }] })]).choice)).toBe('all')
  })

  it('hands out text that came only with the finished item', () => {
    const { items } = decode([delta('al'), { type: 'response.output_item.done', output_index: 0, item: { type: 'message', id: 'msg_0', phase: 'final_answer', content: [{ type: 'output_text', text: 'all' }] } }, completed()])
    expect(items.map((item) => (item.type === 'text' ? item.text : item.type))).toEqual(['al', 'l'])
  })

  it('goes on after a malformed frame, unless that frame was the end', () => {
    const { items } = decode([delta('a'), '{"type":"response.output_text.delta","del', delta('b'), completed()])
    expect(items.map(({ type }) => type)).toEqual(['text', 'warning', 'text'])
    expect(() => decode(['{"type":"response.completed","resp'])).toThrow(CompletionError)
    expect(() => decode([completed({ usage: 'many' })])).toThrow('malformed usage')
  })

  it('counts no usage as unknown, not as none', () => {
    expect(decode([completed({ usage: null })]).final).toMatchObject({ usageKnown: false })
    expect(decode([completed()]).final).toMatchObject({ usageKnown: true, usage: { totalTokens: 7, cachedInputTokens: 0 } })
  })

  it('never breaks the decoder, whatever the frames say: 20,000 of them', () => {
    const random = mulberry32(7)
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
    const junk = [null, 0, -1, 1.5, '', 'x', '{"a":1}', true, [], {}, [null], { type: 'message', content: [null, { text: 4 }, { type: 'output_text', text: 'ok' }] }, { type: 'function_call', arguments: {} }, { type: 'reasoning', summary: [1, { text: 't' }] }]
    const types = ['response.created', 'response.output_item.added', 'response.output_item.done', 'response.output_text.delta', 'response.refusal.delta', 'response.function_call_arguments.delta', 'response.reasoning_summary_text.delta', 'response.reasoning_text.delta', 'response.content_part.added', 'keepalive', null, 7]
    const parts = new PartsAccumulator()
    const decoder = new ResponsesStreamDecoder({ choice: (choice) => parts.accept(choice), finish: () => undefined })
    for (let frame = 0; frame < 20_000; frame++) {
      const keys = ['item', 'item_id', 'output_index', 'content_index', 'summary_index', 'delta', 'response'].filter(() => random() < 0.6)
      const text = JSON.stringify({ type: pick(types), ...Object.fromEntries(keys.map((key) => [key, key === 'output_index' ? Math.floor(random() * 40) : pick(junk)])) })
      decoder.push(random() < 0.05 ? text.slice(0, Math.floor(random() * text.length)) : text)
    }
    const choice = parts.finish({ isComplete: true })
    expect(choice.every((part) => part.type !== 'tool_call' || part.id !== '')).toBe(true)
    expect(choice.length).toBeGreaterThan(0)
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
