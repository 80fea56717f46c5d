import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Json } from '../src/completion/json.ts'
import type { AssistantContent } from '../src/completion/message-types.ts'
import type { Usage } from '../src/completion/usage.ts'
import type { ScriptedTurn } from '../src/testing/scripted-model.ts'

/** What the server does with one request. */
export type MessagesReply =
  | { readonly type: 'events'; readonly events: readonly object[]; readonly ending?: 'end' | 'cut' | 'hang' }
  | { readonly type: 'text'; readonly status: number; readonly body: string; readonly contentType?: string }
  | { readonly type: 'json'; readonly status: number; readonly body: Json; readonly headers?: Record<string, string> }
  | { readonly type: 'reset' }

export interface WireBlock { readonly type: string; readonly [key: string]: Json }
export interface WireMessage { readonly role: string; readonly content: readonly WireBlock[] }

export interface ReceivedMessagesRequest {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** `undefined` for requests without a body. */
  readonly body: { readonly messages: readonly WireMessage[]; readonly stream?: boolean; readonly [key: string]: unknown } | undefined
}

export interface MessagesServer extends AsyncDisposable {
  readonly baseUrl: string
  readonly requests: readonly ReceivedMessagesRequest[]
}

/** The sizes in which bytes leave: every boundary that a parser may stumble over. */
const FRAGMENTS = [1, 5, 2, 13, 3, 8, 21]

/** A real HTTP server that answers request `n` with `replies[n]`; a turn is streamed to who asks for it. */
export async function startMessagesServer(replies: readonly (ScriptedTurn | MessagesReply)[]): Promise<MessagesServer> {
  const requests: ReceivedMessagesRequest[] = []
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const sent = await text(request)
    const body = sent === '' ? undefined : JSON.parse(sent)
    const reply = replies[requests.length] ?? { type: 'json', status: 418, body: { error: { message: 'no reply is left' } } }
    requests.push({ url: request.url ?? '', headers: request.headers, body })
    await answer(isTurn(reply) ? replyOf(reply, { isStreaming: body?.stream === true }) : reply, response)
  }
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function isTurn(reply: ScriptedTurn | MessagesReply): reply is ScriptedTurn {
  return ['answer', 'error', 'truncated', 'hanging'].includes(reply.type)
}

async function answer(reply: MessagesReply, response: ServerResponse): Promise<void> {
  switch (reply.type) {
    case 'reset': return void response.socket?.resetAndDestroy()
    case 'json': return void response.writeHead(reply.status, { 'content-type': 'application/json', 'request-id': 'req_1', ...reply.headers }).end(JSON.stringify(reply.body))
    case 'text': return void response.writeHead(reply.status, { 'content-type': reply.contentType ?? 'text/html' }).end(reply.body)
    case 'events': {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_1' })
      await writeFragments(Buffer.from(reply.events.map(frame).join('')), response)
      // A reset discards what has not been read yet: the bytes get a moment to arrive.
      if (reply.ending === 'cut') setTimeout(() => response.socket?.resetAndDestroy(), 30)
      else if (reply.ending !== 'hang') response.end()
    }
  }
}

function frame(event: { readonly type?: string }): string {
  return `event: ${event.type ?? 'message'}\ndata: ${JSON.stringify(event)}\n\n`
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

/** A scripted turn as Anthropic would send it, streamed or not. */
export function replyOf(turn: ScriptedTurn, { isStreaming }: { readonly isStreaming: boolean }): MessagesReply {
  if (turn.type === 'error') return { type: 'json', status: 500, body: { type: 'error', error: { type: 'api_error', message: turn.error.message }, request_id: 'req_1' } }
  const blocks = turn.content.flatMap(wireBlocks)
  const usage = usageOf(turn.type === 'answer' ? turn.usage : undefined)
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'test-model-1', stop_reason: null, stop_sequence: null }
  const stopReason = turn.type === 'answer' ? stopReasonOf(turn) : 'end_turn'
  if (!isStreaming) return { type: 'json', status: 200, body: { ...message, content: blocks, stop_reason: stopReason, ...usage } }
  const begun = [{ type: 'message_start', message: { ...message, content: [], ...usage } }, { type: 'ping' }, ...blocks.flatMap(blockEvents)]
  if (turn.type === 'truncated') return { type: 'events', events: begun }
  if (turn.type === 'hanging') return { type: 'events', events: begun, ending: 'hang' }
  return { type: 'events', events: [...begun, { type: 'message_delta', delta: { stop_reason: stopReason, stop_sequence: null }, ...usage }, { type: 'message_stop' }] }
}

function stopReasonOf({ content, finishReason = 'stop' }: Extract<ScriptedTurn, { type: 'answer' }>): string {
  if (typeof finishReason === 'object') return finishReason.other
  if (finishReason === 'length') return 'max_tokens'
  if (finishReason === 'content_filter') return 'refusal'
  return content.some(({ type }) => type === 'tool_call') ? 'tool_use' : 'end_turn'
}

function usageOf(usage: Usage | undefined): { readonly usage?: { readonly [counter: string]: number } } {
  if (usage === undefined) return {}
  return {
    usage: {
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      cache_read_input_tokens: usage.cachedInputTokens,
      cache_creation_input_tokens: usage.cacheCreationInputTokens,
    },
  }
}

function wireBlocks(part: AssistantContent): readonly WireBlock[] {
  switch (part.type) {
    case 'text': return [{ type: 'text', text: part.text }]
    case 'tool_call': return [{ type: 'tool_use', id: part.provider?.callId ?? part.id, name: part.function.name, input: part.function.arguments, caller: { type: 'direct' } }]
    case 'reasoning': return part.content.flatMap((entry): readonly WireBlock[] => {
      if (entry.type === 'redacted') return [{ type: 'redacted_thinking', data: entry.data }]
      return entry.type === 'text' ? [{ type: 'thinking', thinking: entry.text, signature: entry.signature ?? '' }] : []
    })
    case 'provider_item': return [part.raw as WireBlock]
    case 'image': throw new TypeError('no images')
  }
}

/** A block as its events: what is long comes in deltas. */
export function blockEvents(block: WireBlock, index: number): object[] {
  const delta = (fields: object) => ({ type: 'content_block_delta', index, delta: fields })
  const stop = { type: 'content_block_stop', index }
  switch (block.type) {
    case 'text': return [
      { type: 'content_block_start', index, content_block: { type: 'text', text: '' } },
      ...[...String(block['text'])].map((character) => delta({ type: 'text_delta', text: character })),
      stop,
    ]
    case 'thinking': return [
      { type: 'content_block_start', index, content_block: { type: 'thinking', thinking: '', signature: '' } },
      ...(String(block['thinking']).match(/.{1,4}/gsu) ?? []).map((thinking) => delta({ type: 'thinking_delta', thinking })),
      delta({ type: 'signature_delta', signature: block['signature'] }),
      stop,
    ]
    case 'tool_use':
    case 'server_tool_use': return [
      { type: 'content_block_start', index, content_block: { ...block, input: {} } },
      ...['', ...(inputText(block['input']).match(/.{1,3}/gsu) ?? [])].map((partial) => delta({ type: 'input_json_delta', partial_json: partial })),
      stop,
    ]
    default: return [{ type: 'content_block_start', index, content_block: block }, stop]
  }
}

/** A call without arguments has no text at all in a stream. */
function inputText(input: Json | undefined): string {
  const whole = JSON.stringify(input ?? {})
  return whole === '{}' ? '' : whole
}
