import type { SseEvent, Usage } from '@buildscale/protocol'
import type { ChatsResource, ConnectionChange } from '@buildscale/sdk'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'
import { type CliContext, workspaceId } from '../connect.ts'
import { onInterrupt } from '../interrupts.ts'
import type { Terminal } from '../terminal.ts'
import { TurnRenderer } from '../turn-renderer.ts'
import { TurnText } from '../turn-text.ts'

export interface RunOptions {
  readonly workspace: string
  readonly agent?: string
  readonly model?: string
  readonly json?: boolean
}

/** How a turn ended, as `--json` prints it last. */
interface RunResult {
  readonly status: 'done' | 'stopped' | 'error' | 'waiting'
  readonly message_id: string | null
  readonly usage: Usage | null
}

interface StartedTurn {
  readonly chats: ChatsResource
  readonly chatId: string
  readonly turnId: string
  readonly after: number
}

/** A server that is away for longer has a problem that waiting does not solve. */
const MAX_OUTAGE_MS = 10 * 60_000

const EXIT_CODES = { done: EXIT.done, stopped: EXIT.stopped, error: EXIT.error, waiting: EXIT.waiting } as const satisfies Record<RunResult['status'], ExitCode>

/** `buildscale run`: starts a chat with `goal` and follows its turn to its end. */
export async function run(context: CliContext, goal: string, options: RunOptions): Promise<ExitCode> {
  const turn = await start(context, goal, options)
  const printer = options.json === true ? jsonPrinter(context.terminal) : humanPrinter(context.terminal)
  const endInterrupts = stopOnInterrupt(turn, printer)
  try {
    const text = new TurnText()
    const result = await follow(turn, (event) => {
      text.add(event)
      printer.event(event)
    }, printer)
    printer.result({ type: 'result', status: result.status, chat_id: turn.chatId, turn_id: turn.turnId, message_id: result.message_id, text: text.toString(), usage: result.usage })
    return EXIT_CODES[result.status]
  } finally {
    endInterrupts()
  }
}

async function start({ client }: CliContext, goal: string, { workspace, agent, model }: RunOptions): Promise<StartedTurn> {
  const chats = client.chats(await workspaceId(client, workspace))
  const { chat, turn_id, after } = await chats.create({ goal, ...(agent !== undefined && { agent }), ...(model !== undefined && { model }) })
  if (turn_id === undefined) throw new CliError('The server started no turn')
  return { chats, chatId: chat.id, turnId: turn_id, after }
}

async function follow({ chats, chatId, turnId, after }: StartedTurn, onEvent: (event: SseEvent) => void, { connection }: Printer): Promise<RunResult> {
  for await (const event of chats.events(chatId, { after, until: 'idle', maxOutageMs: MAX_OUTAGE_MS, onConnection: connection })) {
    onEvent(event)
    const result = endOf(event, turnId)
    if (result !== undefined) return result
  }
  // Idle without an end: somebody has to answer or approve something first.
  const { status } = await chats.turn(turnId)
  if (status === 'waiting') return { status, message_id: null, usage: null }
  throw new CliError(`The stream ended, but the turn is ${status}`)
}

function endOf(event: SseEvent, turnId: string): RunResult | undefined {
  switch (event.type) {
    case 'done':
      return event.data.turn_id === turnId ? { status: 'done', message_id: event.data.message_id, usage: event.data.usage } : undefined
    case 'stopped':
      return event.data.turn_id === turnId ? { status: 'stopped', message_id: event.data.message_id, usage: null } : undefined
    case 'error':
      return event.data.turn_id === turnId ? { status: 'error', message_id: null, usage: null } : undefined
    default:
      return undefined
  }
}

/** Ctrl-C asks the server to stop the turn, whose end then comes as an event; a second one leaves at once. */
function stopOnInterrupt({ chats, chatId }: StartedTurn, printer: Printer): () => void {
  const leave = (reason: string): void => {
    printer.note(reason)
    process.exit(EXIT.stopped)
  }
  return onInterrupt({
    onFirst: () => {
      printer.note('stopping … (Ctrl-C again leaves without waiting)')
      chats.stop(chatId).catch((error: unknown) => leave(`The server could not be asked to stop: ${error instanceof Error ? error.message : String(error)}`))
    },
    onSecond: () => leave('left; the turn may still be running'),
  })
}

interface Printer {
  event(event: SseEvent): void
  note(text: string): void
  result(result: object): void
  readonly connection: (change: ConnectionChange) => void
}

function jsonPrinter(terminal: Terminal): Printer {
  const note = (text: string): void => terminal.err(`${text}\n`)
  const line = (value: object): void => terminal.out(`${JSON.stringify(value)}\n`)
  return { event: ({ id, type, data }) => line({ id, type, data }), note, result: line, connection: connectionNotes(note) }
}

function humanPrinter(terminal: Terminal): Printer {
  const renderer = new TurnRenderer(terminal)
  const note = (text: string): void => renderer.note(text)
  return { event: (event) => renderer.render(event), note, result: () => renderer.finishLine(), connection: connectionNotes(note) }
}

/** Says once that the connection is lost, and once that it is back; a cut that is mended at once is not worth a line. */
export function connectionNotes(note: (text: string) => void): (change: ConnectionChange) => void {
  let failures = 0
  return (change) => {
    if (change.type === 'lost' && ++failures === 2) note(`connection lost (${change.error.message}); trying again …`)
    if (change.type !== 'open') return
    if (failures >= 2) note('connected again')
    failures = 0
  }
}
