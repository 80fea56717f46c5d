import type { Message, Part, SseEvent, ToolCallStatus } from '@buildscale/protocol'

/** A piece of an answer as the page shows it. */
export type ViewPart =
  | { readonly type: 'text' | 'reasoning'; readonly id: string; readonly text: string; readonly deltas: readonly DeltaMark[] }
  | { readonly type: 'file'; readonly id: string; readonly path: string; readonly version: number }
  | {
      readonly type: 'tool_call'
      readonly id: string
      readonly tool: string
      readonly args: unknown
      readonly status: ToolCallStatus
      readonly output: unknown
      readonly durationMs: number | null
    }

/** Where a delta begins in its part, so that a restarted step can take it back. */
interface DeltaMark {
  readonly seq: number
  readonly offset: number
}

export interface ViewMessage {
  readonly id: string
  readonly turnId: string | null
  readonly role: 'user' | 'assistant'
  readonly status: 'streaming' | 'complete' | 'stopped' | 'error'
  readonly parts: readonly ViewPart[]
  /** Why the turn failed. */
  readonly error: string | null
}

export interface ChatState {
  readonly messages: readonly ViewMessage[]
  /** Id of the last event that is in here. */
  readonly lastSeq: number
  readonly runningTurnId: string | null
  /** Goes up when a file of the workspace changes, so that lists know when to look again. */
  readonly fileChanges: number
}

export type ChatAction =
  | { readonly type: 'loaded'; readonly messages: readonly Message[]; readonly asOfSeq: number }
  | { readonly type: 'event'; readonly event: SseEvent }

export const EMPTY_CHAT: ChatState = { messages: [], lastSeq: 0, runningTurnId: null, fileChanges: 0 }

/** The state of a chat after `action`. Stored events that are already in the state change nothing. */
export function chatReducer(state: ChatState, action: ChatAction): ChatState {
  if (action.type === 'loaded') return { ...EMPTY_CHAT, messages: action.messages.map(viewMessage), lastSeq: action.asOfSeq }
  const { event } = action
  if (event.id === null) return state
  if (event.id <= state.lastSeq) return state
  return { ...applyEvent(state, event), lastSeq: event.id }
}

function applyEvent(state: ChatState, event: Extract<SseEvent, { readonly id: number }>): ChatState {
  switch (event.type) {
    case 'message':
      return withUserMessage(state, event.data)
    case 'turn_started':
      return { ...withAnswer(state, event.data), runningTurnId: event.data.turn_id }
    case 'step_restarted':
      return onAnswer(state, event.data.turn_id, (answer) => ({ ...answer, parts: withoutVoid(answer.parts, event.data.void_from_seq) }))
    case 'thought':
      return onAnswer(state, event.data.turn_id, (answer) => ({ ...answer, parts: withDelta(answer.parts, { ...event.data, type: 'reasoning', seq: event.id }) }))
    case 'chunk':
      return onAnswer(state, event.data.turn_id, (answer) => ({ ...answer, parts: withDelta(answer.parts, { ...event.data, type: 'text', seq: event.id }) }))
    case 'call':
      return onAnswer(state, event.data.turn_id, (answer) => ({ ...answer, parts: withPart(answer.parts, callPart(event.data)) }))
    case 'observation':
      return onAnswer(state, event.data.turn_id, (answer) => ({ ...answer, parts: answer.parts.map((part) => withResult(part, event.data)) }))
    case 'file_updated':
      return { ...state, fileChanges: state.fileChanges + 1 }
    case 'usage':
      return state
    case 'done':
      return ended(state, event.data.turn_id, { status: 'complete', id: event.data.message_id })
    case 'stopped':
      return ended(state, event.data.turn_id, { status: 'stopped', ...(event.data.message_id !== null && { id: event.data.message_id }) })
    case 'error':
      return ended(state, event.data.turn_id, { status: 'error', error: event.data.message })
  }
}

function withUserMessage(state: ChatState, { message_id, content }: { readonly message_id: string; readonly content: string }): ChatState {
  if (state.messages.some(({ id }) => id === message_id)) return state
  const parts: readonly ViewPart[] = [{ type: 'text', id: message_id, text: content, deltas: [] }]
  return { ...state, messages: [...state.messages, { id: message_id, turnId: null, role: 'user', status: 'complete', parts, error: null }] }
}

/** The answer of a turn stands below the message that it answers, even when more messages wait behind that. */
function withAnswer(state: ChatState, { turn_id, message_id }: { readonly turn_id: string; readonly message_id: string }): ChatState {
  if (state.messages.some((message) => message.role === 'assistant' && message.turnId === turn_id)) return state
  const question = state.messages.findIndex(({ id }) => id === message_id)
  const position = question < 0 ? state.messages.length : question + 1
  return { ...state, messages: state.messages.toSpliced(position, 0, emptyAnswer(turn_id)) }
}

function emptyAnswer(turnId: string): ViewMessage {
  return { id: turnId, turnId, role: 'assistant', status: 'streaming', parts: [], error: null }
}

/** Changes the answer of a turn; it is made when this state begins in the middle of the turn. */
function onAnswer(state: ChatState, turnId: string, change: (answer: ViewMessage) => ViewMessage): ChatState {
  const index = state.messages.findLastIndex((message) => message.role === 'assistant' && message.turnId === turnId)
  const existing = state.messages[index]
  if (existing !== undefined) return { ...state, messages: state.messages.with(index, change(existing)) }
  return { ...state, messages: [...state.messages, change(emptyAnswer(turnId))] }
}

function ended(state: ChatState, turnId: string, end: Pick<ViewMessage, 'status'> & Partial<Pick<ViewMessage, 'id' | 'error'>>): ChatState {
  const parts = (answer: ViewMessage): readonly ViewPart[] => answer.parts.map((part) => (part.type === 'tool_call' && isOpen(part.status) ? { ...part, status: 'cancelled' } : part))
  const next = onAnswer(state, turnId, (answer) => ({ ...answer, ...end, parts: parts(answer) }))
  return { ...next, runningTurnId: state.runningTurnId === turnId ? null : state.runningTurnId }
}

function isOpen(status: ToolCallStatus): boolean {
  return status === 'pending' || status === 'running'
}

interface Delta {
  readonly type: 'text' | 'reasoning'
  readonly part_id: string
  readonly seq: number
  readonly offset: number
  readonly text: string
}

function withDelta(parts: readonly ViewPart[], { type, part_id, seq, offset, text }: Delta): readonly ViewPart[] {
  const index = parts.findLastIndex(({ id }) => id === part_id)
  const part = parts[index]
  if (part === undefined) return [...parts, { type, id: part_id, text, deltas: [{ seq, offset }] }]
  if (part.type !== type) return parts
  // The offset says where the delta belongs, whatever the part held there before.
  return parts.with(index, { ...part, text: part.text.slice(0, offset) + text, deltas: [...part.deltas, { seq, offset }] })
}

/** Text and thoughts from event `voidFromSeq` on are taken back; tool calls are facts and stay. */
function withoutVoid(parts: readonly ViewPart[], voidFromSeq: number): readonly ViewPart[] {
  return parts.flatMap((part) => {
    if (part.type !== 'text' && part.type !== 'reasoning') return [part]
    const firstVoid = part.deltas.findIndex(({ seq }) => seq >= voidFromSeq)
    const mark = part.deltas[firstVoid]
    if (mark === undefined) return [part]
    return firstVoid === 0 && mark.offset === 0 ? [] : [{ ...part, text: part.text.slice(0, mark.offset), deltas: part.deltas.slice(0, firstVoid) }]
  })
}

function withPart(parts: readonly ViewPart[], part: ViewPart): readonly ViewPart[] {
  return parts.some(({ id }) => id === part.id) ? parts : [...parts, part]
}

function callPart({ call_id, tool, args }: { readonly call_id: string; readonly tool: string; readonly args: unknown }): ViewPart {
  return { type: 'tool_call', id: call_id, tool, args, status: 'running', output: null, durationMs: null }
}

function withResult(part: ViewPart, { call_id, output, success, duration_ms }: { readonly call_id: string; readonly output: unknown; readonly success: boolean; readonly duration_ms: number }): ViewPart {
  if (part.type !== 'tool_call' || part.id !== call_id) return part
  return { ...part, status: success ? 'ok' : 'failed', output, durationMs: duration_ms }
}

function viewMessage({ id, turn_id, role, status, parts }: Message): ViewMessage {
  return { id, turnId: turn_id, role, status, parts: parts.flatMap((part) => viewPart(part)), error: null }
}

function viewPart(part: Part): readonly ViewPart[] {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return [{ type: part.type, id: part.id, text: part.text, deltas: [] }]
    case 'file':
      return [{ type: 'file', id: part.id, path: part.path, version: part.version }]
    case 'tool_call':
      return [{ type: 'tool_call', id: part.call_id, tool: part.tool, args: part.args, status: part.status, output: part.output, durationMs: part.duration_ms }]
    default:
      return [] // a newer server has kinds of parts that this page does not know
  }
}
