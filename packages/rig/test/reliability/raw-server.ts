import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

/** What is done with one connection, once the first bytes of a request have come. */
export type Treatment = (socket: Socket) => void

export interface RawServer extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly origin: string
  readonly port: number
  /** How many connections have brought a request. */
  readonly requests: number
  /** Connections that are open right now. */
  readonly open: number
}

/** A server below HTTP, for what no HTTP server would send. */
export async function startRawServer(treat: Treatment): Promise<RawServer> {
  const sockets = new Set<Socket>()
  let requests = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined) // The other side breaks connections on purpose.
    socket.once('close', () => sockets.delete(socket))
    socket.once('data', () => {
      requests++
      treat(socket)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    get requests() {
      return requests
    },
    get open() {
      return sockets.size
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Sends `bytes` and leaves the connection as it is. */
export function sends(bytes: string | Buffer): Treatment {
  return (socket) => void socket.write(bytes)
}

/** Sends `bytes`, and ends the connection in good order. */
export function sendsAndEnds(bytes: string | Buffer): Treatment {
  return (socket) => void socket.end(bytes)
}

/** A whole answer of HTTP, its length included. */
export function httpAnswer(status: number, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Buffer {
  const bytes = Buffer.from(body)
  const lines = Object.entries({ 'content-type': 'application/json', ...headers, 'content-length': String(bytes.length) }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Told\r\n${lines.join('')}\r\n`), bytes])
}

/** Sends `head`, and then `piece` for as long as the connection lives and takes it. */
export function sendsEndlessly(head: string, piece: string | Buffer, pauseMs = 0): Treatment {
  return (socket) => {
    socket.write(head)
    const again = (): void => {
      if (socket.destroyed) return
      if (pauseMs > 0) socket.write(piece, () => setTimeout(again, pauseMs))
      else if (socket.write(piece)) setImmediate(again)
      else socket.once('drain', again)
    }
    again()
  }
}
