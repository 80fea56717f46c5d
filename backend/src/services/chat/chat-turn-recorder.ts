import { uuidv7 } from 'uuidv7'
import type { Db } from '../../db/db.ts'
import type { NewEventRow } from '../../repositories/chat-event-repository.ts'
import { insertToolCalls, type NewToolCall, type ToolCallRow } from '../../repositories/tool-call-repository.ts'
import { holdTurn, insertStep, nextAttempt } from '../../repositories/turn-repository.ts'
import type { ChatBroadcast } from './chat-broadcast.ts'
import { DeltaWriter, type PartialPart, type WriterLanes } from './chat-delta-writer.ts'
import { appendEvents, newEvent } from './chat-event-log.ts'
import { type ClaimedTurn, type DeltaKind, LostTurn, type StepCommit, type TurnRecorder } from './chat-turn.ts'
import { callPath } from './chat-view.ts'
import { parseJson } from './chat-stored-message.ts'

export interface RecorderDeps {
  readonly db: Db
  readonly lanes: WriterLanes
  readonly broadcast: ChatBroadcast
  readonly turn: ClaimedTurn
  /** Steps that are committed already, with their calls. */
  readonly committed: { readonly steps: number; readonly calls: readonly ToolCallRow[] }
}

const PROGRESS_INTERVAL_MS = 100

interface CallDraft {
  readonly id: string
  tool: string
  unsent: string
  sentAt: number
}

/** Writes down what a running turn does. One per claim of a turn. */
export class ChatTurnRecorder implements TurnRecorder {
  readonly #deps: RecorderDeps
  readonly #calls = new Map<string, ToolCallRow>()
  readonly #progressAt = new Map<string, number>()
  /** Calls of the running step that the model is still writing, in its order. */
  readonly #drafts = new Map<string, CallDraft>()
  #step: number
  #attempt: number
  #stepStartedAt = new Date()
  #firstDeltaAt: Date | null = null
  #deltas: DeltaWriter

  constructor(deps: RecorderDeps) {
    this.#deps = deps
    this.#step = deps.committed.steps + 1
    this.#attempt = deps.turn.attempt
    for (const call of deps.committed.calls) this.#calls.set(callKey(call.step, call.provider_call_id), call)
    this.#deltas = this.#newDeltas()
  }

  /** Where the turn is: what each of its events names. */
  get position(): { readonly turn_id: string; readonly step: number; readonly attempt: number } {
    return { turn_id: this.#deps.turn.turnId, step: this.#step, attempt: this.#attempt }
  }

  get firstDeltaAt(): Date | null {
    return this.#firstDeltaAt
  }

  delta(kind: DeltaKind, part: string, text: string): void {
    this.#firstDeltaAt ??= new Date()
    this.#deltas.push(kind, part, text)
  }

  callDelta(key: string, tool: string | undefined, text: string): void {
    const draft = this.#drafts.get(key) ?? { id: uuidv7(), tool: '', unsent: '', sentAt: -Infinity }
    this.#drafts.set(key, draft)
    if (tool !== undefined) draft.tool = tool
    draft.unsent += text
    const now = performance.now()
    if (now - draft.sentAt < PROGRESS_INTERVAL_MS) return
    draft.sentAt = now
    const { turn, broadcast } = this.#deps
    broadcast.ephemeral(turn.chatId, { type: 'call_delta', data: { ...this.position, call_id: draft.id, tool: draft.tool, text: draft.unsent } })
    draft.unsent = ''
  }

  partIds(kind: DeltaKind): readonly string[] {
    return this.#deltas.ids(kind)
  }

  /** What the unfinished step has said, and the deltas of it that are not stored yet. */
  async unfinished(): Promise<{ readonly parts: readonly PartialPart[]; readonly events: readonly NewEventRow[]; readonly startedAt: Date }> {
    const events = await this.#deltas.drain()
    return { parts: this.#deltas.partial(), events, startedAt: this.#stepStartedAt }
  }

  /** One transaction: the message, its last deltas, a row and an event per call, the usage. Afterwards the tools may run. */
  async commitStep(step: StepCommit): Promise<void> {
    const { db, broadcast, turn } = this.#deps
    const deltas = await this.#deltas.drain()
    const drafts = [...this.#drafts.values()]
    const calls = step.calls.map((call, index): NewToolCall => ({
      id: drafts[index]?.id ?? uuidv7(),
      workspace_id: turn.workspaceId,
      chat_id: turn.chatId,
      turn_id: turn.turnId,
      step: step.number,
      index,
      message_id: turn.replyId,
      provider_call_id: call.providerCallId,
      name: call.name,
      args: call.args,
      effect: call.effect,
    }))
    const rows = await db.transaction(async (tx) => {
      if (!(await holdTurn(tx, turn, 'shared'))) throw new LostTurn(turn.turnId)
      await insertStep(tx, this.#stepRow(step))
      const inserted = await insertToolCalls(tx, calls)
      await appendEvents(tx, turn, [...deltas, ...calls.map((call) => this.#callEvent(call)), ...this.#usageEvent(step)])
      return inserted
    })
    broadcast.published(turn.chatId)
    for (const call of rows) this.#calls.set(callKey(call.step, call.provider_call_id), call)
    this.#step = step.number + 1
    this.#startStep()
  }

  call(step: number, providerCallId: string): ToolCallRow {
    const call = this.#calls.get(callKey(step, providerCallId))
    if (call === undefined) throw new Error(`Step ${step} has no committed call ${providerCallId}`)
    return call
  }

  progress(call: ToolCallRow, data: Readonly<Record<string, unknown>>): void {
    const now = performance.now()
    if (now - (this.#progressAt.get(call.id) ?? -Infinity) < PROGRESS_INTERVAL_MS) return
    this.#progressAt.set(call.id, now)
    const { turn, broadcast } = this.#deps
    broadcast.ephemeral(turn.chatId, { type: 'call_progress', data: { ...data, turn_id: turn.turnId, step: call.step, attempt: this.#attempt, call_id: call.id } })
  }

  /** The model's answer broke off: what it said so far is void, and the step is asked again. */
  async restartStep(voidFromSeq: (tx: Db['kysely']) => Promise<number>, reason: string): Promise<void> {
    const { db, broadcast, turn } = this.#deps
    const deltas = await this.#deltas.drain()
    this.#attempt = await db.transaction(async (tx) => {
      if (!(await holdTurn(tx, turn, 'exclusive'))) throw new LostTurn(turn.turnId)
      const attempt = await nextAttempt(tx, turn)
      const data = { ...this.position, attempt, void_from_seq: await voidFromSeq(tx), reason }
      await appendEvents(tx, turn, [...deltas, newEvent('step_restarted', turn.turnId, data)])
      return attempt
    })
    broadcast.published(turn.chatId)
    this.#startStep()
  }

  #startStep(): void {
    this.#stepStartedAt = new Date()
    this.#drafts.clear()
    this.#deltas = this.#newDeltas()
  }

  #newDeltas(): DeltaWriter {
    const { db, lanes, broadcast, turn } = this.#deps
    return new DeltaWriter({ db, lanes, broadcast, turn }, { step: this.#step, attempt: this.#attempt })
  }

  #stepRow(step: StepCommit) {
    const { turn } = this.#deps
    return {
      turn_id: turn.turnId,
      number: step.number,
      workspace_id: turn.workspaceId,
      attempt: this.#attempt,
      content: step.content,
      parts: JSON.stringify(step.partIds),
      model: step.model,
      usage: step.usage,
      cost: step.cost,
      started_at: this.#stepStartedAt,
    }
  }

  #callEvent(call: NewToolCall): NewEventRow {
    const { turn } = this.#deps
    const args = parseJson(call.args)
    return newEvent('call', turn.turnId, { ...this.position, call_id: call.id, tool: call.name, path: callPath(args), args, effect: call.effect })
  }

  #usageEvent(step: StepCommit): readonly NewEventRow[] {
    const usage = step.usage ?? { input_tokens: 0, cached_tokens: 0, output_tokens: 0, reasoning_tokens: 0 }
    return [newEvent('usage', this.#deps.turn.turnId, { ...this.position, usage, cost: step.cost })]
  }
}

function callKey(step: number, providerCallId: string): string {
  return `${step} ${providerCallId}`
}
