import type { FastifyInstance } from 'fastify'

/** How long requests that are under way get when the server closes. */
const GRACE_MS = 2_000

/** Ends connections that outlive the server's closing, so that one slow upload cannot keep the process from ending. */
export function installConnectionDeadline(app: FastifyInstance): void {
  app.addHook('preClose', (done) => {
    setTimeout(() => app.server.closeAllConnections(), GRACE_MS).unref()
    done()
  })
}
