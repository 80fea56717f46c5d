import { arrayAt, isJsonObject, numberAt, objectAt, stringAt, tryParseJson, type Json, type JsonObject } from '../../completion/json.ts'
import { CompletionError } from '../../errors.ts'
import type { DecodeOptions, DecoderOutput, StreamDecoder } from '../wire.ts'
import { callIds, itemChoices, responseFinal, textKey } from './decode-response.ts'
import { responseError } from './response-error.ts'

type SlotKind = 'message' | 'function_call' | 'reasoning' | 'other'

/** One output item in progress. Its key is fixed when it is first seen: some servers change item ids on the way. */
interface ItemSlot {
  readonly key: string
  readonly kind: SlotKind
  readonly position: number
  isDone: boolean
}

const TERMINAL = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled', 'error'])

/** Reads the events of a streamed response: https://platform.openai.com/docs/api-reference/responses-streaming. No I/O. */
export class ResponsesStreamDecoder implements StreamDecoder {
  readonly #output: DecoderOutput
  readonly #providerRequestId: string | undefined
  readonly #includeRaw: boolean
  /** By output index, or by what else an item is known by. */
  readonly #slots = new Map<number | string, ItemSlot>()
  /** Those that may still be open, by kind, the latest last. */
  readonly #open = new Map<SlotKind, ItemSlot[]>()
  #messageId: string | undefined
  #isFinished = false

  constructor(output: DecoderOutput, { providerRequestId, includeRaw = false }: DecodeOptions = {}) {
    this.#output = output
    this.#providerRequestId = providerRequestId
    this.#includeRaw = includeRaw
  }

  /** Whether the terminal event was read; what follows it is ignored. */
  get isFinished(): boolean {
    return this.#isFinished
  }

  /** The data of one event. Throws `CompletionError` when it says that the answer has failed. */
  push(data: string): void {
    if (this.#isFinished || data === '[DONE]' || (this.#slots.size === 0 && isEcho(data))) return
    const event = tryParseJson(data)
    if (isJsonObject(event)) this.#event(event)
    else if (event === undefined) this.#malformed(data)
  }

  /** Only its own events end an answer. */
  end(): void {
    // Nothing is left to be said: what is missing now is missing for good.
  }

  /** A frame that is not JSON is reported and skipped, unless it was the end. */
  #malformed(data: string): void {
    const type = /"type"\s*:\s*"([^"]+)"/.exec(data)?.[1]
    const error = new CompletionError('json', `A malformed event in the stream${type === undefined ? '' : `: ${type}`}`, { bodyText: data.slice(0, 500) })
    if (type !== undefined && TERMINAL.has(type)) throw error
    this.#output.choice({ type: 'warning', error })
  }

  #event(event: JsonObject): void {
    switch (event['type']) {
      case 'response.output_text.delta':
      case 'response.refusal.delta': return this.#textDelta(event)
      case 'response.function_call_arguments.delta': return this.#argumentsDelta(event)
      case 'response.reasoning_summary_text.delta': return this.#reasoningDelta(event, 'summary')
      case 'response.reasoning_text.delta': return this.#reasoningDelta(event, 'text')
      case 'response.output_item.added': return this.#added(event)
      case 'response.output_item.done': return this.#done(event)
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
      case 'response.cancelled': return this.#terminal(event)
      case 'error': throw responseError(event, this.#providerRequestId)
      default: // Everything else repeats what these say, or is of no interest: parts, annotations, progress of hosted tools, keep-alives.
    }
  }

  #textDelta(event: JsonObject): void {
    const slot = this.#slot(event, 'message')
    const index = event['content_index']
    const id = typeof index === 'number' && index > 0 ? textKey(slot.key, index) : slot.key
    const delta = event['delta']
    if (typeof delta === 'string') this.#output.choice({ type: 'text_delta', id, text: delta })
  }

  #argumentsDelta(event: JsonObject): void {
    const delta = stringAt(event, 'delta')
    if (delta !== undefined) this.#output.choice({ type: 'tool_delta', id: this.#slot(event, 'function_call').key, delta })
  }

  #reasoningDelta(event: JsonObject, kind: 'summary' | 'text'): void {
    const index = numberAt(event, kind === 'summary' ? 'summary_index' : 'content_index') ?? 0
    this.#output.choice({ type: 'reasoning_delta', id: this.#slot(event, 'reasoning').key, kind, index, delta: stringAt(event, 'delta') ?? '' })
  }

  #added(event: JsonObject): void {
    const item = objectAt(event, 'item')
    if (item !== undefined) this.#slot(event, kindOf(item), item)
  }

  /** The finished item is authoritative over everything that its deltas said. */
  #done(event: JsonObject): void {
    const item = objectAt(event, 'item')
    if (item === undefined) return
    const slot = this.#slot(event, kindOf(item), item)
    if (slot.isDone) return
    slot.isDone = true
    if (slot.kind === 'message') this.#messageId ??= stringAt(item, 'id')
    for (const choice of itemChoices(item, { ...slot, isCutOff: false })) this.#output.choice(choice)
  }

  #terminal(event: JsonObject): void {
    const response = objectAt(event, 'response')
    if (response === undefined) throw new CompletionError('response', `The event ${stringAt(event, 'type')} has no response`)
    const status = stringAt(response, 'status') ?? stringAt(event, 'type')?.slice('response.'.length)
    if (status === 'failed' || status === 'cancelled') throw terminalError(response, status, this.#providerRequestId)
    if (response['usage'] !== undefined && response['usage'] !== null && objectAt(response, 'usage') === undefined) {
      throw new CompletionError('response', 'The end of the answer has a malformed usage')
    }
    const isComplete = status !== 'incomplete'
    if (this.#slots.size === 0) this.#unannounced(arrayAt(response, 'output'), isComplete)
    this.#isFinished = true
    const final = responseFinal(status === undefined || 'status' in response ? response : { ...response, status }, this.#providerRequestId)
    const messageId = this.#messageId === undefined ? {} : { messageId: this.#messageId }
    this.#output.finish({ ...final, ...messageId, ...(this.#includeRaw ? { raw: response } : {}) }, { isComplete })
  }

  /** Some servers put everything into the last event. */
  #unannounced(output: readonly Json[], isComplete: boolean): void {
    for (const [position, item] of output.entries()) {
      if (!isJsonObject(item)) continue
      if (kindOf(item) === 'message') this.#messageId ??= stringAt(item, 'id')
      for (const choice of itemChoices(item, { key: stringAt(item, 'id') ?? `item ${position}`, position, isCutOff: !isComplete })) this.#output.choice(choice)
    }
  }

  /** The slot of an event: by output index, else by item id, else the latest open one of its kind. Opens it on first sight. */
  #slot(event: JsonObject, kind: SlotKind, item?: JsonObject): ItemSlot {
    const index = event['output_index']
    const itemId = item === undefined ? event['item_id'] : item['id']
    const place = typeof index === 'number' ? index : typeof itemId === 'string' ? itemId : undefined
    const known = place === undefined ? this.#latestOpen(kind) : this.#slots.get(place)
    if (known !== undefined) return known
    const position = typeof index === 'number' ? index : this.#slots.size
    const slot: ItemSlot = { key: typeof itemId === 'string' && itemId !== '' ? itemId : `${kind} ${position}`, kind, position, isDone: false }
    this.#slots.set(place ?? `${kind} ${position}`, slot)
    const open = this.#open.get(kind)
    if (open === undefined) this.#open.set(kind, [slot])
    else open.push(slot)
    this.#begin(slot, item)
    return slot
  }

  #latestOpen(kind: SlotKind): ItemSlot | undefined {
    const open = this.#open.get(kind) ?? []
    while (open.at(-1)?.isDone === true) open.pop()
    return open.at(-1)
  }

  #begin({ key, kind, position }: ItemSlot, item: JsonObject = {}): void {
    switch (kind) {
      case 'message': return this.#output.choice({ type: 'text_start', id: key, position })
      case 'reasoning': return this.#output.choice({ type: 'reasoning_start', id: key, position, ...providerIdOf(item) })
      case 'function_call': return this.#output.choice({ type: 'tool_start', id: key, position, name: stringAt(item, 'name') ?? '', ...callIds(item) })
      case 'other': // Handed out when it is done: until then its content is not known.
    }
  }
}

/** Events before the first item that repeat the request, tools and instructions included. Nothing in them is of use: they need not be parsed. */
const ECHOES = ['{"type":"response.created"', '{"type":"response.in_progress"']

function isEcho(data: string): boolean {
  return ECHOES.some((beginning) => data.startsWith(beginning))
}

function providerIdOf(item: JsonObject): { readonly providerId?: string } {
  const providerId = stringAt(item, 'id')
  return providerId === undefined || providerId === '' ? {} : { providerId }
}

function kindOf(item: JsonObject): SlotKind {
  const type = stringAt(item, 'type')
  return type === 'message' || type === 'function_call' || type === 'reasoning' ? type : 'other'
}

function terminalError(response: JsonObject, status: 'failed' | 'cancelled', providerRequestId: string | undefined): CompletionError {
  if (objectAt(response, 'error') !== undefined) return responseError(response, providerRequestId)
  return responseError({ error: { code: status, message: `The response was ${status}` } }, providerRequestId)
}
