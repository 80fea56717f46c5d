import { describe, expect, it } from 'vitest'
import { SseDecoder } from '../../src/http/sse-decoder.ts'
import { STREAM_DECODERS, type DecoderName } from './decoders.ts'

/** A sequence of `count` steps that may cost a decoder more the longer it has gone on. */
interface Growth {
  readonly title: string
  readonly decoder: DecoderName
  readonly frame: (step: number) => object
  readonly before?: readonly object[]
  readonly end: readonly (object | string)[]
}

const COUNT = 20_000
/** Of processor time. In proportion to its length any of them takes a fifth of it; with the square of it, more than twice as much. */
const LIMIT_MS = 2500

const RESPONSES_END = [{ type: 'response.completed', response: { status: 'completed' } }]
const CHAT_END = [{ choices: [{ delta: {}, finish_reason: 'tool_calls' }] }, '[DONE]']
const MESSAGES_END = [{ type: 'message_delta', delta: { stop_reason: 'end_turn' } }]

const added = (index: number) => ({ type: 'response.output_item.added', output_index: index, item: { type: 'function_call', id: `fc_${index}`, name: 'look' } })
const delta = (said: object) => ({ choices: [{ index: 0, delta: said }] })
const called = (call: object) => delta({ tool_calls: [call] })
const blockDelta = (said: object) => ({ type: 'content_block_delta', index: 0, delta: said })

const GROWTHS: readonly Growth[] = [
  { title: 'calls, each in a place of its own', decoder: 'responses', frame: added, end: RESPONSES_END },
  { title: 'calls without places', decoder: 'responses', frame: (step) => ({ ...added(step), output_index: undefined }), end: RESPONSES_END },
  {
    title: 'deltas without a place after many items',
    decoder: 'responses',
    before: Array.from({ length: COUNT }, (_, index) => added(index)),
    frame: () => ({ type: 'response.function_call_arguments.delta', delta: ' ' }),
    end: RESPONSES_END,
  },
  { title: 'texts of one message', decoder: 'responses', frame: (step) => ({ type: 'response.output_text.delta', output_index: 0, content_index: step, delta: 'x' }), end: RESPONSES_END },
  { title: 'finished items without places', decoder: 'responses', frame: () => ({ type: 'response.output_item.done', item: { type: 'message', content: [{ text: 'x' }] } }), end: RESPONSES_END },
  { title: 'calls, each with an index', decoder: 'chat', frame: (step) => called({ index: step, id: `call_${step}`, function: { name: 'look', arguments: '{}' } }), end: CHAT_END },
  { title: 'calls of one index', decoder: 'chat', frame: (step) => called({ index: 0, id: `call_${step}`, function: { name: `look${step}`, arguments: '{}' } }), end: CHAT_END },
  { title: 'whole calls without an index', decoder: 'chat', frame: () => called({ function: { name: 'look', arguments: '{}' } }), end: CHAT_END },
  {
    title: 'pieces of one call without an index, each with the name',
    decoder: 'chat',
    before: [called({ function: { name: 'look', arguments: '{"a":[{}' } })],
    frame: () => called({ function: { name: 'look', arguments: ',{}' } }),
    end: CHAT_END,
  },
  { title: 'encrypted reasoning', decoder: 'chat', frame: () => delta({ reasoning_details: [{ type: 'reasoning.encrypted', data: 'x' }] }), end: CHAT_END },
  { title: 'reasoning in many places', decoder: 'chat', frame: (step) => delta({ reasoning_details: [{ type: 'reasoning.text', index: step, text: 'x' }] }), end: CHAT_END },
  { title: 'reasoning with ever new fields', decoder: 'chat', frame: (step) => delta({ reasoning_details: [{ type: 'reasoning.text', [`field${step}`]: step }] }), end: CHAT_END },
  { title: 'blanks before a tag that never comes', decoder: 'think tags', frame: () => delta({ content: ' ' }), end: CHAT_END },
  { title: 'half tags', decoder: 'think tags', before: [delta({ content: '<think>' })], frame: () => delta({ content: '</thin' }), end: CHAT_END },
  { title: 'blocks that stay open', decoder: 'messages', frame: (step) => ({ type: 'content_block_start', index: step, content_block: { type: 'tool_use', id: `toolu_${step}`, name: 'look' } }), end: MESSAGES_END },
  { title: 'blocks without an index', decoder: 'messages', frame: (step) => (step % 2 === 0 ? { type: 'content_block_start', content_block: { type: 'text', text: 'x' } } : { type: 'content_block_stop' }), end: MESSAGES_END },
  { title: 'citations', decoder: 'messages', before: [{ type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'x' } }], frame: (step) => blockDelta({ type: 'citations_delta', citation: { step } }), end: MESSAGES_END },
  { title: 'ever new figures of usage', decoder: 'messages', frame: (step) => ({ type: 'message_delta', delta: {}, usage: { [`figure${step}`]: step } }), end: MESSAGES_END },
  { title: 'ever new fields of the message', decoder: 'messages', frame: (step) => ({ type: 'message_delta', delta: { [`field${step}`]: step } }), end: MESSAGES_END },
]

describe('Twenty thousand steps', () => {
  it.each(GROWTHS)('of $title ($decoder) take time in proportion', ({ decoder, before = [], frame, end }) => {
    const frames = [...before, ...Array.from({ length: COUNT }, (_, step) => frame(step)), ...end].map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry)))
    const started = process.cpuUsage()
    const { push, result } = STREAM_DECODERS[decoder]()
    for (const data of frames) push(data)
    const { user, system } = process.cpuUsage(started)
    expect(result().isFinished).toBe(true)
    expect((user + system) / 1000).toBeLessThan(LIMIT_MS)
  })
})

describe('A stream without an end of its event', () => {
  it.each([['long lines', 'x'.repeat(65_536), 1100], ['empty lines of data', 'data:\n'.repeat(10_000), 500], ['single bytes', 'x', 5_000_000]])('is ended at 64 MiB of memory, be it of %s', (_title, piece, count) => {
    const decoder = new SseDecoder(() => undefined)
    decoder.push(Buffer.from('data: '))
    const bytes = Buffer.from(piece)
    const before = process.memoryUsage().rss
    expect(() => {
      for (let sent = 0; sent < count; sent++) decoder.push(bytes)
    }).toThrow(RangeError)
    expect(process.memoryUsage().rss - before).toBeLessThan(1024 * 1024 * 1024)
  })
})
