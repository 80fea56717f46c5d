import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export interface WebServer {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  readonly port: number
  readonly url: string
  /** Requests so far: method and path. */
  readonly requests: readonly string[]
  readonly headers: readonly IncomingMessage['headers'][]
  readonly bodies: readonly string[]
  [Symbol.asyncDispose](): Promise<void>
}

/** A small web site on loopback. */
export async function startWebServer(answer: (request: IncomingMessage, response: ServerResponse) => void, address = '127.0.0.1'): Promise<WebServer> {
  const requests: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const bodies: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`)
    headers.push(request.headers)
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      bodies.push(body)
      answer(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return {
    host: `${address}:${port}`,
    port,
    url: `http://${address}:${port}`,
    requests,
    headers,
    bodies,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
