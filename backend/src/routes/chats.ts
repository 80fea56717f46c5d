import {
  chatEvents,
  createChat,
  deleteChat,
  getChat,
  getContext,
  getTurn,
  listChats,
  listMessages,
  patchChat,
  postMessage,
  stopChat,
} from '@buildscale/protocol'
import type { FastifyInstance } from 'fastify'
import { handle } from '../http/handle.ts'
import { eventCursor, sendLive } from '../http/live-stream.ts'
import { sseFrame } from '../http/sse.ts'
import type { IdempotentTransactions } from '../services/auth/idempotent-transactions.ts'
import type { ChatCommands } from '../services/chat/chat-commands.ts'
import type { ChatContextInspector } from '../services/chat/chat-turn.ts'
import { frameData } from '../services/chat/chat-event-log.ts'
import type { ChatEventReader, ChatStreamItem } from '../services/chat/chat-event-reader.ts'
import type { ChatService } from '../services/chat/chat-service.ts'
import { requirePermission } from '../services/workspaces/permissions.ts'

export interface ChatRoutesDeps {
  readonly chats: ChatService
  readonly commands: ChatCommands
  readonly events: ChatEventReader
  readonly context: ChatContextInspector
  readonly idempotent: IdempotentTransactions
  readonly isMember: (of: { readonly workspaceId: string; readonly userId: string }) => Promise<boolean>
  /** Open streams end when it aborts: the server stops. */
  readonly closing: AbortSignal
}

const PAGE = 100

export function registerChatRoutes(app: FastifyInstance, deps: ChatRoutesDeps): void {
  registerChats(app, deps)
  registerConversation(app, deps)
}

function registerChats(app: FastifyInstance, { chats, commands, idempotent }: ChatRoutesDeps): void {
  handle(app, createChat, async ({ params, body, user, role, idempotency }) => {
    requirePermission(role, 'chat')
    const created = await idempotent.run(idempotency, (tx) => chats.create(tx, { ...body, workspaceId: params.w, userId: user.id }))
    chats.announce(created.chat.id)
    return created
  })

  handle(app, listChats, ({ params, query }) => chats.list({ workspaceId: params.w, limit: query.limit ?? PAGE, cursor: query.cursor }))

  handle(app, getChat, ({ params }) => chats.get({ workspaceId: params.w, chatId: params.c }))

  handle(app, patchChat, ({ params, body, role }) => {
    requirePermission(role, 'chat')
    const { title, agent, model, mode } = body
    const patch = { ...(title !== undefined && { title }), ...(agent !== undefined && { agent }), ...(model !== undefined && { model }), ...(mode !== undefined && { mode }) }
    return chats.update({ workspaceId: params.w, chatId: params.c }, patch)
  })

  handle(app, deleteChat, async ({ params, role }) => {
    requirePermission(role, 'chat')
    const key = { workspaceId: params.w, chatId: params.c }
    await chats.remove(key)
    await commands.stop(key, { all: true, chatMayBeGone: true })
  })
}

function registerConversation(app: FastifyInstance, deps: ChatRoutesDeps): void {
  const { chats, commands, context, idempotent } = deps

  handle(app, listMessages, ({ params, query }) => chats.messages({ workspaceId: params.w, chatId: params.c }, { before: query.before, limit: query.limit ?? PAGE }))

  handle(app, postMessage, async ({ params, body, user, role, idempotency }) => {
    requirePermission(role, 'chat')
    const sent = await idempotent.run(idempotency, (tx) => chats.send(tx, { workspaceId: params.w, chatId: params.c }, { userId: user.id, content: body.content, files: body.files }))
    chats.announce(params.c)
    return sent
  })

  handle(app, chatEvents, async ({ params, query, user, request, reply }) => {
    const key = { workspaceId: params.w, chatId: params.c }
    const after = eventCursor(request, query.after)
    await deps.events.checkCursor(key, after)
    const open = async (signal: AbortSignal) => frames(await sessionInit(deps, key), deps.events.follow(key, { after, untilIdle: query.until === 'idle', signal }))
    await sendLive({ reply, open, closing: deps.closing, isStillAllowed: () => deps.isMember({ workspaceId: key.workspaceId, userId: user.id }) })
  })

  handle(app, stopChat, ({ params, body, role }) => {
    requirePermission(role, 'chat')
    return commands.stop({ workspaceId: params.w, chatId: params.c }, { all: body.all ?? false })
  })

  handle(app, getContext, ({ params }) => context.inspect({ workspaceId: params.w, chatId: params.c }))

  handle(app, getTurn, ({ params }) => chats.turn({ workspaceId: params.w, turnId: params.t }))
}

/** The first frame of every connection: what the chat is now. Stored nowhere, so it has no id. */
async function sessionInit({ chats }: ChatRoutesDeps, key: { readonly workspaceId: string; readonly chatId: string }): Promise<string> {
  const chat = await chats.get(key)
  const turnId = await chats.openTurn(key)
  return sseFrame({ id: null, event: 'session_init', data: JSON.stringify({ type: 'session_init', data: { chat, turn_id: turnId, last_seq: chat.last_seq } }) })
}

async function* frames(first: string, items: AsyncIterable<ChatStreamItem>): AsyncGenerator<string, void, void> {
  yield first
  for await (const item of items) yield encode(item)
}

function encode(item: ChatStreamItem): string {
  if (item.type === 'ephemeral') return sseFrame({ id: null, event: item.event, data: item.data })
  return item.events.map((event) => sseFrame({ id: event.seq, event: event.type, data: frameData(event.type, event.data) })).join('')
}
