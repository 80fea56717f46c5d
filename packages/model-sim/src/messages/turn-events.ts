/** Turns what a model answers into the events of a Messages stream, in Anthropic's order and with its fields. */
import { isObject, objectsOf, parseJson, type JsonObject } from '../json.ts'
import { idField, reasoningWords, streamPieces, type ModelTurn, type OutputPart } from '../model-turn.ts'
import { eventFrame } from '../sse-frame.ts'
import { contentText } from '../text-content.ts'
import type { EncodedTurn, TurnIdentity } from '../wire.ts'
import type { MessagesRequest } from './request.ts'
import { messageObject, messageUsage, stopReason, type MessageUsage } from './response-object.ts'
import { signatureOf } from './secret.ts'

export function turnEvents(request: MessagesRequest, turn: ModelTurn, identity: TurnIdentity): EncodedTurn {
  return new TurnEncoder(request, turn, identity).encode()
}

class TurnEncoder {
  readonly #request: MessagesRequest
  readonly #turn: ModelTurn
  readonly #identity: TurnIdentity
  readonly #frames: string[] = []
  readonly #content: JsonObject[] = []

  constructor(request: MessagesRequest, turn: ModelTurn, identity: TurnIdentity) {
    this.#request = request
    this.#turn = turn
    this.#identity = identity
  }

  encode(): EncodedTurn {
    const reason = stopReason(this.#turn)
    const usage = this.#usage()
    this.#emit('message_start', { message: this.#message([], { stopReason: null, usage: usage?.start }) })
    for (const part of this.#turn.parts) this.#part(part)
    this.#finish(reason, usage)
    return { frames: this.#frames, body: this.#message(this.#content, { stopReason: reason, usage: usage?.whole }) }
  }

  #finish(reason: string | null, usage: MessageUsage | undefined): void {
    const { end } = this.#turn
    switch (end.type) {
      case 'completed':
      case 'incomplete':
        this.#emit('message_delta', { delta: { stop_reason: reason, stop_sequence: null, stop_details: null }, ...(usage === undefined ? {} : { usage: usage.delta }) })
        return this.#emit('message_stop', {})
      case 'failed':
      case 'error':
        return this.#emit('error', { error: { type: end.code, message: end.message }, request_id: `req_${this.#identity.responseKey}` })
      case 'cancelled':
      case 'missing':
        return
    }
  }

  #part(part: OutputPart): void {
    switch (part.type) {
      case 'text':
        return this.#text(part.deltas, part.annotations ?? [])
      case 'refusal':
        return this.#text(part.deltas, [])
      case 'reasoning':
        return part.redacted === undefined ? this.#thinking(part) : this.#whole({ type: 'redacted_thinking', data: part.redacted })
      case 'call':
        return this.#call(part)
      case 'item':
        return this.#item(part.item)
      case 'raw':
        this.#frames.push(part.frames)
        return
    }
  }

  #text(deltas: readonly string[], citations: readonly JsonObject[]): void {
    const cited = citations.length === 0 ? {} : { citations }
    this.#block({
      start: { type: 'text', text: '', ...(citations.length === 0 ? {} : { citations: [] }) },
      deltas: [...deltas.map((text) => ({ type: 'text_delta', text })), ...citations.map((citation) => ({ type: 'citations_delta', citation }))],
      whole: { type: 'text', text: deltas.join(''), ...cited },
    })
  }

  #thinking(part: Extract<OutputPart, { type: 'reasoning' }>): void {
    const thinking = reasoningWords(part)
    const signature = part.encrypted ?? signatureOf(thinking)
    this.#block({
      start: { type: 'thinking', thinking: '', signature: '' },
      deltas: [...streamPieces(thinking).map((text) => ({ type: 'thinking_delta', thinking: text })), { type: 'signature_delta', signature }],
      whole: { type: 'thinking', thinking, signature },
    })
  }

  #call(part: Extract<OutputPart, { type: 'call' }>): void {
    const id = idField('id', { id: part.callId, otherwise: `toolu_${this.#identity.responseKey.slice(0, 20)}${this.#content.length.toString(16).padStart(4, '0')}` })
    const text = part.deltas.join('')
    const named = { type: 'tool_use', ...id, name: part.name, caller: { type: 'direct' } }
    this.#jsonBlock(named, { text, pieces: part.deltas })
  }

  /** A block of the service itself; what was put into its tools comes in pieces, anything else at once. */
  #item(item: JsonObject): void {
    const { input, ...rest } = item
    if (!isObject(input)) return this.#whole(item)
    const text = JSON.stringify(input)
    this.#jsonBlock(rest, { text, pieces: text.match(/.{1,8}/gsu) ?? [] })
  }

  /** A first, empty piece always comes; an empty input has nothing else. An input that was cut off is none. */
  #jsonBlock(block: JsonObject, { text, pieces }: { readonly text: string; readonly pieces: readonly string[] }): void {
    const parsed = parseJson(text)
    this.#block({
      start: { ...block, input: {} },
      deltas: ['', ...(text === '{}' ? [] : pieces)].map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
      whole: { ...block, input: isObject(parsed) ? parsed : {} },
    })
  }

  #whole(block: JsonObject): void {
    this.#block({ start: block, deltas: [], whole: block })
  }

  #block({ start, deltas, whole }: { readonly start: JsonObject; readonly deltas: readonly JsonObject[]; readonly whole: JsonObject }): void {
    const index = this.#content.length
    this.#emit('content_block_start', { index, content_block: start })
    if (index === 0) this.#emit('ping', {})
    for (const delta of deltas) this.#emit('content_block_delta', { index, delta })
    this.#emit('content_block_stop', { index })
    this.#content.push(whole)
  }

  #emit(type: string, fields: JsonObject): void {
    this.#frames.push(eventFrame({ type, ...fields }))
  }

  #message(content: readonly JsonObject[], state: { readonly stopReason: string | null; readonly usage: JsonObject | undefined }): JsonObject {
    return messageObject(this.#request, { turn: this.#turn, identity: this.#identity }, { content, ...state })
  }

  #usage(): MessageUsage | undefined {
    const { parts, quirks, usage = {} } = this.#turn
    if (quirks?.includes('no_usage') === true) return undefined
    const inputChars = this.#request.messages.reduce((sum, { content }) => sum + contentText(content).length + objectsOf(content).reduce((inner, block) => inner + contentText(block['content']).length, 0), 0)
    const outputChars = parts.reduce((sum, part) => sum + ('deltas' in part ? part.deltas.join('').length : part.type === 'reasoning' ? reasoningWords(part).length : 0), 0)
    return messageUsage(usage, { inputChars, outputChars })
  }
}
