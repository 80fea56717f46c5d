import type { FinishReason, RawStreamingChoice } from '../../completion/completion-event.ts'
import { arrayAt, isJsonArray, isJsonObject, numberAt, objectAt, stringAt, type Json, type JsonObject } from '../../completion/json.ts'
import { parseArguments } from '../../completion/parts-accumulator.ts'
import { CompletionError } from '../../errors.ts'
import { JsonProgress } from './json-progress.ts'
import { ReasoningDetails } from './reasoning-details.ts'
import { ThinkTags } from './think-tags.ts'

export interface ChatAnswerOptions {
  readonly thinkTags: boolean
  /** Whether it comes in one piece: then what is listed together are different things, not fragments. */
  readonly isWhole: boolean
}

/** One call in progress. */
interface CallSlot {
  readonly key: string
  wireId: string
  name: string
  arguments: string
  readonly progress: JsonProgress
  /** What Gemini wants back with the call. */
  extraContent: JsonObject | undefined
}

/** A wire with one text and one reasoning per message has a fixed order. */
const REASONING = { id: 'reasoning', position: 0 } as const
const TEXT = { id: 'text', position: 1 } as const
const FIRST_CALL_POSITION = 2
/** Arguments that are so short need no more than to be read again: `null` for none. */
const FEW_CHARACTERS = 8
const NONE: readonly JsonObject[] = []

/** What one choice says, from a whole message or from deltas: https://platform.openai.com/docs/api-reference/chat/object. */
export class ChatAnswer {
  readonly #output: (choice: RawStreamingChoice) => void
  readonly #isWhole: boolean
  readonly #thinkTags: ThinkTags | undefined
  readonly #details = new ReasoningDetails()
  readonly #calls: CallSlot[] = []
  /** The latest call of each index, and how many there are of it. */
  readonly #byIndex = new Map<number, { latest: CallSlot; count: number }>()
  /** The latest call of each id. */
  readonly #byWireId = new Map<string, CallSlot>()
  #highestIndex = -1
  #hasReasoning = false
  #hasText = false
  #isRefusal = false

  constructor(output: (choice: RawStreamingChoice) => void, { thinkTags, isWhole }: ChatAnswerOptions) {
    this.#output = output
    this.#isWhole = isWhole
    if (thinkTags) this.#thinkTags = new ThinkTags({ thought: (text) => this.#think(text), said: (text) => this.#say(text) })
  }

  /** A `message`, or one `delta` of it. */
  accept(message: JsonObject): void {
    const details = message['reasoning_details']
    this.#reasoning(message, isJsonArray(details) ? details.filter(isJsonObject) : NONE)
    const hasContent = this.#content(message['content'])
    const refusal = stringAt(message, 'refusal') ?? ''
    if (!hasContent && refusal !== '') this.#refuse(refusal)
    const calls = message['tool_calls']
    if (isJsonArray(calls)) this.#callsOf(calls)
    const single = objectAt(message, 'function_call') // The one call of servers older than `tool_calls`.
    if (single !== undefined) this.#call({ function: single }, 0)
  }

  /** Nothing more comes. A call that was cut off is forgotten; one that makes no sense is kept when the model said that it was done with it. */
  end(finishReason: FinishReason | undefined): void {
    this.#thinkTags?.end()
    if (this.#hasReasoning) this.#output(reasoningEnd(this.#details))
    if (this.#hasText) this.#output({ type: 'text_end', id: TEXT.id, ...(this.#isRefusal ? { meta: { openai: { refusal: true } } } : {}) })
    const isCut = finishReason === 'length' || finishReason === 'content_filter'
    const used = new Set<string>()
    for (const slot of this.#calls) {
      if (isCut && slot.arguments.trim() === '') continue
      if (finishReason === 'stop') this.#warnOfHalf(slot)
      // An id that the server gave twice tells nothing apart: the second call gets one of ours.
      const isKnown = slot.wireId !== '' && !used.has(slot.wireId)
      used.add(slot.wireId)
      this.#output({
        type: 'tool_end',
        id: slot.key,
        arguments: slot.arguments,
        onUnparseable: isCut || finishReason === 'stop' ? 'drop' : 'error',
        ...(isKnown ? { provider: { callId: slot.wireId } } : {}),
        ...extrasOf(slot),
      })
    }
  }

  #reasoning(message: JsonObject, details: readonly JsonObject[]): void {
    const [first] = details
    if (first !== undefined) this.#openReasoning(stringAt(first, 'id'))
    for (const detail of details) this.#details.add(detail, { isWhole: this.#isWhole })
    const text = stringAt(message, 'reasoning_content') || stringAt(message, 'reasoning') || details.map(detailText).join('')
    if (text !== '') this.#think(text, first?.['type'] === 'reasoning.summary' ? 'summary' : 'text')
  }

  /** Whether there was any. */
  #content(content: Json | undefined): boolean {
    if (typeof content === 'string') {
      if (content === '') return false
      this.#text(content)
      return true
    }
    const parts = isJsonArray(content) ? content.filter(isJsonObject) : []
    for (const part of parts) this.#contentPart(part)
    return parts.length > 0
  }

  #contentPart(part: JsonObject): void {
    switch (part['type']) {
      // Mistral's reasoning models think in a part of the content.
      case 'thinking': return this.#think(arrayAt(part, 'thinking').filter(isJsonObject).map((entry) => stringAt(entry, 'text') ?? '').join(''))
      case 'refusal': return this.#refuse(stringAt(part, 'refusal') ?? '')
      default: return this.#text(stringAt(part, 'text') ?? '')
    }
  }

  #text(text: string): void {
    if (this.#thinkTags === undefined) this.#say(text)
    else this.#thinkTags.push(text)
  }

  #refuse(text: string): void {
    this.#isRefusal = true
    this.#say(text)
  }

  #say(text: string): void {
    if (text === '') return
    if (!this.#hasText) this.#output({ type: 'text_start', ...TEXT })
    this.#hasText = true
    this.#output({ type: 'text_delta', id: TEXT.id, text })
  }

  #think(delta: string, kind: 'text' | 'summary' = 'text'): void {
    if (delta === '') return
    this.#openReasoning(undefined)
    this.#output({ type: 'reasoning_delta', id: REASONING.id, kind, delta })
  }

  #openReasoning(providerId: string | undefined): void {
    if (this.#hasReasoning) return
    this.#hasReasoning = true
    this.#output({ type: 'reasoning_start', ...REASONING, ...(providerId === undefined || providerId === '' ? {} : { providerId }) })
  }

  #callsOf(calls: readonly Json[]): void {
    for (const [position, call] of calls.entries()) if (isJsonObject(call)) this.#call(call, this.#isWhole ? position : numberAt(call, 'index'))
  }

  #call(fragment: JsonObject, index: number | undefined): void {
    const called = objectAt(fragment, 'function') ?? {}
    const [id, name, text] = [stringAt(fragment, 'id') ?? '', stringAt(called, 'name') ?? '', argumentsText(called['arguments'])]
    if (id === '' && name === '' && text === '') return
    const known = this.#slotOf(index, id)
    const slot = known === undefined || isAnotherCall(known, { id, name, hasIndex: index !== undefined }) ? this.#open(index, name) : known
    if (slot.wireId === '' && id !== '') {
      slot.wireId = id
      this.#byWireId.set(id, slot)
    }
    if (name !== '' && name !== slot.name) {
      slot.name = name
      this.#output({ type: 'tool_delta', id: slot.key, name })
    }
    slot.arguments += text
    slot.progress.push(text)
    slot.extraContent ??= objectAt(fragment, 'extra_content')
    if (text !== '' && !this.#isWhole) this.#output({ type: 'tool_delta', id: slot.key, delta: text })
  }

  /** The latest call of an index; without one, the call with the id, or else the latest of all. */
  #slotOf(index: number | undefined, id: string): CallSlot | undefined {
    if (index !== undefined) return this.#byIndex.get(index)?.latest
    return this.#byWireId.get(id) ?? this.#calls.at(-1)
  }

  #open(index: number | undefined, name: string): CallSlot {
    const place = index ?? this.#highestIndex + 1
    const earlier = this.#byIndex.get(place)?.count ?? 0
    const slot: CallSlot = { key: `call ${place} ${earlier}`, wireId: '', name, arguments: '', progress: new JsonProgress(), extraContent: undefined }
    this.#calls.push(slot)
    this.#byIndex.set(place, { latest: slot, count: earlier + 1 })
    this.#highestIndex = Math.max(this.#highestIndex, place)
    this.#output({ type: 'tool_start', id: slot.key, name, position: FIRST_CALL_POSITION + Math.max(0, place) + earlier / 1000 })
    return slot
  }

  #warnOfHalf(slot: CallSlot): void {
    const { error } = parseArguments(slot.arguments)
    if (error === undefined) return
    this.#output({ type: 'warning', error: new CompletionError('json', `The model stopped in the middle of a call of ${slot.name}: ${error}`, { bodyText: slot.arguments.slice(0, 500) }) })
  }
}

/**
 * Whether a fragment begins another call in the place of `slot`. Some gateways give every call the same index: then both id and name are
 * new. Others give no index at all, and whole calls one after the other, with or without ids. A new id alone proves nothing: some
 * gateways make one up for every fragment.
 */
function isAnotherCall(slot: CallSlot, { id, name, hasIndex }: { readonly id: string; readonly name: string; readonly hasIndex: boolean }): boolean {
  if (name === '' || (id !== '' && id === slot.wireId)) return false
  if (id !== '' && slot.wireId !== '' && id !== slot.wireId && slot.name !== '' && name !== slot.name) return true
  const mayBeWhole = slot.progress.isWhole || (slot.arguments.length <= FEW_CHARACTERS && slot.arguments.trim() !== '')
  return !hasIndex && mayBeWhole && parseArguments(slot.arguments).error === undefined
}

/** Arguments are text on the wire; some servers send the object itself. */
function argumentsText(value: Json | undefined): string {
  if (typeof value === 'string') return value
  return value === undefined || value === null ? '' : JSON.stringify(value)
}

function detailText(detail: JsonObject): string {
  return stringAt(detail, 'text') ?? stringAt(detail, 'summary') ?? ''
}

function reasoningEnd(details: ReasoningDetails): RawStreamingChoice {
  if (details.entries.length === 0) return { type: 'reasoning_end', id: REASONING.id }
  return { type: 'reasoning_end', id: REASONING.id, restated: details.content(), meta: { chat: { reasoningDetails: details.entries } } }
}

function extrasOf({ extraContent }: CallSlot): { readonly signature?: string; readonly additionalParams?: JsonObject } {
  if (extraContent === undefined) return {}
  const signature = stringAt(objectAt(extraContent, 'google') ?? {}, 'thought_signature')
  return { additionalParams: { extra_content: extraContent }, ...(signature === undefined ? {} : { signature }) }
}
