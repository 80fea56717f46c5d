import { setTimeout as sleep } from 'node:timers/promises'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { HttpTransport } from './http-transport.ts'
import type { McpEndpoint, OpenedTransport } from './mcp-target.ts'

/** How long, in milliseconds, a server may take to end a session; without an answer it ends when the server forgets it. */
const END_SESSION_MS = 2000

/** A server that is spoken to over streamable HTTP. */
export function openHttp({ url, headers = {} }: McpEndpoint): OpenedTransport {
  let session: StreamableHTTPClientTransport | undefined
  const transport = new HttpTransport((fetch) => {
    session = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { ...headers } }, fetch })
    return session
  })
  return {
    transport,
    async close(client) {
      // Whether it succeeds or not, the connection is closed next; the transport has reported the error.
      const ended = session?.terminateSession().catch(() => undefined)
      await Promise.race([ended, sleep(END_SESSION_MS, undefined, { ref: false })])
      await client.close()
    },
  }
}
