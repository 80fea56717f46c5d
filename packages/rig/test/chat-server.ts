import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Json } from '../src/completion/json.ts'
import type { AssistantContent } from '../src/completion/message-types.ts'
import type { ScriptedTurn } from '../src/testing/scripted-model.ts'

/** What the server does with one request. */
export type ChatReply =
  | { readonly type: 'chunks'; readonly chunks: readonly object[]; readonly ending?: 'done' | 'end' | 'cut' | 'hang' }
  | { readonly type: 'body'; readonly status: number; readonly body: string; readonly headers?: Record<string, string> }
  | { readonly type: 'json'; readonly status: number; readonly body: Json; readonly headers?: Record<string, string> }
  | { readonly type: 'reset' }
  | { readonly type: 'silence' }

export interface ReceivedChatRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: { readonly messages: readonly Record<string, unknown>[]; readonly [key: string]: unknown }
}

export interface ChatServerUnderTest extends AsyncDisposable {
  /** Without a path. */
  readonly origin: string
  readonly baseUrl: string
  readonly requests: readonly ReceivedChatRequest[]
  openConnections(): Promise<number>
}

/** The sizes in which bytes leave: every boundary that a parser may stumble over, in the middle of characters too. */
const FRAGMENTS = [1, 5, 2, 13, 3, 8, 21]

/** A real HTTP server that answers request `n` with `replies[n]`. */
export async function startChatServer(replies: readonly ChatReply[]): Promise<ChatServerUnderTest> {
  const requests: ReceivedChatRequest[] = []
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request)
    const reply = replies[requests.length] ?? { type: 'json', status: 418, body: { error: { message: 'no reply is left' } } }
    requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: body === '' ? { messages: [] } : JSON.parse(body) })
    await answer(reply, response)
  }
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    baseUrl: `${origin}/v1`,
    requests,
    openConnections: () => new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count)))),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function answer(reply: ChatReply, response: ServerResponse): Promise<void> {
  switch (reply.type) {
    case 'silence': return
    case 'reset': return void response.socket?.resetAndDestroy()
    case 'json': return void response.writeHead(reply.status, { 'content-type': 'application/json', 'x-request-id': 'req_1', ...reply.headers }).end(JSON.stringify(reply.body))
    case 'body': return void response.writeHead(reply.status, { 'content-type': 'text/plain', ...reply.headers }).end(reply.body)
    case 'chunks': {
      const { chunks, ending = 'done' } = reply
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' })
      await writeFragments(Buffer.from(`: comment\n\n${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')}${ending === 'done' ? 'data: [DONE]\n\n' : ''}`), response)
      // A reset discards what has not been read yet: the bytes get a moment to arrive.
      if (ending === 'cut') setTimeout(() => response.socket?.resetAndDestroy(), 30)
      else if (ending !== 'hang') response.end()
    }
  }
}

async function writeFragments(bytes: Buffer, response: ServerResponse): Promise<void> {
  response.socket?.setNoDelay(true)
  for (let start = 0, turn = 0; start < bytes.length && !response.destroyed; turn++) {
    const size = FRAGMENTS[turn % FRAGMENTS.length] ?? 1
    response.write(bytes.subarray(start, start + size))
    start += size
    if (turn % 8 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** How the server puts what Chat Completions itself has no place for. */
export interface ChatReplyOptions {
  readonly isStreaming: boolean
  readonly reasoning?: 'reasoning_content' | 'reasoning' | 'reasoning_details'
}

/** A scripted turn as a server of this wire would send it. */
export function chatReplyOf(turn: ScriptedTurn, { isStreaming, reasoning = 'reasoning_content' }: ChatReplyOptions): ChatReply {
  if (turn.type === 'error') return { type: 'json', status: 500, body: { error: { message: turn.error.message, type: 'server_error', param: null, code: null } } }
  const deltas = [{ role: 'assistant', content: '' }, ...turn.content.flatMap((part, index) => deltasOf(part, callIndex(turn.content, index), reasoning))]
  const chunks = deltas.map((delta) => chunkOf([{ index: 0, delta, finish_reason: null }]))
  if (turn.type !== 'answer') return { type: 'chunks', chunks, ending: turn.type === 'hanging' ? 'hang' : 'end' }
  const reason = turn.finishReason ?? (turn.content.some(({ type }) => type === 'tool_call') ? 'tool_calls' : 'stop')
  const finishReason = typeof reason === 'string' ? reason : reason.other
  const usage = turn.usage === undefined ? {} : { usage: usageOf(turn.usage) }
  if (isStreaming) return { type: 'chunks', chunks: [...chunks, chunkOf([{ index: 0, delta: {}, finish_reason: finishReason }]), { ...chunkOf([]), ...usage }] }
  const message = messageOf(turn.content, reasoning)
  return { type: 'json', status: 200, body: { id: 'chatcmpl-1', object: 'chat.completion', model: 'test-model-1', choices: [{ index: 0, message, finish_reason: finishReason }], ...usage } }
}

/** A chunk with an id and a model, as all have. */
export function chunkOf(choices: readonly object[]): object {
  return { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'test-model-1', obfuscation: 'x', choices }
}

type AnsweredTurn = Extract<ScriptedTurn, { type: 'answer' }>

function usageOf(usage: NonNullable<AnsweredTurn['usage']>): Record<string, Json> {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  }
}

function callIndex(content: readonly AssistantContent[], end: number): number {
  return content.slice(0, end).filter(({ type }) => type === 'tool_call').length
}

function messageOf(content: readonly AssistantContent[], field: NonNullable<ChatReplyOptions['reasoning']>): Record<string, Json> {
  const said = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('')
  const calls = content.flatMap((part) => (part.type === 'tool_call' ? [wireCall(part)] : []))
  const thoughts = content.flatMap((part) => (part.type === 'reasoning' ? [part] : []))
  return {
    role: 'assistant',
    content: said === '' ? null : said,
    refusal: null,
    ...Object.assign({}, ...thoughts.map((part) => reasoningFields(part, field))),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  }
}

function wireCall(part: Extract<AssistantContent, { type: 'tool_call' }>): Json {
  return { id: part.provider?.callId ?? part.id, type: 'function', function: { name: part.function.name, arguments: part.function.rawArguments ?? JSON.stringify(part.function.arguments) } }
}

function reasoningFields(part: Extract<AssistantContent, { type: 'reasoning' }>, field: NonNullable<ChatReplyOptions['reasoning']>): Record<string, Json> {
  if (field !== 'reasoning_details') return { [field]: part.content.flatMap((entry) => (entry.type === 'text' || entry.type === 'summary' ? [entry.text] : [])).join('\n') }
  const id = part.id ?? null
  return {
    reasoning: part.content.flatMap((entry) => (entry.type === 'summary' || entry.type === 'text' ? [entry.text] : [])).join(''),
    reasoning_details: part.content.map((entry, index): Json => {
      switch (entry.type) {
        case 'summary': return { type: 'reasoning.summary', summary: entry.text, id, format: 'openai-responses-v1', index }
        case 'text': return { type: 'reasoning.text', text: entry.text, id, format: 'unknown', index, signature: entry.signature ?? null }
        case 'encrypted':
        case 'redacted': return { type: 'reasoning.encrypted', data: entry.data, id, format: 'openai-responses-v1', index }
      }
    }),
  }
}

function deltasOf(part: AssistantContent, index: number, field: NonNullable<ChatReplyOptions['reasoning']>): object[] {
  switch (part.type) {
    case 'text': return [...part.text].map((content) => ({ content }))
    case 'reasoning': return part.content.flatMap((entry): object[] => {
      if (entry.type !== 'summary' && entry.type !== 'text') return field === 'reasoning_details' ? [detailsAlone(part, entry, field)] : []
      const halves = [entry.text.slice(0, 4), entry.text.slice(4)]
      return halves.map((half) => reasoningFields({ ...part, content: [{ ...entry, text: half }] }, field))
    })
    case 'tool_call': {
      const call = wireCall(part) as { id: string; type: string; function: { name: string; arguments: string } }
      return [
        { content: null, tool_calls: [{ index, ...call, function: { name: call.function.name, arguments: '' } }] },
        ...(call.function.arguments.match(/.{1,3}/gsu) ?? []).map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] })),
      ]
    }
    case 'provider_item':
    case 'image': throw new TypeError(`Chat Completions says no ${part.type}`)
  }
}

function detailsAlone(part: Extract<AssistantContent, { type: 'reasoning' }>, entry: (typeof part.content)[number], field: 'reasoning_details'): object {
  const { reasoning: _reasoning, ...rest } = reasoningFields({ ...part, content: [entry] }, field)
  return rest
}
