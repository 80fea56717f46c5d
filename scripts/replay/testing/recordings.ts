import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isList, type Json, type JsonObject } from '../json.ts'
import type { WireName } from '../recorded-request.ts'

/** An exchange as tests write it: JSON that they can change before it becomes a recording. */
export interface DraftExchange {
  path: string
  /** `POST` unless given. */
  method?: string
  headers?: Record<string, string>
  request: Record<string, Json>
  status?: number
  /** An object, or the text of a stream. */
  answer: Json
}

/** What a model says in one answer. */
export interface Said {
  readonly text?: string
  readonly thinking?: string
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly arguments: JsonObject }[]
  readonly stop?: string
}

/** A wire, as far as tests need it. */
export interface TestWire {
  readonly name: WireName
  readonly path: string
  /** A request with this conversation. */
  request(options: { readonly conversation: readonly Json[]; readonly system?: string; readonly tools?: readonly JsonObject[]; readonly isStreaming?: boolean; readonly more?: JsonObject }): Record<string, Json>
  user(text: string): Json
  /** The answer of that number, as the next request repeats it. */
  assistant(said: Said, number: number): readonly Json[]
  results(results: readonly { readonly id: string; readonly text: string }[]): readonly Json[]
  answer(said: Said, number: number): JsonObject
  stream(said: Said, number: number): string
}

export const CALCULATOR: readonly JsonObject[] = [
  { name: 'add', description: 'Adds.', parameters: { type: 'object', properties: { x: { type: 'number' }, y: { type: 'number' } }, required: ['x', 'y'] } },
  { name: 'notify', description: 'Tells somebody.', parameters: { type: 'object', properties: { msg: { type: 'string' } }, required: ['msg'] } },
]
export const SHELVES: readonly JsonObject[] = [
  { name: 'find_shelf', description: 'Finds a book.', parameters: { type: 'object', properties: { title: { type: 'string' } }, required: ['title'] } },
]

const RESPONSES: TestWire = {
  name: 'responses',
  path: '/v1/responses',
  request: ({ conversation, system, tools = [], isStreaming = false, more = {} }) => ({
    model: 'gpt-test',
    input: conversation,
    ...(system === undefined ? {} : { instructions: system }),
    ...(tools.length === 0 ? {} : { tools: tools.map((tool) => ({ type: 'function', ...tool })) }),
    ...(isStreaming ? { stream: true } : {}),
    ...more,
  }),
  user: (text) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] }),
  assistant: (said, number) => responseItems(said, number).map((item) => {
    if (item['type'] !== 'message') return item
    return { ...item, content: isList(item['content']) ? item['content'].map(() => ({ type: 'output_text', text: said.text ?? '' })) : [] }
  }),
  results: (results) => results.map(({ id, text }) => ({ type: 'function_call_output', call_id: id, output: text, status: 'completed' })),
  answer: (said, number) => responseObject(said, number),
  stream: (said, number) => sse([
    { type: 'response.created', response: { id: `resp_${number}`, status: 'in_progress' } },
    ...responseItems(said, number).flatMap((item, index) => [
      { type: 'response.output_item.added', output_index: index, item: item['type'] === 'message' ? { ...item, content: [] } : item },
      ...(item['type'] === 'message' ? [...(said.text ?? '')].map((delta) => ({ type: 'response.output_text.delta', output_index: index, item_id: `msg_${number}`, delta })) : []),
      { type: 'response.output_item.done', output_index: index, item },
    ]),
    { type: 'response.completed', response: responseObject(said, number) },
  ]),
}

function responseItems({ text, thinking, calls = [] }: Said, number: number): readonly JsonObject[] {
  return [
    ...(thinking === undefined ? [] : [{ type: 'reasoning', id: `rs_${number}`, summary: [{ type: 'summary_text', text: thinking }], encrypted_content: `sealed ${number}` }]),
    ...(text === undefined ? [] : [{ type: 'message', role: 'assistant', id: `msg_${number}`, status: 'completed', content: [{ type: 'output_text', text, annotations: [] }] }]),
    ...calls.map((call) => ({ type: 'function_call', id: `fc_${call.id}`, call_id: call.id, name: call.name, arguments: JSON.stringify(call.arguments), status: 'completed' })),
  ]
}

function responseObject(said: Said, number: number): JsonObject {
  const usage = { input_tokens: 20, output_tokens: 5, total_tokens: 25, input_tokens_details: { cached_tokens: 4 }, output_tokens_details: { reasoning_tokens: 2 } }
  return { id: `resp_${number}`, object: 'response', status: 'completed', model: 'gpt-test', output: responseItems(said, number), usage, metadata: null }
}

const CHAT: TestWire = {
  name: 'chat',
  path: '/v1/chat/completions',
  request: ({ conversation, system, tools = [], isStreaming = false, more = {} }) => ({
    model: 'gpt-4-test',
    messages: [...(system === undefined ? [] : [{ role: 'system', content: [{ type: 'text', text: system }] }]), ...conversation],
    ...(tools.length === 0 ? {} : { tools: tools.map((tool) => ({ type: 'function', function: tool })) }),
    ...(isStreaming ? { stream: true, stream_options: { include_usage: true } } : {}),
    ...more,
  }),
  user: (text) => ({ role: 'user', content: text }),
  assistant: ({ text, thinking, calls = [] }) => [{
    role: 'assistant',
    ...(thinking === undefined ? {} : { reasoning_content: thinking }),
    ...(text === undefined ? {} : { content: [{ type: 'text', text }] }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(chatCall) }),
  }],
  results: (results) => results.map(({ id, text }) => ({ role: 'tool', tool_call_id: id, content: text })),
  answer: ({ text, thinking, calls = [], stop }, number) => ({
    id: `chatcmpl-${number}`,
    object: 'chat.completion',
    model: 'gpt-4-test',
    choices: [{
      index: 0,
      message: { role: 'assistant', content: text ?? null, ...(thinking === undefined ? {} : { reasoning_content: thinking }), ...(calls.length === 0 ? {} : { tool_calls: calls.map(chatCall) }) },
      finish_reason: stop ?? (calls.length === 0 ? 'stop' : 'tool_calls'),
    }],
    usage: CHAT_USAGE,
  }),
  stream: ({ text = '', thinking = '', calls = [], stop }, number) => {
    const chunk = (delta: JsonObject, finish: string | null = null) => ({ id: `chatcmpl-${number}`, model: 'gpt-4-test', choices: [{ index: 0, delta, finish_reason: finish }], usage: null })
    const pieces = calls.flatMap((call, index) => [
      chunk({ tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }] }),
      ...JSON.stringify(call.arguments).match(/.{1,4}/gs)?.map((piece) => chunk({ tool_calls: [{ index, function: { arguments: piece } }] })) ?? [],
    ])
    const all = [
      chunk({ role: 'assistant', content: '' }),
      ...[...thinking].map((piece) => chunk({ reasoning_content: piece })),
      ...[...text].map((piece) => chunk({ content: piece })),
      ...pieces,
      chunk({}, stop ?? (calls.length === 0 ? 'stop' : 'tool_calls')),
      { id: `chatcmpl-${number}`, choices: [], usage: CHAT_USAGE },
    ]
    return `${all.map((data) => `data: ${JSON.stringify(data)}\n\n`).join('')}data: [DONE]\n\n`
  },
}
const CHAT_USAGE = { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25, prompt_tokens_details: { cached_tokens: 4 }, completion_tokens_details: { reasoning_tokens: 2 } }

function chatCall({ id, name, arguments: args }: { readonly id: string; readonly name: string; readonly arguments: JsonObject }): JsonObject {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(args) } }
}

const MESSAGES: TestWire = {
  name: 'messages',
  path: '/v1/messages',
  request: ({ conversation, system, tools = [], isStreaming = false, more = {} }) => ({
    model: 'claude-sonnet-4-6',
    max_tokens: 64000,
    messages: conversation,
    ...(system === undefined ? {} : { system: [{ type: 'text', text: system }] }),
    ...(tools.length === 0 ? {} : { tools: tools.map(({ parameters, ...tool }) => ({ ...tool, input_schema: parameters ?? {} })) }),
    ...(isStreaming ? { stream: true, ...(tools.length === 0 ? {} : { tool_choice: { type: 'auto' } }) } : {}),
    ...more,
  }),
  user: (text) => ({ role: 'user', content: [{ type: 'text', text }] }),
  assistant: (said, number) => [{ role: 'assistant', content: messageBlocks(said, number) }],
  results: (results) => [{ role: 'user', content: results.map(({ id, text }) => ({ type: 'tool_result', tool_use_id: id, content: [{ type: 'text', text }] })) }],
  answer: (said, number) => ({
    id: `msg_${number}`, type: 'message', role: 'assistant', model: 'claude-sonnet-4-6', content: messageBlocks(said, number), stop_reason: stopReason(said),
    usage: { input_tokens: 20, output_tokens: 5, cache_read_input_tokens: 4, cache_creation_input_tokens: 1 },
  }),
  stream: (said, number) => sse([
    { type: 'message_start', message: { id: `msg_${number}`, type: 'message', role: 'assistant', model: 'claude-sonnet-4-6', content: [], usage: { input_tokens: 20, output_tokens: 1, cache_read_input_tokens: 4, cache_creation_input_tokens: 1 } } },
    ...messageBlocks(said, number).flatMap((block, index) => [
      { type: 'content_block_start', index, content_block: { ...block, ...emptied(block) } },
      ...deltasOf(block).map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta: { stop_reason: stopReason(said) }, usage: { output_tokens: 5 } },
    { type: 'message_stop' },
  ]),
}

function messageBlocks({ text, thinking, calls = [] }: Said, number: number): readonly JsonObject[] {
  return [
    ...(thinking === undefined ? [] : [{ type: 'thinking', thinking, signature: `signed ${number}` }]),
    ...(text === undefined ? [] : [{ type: 'text', text }]),
    ...calls.map(({ id, name, arguments: input }) => ({ type: 'tool_use', id, name, input })),
  ]
}

function stopReason({ calls = [], stop }: Said): string {
  return stop ?? (calls.length === 0 ? 'end_turn' : 'tool_use')
}

function emptied({ type }: JsonObject): JsonObject {
  if (type === 'thinking') return { thinking: '', signature: '' }
  return type === 'text' ? { text: '' } : { input: {} }
}

function deltasOf({ type, text, thinking, signature, input }: JsonObject): readonly JsonObject[] {
  if (type === 'thinking') return [{ type: 'thinking_delta', thinking: thinking ?? '' }, { type: 'signature_delta', signature: signature ?? '' }]
  if (type === 'text') return [...String(text)].map((piece) => ({ type: 'text_delta', text: piece }))
  return (JSON.stringify(input).match(/.{1,4}/gs) ?? []).map((piece) => ({ type: 'input_json_delta', partial_json: piece }))
}

export const WIRES: readonly TestWire[] = [RESPONSES, CHAT, MESSAGES]
export const WIRE: Readonly<Record<WireName, TestWire>> = { responses: RESPONSES, chat: CHAT, messages: MESSAGES }

function sse(events: readonly JsonObject[]): string {
  return events.map((event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}

/** An exchange in which the model answers `said`, streamed or not. */
export function exchangeOf(wire: TestWire, request: Record<string, Json>, { said, number }: { readonly said: Said; readonly number: number }): DraftExchange {
  return { path: wire.path, request, answer: request['stream'] === true ? wire.stream(said, number) : wire.answer(said, number) }
}

/** The text of a recording. JSON is YAML too. */
export function recordingOf(exchanges: readonly DraftExchange[]): string {
  return exchanges.map(({ path, method = 'POST', headers, request, status = 200, answer }) => JSON.stringify({
    when: {
      path,
      method,
      query_param: [],
      header: Object.entries({ accept: request['stream'] === true ? 'text/event-stream' : '*/*', 'content-type': 'application/json', ...headers }).map(([name, value]) => ({ name, value })),
      body: method === 'GET' ? null : JSON.stringify(request),
    },
    then: {
      status,
      header: [{ name: 'content-type', value: typeof answer === 'string' ? 'text/event-stream' : 'application/json' }],
      body: typeof answer === 'string' ? answer : JSON.stringify(answer),
    },
  })).join('\n---\n')
}

/** A folder of recordings that goes away. */
export class RecordingFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'replay-'))

  /** Gives the path of the file. */
  write(name: string, text: string): string {
    const path = join(this.path, name)
    writeFileSync(path, text)
    return path
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
