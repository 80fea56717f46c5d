import type { FastifyInstance } from 'fastify'
import { pathOf } from './idempotency-key.ts'

/** One line per answer. No headers and no query strings: they may hold secrets and names of files. */
export function installRequestLog(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const fields = { method: request.method, path: pathOf(request.url), status: reply.statusCode, ms: Math.round(reply.elapsedTime) }
    request.log.info(fields, 'request')
    done()
  })
}
