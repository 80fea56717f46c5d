/** Turns what a model answers into the events of a Responses stream, in OpenAI's order and with its fields. */
import { isObject, textOf, type JsonObject } from '../json.ts'
import { idField, streamPieces, type ModelTurn, type OutputPart, type TurnEnd } from '../model-turn.ts'
import { obfuscation } from '../obfuscation.ts'
import { eventFrame } from '../sse-frame.ts'
import type { TurnIdentity } from '../wire.ts'
import { followerId, issuedCallId, reasoningId } from './item-id.ts'
import { responseObject, usageObject } from './response-object.ts'
import type { ResponsesRequest } from './request.ts'
import { ownSecret } from './secret.ts'

export interface TurnEvents {
  /** The stream: one text for each event. */
  readonly frames: readonly string[]
  /** The final `response` object, which is also the body of an answer without streaming. */
  readonly response: JsonObject
  /** Finished items as `output_item.done` carried them. */
  readonly items: readonly JsonObject[]
}

export function turnEvents(request: ResponsesRequest, turn: ModelTurn, identity: TurnIdentity): TurnEvents {
  return new TurnEncoder(request, turn, identity).encode()
}

const HOSTED_PREFIXES: Readonly<Record<string, string>> = { web_search_call: 'ws', file_search_call: 'fs', code_interpreter_call: 'ci', image_generation_call: 'ig', mcp_call: 'mcp', compaction: 'cmp' }
const HOSTED_STEPS: Readonly<Record<string, readonly string[]>> = {
  web_search_call: ['in_progress', 'searching', 'completed'],
  file_search_call: ['in_progress', 'searching', 'completed'],
  code_interpreter_call: ['in_progress', 'interpreting', 'completed'],
  image_generation_call: ['in_progress', 'generating', 'completed'],
  mcp_call: ['in_progress', 'completed'],
}

class TurnEncoder {
  readonly #request: ResponsesRequest
  readonly #turn: ModelTurn
  readonly #identity: TurnIdentity
  readonly #frames: string[] = []
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
    return { frames: this.#frames, response, items: this.#items }
  }

  #finish(end: TurnEnd, response: JsonObject): void {
    switch (end.type) {
      case 'completed':
      case 'incomplete':
      case 'failed':
      case 'cancelled':
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
        this.#frames.push(part.frames)
        return
    }
  }

  #message(part: Extract<OutputPart, { type: 'text' | 'refusal' }>, status: string): void {
    const own = { id: part.id, otherwise: followerId('msg', this.#place()) }
    const at = { ...idField('item_id', own), output_index: this.#items.length, content_index: 0 }
    const base = { ...idField('id', own), type: 'message', role: 'assistant', ...(part.type === 'text' && part.phase !== undefined ? { phase: part.phase } : {}) }
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
    const own = { id: part.id, otherwise: followerId('fc', this.#place()) }
    const at = { ...idField('item_id', own), output_index: this.#items.length }
    const callId = idField('call_id', { id: part.callId, otherwise: issuedCallId(this.#identity.responseKey, this.#items.length) })
    const base = { ...idField('id', own), type: 'function_call', ...callId, name: part.name }
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
    const own = { id: part.id, otherwise: id }
    const at = { ...idField('item_id', own), output_index: index }
    const given = part.encrypted ?? part.redacted
    const secret = (place: 'added' | 'done'): JsonObject =>
      given !== undefined ? { encrypted_content: given } : this.#wantsSecrets() ? { encrypted_content: ownSecret(id, place) } : {}
    const summary = part.summary.map((text) => ({ type: 'summary_text', text }))
    const content = part.text === undefined ? {} : { content: [{ type: 'reasoning_text', text: part.text }] }
    const base = { ...idField('id', own), type: 'reasoning' }

    this.#added({ ...base, ...secret('added'), summary: [] })
    summary.forEach((entry, summaryIndex) => this.#summary({ ...at, summary_index: summaryIndex }, entry))
    if (part.text !== undefined) this.#reasoningText({ ...at, content_index: 0 }, part.text)
    this.#outputChars += part.summary.join('').length + (part.text ?? '').length
    // What a script names itself cannot be asked for: the ids that follow tell of issued ones only.
    this.#reasoningIndex = part.id === undefined ? index : undefined
    this.#done({ ...base, ...secret('done'), summary, ...content })
  }

  #reasoningText(at: JsonObject, text: string): void {
    for (const delta of streamPieces(text)) this.#emit('response.reasoning_text.delta', { ...at, delta })
    this.#emit('response.reasoning_text.done', { ...at, text })
  }

  #summary(at: JsonObject, entry: { readonly type: string; readonly text: string }): void {
    this.#emit('response.reasoning_summary_part.added', { ...at, part: { ...entry, text: '' } })
    for (const delta of entry.text.match(/\s*\S+|\s+/gu) ?? []) {
      this.#emit('response.reasoning_summary_text.delta', { ...at, delta, obfuscation: obfuscation(delta) })
    }
    this.#emit('response.reasoning_summary_text.done', { ...at, text: entry.text })
    this.#emit('response.reasoning_summary_part.done', { ...at, part: entry })
  }

  /** An item that OpenAI makes by itself. Calls of its own tools have a status, and events that tell their progress. */
  #hostedItem(item: JsonObject): void {
    const type = textOf(item['type'])
    const id = `${HOSTED_PREFIXES[type] ?? 'item'}_${this.#identity.responseKey}${this.#items.length.toString(16).padStart(4, '0')}`
    const whole: JsonObject = { id, ...item }
    const isCall = type.endsWith('_call')
    const at = { item_id: whole['id'], output_index: this.#items.length }
    this.#added(isCall ? { ...whole, status: 'in_progress' } : whole)
    for (const step of HOSTED_STEPS[type] ?? []) this.#emit(`response.${type}.${step}`, at)
    this.#done(isCall ? { status: 'completed', ...whole } : whole)
  }

  #added(item: JsonObject): void {
    this.#emit('response.output_item.added', { output_index: this.#items.length, item })
  }

  #done(item: JsonObject): void {
    this.#emit('response.output_item.done', { output_index: this.#items.length, item })
    this.#items.push(item)
  }

  #emit(type: string, fields: JsonObject): void {
    this.#frames.push(eventFrame({ type, sequence_number: this.#sequence, ...fields }))
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
    const hasUsage = isOver && end.type !== 'failed' && this.#turn.quirks?.includes('no_usage') !== true
    const usage = hasUsage ? usageObject(this.#turn.usage ?? {}, { inputChars: this.#inputChars(), outputChars: this.#outputChars }) : null
    const output = isOver ? this.#items.map((item) => this.#restated(item)) : []
    return responseObject(this.#request, { id: `resp_${this.#identity.responseKey}`, chosenId: this.#turn.responseId, createdAt: this.#identity.createdAt, output, end, usage })
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
