import { describe, expect, it } from 'vitest'
import { parseArguments } from '../../src/completion/parts-accumulator.ts'
import { STREAM_DECODERS } from './decoders.ts'
import { checkStream, typedError } from './invariants.ts'

const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`

describe('What has once broken a decoder', () => {
  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('is a kind of delta with the name of something every object has: %s', (type) => {
    const stream = STREAM_DECODERS.messages()
    for (const event of [{ type: 'content_block_delta', index: 0, delta: { type } }, { type: 'message_delta', delta: { stop_reason: 'end_turn' } }]) stream.push(JSON.stringify(event))
    const result = stream.result()
    checkStream(result, 'messages')
    expect(result.choice).toEqual([{ type: 'provider_item', provider: 'anthropic', raw: { type: 'unknown' } }])
  })

  it('is a field that would become the prototype', () => {
    const stream = STREAM_DECODERS.messages()
    stream.push('{"type":"message_start","message":{"__proto__":{"stop_reason":"end_turn"}}}')
    stream.push('{"type":"message_delta","delta":{}}')
    expect(stream.result().isFinished).toBe(false)
    const chat = STREAM_DECODERS.chat()
    const detail = (fields: string) => `{"choices":[{"delta":{"reasoning_details":[{"type":"reasoning.text","text":"a"${fields}}]}}]}`
    for (const frame of [detail(''), detail(',"__proto__":{"data":"b"}'), '{"choices":[{"delta":{},"finish_reason":"stop"}]}', '[DONE]']) chat.push(frame)
    expect(chat.result().choice).toEqual([{ type: 'reasoning', content: [{ type: 'text', text: 'aa' }], meta: { chat: { reasoningDetails: [{ type: 'reasoning.text', text: 'aa' }] } } }])
  })

  it.each([1001, 5000, 100_000])('is nesting: at %i levels an event is malformed, and arguments are none', (levels) => {
    expect(parseArguments(deep(levels))).toEqual({ value: {}, error: 'nested too deeply' })
    const stream = STREAM_DECODERS.responses()
    stream.push(`{"type":"response.output_item.done","output_index":0,"item":{"type":"web_search_call","x":${deep(levels)}}}`)
    expect(stream.result().items.map((item) => (item.type === 'warning' ? typedError(item.error).kind : item.type))).toEqual(['json'])
  })

  it('is not: nesting of a thousand levels, and any number of brackets within texts or beside each other', () => {
    expect(parseArguments(deep(1000)).error).toBeUndefined()
    expect(parseArguments(`{"a":"${'[{'.repeat(50_000)}\\"${'['.repeat(2000)}"}`).error).toBeUndefined()
    expect(parseArguments(`{"a":[${Array.from({ length: 50_000 }, () => '[{}]').join(',')}]}`).error).toBeUndefined()
  })

  it('is an index that comes twice, before another one', () => {
    const stream = STREAM_DECODERS.messages()
    for (const [call, index] of [0, 0, 1].entries()) {
      stream.push(JSON.stringify({ type: 'content_block_start', index, content_block: { type: 'tool_use', id: `toolu_${call}`, name: 'look', input: {} } }))
      stream.push(JSON.stringify({ type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json: `{"call":${call}}` } }))
      stream.push(JSON.stringify({ type: 'content_block_stop', index }))
    }
    stream.push(JSON.stringify({ type: 'message_delta', delta: { stop_reason: 'tool_use' } }))
    expect(stream.result().choice.map((part) => part.type === 'tool_call' && [part.id, part.function.arguments])).toEqual([['toolu_0', { call: 0 }], ['toolu_1', { call: 1 }], ['toolu_2', { call: 2 }]])
  })

  it('is one id for two calls', () => {
    const stream = STREAM_DECODERS.responses()
    for (const index of [0, 1]) stream.push(JSON.stringify({ type: 'response.output_item.done', output_index: index, item: { type: 'function_call', id: `fc_${index}`, call_id: 'call_1', name: 'look', arguments: '{}' } }))
    stream.push('{"type":"response.completed","response":{"status":"completed"}}')
    const result = stream.result()
    checkStream(result, 'responses')
    expect(result.choice.map((part) => part.type === 'tool_call' && part.provider?.callId)).toEqual(['call_1', 'call_1'])
  })
})
