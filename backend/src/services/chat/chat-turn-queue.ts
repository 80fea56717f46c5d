/**
 * The `turns` table is the queue. This worker claims turns while it has room: the head of each chat, turns that an earlier life of this node left
 * running, and turns whose lease ran out elsewhere. It wakes when a turn is queued and when one ends; a slow poll is the safety net.
 */
import type { Db, DbConn } from '../../db/db.ts'
import { lastSeqOf } from '../../repositories/chat-event-repository.ts'
import { insertMessage } from '../../repositories/chat-message-repository.ts'
import { claimTurn, type TurnRow } from '../../repositories/turn-repository.ts'
import type { ChatBroadcast } from './chat-broadcast.ts'
import { appendEvents, newEvent } from './chat-event-log.ts'
import { LEASE_SECONDS, type NodeLease } from './chat-lease.ts'
import { type AbortCause, type ClaimedTurn, TurnAborted } from './chat-turn.ts'

export interface TurnQueueDeps {
  readonly db: Db
  readonly broadcast: ChatBroadcast
  readonly nodeId: string
  /** Runs one claimed turn to its end or until it is aborted; must not reject. */
  readonly runTurn: (turn: ClaimedTurn, signal: AbortSignal) => Promise<void>
  readonly log: { warn(details: object, message: string): void; error(details: object, message: string): void }
  /** Turns that run at the same time on this node. */
  readonly maxRunning: number
}

const RENEW_MS = 5_000
const POLL_MS = 2_000

interface RunningTurn {
  readonly turn: ClaimedTurn
  readonly controller: AbortController
  readonly ended: Promise<void>
}

export class ChatTurnQueue {
  readonly #deps: TurnQueueDeps
  readonly #running = new Map<string, RunningTurn>()
  #claiming: Promise<void> | undefined
  #again = false
  #open = false
  #lease: Pick<NodeLease, 'renew'> | undefined
  #unsubscribe: (() => void)[] = []
  #timers: NodeJS.Timeout[] = []

  constructor(deps: TurnQueueDeps) {
    this.#deps = deps
  }

  /** Begins to claim; the node's unfinished turns come back here at once, which its lease allows. */
  start(lease: Pick<NodeLease, 'renew'>): void {
    this.#open = true
    this.#lease = lease
    const { broadcast } = this.#deps
    this.#unsubscribe = [broadcast.onQueueChanged(() => this.#wake()), broadcast.onStopRequested((turnId) => this.abort(turnId, 'stopped'))]
    this.#timers = [setInterval(() => this.#wake(), POLL_MS), setInterval(() => void this.#renew().catch((error: unknown) => this.#renewalFailed(error)), RENEW_MS)]
    this.#wake()
  }

  get running(): number {
    return this.#running.size
  }

  abort(turnId: string, cause: AbortCause): void {
    this.#running.get(turnId)?.controller.abort(new TurnAborted(cause))
  }

  /** Aborts everything that runs here and claims nothing more until `start`: the node's lock is lost, or the server stops. Resolves when all has ended. */
  async pause(cause: AbortCause): Promise<void> {
    this.#open = false
    for (const timer of this.#timers) clearInterval(timer)
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#timers = []
    this.#unsubscribe = []
    await this.#claiming
    for (const { controller } of this.#running.values()) controller.abort(new TurnAborted(cause))
    await Promise.all([...this.#running.values()].map((running) => running.ended))
  }

  #wake(): void {
    this.#again = true
    this.#claiming ??= this.#claimAll().finally(() => {
      this.#claiming = undefined
      // A wake-up that came between the last look and here would otherwise wait for the poll.
      if (this.#again && this.#open) this.#wake()
    })
  }

  async #claimAll(): Promise<void> {
    while (this.#again && this.#open) {
      this.#again = false
      try {
        while (this.#open && this.#running.size < this.#deps.maxRunning && (await this.#claimOne()));
      } catch (error) {
        // The poll tries again; a database that is away must not end the worker.
        this.#deps.log.warn({ err: error }, 'could not claim turns')
        return
      }
    }
  }

  async #claimOne(): Promise<boolean> {
    const { db, nodeId } = this.#deps
    const row = await db.transaction(async (tx) => {
      const claimed = await claimTurn(tx, { nodeId, leaseSeconds: LEASE_SECONDS, running: [...this.#running.keys()] })
      if (claimed !== undefined) await announceClaim(tx, claimed)
      return claimed
    })
    if (row === undefined) return false
    this.#deps.broadcast.published(row.chat_id)
    this.#run(row)
    return true
  }

  #run(row: TurnRow): void {
    const turn = claimedTurn(row)
    const controller = new AbortController()
    if (row.stop_requested_at !== null) controller.abort(new TurnAborted('stopped'))
    const ended = this.#deps
      .runTurn(turn, controller.signal)
      .catch((error: unknown) => this.#deps.log.error({ err: error, turn_id: turn.turnId }, 'a turn ended outside its own error handling'))
      .finally(() => {
        this.#running.delete(turn.turnId)
        this.#wakeAfterEnd()
      })
    this.#running.set(turn.turnId, { turn, controller, ended })
  }

  #wakeAfterEnd(): void {
    if (this.#open) this.#wake()
  }

  /** Keeps the leases; a turn that is no longer ours is aborted, one that a person stopped (and whose wake-up was lost) too. */
  async #renew(): Promise<void> {
    const held = [...this.#running.values()]
    if (held.length === 0 || this.#lease === undefined) return
    const kept = new Map((await this.#lease.renew(held.map(({ turn }) => turn))).map((lease) => [lease.turnId, lease]))
    for (const { turn, controller } of held) {
      const lease = kept.get(turn.turnId)
      // A turn that has just ended is no longer renewable either; aborting it then changes nothing.
      if (lease === undefined) controller.abort(new TurnAborted('lease_lost'))
      else if (lease.isStopRequested) controller.abort(new TurnAborted('stopped'))
    }
  }

  #renewalFailed(error: unknown): void {
    // The fence protects the data; when the lease runs out meanwhile, the next renewal aborts the turn.
    this.#deps.log.warn({ err: error }, 'could not renew leases')
  }
}

/** First claim: the turn has started. A later one: its unfinished step is void, and so are that step's deltas. */
async function announceClaim(tx: DbConn, turn: TurnRow): Promise<void> {
  if (turn.attempt > 1) {
    const data = { turn_id: turn.id, step: await unfinishedStep(tx, turn.id), attempt: turn.attempt, void_from_seq: await voidFrom(tx, turn.id), reason: 'The server that ran this turn went away; another attempt goes on from the last finished step.' }
    await appendEvents(tx, chatKey(turn), [newEvent('step_restarted', turn.id, data)])
    return
  }
  await insertMessage(tx, { id: turn.reply_id, workspace_id: turn.workspace_id, chat_id: turn.chat_id, turn_id: turn.id, role: 'assistant', status: 'running', content: '[]', model: null })
  await appendEvents(tx, chatKey(turn), [newEvent('turn_started', turn.id, { turn_id: turn.id, step: 1, attempt: turn.attempt, message_id: turn.message_id })])
}

async function unfinishedStep(tx: DbConn, turnId: string): Promise<number> {
  const row = await tx.selectFrom('turn_steps').select((eb) => eb.fn.max('number').as('last')).where('turn_id', '=', turnId).executeTakeFirst()
  return Number(row?.last ?? 0) + 1
}

/** The first seq after the last committed step: `usage` is the last event of each commit. */
export async function voidFrom(tx: DbConn, turnId: string): Promise<number> {
  return (await lastSeqOf(tx, turnId, ['turn_started', 'usage'])) + 1
}

function chatKey(turn: TurnRow): { readonly workspaceId: string; readonly chatId: string } {
  return { workspaceId: turn.workspace_id, chatId: turn.chat_id }
}

function claimedTurn(row: TurnRow): ClaimedTurn {
  return {
    turnId: row.id,
    epoch: row.lease_epoch,
    workspaceId: row.workspace_id,
    chatId: row.chat_id,
    userId: row.user_id,
    number: row.number,
    messageId: row.message_id,
    replyId: row.reply_id,
    agent: row.agent,
    model: row.model,
    attempt: row.attempt,
    createdAt: row.created_at,
    startedAt: row.started_at ?? new Date(),
  }
}
