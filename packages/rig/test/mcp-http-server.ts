import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { ToolsServer } from './mcp-tools-server.ts'

export interface McpHttpServer extends AsyncDisposable {
  readonly url: string
  /** The servers of all sessions, oldest first. */
  readonly sessions: readonly ToolsServer[]
  /** Headers of every request so far. */
  readonly headers: readonly IncomingHttpHeaders[]
  /** Sessions that their client ended. */
  readonly endedSessions: readonly string[]
  /** Answers of requests that are still being streamed. */
  openAnswers(): number
  /** Everything is answered with this status from now on. */
  refuseWith(status: number): void
}

/** The server of `mcp-tools-server.ts` over streamable HTTP, on a free port of this machine. `die` cuts all connections. */
export async function startMcpHttpServer(): Promise<McpHttpServer> {
  const sessions: ToolsServer[] = []
  const headers: IncomingHttpHeaders[] = []
  const endedSessions: string[] = []
  const transports = new Map<string, StreamableHTTPServerTransport>()
  let status: number | undefined
  let answers = 0
  const http = createServer((request, response) => {
    headers.push(request.headers)
    if (status !== undefined) {
      response.writeHead(status).end('<html>internal address 10.0.0.7</html>')
      return
    }
    if (request.method === 'POST') {
      answers++
      response.on('close', () => answers--)
    }
    const known = transports.get(String(request.headers['mcp-session-id']))
    void (known === undefined ? newSession() : Promise.resolve(known)).then((transport) => transport.handleRequest(request, response))
  })

  async function newSession(): Promise<StreamableHTTPServerTransport> {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void transports.set(id, transport),
      onsessionclosed: (id) => void endedSessions.push(id),
    })
    const session = new ToolsServer(() => http.closeAllConnections())
    sessions.push(session)
    await session.server.connect(transport as never)
    return transport
  }

  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    sessions,
    headers,
    endedSessions,
    openAnswers: () => answers,
    refuseWith: (value) => void (status = value),
    async [Symbol.asyncDispose]() {
      await Promise.all(sessions.map(({ server }) => server.close()))
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
