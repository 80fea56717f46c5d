import type { RawStreamingChoice, StreamedAssistantContent } from './completion-event.ts'
import { isJsonObject, isTooDeep, tryParseJson, type JsonObject } from './json.ts'
import type { AssistantContent, PartMeta, ProviderCallIds, Reasoning, ReasoningContent, ToolCall } from './message-types.ts'

/** The longest arguments of one call, in UTF-16 units: a model that never stops must not take the process with it. */
const MAX_ARGUMENTS = 32 * 1024 * 1024
/** The longest text or thought, likewise. */
const MAX_TEXT = 64 * 1024 * 1024

interface TextSlot {
  readonly kind: 'text'
  readonly position: number
  text: string
  meta: PartMeta | undefined
  isOpen: boolean
}

interface ReasoningSlot {
  readonly kind: 'reasoning'
  readonly position: number
  providerId: string | undefined
  /** What the deltas said, by kind and index. */
  readonly said: Map<string, { readonly type: 'text' | 'summary'; text: string }>
  restated: readonly ReasoningContent[] | undefined
  meta: PartMeta | undefined
  isOpen: boolean
}

interface ToolSlot {
  readonly kind: 'tool'
  readonly position: number
  readonly internalCallId: string
  name: string
  provider: ProviderCallIds | undefined
  arguments: string
  signature: string | undefined
  additionalParams: JsonObject | undefined
  call: ToolCall | undefined
  isOpen: boolean
}

interface ItemSlot {
  readonly kind: 'item'
  readonly position: number
  readonly content: AssistantContent
}

type Slot = TextSlot | ReasoningSlot | ToolSlot | ItemSlot

/**
 * The only place that makes parts of a stream. A part keeps the place that it opened with; deltas extend it; its end may restate it.
 * Tool calls are held back until `finish`, so that nobody acts on half an answer.
 */
export class PartsAccumulator {
  readonly #emit: (item: StreamedAssistantContent) => void
  readonly #slots: Slot[] = []
  readonly #byId = new Map<string, Slot>()
  /** Ids of calls that have ended. */
  readonly #callIds = new Set<string>()
  /** The place of the last part. */
  #last = -1

  constructor(emit: (item: StreamedAssistantContent) => void = () => undefined) {
    this.#emit = emit
  }

  accept(choice: RawStreamingChoice): void {
    switch (choice.type) {
      case 'text_delta': return this.#textDelta(choice.id, choice.text)
      case 'text_start': return void this.#openText(choice.id, choice.position)
      case 'text_end': return this.#endText(choice)
      case 'reasoning_start': return void this.#openReasoning(choice)
      case 'reasoning_delta': return this.#reasoningDelta(choice)
      case 'reasoning_end': return this.#endReasoning(choice)
      case 'tool_start': return void this.#openTool(choice)
      case 'tool_delta': return this.#toolDelta(choice)
      case 'tool_end': return this.#endTool(choice)
      case 'provider_item': return this.#providerItem(choice)
      case 'warning': return this.#emit(choice)
    }
  }

  /** Whether any part has been opened. */
  get isEmpty(): boolean {
    return this.#slots.length === 0
  }

  /** The parts so far, in wire order; calls whose arguments are still arriving are not among them. */
  snapshot(): readonly AssistantContent[] {
    return this.#ordered().flatMap(partOf)
  }

  /**
   * Ends what is still open and hands out the tool calls, in wire order. `isComplete` is false for an answer that was cut off: then a
   * call that never ended is forgotten, for nobody knows what it would have been.
   */
  finish({ isComplete }: { readonly isComplete: boolean }): readonly AssistantContent[] {
    for (const slot of this.#slots) if (slot.kind === 'tool' && slot.isOpen) this.#close(slot, isComplete ? 'error' : 'forget')
    this.flushToolCalls()
    return this.snapshot()
  }

  /** Hands out the calls that have ended. */
  flushToolCalls(): void {
    for (const slot of this.#ordered()) {
      if (slot.kind === 'tool' && slot.call !== undefined) this.#emit({ type: 'tool_call', internalCallId: slot.internalCallId, toolCall: slot.call })
    }
  }

  #ordered(): readonly Slot[] {
    return this.#slots.toSorted((left, right) => left.position - right.position)
  }

  #add<S extends Slot>(id: string, slot: S): S {
    this.#push(slot)
    this.#byId.set(id, slot)
    return slot
  }

  #push(slot: Slot): void {
    this.#slots.push(slot)
    this.#last = Math.max(this.#last, slot.position)
  }

  /** A part without a place of its own comes after those that are there. */
  #place(position: number | undefined): number {
    return position ?? this.#last + 1
  }

  #textDelta(id: string, text: string): void {
    const slot = this.#byId.get(id)
    const open = slot?.kind === 'text' && slot.isOpen ? slot : this.#openText(id, undefined)
    if (text === '') return
    open.text += text
    checkLength(open.text)
    this.#emit({ type: 'text', id, text })
  }

  #openText(id: string, position: number | undefined): TextSlot {
    const slot = this.#byId.get(id)
    if (slot?.kind === 'text' && slot.isOpen) return slot
    return this.#add(id, { kind: 'text', position: this.#place(position), text: '', meta: undefined, isOpen: true })
  }

  /** Text that never came as a delta is handed out now; a contradiction is settled in favour of the end. */
  #endText({ id, text, meta }: Extract<RawStreamingChoice, { type: 'text_end' }>): void {
    const slot = this.#byId.get(id)
    if (slot?.kind !== 'text' || !slot.isOpen) return
    if (text !== undefined && text !== slot.text) {
      if (text.startsWith(slot.text)) this.#textDelta(id, text.slice(slot.text.length))
      slot.text = text
    }
    slot.meta = meta
    slot.isOpen = false
  }

  #openReasoning({ id, providerId, position }: { readonly id: string; readonly providerId?: string; readonly position?: number }): ReasoningSlot {
    const slot = this.#byId.get(id)
    if (slot?.kind === 'reasoning' && slot.isOpen) {
      // Some servers name an item anew when it is done, and its encrypted content goes with that name.
      slot.providerId = providerId ?? slot.providerId
      return slot
    }
    return this.#add(id, { kind: 'reasoning', position: this.#place(position), providerId, said: new Map(), restated: undefined, meta: undefined, isOpen: true })
  }

  #reasoningDelta({ id, kind, index = 0, delta }: Extract<RawStreamingChoice, { type: 'reasoning_delta' }>): void {
    const slot = this.#openReasoning({ id })
    const key = `${kind} ${index}`
    const entry = slot.said.get(key)
    if (entry === undefined) slot.said.set(key, { type: kind, text: delta })
    else entry.text += delta
    if (entry !== undefined) checkLength(entry.text)
    this.#emit({
      type: 'reasoning_delta',
      id,
      kind,
      delta,
      ...(slot.providerId === undefined ? {} : { providerId: slot.providerId }),
      ...(kind === 'summary' ? { summaryIndex: index } : {}),
    })
  }

  #endReasoning({ id, restated, signature, meta }: Extract<RawStreamingChoice, { type: 'reasoning_end' }>): void {
    const slot = this.#byId.get(id)
    if (slot?.kind !== 'reasoning' || !slot.isOpen) return
    slot.isOpen = false
    slot.meta = meta
    const content = restated ?? reasoningContent(slot)
    slot.restated = signature === undefined ? content : content.map((entry) => (entry.type === 'text' ? { ...entry, signature } : entry))
    this.#emit({ type: 'reasoning', reasoning: reasoningOf(slot) })
  }

  #openTool({ id, name, provider, position }: Extract<RawStreamingChoice, { type: 'tool_start' }>): ToolSlot {
    const slot = this.#byId.get(id)
    if (slot?.kind === 'tool' && slot.isOpen) return slot
    const opened: ToolSlot = {
      kind: 'tool',
      position: this.#place(position),
      internalCallId: crypto.randomUUID(),
      name: name ?? '',
      provider,
      arguments: '',
      signature: undefined,
      additionalParams: undefined,
      call: undefined,
      isOpen: true,
    }
    this.#add(id, opened)
    if (opened.name !== '') this.#emit({ type: 'tool_call_delta', internalCallId: opened.internalCallId, name: opened.name })
    return opened
  }

  #toolDelta({ id, name, delta }: Extract<RawStreamingChoice, { type: 'tool_delta' }>): void {
    const known = this.#byId.get(id)
    const slot = known?.kind === 'tool' && known.isOpen ? known : this.#openTool({ type: 'tool_start', id })
    // Some servers repeat the name as an empty string in later fragments.
    if (name !== undefined && name !== '') slot.name = name
    if (delta !== undefined) slot.arguments += delta
    if (slot.arguments.length > MAX_ARGUMENTS) throw new RangeError(`The arguments of a tool call exceed ${MAX_ARGUMENTS} characters`)
    const { internalCallId } = slot
    if (name === undefined && delta !== undefined) this.#emit({ type: 'tool_call_delta', internalCallId, delta })
    else this.#emit({ type: 'tool_call_delta', internalCallId, ...(name === undefined ? {} : { name }), ...(delta === undefined ? {} : { delta }) })
  }

  #endTool({ id, name, provider, arguments: restated, onUnparseable, ...extras }: Extract<RawStreamingChoice, { type: 'tool_end' }>): void {
    const slot = this.#byId.get(id)
    if (slot?.kind !== 'tool' || !slot.isOpen) return
    if (name !== undefined && name !== '') slot.name = name
    slot.provider = provider ?? slot.provider
    slot.arguments = restated ?? slot.arguments
    slot.signature = extras.signature
    slot.additionalParams = extras.additionalParams
    this.#close(slot, onUnparseable)
  }

  #close(slot: ToolSlot, onUnparseable: 'error' | 'drop' | 'forget'): void {
    slot.isOpen = false
    const parsed = parseArguments(slot.arguments)
    if (onUnparseable === 'forget' || (parsed.error !== undefined && onUnparseable === 'drop')) return
    slot.call = {
      type: 'tool_call',
      id: this.#callId(slot.provider?.callId ?? ''),
      function: { name: slot.name, ...parsedFields(slot.arguments, parsed) },
      ...(slot.provider === undefined ? {} : { provider: slot.provider }),
      ...(slot.signature === undefined ? {} : { signature: slot.signature }),
      ...(slot.additionalParams === undefined ? {} : { additionalParams: slot.additionalParams }),
    }
  }

  /** The provider's id, unless it gave none or has given it before: results are matched by it. */
  #callId(given: string): string {
    const id = given === '' || this.#callIds.has(given) ? `call_${crypto.randomUUID()}` : given
    this.#callIds.add(id)
    return id
  }

  #providerItem({ provider, raw, position }: Extract<RawStreamingChoice, { type: 'provider_item' }>): void {
    const content: AssistantContent = { type: 'provider_item', provider, raw }
    this.#push({ kind: 'item', position: this.#place(position), content })
    this.#emit({ type: 'unknown', raw })
  }
}

function checkLength(text: string): void {
  if (text.length > MAX_TEXT) throw new RangeError(`A text exceeds ${MAX_TEXT} characters`)
}

function partOf(slot: Slot): readonly AssistantContent[] {
  switch (slot.kind) {
    case 'text': return slot.text === '' ? [] : [{ type: 'text', text: slot.text, ...(slot.meta === undefined ? {} : { meta: slot.meta }) }]
    case 'reasoning': return slot.providerId === undefined && reasoningContent(slot).length === 0 ? [] : [reasoningOf(slot)]
    case 'tool': return slot.call === undefined ? [] : [slot.call]
    case 'item': return [slot.content]
  }
}

function reasoningOf(slot: ReasoningSlot): Reasoning {
  const { providerId, meta } = slot
  return { type: 'reasoning', ...(providerId === undefined ? {} : { id: providerId }), content: reasoningContent(slot), ...(meta === undefined ? {} : { meta }) }
}

function reasoningContent({ restated, said }: ReasoningSlot): readonly ReasoningContent[] {
  return restated ?? [...said.values()].map(({ type, text }) => ({ type, text }))
}

interface ParsedArguments {
  readonly value: JsonObject
  readonly error?: string
}

/** Arguments are a JSON object; nothing and `null` mean none, and a string that holds an object is read once more. */
export function parseArguments(text: string): ParsedArguments {
  if (text.trim() === '') return { value: {} }
  const parsed = tryParseJson(text)
  const value = typeof parsed === 'string' ? tryParseJson(parsed) : parsed
  if (value === null) return { value: {} }
  if (isJsonObject(value)) return { value }
  return { value: {}, error: value === undefined ? jsonProblem(text) : 'expected a JSON object' }
}

function jsonProblem(text: string): string {
  if (isTooDeep(text)) return 'nested too deeply'
  try {
    JSON.parse(text)
    return 'expected a JSON object'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The wire text is kept where it says more than the value: it goes back as it came. */
function parsedFields(raw: string, { value, error }: ParsedArguments) {
  return { arguments: value, ...(raw === '' ? {} : { rawArguments: raw }), ...(error === undefined ? {} : { argumentsError: error }) }
}
