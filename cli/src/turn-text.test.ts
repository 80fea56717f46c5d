import type { SseEvent } from '@buildscale/protocol'
import { describe, expect, it } from 'vitest'
import { TurnText } from './turn-text.ts'

const TURN = { turn_id: 't', step: 1, attempt: 1 }

function textOf(events: readonly SseEvent[]): string {
  const text = new TurnText()
  for (const event of events) text.add(event)
  return text.toString()
}

function chunk(id: number, part_id: string, text: string): SseEvent {
  return { id, type: 'chunk', data: { ...TURN, part_id, offset: 0, text } }
}

describe('the text of a turn', () => {
  it('joins deltas, and sets parts apart by an empty line', () => {
    expect(textOf([chunk(1, 'a', 'Hel'), chunk(2, 'a', 'lo'), chunk(5, 'b', 'Bye')])).toBe('Hello\n\nBye')
  })

  it('forgets what a restarted step had said', () => {
    const restarted: SseEvent = { id: 4, type: 'step_restarted', data: { ...TURN, void_from_seq: 2, reason: 'the server was restarted' } }
    expect(textOf([chunk(1, 'a', 'kept'), chunk(2, 'b', 'void'), chunk(3, 'b', ' too'), restarted, chunk(5, 'c', 'again')])).toBe('kept\n\nagain')
  })
})
