import { setTimeout as sleep } from 'node:timers/promises'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import {
  CallToolRequestSchema, ErrorCode, ListToolsRequestSchema, McpError, type CallToolRequest, type CallToolResult, type ServerNotification, type ServerRequest, type Tool,
} from '@modelcontextprotocol/sdk/types.js'

/** A red pixel. */
export const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='

interface Call {
  readonly params: CallToolRequest['params']
  readonly extra: RequestHandlerExtra<ServerRequest, ServerNotification>
  readonly server: ToolsServer
}

type Handler = (call: Call) => CallToolResult | Promise<CallToolResult>

const text = (...texts: readonly string[]): CallToolResult => ({ content: texts.map((entry) => ({ type: 'text', text: entry })) })

/** What the server's tools do, by name. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  echo: ({ params }) => text(String(params.arguments?.['text'])),
  picture: () => ({ content: [{ type: 'text', text: 'A pixel:' }, { type: 'image', data: PIXEL, mimeType: 'image/png' }] }),
  weather: () => ({ content: [{ type: 'text', text: '{ "sky": "clear", "degrees": 21 }' }], structuredContent: { sky: 'clear', degrees: 21 }, _meta: { station: 'Turin' } }),
  nothing: () => ({ content: [] }),
  fail: () => ({ ...text('The disk is full.', 'Delete something.'), isError: true }),
  refuse: () => {
    throw new McpError(ErrorCode.InvalidParams, 'text must not be empty')
  },
  seen: ({ params, extra }) => text(JSON.stringify({ arguments: params.arguments, meta: extra._meta })),
  environment: () => text(JSON.stringify(Object.keys(process.env).toSorted())),
  wait: async ({ extra, server }) => {
    server.waiting.resolve()
    await new Promise<void>((resolve) => extra.signal.addEventListener('abort', () => resolve()))
    server.cancellations.push(String(extra.signal.reason))
    return text('nobody hears this')
  },
  cancellations: ({ server }) => text(JSON.stringify(server.cancellations)),
  report: async ({ params, extra, server }) => {
    const progressToken = extra._meta?.progressToken
    for (let progress = 1; progress <= Number(params.arguments?.['steps']); progress++) {
      await sleep(50)
      if (progressToken !== undefined) await extra.sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total: 9, message: `step ${progress}` } })
    }
    server.reports++
    return text('reported')
  },
  die: async ({ params, server }) => {
    await sleep(Number(params.arguments?.['afterMs'] ?? 0))
    server.onDie()
    return new Promise<never>(() => undefined)
  },
  'files/read.all': () => text('read'),
  change: async ({ params, server }) => {
    const names = params.arguments?.['names']
    server.extra = Array.isArray(names) ? names.map(String) : []
    server.description = String(params.arguments?.['description'] ?? 'Extra.')
    await server.server.sendToolListChanged()
    return text('changed')
  },
}

/** A server of the protocol with tools that do everything a client has to cope with. Its list comes in pages of four. */
export class ToolsServer {
  readonly server = new Server({ name: 'everything', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } })
  readonly cancellations: string[] = []
  /** Resolved when a call of `wait` has begun. */
  waiting = Promise.withResolvers<void>()
  reports = 0
  /** Tools besides those that are always there. */
  extra: readonly string[] = []
  description = 'Extra.'
  /** While it is set the list is refused. */
  listFailure: string | undefined
  lists = 0
  readonly onDie: () => void

  constructor(onDie: () => void) {
    this.onDie = onDie
    this.server.setRequestHandler(ListToolsRequestSchema, ({ params }) => this.#page(Number(params?.cursor ?? 0)))
    this.server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => {
      const handler = HANDLERS[params.name] ?? (() => text(`${params.name} ran`))
      return handler({ params, extra, server: this })
    })
  }

  #page(start: number): { tools: Tool[]; nextCursor?: string } {
    if (this.listFailure !== undefined) throw new McpError(ErrorCode.InternalError, this.listFailure)
    this.lists++
    const names = [...Object.keys(HANDLERS), ...this.extra]
    const tools = names.slice(start, start + 4).map((name): Tool => ({
      name,
      description: this.extra.includes(name) ? this.description : `Does ${name}.`,
      inputSchema: { type: 'object', ...(name === 'echo' ? { properties: { text: { type: 'string' } }, required: ['text'] } : {}) },
    }))
    return { tools, ...(start + 4 < names.length ? { nextCursor: String(start + 4) } : {}) }
  }
}
