/** Turns what a model answers into the events of a Responses stream, in OpenAI's order and with its fields. */
import { isObject, type JsonObject } from '../json.ts'
import type { ModelTurn, OutputPart, TurnEnd } from '../model-turn.ts'
import { followerId, issuedCallId, reasoningId } from './item-id.ts'
import { responseObject, usageObject } from './response-object.ts'
import type { ResponsesRequest } from './request.ts'
import { ownSecret } from './secret.ts'

/** A JSON event, or the text of frames that a script gives as they are. */
export type WireEvent = JsonObject | string

export interface TurnEvents {
  readonly events: readonly WireEvent[]
  /** The final `response` object, which is also the body of an answer without streaming. */
  readonly response: JsonObject
  /** Finished items as `output_item.done` carried them. */
  readonly items: readonly JsonObject[]
}

export interface TurnIdentity {
  /** 32 hex digits, see item-id.ts. */
  readonly responseKey: string
  /** Unix time in seconds. */
  readonly createdAt: number
}

export function turnEvents(request: ResponsesRequest, turn: ModelTurn, identity: TurnIdentity): TurnEvents {
  return new TurnEncoder(request, turn, identity).encode()
}

class TurnEncoder {
  readonly #request: ResponsesRequest
  readonly #turn: ModelTurn
  readonly #identity: TurnIdentity
  readonly #events: WireEvent[] = []
  readonly #items: JsonObject[] = []
  #sequence = 0
  #outputChars = 0
  #reasoningIndex: number | undefined

  constructor(request: ResponsesRequest, turn: ModelTurn, identity: TurnIdentity) {
    this.#request = request
    this.#turn = turn
    this.#identity = identity
  }

  encode(): TurnEvents {
    const { parts, end } = this.#turn
    this.#emit('response.created', { response: this.#response(undefined) })
    this.#emit('response.in_progress', { response: this.#response(undefined) })
    parts.forEach((part, index) => this.#part(part, end.type === 'incomplete' && index === parts.length - 1))
    const response = this.#response(end)
    this.#finish(end, response)
    return { events: this.#events, response, items: this.#items }
  }

  #finish(end: TurnEnd, response: JsonObject): void {
    switch (end.type) {
      case 'completed':
      case 'incomplete':
      case 'failed':
        return this.#emit(`response.${end.type}`, { response })
      case 'error':
        return this.#emit('error', { code: end.code, message: end.message, param: null })
      case 'missing':
        return
    }
  }

  #part(part: OutputPart, isTruncated: boolean): void {
    const status = isTruncated ? 'incomplete' : 'completed'
    switch (part.type) {
      case 'text':
        return this.#message(part, status)
      case 'refusal':
        return this.#message(part, status)
      case 'reasoning':
        return this.#reasoning(part)
      case 'call':
        return this.#call(part, status)
      case 'item':
        return this.#hostedItem(part.item)
      case 'raw':
        this.#events.push(part.frames)
        return
    }
  }

  #message(part: Extract<OutputPart, { type: 'text' | 'refusal' }>, status: string): void {
    const id = followerId('msg', this.#place())
    const at = { item_id: id, output_index: this.#items.length, content_index: 0 }
    const base = { id, type: 'message', role: 'assistant', ...(part.type === 'text' && part.phase !== undefined ? { phase: part.phase } : {}) }
    const annotations = part.type === 'text' ? (part.annotations ?? []) : []
    const text = part.deltas.join('')
    const content = (value: string, notes: readonly JsonObject[]): JsonObject =>
      part.type === 'text' ? { type: 'output_text', annotations: notes, logprobs: [], text: value } : { type: 'refusal', refusal: value }

    this.#added({ ...base, status: 'in_progress', content: [] })
    this.#emit('response.content_part.added', { ...at, part: content('', []) })
    for (const delta of part.deltas) {
      if (part.type === 'text') this.#emit('response.output_text.delta', { ...at, delta, logprobs: [], obfuscation: obfuscation(delta) })
      else this.#emit('response.refusal.delta', { ...at, delta, obfuscation: obfuscation(delta) })
    }
    annotations.forEach((annotation, index) => this.#emit('response.output_text.annotation.added', { ...at, annotation_index: index, annotation }))
    if (part.type === 'text') this.#emit('response.output_text.done', { ...at, text, logprobs: [] })
    else this.#emit('response.refusal.done', { ...at, refusal: text })
    this.#emit('response.content_part.done', { ...at, part: content(text, annotations) })
    this.#outputChars += text.length
    this.#done({ ...base, status, content: [content(text, annotations)] })
  }

  #call(part: Extract<OutputPart, { type: 'call' }>, status: string): void {
    const id = followerId('fc', this.#place())
    const at = { item_id: id, output_index: this.#items.length }
    const callId = part.callId ?? issuedCallId(this.#identity.responseKey, this.#items.length)
    const base = { id, type: 'function_call', call_id: callId, name: part.name }
    const text = part.deltas.join('')

    this.#added({ ...base, status: 'in_progress', arguments: '' })
    for (const delta of part.deltas) this.#emit('response.function_call_arguments.delta', { ...at, delta, obfuscation: obfuscation(delta) })
    // A call cut off by a limit never reaches the `done` of its arguments.
    if (status === 'completed') this.#emit('response.function_call_arguments.done', { ...at, arguments: text })
    this.#outputChars += text.length
    this.#done({ ...base, status, arguments: text })
  }

  #reasoning(part: Extract<OutputPart, { type: 'reasoning' }>): void {
    const index = this.#items.length
    const id = reasoningId(this.#identity.responseKey, index)
    const at = { item_id: id, output_index: index }
    const secret = (place: 'added' | 'done'): JsonObject =>
      part.encrypted !== undefined ? { encrypted_content: part.encrypted } : this.#wantsSecrets() ? { encrypted_content: ownSecret(id, place) } : {}
    const summary = part.summary.map((text) => ({ type: 'summary_text', text }))
    const content = part.text === undefined ? {} : { content: [{ type: 'reasoning_text', text: part.text }] }

    this.#added({ id, type: 'reasoning', ...secret('added'), summary: [] })
    summary.forEach((entry, summaryIndex) => this.#summary({ ...at, summary_index: summaryIndex }, entry))
    if (part.text !== undefined) {
      this.#emit('response.reasoning_text.delta', { ...at, content_index: 0, delta: part.text })
      this.#emit('response.reasoning_text.done', { ...at, content_index: 0, text: part.text })
    }
    this.#outputChars += part.summary.join('').length
    this.#reasoningIndex = index
    this.#done({ id, type: 'reasoning', ...secret('done'), summary, ...content })
  }

  #summary(at: JsonObject, entry: { readonly type: string; readonly text: string }): void {
    this.#emit('response.reasoning_summary_part.added', { ...at, part: { ...entry, text: '' } })
    for (const delta of entry.text.match(/\s*\S+|\s+/gu) ?? []) {
      this.#emit('response.reasoning_summary_text.delta', { ...at, delta, obfuscation: obfuscation(delta) })
    }
    this.#emit('response.reasoning_summary_text.done', { ...at, text: entry.text })
    this.#emit('response.reasoning_summary_part.done', { ...at, part: entry })
  }

  #hostedItem(item: JsonObject): void {
    const id = `item_${this.#identity.responseKey}${this.#items.length.toString(16).padStart(4, '0')}`
    const whole = { id, ...item }
    this.#added({ ...whole, status: 'in_progress' })
    this.#done({ ...whole, status: 'completed' })
  }

  #added(item: JsonObject): void {
    this.#emit('response.output_item.added', { output_index: this.#items.length, item })
  }

  #done(item: JsonObject): void {
    this.#emit('response.output_item.done', { output_index: this.#items.length, item })
    this.#items.push(item)
  }

  #emit(type: string, fields: JsonObject): void {
    this.#events.push({ type, sequence_number: this.#sequence, ...fields })
    this.#sequence += 1
  }

  #place(): { response: string; index: number; reasoningIndex: number | undefined } {
    return { response: this.#identity.responseKey, index: this.#items.length, reasoningIndex: this.#reasoningIndex }
  }

  #wantsSecrets(): boolean {
    const { include } = this.#request.body
    return Array.isArray(include) && include.includes('reasoning.encrypted_content')
  }

  #response(end: TurnEnd | undefined): JsonObject {
    const isOver = end !== undefined
    const usage = isOver && end.type !== 'failed' ? usageObject(this.#turn.usage ?? {}, { inputChars: this.#inputChars(), outputChars: this.#outputChars }) : null
    const output = isOver ? this.#items.map((item) => this.#restated(item)) : []
    return responseObject(this.#request, { id: `resp_${this.#identity.responseKey}`, createdAt: this.#identity.createdAt, output, end, usage })
  }

  /** The terminal event carries another encryption of the same reasoning. */
  #restated(item: JsonObject): JsonObject {
    const isOwn = item['type'] === 'reasoning' && item['encrypted_content'] === ownSecret(String(item['id']), 'done')
    return isOwn ? { ...item, encrypted_content: ownSecret(String(item['id']), 'completed') } : item
  }

  #inputChars(): number {
    return this.#request.input.reduce((sum, item) => sum + sizeOf(item['content'] ?? item['output'] ?? item['arguments']), 0)
  }
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (Array.isArray(value)) return value.reduce((sum: number, part: unknown) => sum + sizeOf(isObject(part) ? part['text'] : part), 0)
  return 0
}

/** Padding to a multiple of 16 characters, which hides the length of a delta from who watches the line. */
function obfuscation(delta: string): string {
  return 'aQ3xZ8kLm0PdVw7R'.slice(delta.length % 16)
}

/** One event as an SSE frame. */
export function eventFrame(event: WireEvent): string {
  return typeof event === 'string' ? event : `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`
}
