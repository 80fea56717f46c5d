/** The words that chat and runtime share: a turn under a claim, and the port through which a turn is run. */
import type { getContext, ToolCallStatus, Usage } from '@buildscale/protocol'
import type { z } from 'zod'
import type { TurnFence } from '../../repositories/chat-event-repository.ts'
import type { ToolCallRow } from '../../repositories/tool-call-repository.ts'
import type { ToolEffectRow } from '../../db/schema.ts'
import type { SessionConn } from '../../db/session-conn.ts'
import type { AgentSnapshot } from '../agents/agent-definition.ts'
import type { ChangeSet } from '../files/change-set.ts'

/** A turn that this node runs. Every write of it is fenced by `epoch`. */
export interface ClaimedTurn extends TurnFence {
  readonly turnId: string
  readonly epoch: number
  readonly workspaceId: string
  readonly chatId: string
  readonly userId: string
  readonly number: number
  readonly messageId: string
  /** Id of the assistant's message, the answer of this turn. */
  readonly replyId: string
  readonly agent: string
  readonly model: string
  readonly attempt: number
  readonly createdAt: Date
  readonly startedAt: Date
}

/** What a chat session is to the runtime: its agent, the skills that it is offered, and its model. */
export interface ChatSession extends AgentSnapshot {
  readonly chatId: string
  readonly model: string
}

/** One message of the past as it is stored: text that the runtime made, or results from the ledger. */
export type StoredTurn = {
  /** The person's message, JSON of the runtime. */
  readonly question: string
  readonly steps: readonly StoredStep[]
  /** It ended with an error: what it showed may be the reason. */
  readonly hasFailed?: boolean
}

export interface StoredStep {
  readonly number: number
  /** The assistant message of this model call, JSON exactly as the runtime gave it. */
  readonly content: string
  readonly calls: readonly ToolCallRow[]
}

/** A model call that is about to be committed. */
export interface StepCommit {
  readonly number: number
  /** The assistant message as JSON, serialised once. */
  readonly content: string
  /** Per entry of the message's content, the id of its part on the wire; null for what people do not see. */
  readonly partIds: readonly (string | null)[]
  readonly calls: readonly StepCall[]
  readonly model: string
  readonly usage: Usage | null
  readonly cost: number | null
}

export interface StepCall {
  /** Id of the call within this answer, as the runtime names it. */
  readonly providerCallId: string
  readonly name: string
  /** The arguments as JSON. */
  readonly args: string
  readonly effect: ToolEffectRow
}

/** How a tool call ended: a result as JSON, or a failure that the model reads. */
export type CallOutcome = { readonly ok: true; readonly output: unknown } | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } }

/** What the ledger holds of a call that has ended. `result` is the JSON that events, parts and turns show. */
export interface EndedCall {
  readonly status: Exclude<ToolCallStatus, 'pending' | 'running'>
  readonly result: string
}

/** Deltas of one kind of part. */
export type DeltaKind = 'thought' | 'chunk'

/** Where the runtime puts what a turn does: each method returns when its promise of durability holds. */
export interface TurnRecorder {
  /** A delta of a part; stored and sent soon, joined with others when they come fast. Never throws; a failure rejects the next commit. */
  delta(kind: DeltaKind, part: string, text: string): void
  /** Id on the wire of the parts that `delta` was called with in this step, in order of their first delta. */
  partIds(kind: DeltaKind): readonly string[]
  /** A piece of a call that the model is writing; shown to whoever is connected, stored nowhere. */
  callDelta(key: string, tool: string | undefined, text: string): void
  commitStep(step: StepCommit): Promise<void>
  /** The call of a committed step, by the runtime's id. */
  call(step: number, providerCallId: string): ToolCallRow
  /** Shows life of a running call; outside the resume guarantee. */
  progress(call: ToolCallRow, data: Readonly<Record<string, unknown>>): void
}

/** What a write does inside the ledger's transaction: SQL only. An `AppError` is a failed call, rolled back to where it began. */
export type ApplyWrite = (set: ChangeSet) => Promise<unknown>

/** Where a turn's calls get their one result. Every method throws `LostTurn` when the claim no longer holds. */
export interface TurnLedger {
  /** Stores the outcome of a call that changed nothing here. */
  finish(call: ToolCallRow, outcome: CallOutcome, startedAt: Date | null): Promise<EndedCall>
  /** Runs a write and stores its outcome, together. */
  apply(call: ToolCallRow, apply: ApplyWrite, startedAt: Date): Promise<EndedCall>
  /** An external call is about to reach out: a crash from here on leaves it in doubt, and it is never repeated silently. */
  markRunning(call: ToolCallRow): Promise<void>
}

export type TurnResult =
  | { readonly type: 'answered' }
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly retryable: boolean }
  /** The model's answer broke off or could not be had, and asking again may help. */
  | { readonly type: 'interrupted'; readonly code: string; readonly message: string; readonly retryAfterMs: number | null }

/** Everything the runtime needs to run or continue a turn. */
export interface TurnRun {
  readonly turn: ClaimedTurn
  readonly session: ChatSession
  /** The session's mutex around the database. */
  readonly conn: SessionConn
  readonly ledger: TurnLedger
  readonly history: readonly StoredTurn[]
  /** This turn so far: its question, and the steps that are committed. */
  readonly current: StoredTurn
  readonly recorder: TurnRecorder
}

/** The runtime, as the chat sees it. Implemented by `RigService`. */
export interface ChatTurnEngine {
  /** Runs the turn from its last committed step to its end. Rejects with `signal.reason` when aborted. */
  run(run: TurnRun, signal: AbortSignal): Promise<TurnResult>
}

/** Why a running turn was aborted. */
export type AbortCause = 'stopped' | 'lease_lost' | 'shutdown' | 'time_limit'

/** The reason of an aborted turn's signal. */
export class TurnAborted extends Error {
  override readonly name = 'TurnAborted'
  readonly why: AbortCause

  constructor(why: AbortCause) {
    super(`The turn was aborted: ${why}`)
    this.why = why
  }
}

/** This node no longer owns the turn: whatever it was about to write was not written. */
export class LostTurn extends Error {
  override readonly name = 'LostTurn'

  constructor(turnId: string) {
    super(`Turn ${turnId} is no longer run by this claim`)
  }
}

/** What the model would receive now, for people who want to see it. */
export interface ChatContextInspector {
  inspect(key: { readonly workspaceId: string; readonly chatId: string }): Promise<ContextView>
}

export type ContextView = z.output<typeof getContext.response>
