import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Json } from '../src/completion/json.ts'
import type { AssistantContent } from '../src/completion/message-types.ts'
import type { ScriptedTurn } from '../src/testing/scripted-model.ts'

/** What the server does with one request. */
export type Reply =
  | { readonly type: 'events'; readonly events: readonly object[]; readonly ending?: 'end' | 'cut' | 'hang' }
  | { readonly type: 'bytes'; readonly bytes: string }
  /** Everything, the head included; then the connection is reset. */
  | { readonly type: 'raw'; readonly bytes: string }
  | { readonly type: 'json'; readonly status: number; readonly body: Json; readonly headers?: Record<string, string> }
  | { readonly type: 'reset' }
  | { readonly type: 'silence' }

export interface ReceivedRequest {
  readonly body: { readonly input: readonly Record<string, unknown>[]; readonly stream?: boolean; readonly [key: string]: unknown }
  readonly headers: IncomingHttpHeaders
}

export interface ResponsesServer extends AsyncDisposable {
  readonly baseUrl: string
  readonly requests: readonly ReceivedRequest[]
  /** Connections that are open right now. */
  openConnections(): Promise<number>
}

/** The sizes in which bytes leave: every boundary that a parser may stumble over. */
const FRAGMENTS = [1, 5, 2, 13, 3, 8, 21]

/** A real HTTP server that answers request `n` with `replies[n]`. */
export async function startResponsesServer(replies: readonly Reply[], { isFragmented = true } = {}): Promise<ResponsesServer> {
  const requests: ReceivedRequest[] = []
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request)
    const reply = replies[requests.length] ?? { type: 'json', status: 418, body: { error: { message: 'no reply is left' } } }
    requests.push({ body: body === '' ? {} : JSON.parse(body), headers: request.headers })
    await answer(reply, response, isFragmented)
  }
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests,
    openConnections: () => new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count)))),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function answer(reply: Reply, response: ServerResponse, isFragmented: boolean): Promise<void> {
  switch (reply.type) {
    case 'silence': return
    case 'raw': {
      response.socket?.write(reply.bytes)
      setTimeout(() => response.socket?.resetAndDestroy(), 30)
      return
    }
    case 'reset': return void response.socket?.resetAndDestroy()
    case 'json': return void response.writeHead(reply.status, { 'content-type': 'text/plain', 'x-request-id': 'req_1', ...reply.headers }).end(JSON.stringify(reply.body))
    case 'bytes': return void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(reply.bytes)
    case 'events': {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' })
      const bytes = Buffer.from(reply.events.map((event) => `event: message\r\ndata: ${JSON.stringify(event)}\r\n\r\n`).join(''))
      await (isFragmented ? writeFragments(bytes, response) : response.write(bytes))
      // A reset discards what has not been read yet: the bytes get a moment to arrive.
      if (reply.ending === 'cut') setTimeout(() => response.socket?.resetAndDestroy(), 30)
      else if (reply.ending !== 'hang') response.end()
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

/** A scripted turn as OpenAI would send it, streamed or not. */
export function replyOf(turn: ScriptedTurn, { isStreaming }: { readonly isStreaming: boolean }): Reply {
  if (turn.type === 'error') return { type: 'json', status: 500, body: { error: { message: turn.error.message, code: 'server_error' } } }
  const items = turn.content.map(wireItem)
  if (turn.type === 'truncated') return { type: 'events', events: items.flatMap(itemEvents) }
  if (turn.type === 'hanging') return { type: 'events', events: items.flatMap(itemEvents), ending: 'hang' }
  const response = responseObject(turn, items)
  if (!isStreaming) return { type: 'json', status: 200, body: response as Json }
  return { type: 'events', events: [{ type: 'response.created', response: { id: response.id } }, ...items.flatMap(itemEvents), { type: `response.${response.status}`, response }] }
}

/** A model server that follows a script, streaming to who asks for it. */
export async function startScriptedServer(turns: readonly (ScriptedTurn | Reply)[], isStreaming: readonly boolean[] = []): Promise<ResponsesServer> {
  const replies = turns.map((turn, index) => (isTurn(turn) ? replyOf(turn, { isStreaming: isStreaming[index] ?? true }) : turn))
  return startResponsesServer(replies)
}

function isTurn(turn: ScriptedTurn | Reply): turn is ScriptedTurn {
  return ['answer', 'error', 'truncated', 'hanging'].includes(turn.type)
}

function responseObject(turn: Extract<ScriptedTurn, { type: 'answer' }>, output: readonly Record<string, unknown>[]) {
  const isCut = turn.finishReason === 'length' || turn.finishReason === 'content_filter'
  return {
    id: 'resp_1',
    object: 'response',
    model: 'test-model-1',
    status: isCut ? 'incomplete' : 'completed',
    incomplete_details: isCut ? { reason: turn.finishReason === 'length' ? 'max_output_tokens' : 'content_filter' } : null,
    output,
    usage: turn.usage === undefined ? null : {
      input_tokens: turn.usage.inputTokens,
      output_tokens: turn.usage.outputTokens,
      total_tokens: turn.usage.totalTokens,
      input_tokens_details: { cached_tokens: turn.usage.cachedInputTokens },
      output_tokens_details: { reasoning_tokens: turn.usage.reasoningTokens },
    },
  }
}

function wireItem(part: AssistantContent, index: number): Record<string, unknown> {
  switch (part.type) {
    case 'text': return { type: 'message', id: `msg_${index}`, role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: part.text, annotations: [] }] }
    case 'tool_call': return {
      type: 'function_call', id: `fc_${part.id}_${index}`, call_id: part.provider?.callId ?? part.id, name: part.function.name,
      arguments: part.function.rawArguments ?? JSON.stringify(part.function.arguments), status: 'completed',
    }
    case 'reasoning': return {
      type: 'reasoning', id: part.id,
      summary: part.content.flatMap((entry) => (entry.type === 'summary' ? [{ type: 'summary_text', text: entry.text }] : [])),
      ...Object.fromEntries(part.content.flatMap((entry) => (entry.type === 'encrypted' ? [['encrypted_content', entry.data]] : []))),
    }
    case 'provider_item': return part.raw as Record<string, unknown>
    case 'image': throw new TypeError('no images')
  }
}

function itemEvents(item: Record<string, unknown>, outputIndex: number): object[] {
  const place = { output_index: outputIndex, item_id: item['id'] }
  const added = { type: 'response.output_item.added', output_index: outputIndex, item: { ...item, content: [], arguments: '', encrypted_content: 'not the one to keep' } }
  return [added, ...deltaEvents(item, place), { type: 'response.output_item.done', output_index: outputIndex, item }]
}

function deltaEvents(item: Record<string, unknown>, place: object): object[] {
  const [content] = (item['content'] ?? []) as { text: string }[]
  if (item['type'] === 'message') return [...(content?.text ?? '')].map((delta) => ({ type: 'response.output_text.delta', ...place, content_index: 0, delta }))
  if (item['type'] === 'function_call') return (String(item['arguments']).match(/.{1,3}/gsu) ?? []).map((delta) => ({ type: 'response.function_call_arguments.delta', ...place, delta }))
  if (item['type'] !== 'reasoning') return []
  return (item['summary'] as { text: string }[]).flatMap(({ text }, index) => [
    { type: 'response.reasoning_summary_part.added', ...place, summary_index: index },
    { type: 'response.reasoning_summary_text.delta', ...place, summary_index: index, delta: text },
  ])
}
