import { request } from 'node:http'

/** One frame as it came over the wire, byte for byte between blank lines. */
export interface RawFrame {
  readonly id: number | null
  readonly event: string
  readonly text: string
}

export interface RawStreamOptions {
  readonly url: string
  readonly token: string
  readonly lastEventId?: number
  /** Cut the connection after this many bytes of the body. */
  readonly cutAfterBytes?: number
  readonly signal?: AbortSignal
}

/** What one connection delivered: whole frames, and whether the server ended it (rather than us, or a fault). */
export interface RawStreamResult {
  readonly status: number
  readonly frames: readonly RawFrame[]
  readonly ended: boolean
}

/** Reads an event stream on a real socket until it ends, breaks or is cut. A cut frame is not delivered, as with any SSE client. */
export function readRawStream(options: RawStreamOptions): Promise<RawStreamResult> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${options.token}`, ...(options.lastEventId !== undefined && { 'last-event-id': String(options.lastEventId) }) }
    const outgoing = request(options.url, { headers, ...(options.signal !== undefined && { signal: options.signal }), agent: false }, (response) => {
      const chunks: Buffer[] = []
      let size = 0
      let isCut = false
      const finish = (ended: boolean): void => resolve({ status: response.statusCode ?? 0, frames: parseFrames(Buffer.concat(chunks).toString('utf8')), ended })
      response.on('data', (chunk: Buffer) => {
        const room = (options.cutAfterBytes ?? Infinity) - size
        chunks.push(chunk.subarray(0, Math.min(chunk.length, room)))
        size += chunk.length
        if (size < (options.cutAfterBytes ?? Infinity)) return
        isCut = true
        outgoing.destroy()
      })
      response.on('end', () => finish(response.complete && !isCut))
      response.on('error', () => finish(false))
      response.on('close', () => finish(response.complete && !isCut))
    })
    outgoing.on('error', (error) => reject(error))
    outgoing.end()
  })
}

export function parseFrames(text: string): RawFrame[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .filter((frame) => !frame.split('\n').every((line) => line.startsWith(':')))
    .map((frame) => {
      const fields = new Map(frame.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]))
      const id = fields.get('id')
      return { id: id === undefined ? null : Number(id), event: fields.get('event') ?? '', text: frame }
    })
}
