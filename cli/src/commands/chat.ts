import type { SseEvent } from '@buildscale/protocol'
import type { AgentsResource, ChatsResource } from '@buildscale/sdk'
import { createInterface, type Interface } from 'node:readline'
import { EXIT, type ExitCode } from '../cli-error.ts'
import { type CliContext, workspaceId } from '../connect.ts'
import { printable, type Terminal } from '../terminal.ts'
import { TurnRenderer } from '../turn-renderer.ts'
import { connectionNotes } from './run.ts'

export interface ChatOptions {
  readonly workspace: string
  readonly chat?: string
  readonly agent?: string
  readonly model?: string
}

const HELP = `/stop   stop the turn that runs (so does Ctrl-C)
/exit   leave; a turn that runs goes on (so does Ctrl-D)
/NAME … a message with the skill of that name; buildscale skills lists them
/help   this
Anything else is a message. While a turn runs, messages queue up.
`

/** `buildscale chat`: messages in, turns out, until the person leaves. With input from a pipe, it ends when all answers are there. */
export async function chat(context: CliContext, options: ChatOptions): Promise<ExitCode> {
  const id = await workspaceId(context.client, options.workspace)
  const chats = context.client.chats(id)
  const opened = await openChat(chats, options)
  const session = new ChatSession({ chats, agents: context.client.agents(id), terminal: context.terminal, ...opened })
  return session.run()
}

async function openChat(chats: ChatsResource, { chat: chatId, agent, model }: ChatOptions): Promise<{ readonly chatId: string; readonly after: number }> {
  const wanted = { ...(agent !== undefined && { agent }), ...(model !== undefined && { model }) }
  if (chatId === undefined) {
    const { chat: created, after } = await chats.create(wanted)
    return { chatId: created.id, after }
  }
  if (agent !== undefined || model !== undefined) await chats.update(chatId, wanted)
  return { chatId, after: 0 }
}

interface ChatSessionDeps {
  readonly chats: ChatsResource
  readonly agents: AgentsResource
  readonly terminal: Terminal
  readonly chatId: string
  /** Events up to here are not shown. */
  readonly after: number
}

class ChatSession {
  readonly #deps: ChatSessionDeps
  readonly #renderer: TurnRenderer
  readonly #input: Interface
  readonly #leave = new AbortController()
  /** Turns of messages that were typed here and have not ended. */
  readonly #open = new Set<string>()
  /** Turns that ended before the answer to their message came. */
  readonly #ended = new Set<string>()
  /** Messages that were typed here, oldest first: the terminal has shown them already. */
  readonly #typed: string[] = []
  /** Messages that the server has not taken yet. */
  #unsent = 0
  /** One at a time, so that messages arrive in the order in which they were typed. */
  #sending: Promise<void> = Promise.resolve()
  #hasInput = true

  constructor(deps: ChatSessionDeps) {
    this.#deps = deps
    this.#renderer = new TurnRenderer(deps.terminal)
    const isTty = process.stdin.isTTY === true
    this.#input = createInterface({ input: process.stdin, ...(isTty && { output: process.stderr, terminal: true }), prompt: '> ' })
  }

  async run(): Promise<ExitCode> {
    const { terminal, chatId } = this.#deps
    terminal.err(`${terminal.style('dim', `chat ${chatId}; /help shows the commands`)}\n`)
    this.#input.on('line', (line) => this.#take(line.trim()))
    this.#input.on('SIGINT', () => this.#interrupt())
    this.#input.on('close', () => this.#inputEnded())
    this.#input.prompt()
    try {
      await this.#follow()
    } finally {
      this.#input.close()
    }
    return EXIT.done
  }

  async #follow(): Promise<void> {
    const { chats, chatId, after } = this.#deps
    const signal = this.#leave.signal
    try {
      for await (const event of chats.events(chatId, { after, signal, onConnection: connectionNotes((text) => this.#renderer.note(text)) })) this.#show(event)
    } catch (error) {
      if (!signal.aborted) throw error
      if (signal.reason instanceof Error && signal.reason.name !== 'AbortError') throw signal.reason
    }
  }

  #show(event: SseEvent): void {
    if (event.type === 'session_init') return
    if (event.type === 'message') return this.#showMessage(event.data)
    this.#renderer.render(event)
    if (event.type === 'done' || event.type === 'stopped' || event.type === 'error') this.#turnEnded(event.data.turn_id)
  }

  #showMessage({ content }: { readonly content: string }): void {
    if (this.#typed[0] === content) return void this.#typed.shift()
    this.#renderer.finishLine()
    this.#deps.terminal.err(`${this.#deps.terminal.style('bold', `> ${printable(content)}`)}\n`)
  }

  #turnEnded(turnId: string): void {
    if (!this.#open.delete(turnId)) this.#ended.add(turnId)
    if (!this.#hasInput) this.#leaveWhenDone()
    else this.#input.prompt()
  }

  #take(line: string): void {
    if (line === '/exit' || line === '/quit') return this.#leave.abort()
    if (line === '/stop') return this.#stop()
    if (line === '/help') this.#deps.terminal.err(HELP)
    else if (/^\/[a-z0-9-]+(\s|$)/.test(line)) return this.#sendIfSkill(line)
    else if (line.startsWith('/')) this.#deps.terminal.err(`No command ${line}.\n${HELP}`)
    else if (line !== '') return this.#send(line)
    this.#input.prompt()
  }

  #send(content: string): void {
    this.#inOrder(() => this.#sendNow(content))
  }

  /** A skill is named like a command; what is neither is a typing error, and no message. */
  #sendIfSkill(line: string): void {
    this.#inOrder(async () => {
      const { items } = await this.#deps.agents.skills({ limit: 1000 })
      const name = line.slice(1).split(/\s/)[0]
      if (items.some((skill) => skill.name === name)) return this.#sendNow(line)
      this.#deps.terminal.err(`No command and no skill /${name}.\n${HELP}`)
      if (this.#hasInput) this.#input.prompt()
    })
  }

  #inOrder(work: () => Promise<void>): void {
    this.#unsent += 1
    this.#sending = this.#sending
      .then(work)
      .then(() => void (this.#unsent -= 1))
      .catch((error: unknown) => this.#leave.abort(error))
  }

  async #sendNow(content: string): Promise<void> {
    this.#typed.push(content)
    const { turn_id } = await this.#deps.chats.send(this.#deps.chatId, { content })
    if (!this.#ended.delete(turn_id)) this.#open.add(turn_id)
  }

  #stop(): void {
    this.#deps.chats.stop(this.#deps.chatId).then(
      ({ status }) => status === 'idle' && this.#renderer.note('nothing is running'),
      (error: unknown) => this.#leave.abort(error),
    )
  }

  /** Ctrl-C stops a turn; without one it leaves, as people expect of a prompt. */
  #interrupt(): void {
    if (this.#open.size > 0) this.#stop()
    else this.#leave.abort()
  }

  #inputEnded(): void {
    this.#hasInput = false
    if (process.stdin.isTTY === true) this.#leave.abort()
    else void this.#sending.then(() => this.#leaveWhenDone())
  }

  #leaveWhenDone(): void {
    if (this.#open.size === 0 && this.#unsent === 0) this.#leave.abort()
  }
}
