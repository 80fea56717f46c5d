/** Runs one claimed turn: loads it, lets the engine work, asks again when the model breaks off, and writes down how it ended. */
import type { Db } from '../../db/db.ts'
import { SessionConn } from '../../db/session-conn.ts'
import { AppError, publicError } from '../../errors.ts'
import { releaseTurn } from '../../repositories/turn-repository.ts'
import type { JournalFeed } from '../files/journal-feed.ts'
import type { ChatBroadcast } from './chat-broadcast.ts'
import type { WriterLanes } from './chat-delta-writer.ts'
import { ToolLedger } from './chat-tool-calls.ts'
import { type Ending, finishTurn } from './chat-turn-end.ts'
import type { ChatSessions } from './chat-session.ts'
import { loadCurrent, loadHistory } from './chat-turn-loader.ts'
import { voidFrom } from './chat-turn-queue.ts'
import { ChatTurnRecorder } from './chat-turn-recorder.ts'
import { type ChatTurnEngine, type ClaimedTurn, LostTurn, type StoredTurn, TurnAborted, type TurnResult } from './chat-turn.ts'

export interface TurnRunnerDeps {
  readonly db: Db
  readonly journal: Pick<JournalFeed, 'changed'>
  readonly broadcast: ChatBroadcast
  readonly lanes: WriterLanes
  readonly engine: ChatTurnEngine
  readonly sessions: Pick<ChatSessions, 'ofTurn'>
  readonly log: { info(details: object, message: string): void; warn(details: object, message: string): void; error(details: object, message: string): void }
  /** Longest time for one turn. */
  readonly turnMs: number
}

/** How often a step is asked again after its answer broke off, and how long to wait before. */
const STEP_RETRIES = 3
const RETRY_DELAY_MS = [500, 2_000, 8_000]
/** Attempts at one step across crashes of the server: a turn that takes the process down with it must not do so for ever. */
const MAX_ATTEMPTS_PER_STEP = 40

export class ChatTurnRunner {
  readonly #deps: TurnRunnerDeps

  constructor(deps: TurnRunnerDeps) {
    this.#deps = deps
  }

  /** Never rejects: a turn that cannot be ended here (no database, no claim) stays as it is, for the next claim. */
  async run(turn: ClaimedTurn, signal: AbortSignal): Promise<void> {
    const limit = timeLimit(signal, this.#deps.turnMs)
    try {
      await this.#attempt(turn, limit.signal)
    } catch (error) {
      if (error instanceof LostTurn) return this.#deps.log.info({ turn_id: turn.turnId }, 'the turn is no longer ours')
      this.#deps.log.error({ err: error, turn_id: turn.turnId }, 'the turn could not be ended; it will be claimed again')
    } finally {
      limit.clear()
    }
  }

  async #attempt(turn: ClaimedTurn, signal: AbortSignal): Promise<void> {
    const { db, lanes, broadcast } = this.#deps
    const current = await loadCurrent(db.kysely, turn)
    const recorder = new ChatTurnRecorder({ db, lanes, broadcast, turn, committed: { steps: current.steps.length, calls: current.steps.flatMap((step) => step.calls) } })
    const ending = await this.#run({ turn, recorder, current, attempts: turn.attempt - current.lastAttempt }, signal)
    if (ending === undefined) return
    const leftover = await recorder.unfinished()
    await finishTurn(this.#deps, turn, { ending, leftover: { ...leftover, ...recorder.position, firstDeltaAt: recorder.firstDeltaAt } })
  }

  /** How the turn ends, or undefined when it goes on elsewhere. */
  async #run(run: ActiveTurn, signal: AbortSignal): Promise<Ending | undefined> {
    if (run.attempts > MAX_ATTEMPTS_PER_STEP) {
      return { type: 'error', code: 'internal', message: `The server went down ${run.attempts} times during one step of this turn, so it was given up. Send the message again to retry.`, retryable: true }
    }
    try {
      return await this.#untilAnswered(run, signal)
    } catch (error) {
      if (error instanceof LostTurn) throw error
      if (!signal.aborted) return this.#unexpected(run.turn, error)
      return this.#aborted(run.turn, signal.reason)
    }
  }

  async #untilAnswered(run: ActiveTurn, signal: AbortSignal): Promise<Ending> {
    const { turn, recorder } = run
    const session = await this.#deps.sessions.ofTurn(turn)
    const conn = new SessionConn(this.#deps.db)
    const ledger = new ToolLedger({ conn, journal: this.#deps.journal, broadcast: this.#deps.broadcast, turn, attempt: () => recorder.position.attempt })
    const history = await loadHistory(this.#deps.db.kysely, turn, turn.number)
    let failures = { step: 0, count: 0 }
    for (let current: StoredTurn = run.current; ; current = await loadCurrent(this.#deps.db.kysely, turn)) {
      signal.throwIfAborted()
      const result = await this.#deps.engine.run({ turn, session, conn, ledger, history, current, recorder }, signal)
      if (result.type !== 'interrupted') return endingOf(result)
      const { step } = recorder.position
      failures = { step, count: failures.step === step ? failures.count + 1 : 1 }
      if (failures.count > STEP_RETRIES) return { type: 'error', code: result.code, message: result.message, retryable: true }
      await recorder.restartStep((tx) => voidFrom(tx, turn.turnId), result.message)
      await delay(result.retryAfterMs ?? RETRY_DELAY_MS[failures.count - 1] ?? 0, signal)
    }
  }

  async #aborted(turn: ClaimedTurn, reason: unknown): Promise<Ending | undefined> {
    const why = reason instanceof TurnAborted ? reason.why : 'lease_lost'
    switch (why) {
      case 'stopped':
        return { type: 'stopped', reason: 'stopped by the user' }
      case 'time_limit':
        return { type: 'error', code: 'turn_timeout', message: `The turn took longer than ${Math.round(this.#deps.turnMs / 60_000)} minutes and was ended. What it wrote is kept.`, retryable: false }
      case 'shutdown':
        await releaseTurn(this.#deps.db.kysely, turn)
        return undefined
      case 'lease_lost':
        return undefined
    }
  }

  #unexpected(turn: ClaimedTurn, error: unknown): Ending | undefined {
    // The database went away under the turn: nothing can be written now, and nothing is lost. The queue claims the turn again when it is back.
    if (publicError(error).code === 'unavailable') return undefined
    if (error instanceof TurnAborted) return { type: 'stopped', reason: 'the chat was deleted' }
    // The agent is broken or gone since the message was sent, or its model cannot be used: the sentence says what to mend, and where.
    if (error instanceof AppError) return { type: 'error', code: error.code, message: error.message, retryable: false }
    this.#deps.log.error({ err: error, turn_id: turn.turnId }, 'a turn failed')
    return { type: 'error', code: 'internal', message: 'Something went wrong on our side. The log has the details under this turn’s id.', retryable: true }
  }
}

interface ActiveTurn {
  readonly turn: ClaimedTurn
  readonly recorder: ChatTurnRecorder
  readonly current: StoredTurn
  /** Claims since the last committed step. */
  readonly attempts: number
}

function endingOf(result: Exclude<TurnResult, { type: 'interrupted' }>): Ending {
  return result.type === 'answered' ? { type: 'done' } : { type: 'error', code: result.code, message: result.message, retryable: result.retryable }
}

/** A signal that also fires when the turn has taken too long. */
function timeLimit(signal: AbortSignal, ms: number): { readonly signal: AbortSignal; clear(): void } {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new TurnAborted('time_limit')), ms)
  return { signal: AbortSignal.any([signal, controller.signal]), clear: () => clearTimeout(timer) }
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      clearTimeout(timer)
      reject(signal.reason instanceof Error ? signal.reason : new TurnAborted('lease_lost'))
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', aborted)
      resolve()
    }, ms)
    signal.addEventListener('abort', aborted, { once: true })
    if (signal.aborted) aborted()
  })
}
