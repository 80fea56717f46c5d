/** Turns what a model answers into the chunks of a Chat Completions stream, in OpenAI's order and with its fields. */
import { parseJson, type JsonObject } from '../json.ts'
import { idField, reasoningWords, streamPieces, type ModelTurn, type OutputPart, type Quirk } from '../model-turn.ts'
import { obfuscation } from '../obfuscation.ts'
import { issuedCallId } from '../responses/item-id.ts'
import { dataFrame } from '../sse-frame.ts'
import { contentText } from '../text-content.ts'
import type { EncodedTurn, TurnIdentity } from '../wire.ts'
import type { ChatRequest } from './request.ts'
import { completionBase, completionObject, finishReason, usageObject } from './response-object.ts'

export function turnEvents(request: ChatRequest, turn: ModelTurn, identity: TurnIdentity): EncodedTurn {
  return new TurnEncoder(request, turn, identity).encode()
}

class TurnEncoder {
  readonly #request: ChatRequest
  readonly #turn: ModelTurn
  readonly #identity: TurnIdentity
  readonly #base: JsonObject
  readonly #frames: string[] = []
  readonly #calls: JsonObject[] = []
  #outputChars = 0

  constructor(request: ChatRequest, turn: ModelTurn, identity: TurnIdentity) {
    this.#request = request
    this.#turn = turn
    this.#identity = identity
    this.#base = completionBase(request, turn, identity)
  }

  encode(): EncodedTurn {
    const { parts } = this.#turn
    const speaks = parts.some((part) => part.type === 'text')
    this.#delta({ role: 'assistant', content: speaks ? '' : null, refusal: null })
    for (const part of parts) this.#part(part)
    const finish = finishReason(this.#turn)
    const usage = this.#has('no_usage') ? undefined : usageObject(this.#turn.usage ?? {}, { inputChars: this.#inputChars(), outputChars: this.#outputChars })
    this.#finish(finish, usage)
    return { frames: this.#frames, body: completionObject(this.#base, this.#turn, { calls: this.#calls, finish, usage }) }
  }

  #part(part: OutputPart): void {
    switch (part.type) {
      case 'text':
        for (const delta of part.deltas) this.#said({ content: delta, ...(this.#has('null_tool_calls') ? { tool_calls: null } : {}) }, delta)
        if (part.annotations !== undefined) this.#delta({ annotations: part.annotations })
        return
      case 'refusal':
        for (const delta of part.deltas) this.#said({ refusal: delta }, delta)
        return
      case 'reasoning':
        for (const delta of streamPieces(reasoningWords(part))) this.#said({ reasoning_content: delta }, delta)
        return
      case 'call':
        return this.#call(part)
      case 'item':
        return // nothing on this wire could say it
      case 'raw':
        this.#frames.push(part.frames)
        return
    }
  }

  #call(part: Extract<OutputPart, { type: 'call' }>): void {
    const index = this.#calls.length
    const id = idField('id', { id: part.callId, otherwise: issuedCallId(this.#identity.responseKey, index) })
    const text = part.deltas.join('')
    const place = this.#has('no_call_index') ? {} : { index }
    const repeated = this.#has('repeat_call_ids') ? { ...id, type: 'function' } : {}
    const isWhole = this.#has('object_arguments')
    const given = isWhole ? (parseJson(text) ?? text) : text
    if (isWhole) this.#fragment({ ...place, ...id, type: 'function', function: { name: part.name, arguments: given } })
    else {
      this.#fragment({ ...place, ...id, type: 'function', function: { name: part.name, arguments: '' } })
      for (const delta of part.deltas) this.#fragment({ ...place, ...repeated, function: { ...(this.#has('repeat_call_ids') ? { name: '' } : {}), arguments: delta } })
    }
    this.#outputChars += text.length
    this.#calls.push({ ...id, type: 'function', function: { name: part.name, arguments: given } })
  }

  #finish(finish: string | null, usage: JsonObject | undefined): void {
    const { end } = this.#turn
    switch (end.type) {
      case 'failed':
      case 'error':
        this.#frames.push(dataFrame({ error: { message: end.message, type: 'server_error', param: null, code: end.code } }))
        return
      case 'completed':
      case 'incomplete':
        this.#chunk({ choices: [choice({}, finish)], ...this.#nullUsage() })
        if (usage !== undefined && this.#request.includesUsage) this.#chunk({ choices: [], usage })
        if (!this.#has('no_done')) this.#frames.push('data: [DONE]\n\n')
        return
      case 'cancelled':
      case 'missing':
        return
    }
  }

  #said(delta: JsonObject, words: string): void {
    this.#outputChars += words.length
    this.#delta(delta)
  }

  #fragment(call: JsonObject): void {
    this.#delta({ tool_calls: [call] })
  }

  #delta(delta: JsonObject): void {
    this.#chunk({ choices: [choice(delta, null)], ...this.#nullUsage(), obfuscation: obfuscation(JSON.stringify(delta)) })
  }

  #chunk(fields: JsonObject): void {
    this.#frames.push(dataFrame({ ...this.#base, object: 'chat.completion.chunk', ...fields }))
  }

  /** Every chunk but the one for the usage says that it has none, when usage was asked for. */
  #nullUsage(): JsonObject {
    return this.#request.includesUsage && !this.#has('no_usage') ? { usage: null } : {}
  }

  #inputChars(): number {
    return this.#request.messages.reduce((sum, message) => sum + contentText(message['content']).length, 0)
  }

  #has(quirk: Quirk): boolean {
    return this.#turn.quirks?.includes(quirk) === true
  }
}

function choice(delta: JsonObject, finish: string | null): JsonObject {
  return { index: 0, delta, logprobs: null, finish_reason: finish }
}
