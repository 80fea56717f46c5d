import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What goes wrong with the next requests. `refuse`: those with the word "poison" get 400; `fewer`: one vector is missing; `shorter`: vectors have fewer numbers; `mixed`: not all have the same number. */
export type EmbeddingFault = 'none' | 'down' | 'error' | 'key' | 'refuse' | 'refuse-all' | 'fewer' | 'shorter' | 'mixed' | 'nonsense'

/** An embedding server on loopback in front of a good one, which fails as it is told to. */
export class EmbeddingServer {
  fault: EmbeddingFault = 'none'
  /** Texts of the requests that were answered with vectors, right or wrong. */
  readonly answered: string[] = []
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  readonly #upstream: string

  static async start(upstream: string): Promise<EmbeddingServer> {
    const server = new EmbeddingServer(upstream)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  private constructor(upstream: string) {
    this.#upstream = upstream
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const { input } = JSON.parse(body) as { input: string[] }
    if (this.fault === 'down') return void request.socket.destroy()
    const status = this.#status(input)
    if (status !== 200) return send(response, status, { error: { message: 'no', type: 'x', param: null, code: null } })
    if (this.fault === 'nonsense') return send(response, 200, { data: 'none' })
    const answer = (await (await fetch(`${this.#upstream}/embeddings`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: this.#adjusted(body) })).json()) as { data: { embedding: string }[] }
    if (this.fault === 'fewer') answer.data.pop()
    if (this.fault === 'mixed' && answer.data[0] !== undefined) answer.data[0].embedding = Buffer.from(answer.data[0].embedding, 'base64').subarray(0, 400).toString('base64')
    this.answered.push(...input)
    send(response, 200, answer)
  }

  #status(input: readonly string[]): number {
    switch (this.fault) {
      case 'error':
        return 500
      case 'key':
        return 401
      case 'refuse-all':
        return 400
      case 'refuse':
        return input.some((text) => text.includes('poison')) ? 400 : 200
      default:
        return 200
    }
  }

  #adjusted(body: string): string {
    return this.fault === 'shorter' ? JSON.stringify({ ...(JSON.parse(body) as object), dimensions: 100 }) : body
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
