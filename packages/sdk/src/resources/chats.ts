import {
  type Chat,
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
  type SseEvent,
  stopChat,
  type Turn,
} from '@buildscale/protocol'
import type { CallOptions, CreateOptions } from '../api.ts'
import type { BodyOf, Caller, ResponseOf } from '../client.ts'
import { type ChatEventsOptions, chatStream } from '../chat-stream.ts'
import type { PageOptions } from './workspaces.ts'

export interface MessagesOptions extends CallOptions {
  readonly limit?: number | undefined
  /** The `next_cursor` of a newer page. */
  readonly before?: string | undefined
}

/** The chats of one workspace. */
export class ChatsResource {
  readonly #caller: Caller
  readonly #workspaceId: string

  constructor(caller: Caller, workspaceId: string) {
    this.#caller = caller
    this.#workspaceId = workspaceId
  }

  /** With a `goal`, the first turn starts; follow it with `events(chat.id, { after })`. */
  create(body: BodyOf<typeof createChat> = {}, options?: CreateOptions): Promise<ResponseOf<typeof createChat>> {
    return this.#caller.call(createChat, { params: { w: this.#workspaceId }, body, options })
  }

  /** Newest activity first. */
  list({ limit, cursor, ...options }: PageOptions = {}): Promise<ResponseOf<typeof listChats>> {
    return this.#caller.call(listChats, { params: { w: this.#workspaceId }, query: { limit, cursor }, options })
  }

  get(chatId: string, options?: CallOptions): Promise<Chat> {
    return this.#caller.call(getChat, { params: this.#chat(chatId), options })
  }

  update(chatId: string, body: BodyOf<typeof patchChat>, options?: CallOptions): Promise<Chat> {
    return this.#caller.call(patchChat, { params: this.#chat(chatId), body, options })
  }

  remove(chatId: string, options?: CallOptions): Promise<void> {
    return this.#caller.call(deleteChat, { params: this.#chat(chatId), options })
  }

  /** The newest page, oldest first; `events(chatId, { after: as_of_seq })` continues without gap or repeat. */
  messages(chatId: string, { before, limit, ...options }: MessagesOptions = {}): Promise<ResponseOf<typeof listMessages>> {
    return this.#caller.call(listMessages, { params: this.#chat(chatId), query: { before, limit }, options })
  }

  /** Queues a message; `after` of the answer is the cursor just before its events. */
  send(chatId: string, body: BodyOf<typeof postMessage>, options?: CreateOptions): Promise<ResponseOf<typeof postMessage>> {
    return this.#caller.call(postMessage, { params: this.#chat(chatId), body, options })
  }

  /** Stops the running turn or the next queued one; with `all`, every one. */
  stop(chatId: string, { all, ...options }: CallOptions & { readonly all?: boolean } = {}): Promise<ResponseOf<typeof stopChat>> {
    return this.#caller.call(stopChat, { params: this.#chat(chatId), body: all === undefined ? {} : { all }, options })
  }

  /** What the model would receive now. */
  context(chatId: string, options?: CallOptions): Promise<ResponseOf<typeof getContext>> {
    return this.#caller.call(getContext, { params: this.#chat(chatId), options })
  }

  turn(turnId: string, options?: CallOptions): Promise<Turn> {
    return this.#caller.call(getTurn, { params: { w: this.#workspaceId, t: turnId }, options })
  }

  /**
   * The events of a chat, each stored one exactly once and in order, over any number of cut connections. See `chatStream`.
   */
  events(chatId: string, options: ChatEventsOptions = {}): AsyncGenerator<SseEvent, void, undefined> {
    const params = this.#chat(chatId)
    return chatStream({ open: (query, signal) => this.#caller.api.send(chatEvents, { params, query, signal }), getChat: (signal) => this.get(chatId, { signal }) }, options)
  }

  #chat(chatId: string): { readonly w: string; readonly c: string } {
    return { w: this.#workspaceId, c: chatId }
  }
}
