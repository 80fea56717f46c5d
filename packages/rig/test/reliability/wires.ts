import { Message, anthropic, openai, type Agent, type AgentBuilder, type CompletionModel, type RetryPolicy, type Tool } from '../../src/index.ts'

/** What a test sets of a client. */
export interface Connection {
  readonly origin: string
  readonly retry?: RetryPolicy | false
  readonly timeoutMs?: number
  readonly idleTimeoutMs?: number
  readonly apiKey?: string
  readonly fetch?: typeof fetch
}

/** Either kind of client, as far as tests need it. */
interface AnyClient {
  completionModel(id: string): CompletionModel
  agent(id: string): AgentBuilder
}

export interface WireUnderTest {
  readonly name: string
  readonly client: (connection: Connection) => AnyClient
}

const versioned = ({ origin, ...options }: Connection) => ({ apiKey: 'sk-test', ...options, baseUrl: `${origin}/v1` })

/** Every wire, by its provider's own client. */
export const WIRES: readonly WireUnderTest[] = [
  { name: 'responses', client: (connection) => new openai.Client(versioned(connection)) },
  { name: 'chat', client: (connection) => new openai.Client(versioned(connection)).completionsApi() },
  { name: 'messages', client: ({ origin, ...options }) => new anthropic.Client({ apiKey: 'sk-test', ...options, baseUrl: origin }) },
]

export interface CallSettings {
  readonly signal?: AbortSignal
  readonly idleTimeoutMs?: number
  /** Told of everything that a stream says, in its order. */
  readonly seen?: (item: { readonly type: string }) => void
}

/** One of the ways to ask a model. Gives the text of the answer. */
export interface Mode {
  readonly name: string
  readonly isStreaming: boolean
  readonly isAgent: boolean
  readonly ask: (client: AnyClient, settings?: CallSettings, tools?: readonly Tool[]) => Promise<string>
}

const REQUEST = { messages: [Message.user('Say something.')] }

export const MODES: readonly Mode[] = [
  {
    name: 'completion',
    isStreaming: false,
    isAgent: false,
    ask: async (client, { seen: _seen, ...options } = {}) => textOf((await client.completionModel('test-model').completion(REQUEST, options)).choice),
  },
  {
    name: 'stream',
    isStreaming: true,
    isAgent: false,
    ask: async (client, { seen, ...options } = {}) => {
      const stream = client.completionModel('test-model').stream(REQUEST, options)
      for await (const item of stream) seen?.(item)
      return textOf((await stream.response).choice)
    },
  },
  {
    name: 'agent.run',
    isStreaming: false,
    isAgent: true,
    ask: async (client, { seen: _seen, ...options } = {}, tools = []) => (await agentOf(client, tools).run('Say something.', { ...options, maxTurns: 3 })).text,
  },
  {
    name: 'agent.stream',
    isStreaming: true,
    isAgent: true,
    ask: async (client, { seen, ...options } = {}, tools = []) => {
      const stream = agentOf(client, tools).stream('Say something.', { ...options, maxTurns: 3 })
      for await (const item of stream) seen?.(item.type === 'streamAssistantItem' ? item.item : item)
      return (await stream.response).text
    },
  },
]

/** Every wire in every mode. */
export const WAYS = WIRES.flatMap((wire) => MODES.map((mode) => ({ name: `${mode.name} on ${wire.name}`, wire, mode })))

function agentOf(client: AnyClient, tools: readonly Tool[]): Agent {
  return tools.reduce((builder, tool) => builder.tool(tool), client.agent('test-model')).build()
}

function textOf(choice: readonly { readonly type: string }[]): string {
  return choice.map((part) => (part.type === 'text' && 'text' in part ? String(part.text) : '')).join('')
}

/** Retries without their pauses. */
export const QUICK_RETRY: RetryPolicy = { maxRetries: 2, initialDelayMs: 1, maxDelayMs: 2, statuses: [408, 409, 429, 500, 502, 503, 504, 529], respectRetryAfter: true }
