/**
 * Makes many calls that end early, each in another way, then says what is left of them:
 * `node end-calls-early.ts <origin of a model server> <address of an MCP server> <number of calls>`. It ends by itself, or something is left.
 */
import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { CompletionError, Message, isRigError, tool, type Agent, type AgentBuilder, type CompletionModel } from '../../../src/index.ts'
import { connectMcp } from '../../../src/mcp/index.ts'
import { WIRES } from '../wires.ts'

interface Caller {
  readonly model: CompletionModel
  readonly agent: (more?: (builder: AgentBuilder) => AgentBuilder) => Agent
}

const [origin = '', mcpUrl = '', count = '0'] = process.argv.slice(2)
const problems: string[] = []
/** How often each way ended how. */
const ends: Record<string, Record<string, number>> = {}
for (const event of ['unhandledRejection', 'uncaughtException', 'warning'] as const) process.on(event, (problem: unknown) => problems.push(`${event}: ${problem instanceof Error ? problem.stack : String(problem)}`))

const ask = (text: string) => ({ messages: [Message.user(text)] })
const lingering = tool({
  name: 'linger',
  description: 'Waits until it is told to end.',
  call: (_args, { signal }) => new Promise<string>((resolve) => {
    if (signal.aborted) resolve('told before')
    signal.addEventListener('abort', () => resolve('told'), { once: true })
  }),
})

const CALLERS: readonly Caller[] = WIRES.map(({ client: make }) => {
  const client = make({ origin, retry: { maxRetries: 2, initialDelayMs: 30_000, maxDelayMs: 30_000, statuses: [503], respectRetryAfter: true } })
  return {
    model: client.completionModel('test-model'),
    agent: (more = (builder) => builder) => more(client.agent('test-model').tool(lingering)).build(),
  }
})

const soon = (mostMs = 25): AbortSignal => {
  const controller = new AbortController()
  setTimeout(() => controller.abort(), Math.random() * mostMs)
  return controller.signal
}

/** One signal for everything, as a server that shuts down has it. */
const shutdown = new AbortController()
let connection: Awaited<ReturnType<typeof connectMcp>> | undefined

const WAYS: readonly ((caller: Caller) => Promise<unknown>)[] = [
  // Before anything is sent, while connecting, before the headers, in an answer, in a refusal, in a pause between attempts.
  ({ model }) => model.completion(ask('slow'), { signal: AbortSignal.abort() }),
  ({ model }) => model.stream(ask('slow'), { signal: AbortSignal.abort() }).response,
  ({ model }) => model.completion(ask('late'), { signal: soon() }),
  ({ model }) => model.stream(ask('late'), { signal: soon() }).response,
  ({ model }) => model.stream(ask('slow'), { signal: soon() }).response,
  ({ model }) => model.stream(ask('stall'), { signal: soon() }).response,
  ({ model }) => model.completion(ask('busy'), { signal: soon() }),
  ({ model }) => model.stream(ask('busy'), { signal: soon() }).response,
  ({ agent }) => agent().run('slow', { signal: soon() }),
  ({ agent }) => agent().run('busy', { signal: soon() }),
  ({ agent }) => agent().stream('stall', { signal: soon() }).response,
  // What fails by itself.
  ({ model }) => model.completion(ask('refuse')),
  ({ model }) => model.stream(ask('cut')).response,
  ({ model }) => model.stream(ask('stall'), { idleTimeoutMs: 10 }).response,
  ({ agent }) => agent().stream('refuse').response,
  // Consumers that leave, that are slow, that never come.
  async ({ model }) => {
    for await (const item of model.stream(ask('slow'))) if (item.type === 'text') break
  },
  async ({ agent }) => {
    for await (const _text of agent().stream('slow').textStream()) break
  },
  async ({ agent }) => {
    for await (const _item of agent().stream('flood')) {
      await sleep(5)
      break
    }
  },
  async ({ agent }) => {
    const reader = agent().stream('slow').toReadableStream().getReader()
    await reader.read()
    await reader.cancel()
  },
  async ({ model }) => {
    const stream = model.stream(ask('flood'))
    await stream[Symbol.asyncIterator]().next()
    stream.cancel()
  },
  async ({ model }) => void model.stream(ask('refuse')),
  async ({ agent }) => void agent().stream('refuse').response,
  async ({ model }) => {
    const stream = model.stream(ask('stall'))
    await sleep(Math.random() * 10)
    stream.cancel('never looked at')
  },
  // In a tool, in a tool of an MCP server, by a hook.
  ({ agent }) => agent().run('tool', { signal: soon() }),
  ({ agent }) => agent().stream('tool', { signal: soon() }).response,
  async ({ agent }) => {
    for await (const item of agent().stream('tool')) if (item.type === 'streamAssistantItem' && item.item.type === 'tool_call') break
  },
  ({ agent }) => agent((builder) => builder.tools(connection?.tools.tools ?? [])).run('remote', { signal: soon(200) }),
  ({ agent }) => agent().run('tool', { hooks: [{ onToolCall: () => ({ type: 'stop', reason: 'enough' }) }] }),
  ({ agent }) => agent().stream('slow', { hooks: [{ onTextDelta: () => ({ type: 'stop', reason: 'enough' }) }] }).response,
  // Many with one signal that is never aborted.
  ({ model }) => model.completion(ask('refuse'), { signal: shutdown.signal }),
  ({ model }) => model.stream(ask('cut'), { signal: shutdown.signal }).response,
  ({ agent }) => agent().stream('cut', { signal: shutdown.signal }).response,
]

async function attempt(index: number): Promise<void> {
  const [way, caller] = [WAYS[index % WAYS.length], CALLERS[index % CALLERS.length]]
  if (way === undefined || caller === undefined) return
  const tally = ends[String(index % WAYS.length)] ??= {}
  const note = (end: string): void => void (tally[end] = (tally[end] ?? 0) + 1)
  try {
    await way(caller)
    note('ended well')
  } catch (error) {
    note(error instanceof CompletionError ? error.kind : error instanceof Error ? error.name : 'thrown')
    if (!isRigError(error)) problems.push(`way ${index % WAYS.length} threw what is not ours: ${error instanceof Error ? error.stack : String(error)}`)
  }
}

async function attempts(from: number, to: number): Promise<void> {
  let next = from
  const work = async (): Promise<void> => {
    while (next < to) await attempt(next++)
  }
  await Promise.all(Array.from({ length: 24 }, work))
}

function heap(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const before = process.getActiveResourcesInfo()
connection = await connectMcp({ url: mcpUrl })
const total = Number(count)
await attempts(0, Math.floor(total / 4))
await sleep(300)
const early = heap()
await attempts(Math.floor(total / 4), total)
await connection.close()
connection = undefined
await sleep(300)
const grownBytes = heap() - early
const left = process.getActiveResourcesInfo().filter((resource) => !before.includes(resource))
process.stdout.write(`${JSON.stringify({ problems, left, grownBytes, listeners: getEventListeners(shutdown.signal, 'abort').length, ends })}\n`)
