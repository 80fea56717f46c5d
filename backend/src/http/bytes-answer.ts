import type { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'

/** An answer that is not JSON: bytes, or only headers (`304`, `HEAD`). */
export interface BytesAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly stream: Readable | undefined
}

/** Sends the answer; the stream ends or is destroyed with the connection. */
export function sendBytes(reply: FastifyReply, answer: BytesAnswer): FastifyReply {
  const started = reply.code(answer.status).headers(answer.headers)
  return answer.stream === undefined ? started.send() : started.send(answer.stream)
}
