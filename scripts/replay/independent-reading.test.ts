import { describe, expect, it } from 'vitest'
import { readChatAnswer } from './independent-chat.ts'
import { readMessagesAnswer } from './independent-messages.ts'
import { eventData } from './independent-reading.ts'
import { readResponsesAnswer } from './independent-responses.ts'
import type { JsonObject } from './json.ts'

const stream = (...events: readonly JsonObject[]): string => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')

it('reads events with any line ends, of several lines, among comments', () => {
  expect(eventData(': hello\n\nevent: a\r\ndata: 1\r\ndata:2\r\n\r\ndata: [DONE]\n\n')).toEqual(['1\n2', '[DONE]'])
})

describe('an independent reading of Responses', () => {
  const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5, input_tokens_details: { cached_tokens: 1 }, output_tokens_details: { reasoning_tokens: 1 } }
  const end = (response: JsonObject) => ({ type: `response.${String(response['status'])}`, response: { id: 'r', usage, ...response } })

  it('believes the finished item, not what it began with', () => {
    const reading = readResponsesAnswer(stream(
      { type: 'response.output_item.added', output_index: 0, item: { type: 'reasoning', id: 'rs', encrypted_content: 'early' } },
      { type: 'response.output_item.done', output_index: 0, item: { type: 'reasoning', id: 'rs', summary: [{ text: 'Hm.' }], encrypted_content: 'late' } },
      { type: 'response.output_item.done', output_index: 1, item: { type: 'function_call', id: 'fc', call_id: 'call', name: 'f', arguments: '{"a":1}' } },
      end({ status: 'completed' }),
    ), true)
    expect(reading).toMatchObject({
      type: 'answer',
      ids: ['r', 'rs', 'fc', 'call'],
      answer: {
        reasoning: 'Hm.', opaque: ['late'], calls: [{ id: 'call', name: 'f', arguments: { a: 1 } }], finishReason: 'tool_calls',
        usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5, cachedInputTokens: 1, cacheCreationInputTokens: 0, reasoningTokens: 1 },
      },
    })
  })

  it('keeps text that was cut off and drops half a call', () => {
    const reading = readResponsesAnswer(stream(
      { type: 'response.output_text.delta', output_index: 0, delta: 'so ' },
      { type: 'response.output_text.delta', output_index: 0, delta: 'far' },
      { type: 'response.output_item.done', output_index: 1, item: { type: 'function_call', status: 'incomplete', call_id: 'call', name: 'f', arguments: '{"a"' } },
      end({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
    ), true)
    expect(reading).toMatchObject({ answer: { text: 'so far', calls: [], finishReason: 'length' } })
  })

  it('tells failures and streams without an end apart', () => {
    expect(readResponsesAnswer(stream({ type: 'error', code: 'slow', message: 'Slow down' }), true)).toEqual({ type: 'failed', code: 'slow' })
    expect(readResponsesAnswer(stream(end({ status: 'failed', error: { code: 'server_error' } })), true)).toEqual({ type: 'failed', code: 'server_error' })
    expect(readResponsesAnswer(stream({ type: 'response.output_text.delta', delta: 'x' }), true)).toEqual({ type: 'cut-off' })
  })
})

describe('an independent reading of Chat Completions', () => {
  const chunk = (delta: JsonObject, finish: string | null = null): JsonObject => ({ id: 'c', choices: [{ index: 0, delta, finish_reason: finish }] })

  it('puts the fragments of calls together, several on one index too', () => {
    const reading = readChatAnswer(stream(
      chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"x"' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { name: '', arguments: ':1}' } }] }),
      chunk({ tool_calls: [{ index: 0, id: 'b', function: { name: 'g', arguments: '' } }] }),
      chunk({ tool_calls: null }, 'tool_calls'),
      { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } },
    ), true)
    expect(reading).toMatchObject({ answer: { calls: [{ id: 'a', name: 'f', arguments: { x: 1 } }, { id: 'b', name: 'g', arguments: {} }], finishReason: 'tool_calls', usage: { totalTokens: 3 } } })
  })

  it('takes a total for true that counts audio beside the rest, and no other', () => {
    const withTotal = (total: number) => readChatAnswer(JSON.stringify({
      choices: [{ message: { role: 'assistant', content: 'A bell.' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 11, completion_tokens: 15, total_tokens: total, prompt_tokens_details: { audio_tokens: 375 } },
    }), false)
    expect([26, 401].map((total) => withTotal(total))).toMatchObject([{ contradictions: [] }, { contradictions: [] }])
    expect(withTotal(402)).toMatchObject({ contradictions: [{ path: 'answer.usage.totalTokens', expected: 26, actual: 402 }] })
  })

  it('reads reasoning in all forms that servers give it', () => {
    const answer = (message: JsonObject) => readChatAnswer(JSON.stringify({ choices: [{ message: { content: 'So.', ...message }, finish_reason: 'stop' }] }), false)
    expect(answer({ reasoning_content: 'Hm.' })).toMatchObject({ answer: { text: 'So.', reasoning: 'Hm.' } })
    expect(answer({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] }, { type: 'text', text: 'So.' }] })).toMatchObject({ answer: { text: 'So.', reasoning: 'Hm.' } })
    const piece = (detail: JsonObject): JsonObject => chunk({ reasoning: '', reasoning_details: [{ index: 0, ...detail }] })
    expect(readChatAnswer(stream(
      piece({ type: 'reasoning.text', text: 'H' }), piece({ type: 'reasoning.text', text: 'm.', signature: 'sig' }), piece({ type: 'reasoning.encrypted', data: 'sealed' }), chunk({ content: 'So.' }, 'stop'),
    ), true)).toMatchObject({ answer: { reasoning: 'Hm.', signatures: ['sig'], opaque: ['sealed'] } })
  })

  it('reads a refusal as text, and an error inside a stream as such', () => {
    expect(readChatAnswer(JSON.stringify({ choices: [{ message: { content: null, refusal: 'No.' }, finish_reason: 'stop' }] }), false)).toMatchObject({ answer: { text: 'No.', usage: null } })
    expect(readChatAnswer(stream(chunk({ content: 'x' }), { error: { code: 502, message: 'Broken' } }), true)).toEqual({ type: 'failed', code: '502' })
    expect(readChatAnswer(stream(chunk({ content: 'x' })), true)).toEqual({ type: 'cut-off' })
  })
})

describe('an independent reading of Messages', () => {
  it('joins the deltas of blocks, thinking with its signature among them', () => {
    const reading = readMessagesAnswer(stream(
      { type: 'message_start', message: { id: 'm', usage: { input_tokens: 0, output_tokens: 1, cache_read_input_tokens: null } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm.' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'sig' } },
      { type: 'content_block_start', index: 1, content_block: { type: 'redacted_thinking', data: 'sealed' } },
      { type: 'content_block_start', index: 2, content_block: { type: 'tool_use', id: 't', name: 'f', input: {} } },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '{"a":' } },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '[1]}' } },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { input_tokens: 7, output_tokens: 4, cache_read_input_tokens: 2 } },
    ), true)
    expect(reading).toMatchObject({
      ids: ['m', 't', 'sig'],
      answer: {
        reasoning: 'Hm.', signatures: ['sig'], opaque: ['sealed'], calls: [{ id: 't', name: 'f', arguments: { a: [1] } }], finishReason: 'tool_calls',
        usage: { inputTokens: 7, outputTokens: 4, cachedInputTokens: 2, totalTokens: 13 },
      },
    })
  })

  it('tells failures and streams without an end apart', () => {
    expect(readMessagesAnswer(stream({ type: 'error', error: { type: 'overloaded_error' } }), true)).toEqual({ type: 'failed', code: 'overloaded_error' })
    expect(readMessagesAnswer(stream({ type: 'message_start', message: {} }), true)).toEqual({ type: 'cut-off' })
    expect(readMessagesAnswer('{"type":"error","error":{"type":"api_error"}}', false)).toEqual({ type: 'failed', code: 'api_error' })
  })
})
