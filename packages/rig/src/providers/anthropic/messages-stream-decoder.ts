import { arrayAt, isJsonObject, numberAt, objectAt, stringAt, tryParseJson, type Json, type JsonObject } from '../../completion/json.ts'
import { CompletionError } from '../../errors.ts'
import type { DecodeOptions, DecoderOutput, StreamDecoder } from '../wire.ts'
import { argumentsText, blockChoices, callEnd, callStart, citationsMeta, isCutOff, messageFinal, thinkingContent } from './decode-response.ts'
import { messagesError } from './messages-error.ts'

/** One content block in progress. */
interface BlockSlot {
  readonly key: string
  readonly position: number
  readonly block: JsonObject
  /** Whether its text or thinking has been shown. */
  hasSaid: boolean
  signature: string
  /** The JSON of its input, as far as it has come; that of a call is kept where calls are put together. */
  input: string
  readonly citations: Json[]
  isOpen: boolean
}

/** Which block a delta belongs to when nothing has announced it. */
const BLOCK_OF_DELTA = new Map([['text_delta', 'text'], ['citations_delta', 'text'], ['thinking_delta', 'thinking'], ['signature_delta', 'thinking'], ['input_json_delta', 'tool_use']])
/** A frame that was meant to end the answer, as far as that can be seen in broken JSON. */
const TERMINAL = /"type"\s*:\s*"(message_delta|error)"/

/**
 * Reads the events of a streamed message: https://platform.claude.com/docs/en/build-with-claude/streaming. No I/O. The event with the stop
 * reason is the end: gateways leave out what should follow it.
 */
export class MessagesStreamDecoder implements StreamDecoder {
  readonly #output: DecoderOutput
  readonly #providerRequestId: string | undefined
  readonly #includeRaw: boolean
  readonly #slots = new Map<number, BlockSlot>()
  /** Those that may still be open, the latest last. */
  readonly #open: BlockSlot[] = []
  /** Calls that have ended wait for the stop reason: it tells whether arguments that make no sense are those of half a call. */
  readonly #calls: BlockSlot[] = []
  /** How many blocks have begun. */
  #begun = 0
  /** Without a prototype: any key may come, and is a field then. */
  readonly #message: Record<string, Json> = Object.create(null)
  #usage: Record<string, Json> | undefined
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
    if (this.#isFinished || data === '[DONE]') return
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
    const type = TERMINAL.exec(data)?.[1]
    const error = new CompletionError('json', `A malformed event in the stream${type === undefined ? '' : `: ${type}`}`, { bodyText: data.slice(0, 500) })
    if (type !== undefined) throw error
    this.#output.choice({ type: 'warning', error })
  }

  #event(event: JsonObject): void {
    switch (event['type']) {
      case 'content_block_delta': return this.#delta(event)
      case 'content_block_start': return void this.#start(event, objectAt(event, 'content_block') ?? {})
      case 'content_block_stop': return this.#stop(this.#slotOf(event))
      case 'message_start': return this.#messageStart(objectAt(event, 'message') ?? {})
      case 'message_delta': return this.#messageDelta(event)
      case 'message_stop': return this.#finish()
      case 'error': throw messagesError(event, this.#providerRequestId)
      default: // Keep-alives, and what later versions of the wire may add.
    }
  }

  #slotOf(event: JsonObject): BlockSlot | undefined {
    const index = numberAt(event, 'index')
    if (index !== undefined) return this.#slots.get(index)
    while (this.#open.at(-1)?.isOpen === false) this.#open.pop()
    return this.#open.at(-1)
  }

  #start(event: JsonObject, block: JsonObject): BlockSlot {
    const index = numberAt(event, 'index') ?? this.#begun
    const known = this.#slots.get(index)
    if (known?.isOpen === true) return known
    // Some servers count wrongly: a number that comes again is another block.
    const position = known === undefined ? index : this.#begun
    this.#begun++
    // The number of blocks so far may come as an index of its own later on: the keys of counted and of numbered blocks differ.
    const key = `${stringAt(this.#message, 'id') ?? 'message'}:${known === undefined ? '' : 'again '}${position}`
    const slot: BlockSlot = { key, position, block, hasSaid: false, signature: stringAt(block, 'signature') ?? '', input: '', citations: [...arrayAt(block, 'citations')], isOpen: true }
    this.#slots.set(index, slot)
    this.#open.push(slot)
    this.#begin(slot)
    return slot
  }

  /** What a block begins with is shown like its deltas. */
  #begin(slot: BlockSlot): void {
    const { key, position, block } = slot
    switch (block['type']) {
      case 'text':
        this.#output.choice({ type: 'text_start', id: key, position })
        return this.#say(slot, stringAt(block, 'text') ?? '')
      case 'thinking':
        this.#output.choice({ type: 'reasoning_start', id: key, position })
        return this.#think(slot, stringAt(block, 'thinking') ?? '')
      case 'tool_use': return this.#output.choice(callStart(block, slot))
      default: // Handed out when it is done: until then its content is not known.
    }
  }

  #delta(event: JsonObject): void {
    const delta = objectAt(event, 'delta') ?? {}
    const type = stringAt(delta, 'type') ?? ''
    const slot = this.#slotOf(event) ?? this.#start(event, { type: BLOCK_OF_DELTA.get(type) ?? 'unknown' })
    if (!slot.isOpen) return
    switch (type) {
      case 'text_delta': return this.#say(slot, stringAt(delta, 'text') ?? '')
      case 'thinking_delta': return this.#think(slot, stringAt(delta, 'thinking') ?? '')
      case 'input_json_delta': return this.#input(slot, stringAt(delta, 'partial_json') ?? '')
      case 'signature_delta':
        slot.signature += stringAt(delta, 'signature') ?? ''
        return
      case 'citations_delta':
        slot.citations.push(delta['citation'] ?? null)
        return
      default: return this.#output.choice({ type: 'warning', error: new CompletionError('response', `An unknown kind of delta: ${type}`, { bodyJson: event }) })
    }
  }

  #say(slot: BlockSlot, text: string): void {
    if (text === '' || slot.block['type'] !== 'text') return
    slot.hasSaid = true
    this.#output.choice({ type: 'text_delta', id: slot.key, text })
  }

  #think(slot: BlockSlot, delta: string): void {
    if (delta === '' || slot.block['type'] !== 'thinking') return
    slot.hasSaid = true
    this.#output.choice({ type: 'reasoning_delta', id: slot.key, kind: 'text', delta })
  }

  #input(slot: BlockSlot, delta: string): void {
    if (delta === '') return
    slot.hasSaid = true
    if (slot.block['type'] === 'tool_use') this.#output.choice({ type: 'tool_delta', id: slot.key, delta })
    else slot.input += delta
  }

  #stop(slot: BlockSlot | undefined): void {
    if (slot === undefined || !slot.isOpen) return
    slot.isOpen = false
    const { key, block, hasSaid, signature } = slot
    switch (block['type']) {
      case 'text': return this.#output.choice({ type: 'text_end', id: key, ...citationsMeta(slot.citations) })
      case 'thinking': return this.#output.choice({ type: 'reasoning_end', id: key, ...(hasSaid ? signatureField(signature) : { restated: thinkingContent('', signature) }) })
      case 'tool_use': return void this.#calls.push(slot)
      default: return this.#stopOther(slot)
    }
  }

  /** Input that was cut off leaves nothing that could go back. */
  #stopOther({ key, position, block, input }: BlockSlot): void {
    const parsed = input === '' ? undefined : tryParseJson(input)
    if (input !== '' && parsed === undefined) return
    const whole = parsed === undefined ? block : { ...block, input: parsed }
    for (const choice of blockChoices(whole, { key, position, isCutOff: false })) this.#output.choice(choice)
  }

  #messageStart(message: JsonObject): void {
    const { usage: _usage, ...fields } = message
    this.#merge(fields, objectAt(message, 'usage'))
  }

  #messageDelta(event: JsonObject): void {
    const { usage } = event
    if (usage !== undefined && usage !== null && !isJsonObject(usage)) throw new CompletionError('response', 'The end of the answer has a malformed usage')
    this.#merge(objectAt(event, 'delta') ?? {}, usage ?? undefined)
    if (stringAt(this.#message, 'stop_reason') !== undefined) this.#finish()
  }

  /** Later figures replace earlier ones, but not by nothing: gateways repeat counters as zero or null, in one place or the other. */
  #merge(fields: JsonObject, usage: JsonObject | undefined): void {
    Object.assign(this.#message, fields)
    if (usage === undefined) return
    const known = this.#usage ??= Object.create(null)
    for (const [key, value] of Object.entries(usage)) if (value !== null && (value !== 0 || (known[key] ?? null) === null)) known[key] = value
  }

  /** The message as far as it has come, as a whole answer would have it. */
  #whole(): JsonObject {
    return { ...this.#message, ...(this.#usage === undefined ? {} : { usage: { ...this.#usage } }) }
  }

  #finish(): void {
    const message = this.#whole()
    const final = messageFinal(message, this.#providerRequestId)
    const isHalf = isCutOff(final.finishReason)
    // What is still open in an answer that was cut off is half of itself, which is of use in text and thinking only.
    for (const slot of this.#slots.values()) if (!isHalf || slot.block['type'] === 'text' || slot.block['type'] === 'thinking') this.#stop(slot)
    for (const slot of this.#calls) {
      const whole = slot.hasSaid ? {} : { arguments: argumentsText(slot.block['input']) }
      this.#output.choice({ ...callEnd(slot.block, slot.key), ...whole, onUnparseable: isHalf ? 'drop' : 'error' })
    }
    this.#isFinished = true
    this.#output.finish({ ...final, ...(this.#includeRaw ? { raw: message } : {}) }, { isComplete: !isHalf })
  }
}

function signatureField(signature: string): { readonly signature?: string } {
  return signature === '' ? {} : { signature }
}
