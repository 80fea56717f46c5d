import type { FastifyInstance } from 'fastify'
import { AppError } from '../errors.ts'

/** How long requests that are under way get when the server closes. */
const GRACE_MS = 2_000

/** While the server closes: new requests on open connections are told so, and connections that outlive the grace end, so that one slow upload cannot hold up the process. */
export function installClosing(app: FastifyInstance): void {
  let isClosing = false
  app.addHook('preClose', (done) => {
    isClosing = true
    setTimeout(() => app.server.closeAllConnections(), GRACE_MS).unref()
    done()
  })
  app.addHook('onRequest', (_request, reply, done) => {
    if (!isClosing) return done()
    reply.header('connection', 'close')
    done(new AppError('unavailable', 'The server is stopping. Try again in a moment.'))
  })
}
