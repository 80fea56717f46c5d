import type { Message, SseEvent, StoredEvent } from '@buildscale/protocol'
import { describe, expect, it } from 'vitest'
import { chatReducer, type ChatState, EMPTY_CHAT } from './chat-reducer.ts'

const TURN = { turn_id: 'turn-1', step: 1, attempt: 1 }
const USAGE = { input_tokens: 1, cached_tokens: 0, output_tokens: 1, reasoning_tokens: 0 }

/** Gives each event the next id, from 1. */
function numbered(events: readonly StoredEvent[]): SseEvent[] {
  return events.map((event, index) => ({ id: index + 1, ...event }))
}

function stateAfter(events: readonly SseEvent[], state: ChatState = EMPTY_CHAT): ChatState {
  return events.reduce((current, event) => chatReducer(current, { type: 'event', event }), state)
}

function message(content: string, message_id = `message of ${content}`): StoredEvent {
  return { type: 'message', data: { message_id, role: 'user', content, position: 0 } }
}

function started(turn_id = 'turn-1', message_id = 'message of hello'): StoredEvent {
  return { type: 'turn_started', data: { ...TURN, turn_id, message_id } }
}

function chunk(part_id: string, offset: number, text: string): StoredEvent {
  return { type: 'chunk', data: { ...TURN, part_id, offset, text } }
}

const CALL: StoredEvent = { type: 'call', data: { ...TURN, call_id: 'call-1', tool: 'write', path: '/a', args: { path: '/a' }, effect: 'write' } }
const RESULT: StoredEvent = { type: 'observation', data: { ...TURN, call_id: 'call-1', output: { version: 1 }, success: true, duration_ms: 5 } }
const DONE: StoredEvent = { type: 'done', data: { ...TURN, message_id: 'answer-1', usage: USAGE, cost: null, model: 'offline:rules', timings: { queued_ms: 0, first_delta_ms: 1, total_ms: 2 } } }

const WHOLE_TURN = numbered([
  message('hello'),
  started(),
  { type: 'thought', data: { ...TURN, part_id: 'thought-1', offset: 0, text: 'Let me ' } },
  { type: 'thought', data: { ...TURN, part_id: 'thought-1', offset: 7, text: 'see' } },
  CALL,
  RESULT,
  { type: 'file_updated', data: { ...TURN, path: '/a', version: 1, change_seq: 1, kind: 'created', call_id: 'call-1' } },
  chunk('text-1', 0, 'Hi '),
  chunk('text-1', 3, 'there'),
  { type: 'usage', data: { ...TURN, usage: USAGE, cost: null } },
  DONE,
])

/** What a reader sees of each message. */
function seen(state: ChatState): unknown[] {
  return state.messages.map(({ role, status, parts }) => [role, status, ...parts.map((part) => ('text' in part ? part.text : part.type === 'tool_call' ? `${part.tool} ${part.status}` : part.path))])
}

describe('the state of a chat', () => {
  it('shows a whole turn: the question, thoughts, calls with their results, the answer', () => {
    const state = stateAfter(WHOLE_TURN)
    expect(seen(state)).toEqual([
      ['user', 'complete', 'hello'],
      ['assistant', 'complete', 'Let me see', 'write ok', 'Hi there'],
    ])
    expect(state).toMatchObject({ lastSeq: 11, runningTurnId: null, fileChanges: 1 })
    expect(state.messages[1]?.id).toBe('answer-1')
  })

  it('knows which turn runs until it ends', () => {
    expect(stateAfter(WHOLE_TURN.slice(0, 5)).runningTurnId).toBe('turn-1')
    expect(seen(stateAfter(WHOLE_TURN.slice(0, 5)))).toEqual([['user', 'complete', 'hello'], ['assistant', 'streaming', 'Let me see', 'write running']])
  })

  it('is the same when events come twice', () => {
    expect(stateAfter([...WHOLE_TURN.slice(0, 8), ...WHOLE_TURN])).toEqual(stateAfter(WHOLE_TURN))
  })

  it('takes back text and thoughts of a step that starts again, and keeps its calls', () => {
    const restarted: StoredEvent = { type: 'step_restarted', data: { ...TURN, void_from_seq: 4, reason: 'the server was restarted' } }
    const events = numbered([message('hello'), started(), chunk('a', 0, 'kept'), chunk('a', 4, ' void'), CALL, chunk('b', 0, 'void too'), restarted, chunk('c', 0, 'again')])
    expect(seen(stateAfter(events))).toEqual([['user', 'complete', 'hello'], ['assistant', 'streaming', 'kept', 'write running', 'again']])
  })

  it('puts each answer below its question when several wait', () => {
    const events = numbered([message('hello'), message('second'), started(), chunk('a', 0, 'one'), DONE, started('turn-2', 'message of second')])
    expect(seen(stateAfter(events))).toEqual([
      ['user', 'complete', 'hello'],
      ['assistant', 'complete', 'one'],
      ['user', 'complete', 'second'],
      ['assistant', 'streaming'],
    ])
  })

  it('marks calls that a stop has ended', () => {
    const events = numbered([message('hello'), started(), CALL, { type: 'stopped', data: { ...TURN, reason: 'user', message_id: null } }])
    expect(seen(stateAfter(events))).toEqual([['user', 'complete', 'hello'], ['assistant', 'stopped', 'write cancelled']])
  })

  it('says why a turn failed', () => {
    const state = stateAfter(numbered([message('hello'), started(), { type: 'error', data: { ...TURN, code: 'unavailable', message: 'No answer', retryable: true } }]))
    expect(state.messages[1]).toMatchObject({ status: 'error', error: 'No answer' })
    expect(state.runningTurnId).toBeNull()
  })

  it('shows a call that failed as failed', () => {
    const failed: StoredEvent = { type: 'observation', data: { ...TURN, call_id: 'call-1', output: { message: 'no' }, success: false, duration_ms: 5 } }
    expect(seen(stateAfter(numbered([started(), CALL, failed])))).toEqual([['assistant', 'streaming', 'write failed']])
  })

  it('continues from the messages that the server gave, without repeating them', () => {
    const base = { turn_id: 'turn-0', status: 'complete', model: null, usage: null, created_at: '2026-01-01T00:00:00Z' } as const
    const loaded: Message[] = [
      { ...base, id: 'q', role: 'user', parts: [{ id: 'p', type: 'text', text: 'earlier' }] },
      { ...base, id: 'a', role: 'assistant', parts: [{ id: 'r', type: 'tool_call', call_id: 'c', tool: 'ls', args: {}, effect: 'read', status: 'ok', output: [], duration_ms: 1 }] },
    ]
    const state = chatReducer(stateAfter(WHOLE_TURN), { type: 'loaded', messages: loaded, asOfSeq: 11 })
    expect(seen(state)).toEqual([['user', 'complete', 'earlier'], ['assistant', 'complete', 'ls ok']])
    expect(stateAfter(WHOLE_TURN, state)).toEqual(state)
  })

  it('leaves ephemeral events aside', () => {
    const event: SseEvent = { id: null, type: 'call_progress', data: { ...TURN, call_id: 'call-1' } }
    expect(stateAfter([event])).toBe(EMPTY_CHAT)
  })
})
