/** Commands to a chat with a receipt: valid from any client and on any node, answered after the transaction that carried them out. */
import type { Db, DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { type ChatKey, findChat } from '../../repositories/chat-repository.ts'
import { endTurn, findTurn, lockOpenTurns, lockWorkspaceTurns, requestStop, type TurnRow } from '../../repositories/turn-repository.ts'
import type { ChatBroadcast } from './chat-broadcast.ts'
import { appendEvents, newEvent } from './chat-event-log.ts'

export interface ChatCommandsDeps {
  readonly db: Db
  readonly broadcast: ChatBroadcast
}

export interface StopReceipt {
  readonly turn_id: string | null
  readonly status: 'stopped' | 'idle'
}

/** How long a stop waits for the node that runs the turn. Aborting takes milliseconds; a crashed node's lease runs out after 15 s, and its successor sees the request. */
const STOP_TIMEOUT_MS = 25_000
const STOP_POLL_MS = 250

export class ChatCommands {
  readonly #deps: ChatCommandsDeps

  constructor(deps: ChatCommandsDeps) {
    this.#deps = deps
  }

  /** Stops the running turn, or the head of the queue when none runs yet; with `all` every open turn. Answers after the terminal event is committed. */
  async stop(key: ChatKey, options: { readonly all: boolean; readonly chatMayBeGone?: boolean }): Promise<StopReceipt> {
    const { db, broadcast } = this.#deps
    const turns = await db.transaction(async (tx) => {
      if (options.chatMayBeGone !== true && (await findChat(tx, key)) === undefined) throw new AppError('not_found', 'There is no such chat.')
      const open = await lockOpenTurns(tx, key)
      const chosen = options.all ? open : open.slice(0, 1)
      for (const turn of chosen) await this.#stopTurn(tx, key, turn)
      return chosen
    })
    const [head] = turns
    if (head === undefined) return { turn_id: null, status: 'idle' }
    broadcast.published(key.chatId)
    broadcast.queueChanged()
    for (const turn of turns.filter((candidate) => candidate.status === 'running')) await this.#untilEnded(key, turn.id)
    return { turn_id: head.id, status: 'stopped' }
  }

  /** Stops every open turn of a workspace. Returns without waiting for those that run: whatever they would still write finds no workspace. */
  async stopWorkspace(workspaceId: string): Promise<void> {
    const { db, broadcast } = this.#deps
    const running = await db.transaction(async (tx) => {
      const open = await lockWorkspaceTurns(tx, workspaceId)
      for (const turn of open) await this.#stopTurn(tx, { workspaceId, chatId: turn.chat_id }, turn)
      return open.filter(({ status }) => status === 'running')
    })
    broadcast.queueChanged()
    for (const { id } of running) broadcast.stopRequested(id)
  }

  /** A turn that nobody runs ends here and now; a running one is asked to. */
  async #stopTurn(tx: DbConn, key: ChatKey, turn: TurnRow): Promise<void> {
    if (turn.status === 'running') return requestStop(tx, turn.id)
    await endTurn(tx, turn.id, { status: 'stopped', usage: null, cost: null, error: null, firstDeltaAt: null })
    const position = { turn_id: turn.id, step: 0, attempt: turn.attempt }
    await appendEvents(tx, key, [newEvent('stopped', turn.id, { ...position, reason: 'stopped by the user', message_id: null })])
  }

  async #untilEnded(key: ChatKey, turnId: string): Promise<void> {
    const ended = Promise.withResolvers<void>()
    const look = (): void => void this.#hasEnded(key, turnId).then((yes) => yes && ended.resolve(), ended.reject)
    const unsubscribe = this.#deps.broadcast.subscribe(key.chatId, { woken: look, ephemeral: () => undefined })
    const poll = setInterval(look, STOP_POLL_MS)
    const timeout = setTimeout(() => ended.reject(new AppError('unavailable', 'The turn was asked to stop, but the node that runs it has not answered yet. It stops as soon as that node or its successor sees the request.')), STOP_TIMEOUT_MS)
    try {
      this.#deps.broadcast.stopRequested(turnId)
      look()
      await ended.promise
    } finally {
      unsubscribe()
      clearInterval(poll)
      clearTimeout(timeout)
    }
  }

  async #hasEnded(key: ChatKey, turnId: string): Promise<boolean> {
    const turn = await findTurn(this.#deps.db.kysely, { workspaceId: key.workspaceId, turnId })
    return turn === undefined || turn.ended_at !== null
  }
}
