/** What a turn runs with: its agent and skills as they were when it started, and its model. Decided once and stored, so that a resumed turn ends with what it began with. */
import { createHash } from 'node:crypto'
import type { Db, DbConn } from '../../db/db.ts'
import { type ChatKey, type ChatRow, findChat } from '../../repositories/chat-repository.ts'
import { findTurnSnapshot, recordTurnSnapshot } from '../../repositories/definition-repository.ts'
import type { AgentCatalog } from '../agents/agent-catalog.ts'
import { agentSnapshot, type AgentSnapshot } from '../agents/agent-definition.ts'
import type { ModelCatalog } from './chat-models.ts'
import { parseJson } from './chat-stored-message.ts'
import { type ChatSession, type ClaimedTurn, LostTurn, TurnAborted } from './chat-turn.ts'

export interface ChatSessionsDeps {
  readonly db: Db
  readonly agents: Pick<AgentCatalog, 'resolve'>
  readonly models: ModelCatalog
}

export class ChatSessions {
  readonly #deps: ChatSessionsDeps

  constructor(deps: ChatSessionsDeps) {
    this.#deps = deps
  }

  /** The session of a claimed turn: what an earlier claim recorded, or else what is defined now, recorded. Throws what `resolve` of the catalog throws. */
  async ofTurn(turn: ClaimedTurn): Promise<ChatSession> {
    const { db } = this.#deps
    const chat = await findChat(db.kysely, turn)
    if (chat === undefined) throw new TurnAborted('stopped')
    // A first claim has nothing recorded.
    const recorded = turn.attempt === 1 ? undefined : await recordedSnapshot(db.kysely, turn)
    if (recorded !== undefined) return { chatId: turn.chatId, ...recorded, model: turn.model }
    const snapshot = await this.#deps.agents.resolve(db.kysely, turn.workspaceId, turn.agent)
    const model = this.#model(chat, snapshot, turn.model)
    await this.#record(turn, snapshot, model)
    return { chatId: turn.chatId, ...snapshot, model }
  }

  /** What the chat's next turn would run with; undefined when there is no such chat. */
  async ofChat(key: ChatKey): Promise<{ readonly chat: ChatRow; readonly session: ChatSession } | undefined> {
    const conn = this.#deps.db.kysely
    const chat = await findChat(conn, key)
    if (chat === undefined) return undefined
    const snapshot = await this.#deps.agents.resolve(conn, key.workspaceId, chat.agent)
    return { chat, session: { chatId: chat.id, ...snapshot, model: this.#model(chat, snapshot, chat.model) } }
  }

  /** A model that a person chose for the chat wins over that of the agent. */
  #model(chat: ChatRow, { agent }: AgentSnapshot, chosen: string): string {
    const { models } = this.#deps
    return chat.is_model_chosen ? chosen : models.resolve(agent.model ?? models.defaultModel)
  }

  async #record(turn: ClaimedTurn, snapshot: AgentSnapshot, model: string): Promise<void> {
    const data = JSON.stringify(snapshot)
    const hash = createHash('sha256').update(data).digest()
    if (!(await recordTurnSnapshot(this.#deps.db.kysely, turn, { workspaceId: turn.workspaceId, hash, data, model }))) throw new LostTurn(turn.turnId)
  }
}

/** What a turn began with; undefined when it has not begun, or began before such things were recorded. */
export async function recordedSnapshot(conn: DbConn, of: { readonly workspaceId: string; readonly turnId: string }): Promise<AgentSnapshot | undefined> {
  const data = await findTurnSnapshot(conn, of)
  return data === undefined ? undefined : agentSnapshot.parse(parseJson(data))
}
