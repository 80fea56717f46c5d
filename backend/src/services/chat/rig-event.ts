/** What the runtime streams -> what the chat records. Outward of here only the words of the wire exist. */
import type { MultiTurnStreamItem } from '@buildscale/rig'
import { REASONING_SEPARATOR } from './chat-stored-message.ts'
import type { TurnRecorder } from './chat-turn.ts'

/** Keeps what deltas need from one item to the next. One per run. */
export class RigEventTranslator {
  readonly #recorder: TurnRecorder
  /** The summary that a reasoning part was in last. */
  readonly #summaries = new Map<string, number>()

  constructor(recorder: TurnRecorder) {
    this.#recorder = recorder
  }

  /** Answers the number of a model call whose deltas are now all recorded. */
  record(item: MultiTurnStreamItem): number | undefined {
    switch (item.type) {
      case 'streamAssistantItem':
        this.#delta(item)
        return undefined
      case 'completionCall':
        return item.call.turn
      case 'toolProgress':
      case 'toolExecutionCommitted':
      case 'streamUserItem':
      case 'modelTurnRetried':
      case 'finalResponse':
        // Calls and results are recorded by the ledger, in the transaction of their effect; the end by the turn's runner.
        return undefined
    }
  }

  #delta({ turn, item }: Extract<MultiTurnStreamItem, { type: 'streamAssistantItem' }>): void {
    switch (item.type) {
      case 'text':
        return this.#recorder.delta('chunk', `${turn} ${item.id}`, item.text)
      case 'reasoning_delta':
        return this.#recorder.delta('thought', `${turn} ${item.id}`, this.#separator(`${turn} ${item.id}`, item.summaryIndex) + item.delta)
      case 'tool_call_delta':
        return this.#recorder.callDelta(item.internalCallId, item.name, item.delta ?? '')
      case 'reasoning':
      case 'tool_call':
      case 'unknown':
      case 'warning':
      case 'final':
        return
    }
  }

  /** Summaries of one part stand apart, in deltas as in the stored message. */
  #separator(part: string, index: number | undefined): string {
    if (index === undefined) return ''
    const last = this.#summaries.get(part)
    this.#summaries.set(part, index)
    return last !== undefined && last !== index ? REASONING_SEPARATOR : ''
  }
}
