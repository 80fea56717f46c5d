import type { Chat, Message, Turn } from '@buildscale/protocol'
import { uuidv7 } from 'uuidv7'
import type { Db, DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { lastSeqOf, readHead } from '../../repositories/chat-event-repository.ts'
import { findMessage, insertMessage, listMessages } from '../../repositories/chat-message-repository.ts'
import { type ChatCursor, type ChatKey, type ChatPatch, findChat, insertChat, listChats, markChatDeleted, takeTurnNumber, updateChat } from '../../repositories/chat-repository.ts'
import { listToolCalls } from '../../repositories/tool-call-repository.ts'
import { countOpenTurnsBefore, findTurn, insertTurn, listSteps } from '../../repositories/turn-repository.ts'
import { findPathOfId } from '../../repositories/file-repository.ts'
import { type AgentCatalog, faultSentence } from '../agents/agent-catalog.ts'
import { DEFAULT_AGENT } from '../agents/built-in-agents.ts'
import { parsePath } from '../files/file-path.ts'
import type { FileService } from '../files/file-service.ts'
import type { ChatBroadcast } from './chat-broadcast.ts'
import { appendEvents, newEvent } from './chat-event-log.ts'
import type { ModelCatalog } from './chat-models.ts'
import { recordedSnapshot } from './chat-session.ts'
import { type AttachedFile, questionMessage } from './chat-stored-message.ts'
import { viewChat, viewMessage, viewTurn } from './chat-view.ts'

export interface ChatServiceDeps {
  readonly db: Db
  readonly files: Pick<FileService, 'read'>
  readonly agents: Pick<AgentCatalog, 'resolve' | 'skill'>
  readonly models: ModelCatalog
  readonly broadcast: Pick<ChatBroadcast, 'published' | 'queueChanged'>
  /** The clock, for what the model is told about the moment. */
  readonly now: () => Date
}

export interface NewChatInput {
  readonly workspaceId: string
  readonly userId: string
  readonly goal?: string | undefined
  readonly title?: string | undefined
  readonly agent?: string | undefined
  readonly model?: string | undefined
  readonly files?: readonly string[] | undefined
}

export interface NewMessageInput {
  readonly userId: string
  readonly content: string
  readonly files?: readonly string[] | undefined
}

export interface SentMessage {
  readonly message_id: string
  readonly turn_id: string
  readonly position: number
  readonly after: number
}

/** Characters of a goal that make a title. */
const TITLE_LENGTH = 80
/** Of each attached file at most this much is sent along; the model reads the rest with `read`. */
const ATTACHMENT_BYTES = 256 * 1024

/** Chats, their messages and turns. A message, its event and its queued turn are one transaction; `announce` after the commit wakes whoever waits. */
export class ChatService {
  readonly #deps: ChatServiceDeps

  constructor(deps: ChatServiceDeps) {
    this.#deps = deps
  }

  async create(tx: DbConn, input: NewChatInput): Promise<{ chat: Chat; message_id?: string; turn_id?: string; after: number }> {
    const key = { workspaceId: input.workspaceId, chatId: uuidv7() }
    const { models, agents } = this.#deps
    const { agent } = await agents.resolve(tx, input.workspaceId, input.agent ?? DEFAULT_AGENT)
    await insertChat(tx, {
      id: key.chatId,
      workspace_id: key.workspaceId,
      created_by: input.userId,
      title: input.title ?? titleOf(input.goal),
      agent: agent.name,
      model: models.resolve(input.model ?? agent.model ?? models.defaultModel),
      is_model_chosen: input.model !== undefined,
      mode: 'build',
    })
    if (input.goal === undefined) return { chat: await readChat(tx, key), after: 0 }
    const { message_id, turn_id, after } = await this.send(tx, key, { userId: input.userId, content: input.goal, files: input.files })
    return { chat: await readChat(tx, key), message_id, turn_id, after }
  }

  /** Stores the message and queues its turn. Throws `not_found` for a chat that is not there, `invalid_request` for a file that is not. */
  async send(tx: DbConn, key: ChatKey, input: NewMessageInput): Promise<SentMessage> {
    const files = await this.#attach(tx, key.workspaceId, input.files ?? [])
    const skill = await this.#namedSkill(tx, key.workspaceId, input.content)
    const chat = await takeTurnNumber(tx, key)
    if (chat === undefined) throw noSuchChat()
    const ids = { message: uuidv7(), turn: uuidv7(), reply: uuidv7() }
    const content = questionMessage({ files: [...skill.files, ...files], environment: this.#environment(skill.note), request: input.content })
    const of = { workspace_id: key.workspaceId, chat_id: key.chatId }
    await insertTurn(tx, { ...of, id: ids.turn, number: chat.number, user_id: input.userId, message_id: ids.message, reply_id: ids.reply, agent: chat.agent, model: this.#deps.models.resolve(chat.model) })
    await insertMessage(tx, { ...of, id: ids.message, turn_id: ids.turn, role: 'user', status: 'complete', content, model: null })
    const position = await countOpenTurnsBefore(tx, key, chat.number)
    const last = await appendEvents(tx, key, [newEvent('message', ids.turn, { message_id: ids.message, role: 'user', content: input.content, position })])
    return { message_id: ids.message, turn_id: ids.turn, position, after: last - 1 }
  }

  /** After a message was committed: readers see it, a worker claims its turn. */
  announce(chatId: string): void {
    this.#deps.broadcast.published(chatId)
    this.#deps.broadcast.queueChanged()
  }

  get(key: ChatKey): Promise<Chat> {
    return readChat(this.#deps.db.kysely, key)
  }

  /** The turn that runs or is next to run; null when the chat is idle. */
  async openTurn(key: ChatKey): Promise<string | null> {
    const query = this.#deps.db.kysely.selectFrom('turns').select('id').where('chat_id', '=', key.chatId).where('workspace_id', '=', key.workspaceId)
    const row = await query.where('status', 'in', ['queued', 'running', 'waiting']).orderBy('number').limit(1).executeTakeFirst()
    return row?.id ?? null
  }

  async list(page: { readonly workspaceId: string; readonly limit: number; readonly cursor: string | undefined }): Promise<{ items: Chat[]; next_cursor: string | null }> {
    const rows = await listChats(this.#deps.db.kysely, { workspaceId: page.workspaceId, limit: page.limit + 1, after: page.cursor === undefined ? undefined : parseCursor(page.cursor) })
    const items = rows.slice(0, page.limit)
    const last = items.at(-1)
    return { items: items.map(viewChat), next_cursor: rows.length > page.limit && last !== undefined ? formatCursor({ updatedAt: last.updated_at, id: last.id }) : null }
  }

  update(key: ChatKey, patch: ChatPatch): Promise<Chat> {
    return this.#deps.db.transaction(async (tx) => {
      const model = await this.#patchedModel(tx, key, patch)
      if (!(await updateChat(tx, key, { ...patch, ...model }))) throw noSuchChat()
      return readChat(tx, key)
    })
  }

  /** A model that a person names stays; otherwise it is that of the agent, also of a new one. Throws what `resolve` of agents and models throw. */
  async #patchedModel(tx: DbConn, key: ChatKey, patch: ChatPatch): Promise<Pick<ChatPatch, 'model' | 'is_model_chosen'>> {
    const { agents, models } = this.#deps
    const chosen = patch.model === undefined ? {} : { model: models.resolve(patch.model), is_model_chosen: true }
    if (patch.agent === undefined) return chosen
    const { agent } = await agents.resolve(tx, key.workspaceId, patch.agent)
    const chat = await findChat(tx, key)
    return patch.model !== undefined || chat?.is_model_chosen === true ? chosen : { model: models.resolve(agent.model ?? models.defaultModel) }
  }

  /** The chat is gone for everybody at once; whoever calls this stops its turns. */
  async remove(key: ChatKey): Promise<void> {
    if (!(await markChatDeleted(this.#deps.db.kysely, key))) throw noSuchChat()
  }

  /**
   * The newest page of messages, oldest first, and the cursor behind it. While a turn runs, the cursor stands before that turn's first event and its
   * answer is not listed: whoever follows the events from there gets all of it, once.
   */
  messages(key: ChatKey, page: { readonly before: string | undefined; readonly limit: number }): Promise<{ items: Message[]; next_cursor: string | null; as_of_seq: number }> {
    const before = page.before === undefined ? undefined : parsePosition(page.before)
    return this.#deps.db.transaction(
      async (tx) => {
        const asOfSeq = await this.#asOfSeq(tx, key)
        const rows = await listMessages(tx, key, { before, limit: page.limit + 1, asOfSeq })
        const shown = rows.slice(0, page.limit).reverse()
        const turnIds = shown.filter((row) => row.role === 'assistant').map((row) => row.turn_id)
        const steps = Map.groupBy(await listSteps(tx, turnIds), (step) => step.turn_id)
        const calls = Map.groupBy(await listToolCalls(tx, turnIds), (call) => call.turn_id)
        const oldest = shown[0]
        return {
          items: shown.map((row) => viewMessage(row, { steps: steps.get(row.turn_id) ?? [], calls: calls.get(row.turn_id) ?? [] })),
          next_cursor: rows.length > page.limit && oldest !== undefined ? String(oldest.number * 2 + (oldest.role === 'user' ? 0 : 1)) : null,
          as_of_seq: asOfSeq,
        }
      },
      { isolation: 'repeatable read' },
    )
  }

  async turn(key: { readonly workspaceId: string; readonly turnId: string }): Promise<Turn> {
    const conn = this.#deps.db.kysely
    const row = await findTurn(conn, key)
    if (row === undefined) throw new AppError('not_found', 'There is no such turn.')
    const chat = await findChat(conn, { workspaceId: key.workspaceId, chatId: row.chat_id })
    if (chat === undefined) throw new AppError('not_found', 'There is no such turn.')
    const snapshot = await recordedSnapshot(conn, key)
    const question = await findMessage(conn, row.message_id)
    return viewTurn(row, { steps: await listSteps(conn, [row.id]), calls: await listToolCalls(conn, [row.id]), snapshot, question: question?.content })
  }

  async #asOfSeq(conn: DbConn, key: ChatKey): Promise<number> {
    const head = await readHead(conn, key)
    if (head === undefined) throw noSuchChat()
    const running = await conn.selectFrom('turns').select('id').where('chat_id', '=', key.chatId).where('status', 'in', ['running', 'waiting']).executeTakeFirst()
    return running === undefined ? head.lastSeq : (await lastSeqOf(conn, running.id, ['turn_started'])) - 1
  }

  async #attach(tx: DbConn, workspaceId: string, names: readonly string[]): Promise<readonly AttachedFile[]> {
    const attached: AttachedFile[] = []
    for (const name of names) {
      const path = name.startsWith('/') || !isUuid(name) ? parsePath(name) : await this.#pathOf(tx, { workspaceId, fileId: name })
      const { file, version, bytes } = await this.#deps.files.read(tx, { workspaceId, path, maxBytes: ATTACHMENT_BYTES })
      attached.push({ path: file.path, version: version.number, text: bytes.toString('utf8') })
    }
    return attached
  }

  async #pathOf(tx: DbConn, of: { readonly workspaceId: string; readonly fileId: string }): Promise<string> {
    const path = await findPathOfId(tx, of)
    if (path === undefined) throw new AppError('not_found', `There is no file with the id ${of.fileId} in this workspace.`)
    return path
  }

  /** A message that begins with `/name of a skill` brings that skill along. One that cannot be brought stops nobody: the model is told, and tells. */
  async #namedSkill(tx: DbConn, workspaceId: string, content: string): Promise<{ readonly files: readonly AttachedFile[]; readonly note: string }> {
    const name = /^\/([a-z0-9-]{1,64})(?:\s|$)/.exec(content)?.[1]
    const skill = name === undefined ? undefined : await this.#deps.agents.skill(tx, workspaceId, name)
    if (skill === undefined) return { files: [], note: '' }
    if (skill.definition === undefined) return { files: [], note: `\nThe skill "${skill.name}" that the person names is broken; say so. ${faultSentence(skill.path, skill.errors)}` }
    try {
      const { version, bytes } = await this.#deps.files.read(tx, { workspaceId, path: skill.path, maxBytes: ATTACHMENT_BYTES })
      return { files: [{ path: skill.path, version: version.number, text: bytes.toString('utf8'), skill: skill.name }], note: '' }
    } catch (error) {
      if (error instanceof AppError && error.code === 'payload_too_large') return { files: [], note: `\nThe person names the skill "${skill.name}": read ${skill.path} first.` }
      throw error
    }
  }

  #environment(note: string): string {
    return `<environment>\nDate: ${this.#deps.now().toISOString().slice(0, 10)}\nThe workspace root is "/". Paths are exact: case, dots and Unicode count.${note}\n</environment>`
  }
}

async function readChat(conn: DbConn, key: ChatKey): Promise<Chat> {
  const row = await findChat(conn, key)
  if (row === undefined) throw noSuchChat()
  return viewChat(row)
}

function noSuchChat(): AppError {
  return new AppError('not_found', 'There is no such chat.')
}

/** The first line of the goal, shortened at a word. */
function titleOf(goal: string | undefined): string {
  const line = goal?.trim().split('\n')[0]?.trim() ?? ''
  if (line === '') return 'New chat'
  return line.length <= TITLE_LENGTH ? line : `${line.slice(0, TITLE_LENGTH).replace(/\s+\S*$/u, '')}…`
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}

function formatCursor(cursor: ChatCursor): string {
  return `${cursor.updatedAt.getTime()}.${cursor.id}`
}

function parseCursor(text: string): ChatCursor {
  const [ms, id] = text.split('.')
  if (ms === undefined || id === undefined || !/^\d{1,15}$/.test(ms) || !isUuid(id)) throw invalidCursor()
  return { updatedAt: new Date(Number(ms)), id }
}

function parsePosition(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw invalidCursor()
  return Number(text)
}

function invalidCursor(): AppError {
  return new AppError('invalid_request', 'The cursor is not one that this list gave out. Start again without it.')
}
