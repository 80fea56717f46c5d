import type { DecoderName } from './decoders.ts'
import type { Random } from './random.ts'

/** Makes the events of one valid answer, terminal event included. */
export type Grammar = (random: Random) => (object | string)[]

const WORDS = ['Hello', ' world', '. ', 'Grüße, ', '世界', ' 🌍', '\n', '"quoted"', '\\', '<think>', '</think>', ' ', 'a'] as const
const ARGUMENTS = ['', '{}', '{"place":"Rome"}', '{"text":"a \\"b\\" {c}","list":[1,{"d":null}],"figure":12345678901234567890}', 'null', '"{\\"place\\":1}"', '{"half', '[1]', '{"a":{"b":{"c":"🌍"}}}']

const words = (random: Random): string => random.some(4, () => random.pick(WORDS)).join('')

function pieces(random: Random, text: string): string[] {
  const parts: string[] = []
  for (let start = 0; start < text.length;) {
    const size = 1 + random.below(9)
    parts.push(text.slice(start, start + size))
    start += size
  }
  return parts
}

/** Several lists as one, each in its own order. */
function interleaved(random: Random, lists: readonly object[][]): object[] {
  const left = lists.map((list) => [...list])
  if (random.oneIn(2)) return left.flat()
  const result: object[] = []
  while (left.some((list) => list.length > 0)) {
    const next = random.pick(left).shift()
    if (next !== undefined) result.push(next)
  }
  return result
}

const count = (random: Random): number => random.below(2000)

function responsesItem(random: Random, index: number): object[] {
  const place = { output_index: index }
  const type = random.pick(['message', 'function_call', 'reasoning', 'web_search_call'])
  const id = `${type}_${index}`
  const added = (item: object) => ({ type: 'response.output_item.added', ...place, item: { id, type, ...item } })
  const done = (item: object) => ({ type: 'response.output_item.done', ...place, item: { id, type, status: 'completed', ...item } })
  if (type === 'message') {
    const text = words(random)
    const content = [{ type: 'output_text', text, annotations: random.some(2, () => ({ type: 'url_citation', url: 'https://example.org/' })), logprobs: [] }]
    return [added({ content: [] }), ...pieces(random, text).map((delta) => ({ type: 'response.output_text.delta', ...place, item_id: id, content_index: 0, delta })), done({ content, phase: 'final_answer' })]
  }
  if (type === 'function_call') {
    const call = { call_id: `call_${random.below(3)}`, name: 'look' }
    const text = random.pick(ARGUMENTS)
    return [added({ ...call, arguments: '' }), ...pieces(random, text).map((delta) => ({ type: 'response.function_call_arguments.delta', ...place, item_id: id, delta })), done({ ...call, arguments: text })]
  }
  if (type === 'reasoning') {
    const summary = random.some(3, () => ({ type: 'summary_text', text: words(random) }))
    const deltas = summary.flatMap(({ text }, summaryIndex) => pieces(random, text).map((delta) => ({ type: 'response.reasoning_summary_text.delta', ...place, item_id: id, summary_index: summaryIndex, delta })))
    return [added({ summary: [] }), ...deltas, done({ summary, encrypted_content: random.pick(['', 'gAAAA']) })]
  }
  return [added({ status: 'in_progress' }), { type: 'response.web_search_call.searching', ...place, item_id: id }, done({ action: { type: 'search', query: words(random) } })]
}

function responses(random: Random): object[] {
  const response = { id: 'resp_1', model: 'test-model', usage: { input_tokens: count(random), output_tokens: count(random), total_tokens: count(random), output_tokens_details: { reasoning_tokens: 1 } } }
  const ends = [
    { type: 'response.completed', response: { ...response, status: 'completed' } },
    { type: 'response.incomplete', response: { ...response, status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } } },
  ]
  return [{ type: 'response.created', response: { id: 'resp_1', tools: [] } }, ...interleaved(random, random.some(5, (index) => responsesItem(random, index))), random.pick(ends)]
}

function chatCall(random: Random, index: number): object[] {
  const call = (fragment: object) => ({ tool_calls: [{ index, ...fragment }] })
  const text = random.pick(ARGUMENTS)
  return [call({ id: `call_${random.below(4)}`, type: 'function', function: { name: 'look', arguments: '' } }), ...pieces(random, text).map((piece) => call({ function: { arguments: piece } }))]
}

function chat(random: Random): (object | string)[] {
  const deltas: object[] = [
    { role: 'assistant', content: '' },
    ...random.some(3, () => ({ reasoning_content: words(random) })),
    ...random.some(2, (index) => ({ reasoning_details: [{ type: random.pick(['reasoning.text', 'reasoning.summary', 'reasoning.encrypted']), index, text: 'so', summary: 'so', data: 'x' }] })),
    ...random.some(6, () => ({ content: words(random) })),
    ...interleaved(random, random.some(3, (index) => chatCall(random, index))),
  ]
  const chunk = (choices: readonly object[], more: object = {}) => ({ id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'test-model', choices, ...more })
  const reason = random.pick(['stop', 'length', 'tool_calls', 'content_filter', 'other'])
  return [
    ...deltas.map((delta) => chunk([{ index: 0, delta, finish_reason: null }])),
    chunk([{ index: 0, delta: {}, finish_reason: reason }]),
    chunk([], { usage: { prompt_tokens: count(random), completion_tokens: count(random), total_tokens: count(random) } }),
    '[DONE]',
  ]
}

function messagesBlock(random: Random, index: number): object[] {
  const start = (block: object) => ({ type: 'content_block_start', index, content_block: block })
  const delta = (said: object) => ({ type: 'content_block_delta', index, delta: said })
  const stop = { type: 'content_block_stop', index }
  const input = () => pieces(random, random.pick(ARGUMENTS)).map((piece) => delta({ type: 'input_json_delta', partial_json: piece }))
  switch (random.pick(['text', 'thinking', 'tool_use', 'server_tool_use', 'redacted_thinking'])) {
    case 'text': return [start({ type: 'text', text: '' }), ...random.some(5, () => delta({ type: 'text_delta', text: words(random) })), ...random.some(2, () => delta({ type: 'citations_delta', citation: { cited_text: 'so' } })), stop]
    case 'thinking': return [start({ type: 'thinking', thinking: '', signature: '' }), ...random.some(5, () => delta({ type: 'thinking_delta', thinking: words(random) })), delta({ type: 'signature_delta', signature: 'c2lnbmVk' }), stop]
    case 'tool_use': return [start({ type: 'tool_use', id: `toolu_${random.below(3)}`, name: 'look', input: {} }), ...input(), stop]
    case 'server_tool_use': return [start({ type: 'server_tool_use', id: `srvtoolu_${index}`, name: 'web_search', input: {} }), ...input(), stop]
    default: return [start({ type: 'redacted_thinking', data: 'cmVk' }), stop]
  }
}

function messages(random: Random): object[] {
  const reason = random.pick(['end_turn', 'tool_use', 'max_tokens', 'refusal', 'pause_turn'])
  return [
    { type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'test-model', content: [], stop_reason: null, usage: { input_tokens: count(random), output_tokens: 1 } } },
    ...random.some(1, () => ({ type: 'ping' })),
    ...interleaved(random, random.some(5, (index) => messagesBlock(random, index))),
    { type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: count(random) } },
    { type: 'message_stop' },
  ]
}

export const GRAMMARS: Readonly<Record<DecoderName, Grammar>> = { responses, chat, 'think tags': chat, messages }

/** Whole answers, made of what a stream of the same wire says. */
export const WHOLE_ANSWERS = {
  responses: (random: Random): object => {
    const events = responses(random)
    const output = events.flatMap((event) => ('item' in event && 'type' in event && event.type === 'response.output_item.done' ? [event.item] : []))
    const last = events.at(-1)
    return { ...(last !== undefined && 'response' in last ? Object(last.response) : {}), output }
  },
  chat: (random: Random): object => ({
    id: 'chatcmpl-1',
    model: 'test-model',
    choices: [{
      index: 0,
      finish_reason: random.pick(['stop', 'length', 'tool_calls']),
      message: {
        role: 'assistant',
        content: random.pick([null, words(random), [{ type: 'text', text: words(random) }]]),
        reasoning_content: words(random),
        tool_calls: random.some(3, () => ({ id: `call_${random.below(3)}`, type: 'function', function: { name: 'look', arguments: random.pick(ARGUMENTS) } })),
      },
    }],
    usage: { prompt_tokens: count(random), completion_tokens: count(random) },
  }),
  messages: (random: Random): object => ({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'test-model',
    stop_reason: random.pick(['end_turn', 'tool_use', 'max_tokens']),
    content: random.some(4, (index) => random.pick([
      { type: 'text', text: words(random), citations: [] }, { type: 'thinking', thinking: words(random), signature: 'c2ln' }, { type: 'redacted_thinking', data: 'cmVk' },
      { type: 'tool_use', id: `toolu_${random.below(3)}`, name: 'look', input: { place: words(random) } }, { type: 'server_tool_use', id: `srvtoolu_${index}`, name: 'web_search', input: {} },
    ])),
    usage: { input_tokens: count(random), output_tokens: count(random) },
  }),
} as const
