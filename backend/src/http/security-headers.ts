import type { FastifyInstance } from 'fastify'
import { API_PREFIX } from './route-table.ts'

/** An answer of the API is never a page; should a browser take it for one, that page may do nothing. */
const API_POLICY = "default-src 'none'; frame-ancestors 'none'"

/** The UI comes from this server alone: no inline script, no other origin. */
const UI_POLICY = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

const EVERYWHERE = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
} as const

/** Headers that every answer has; a handler may set a stricter policy of its own. */
export function installSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const isApi = request.url.startsWith(API_PREFIX)
    reply.headers({ ...EVERYWHERE, 'x-request-id': request.id, 'content-security-policy': isApi ? API_POLICY : UI_POLICY })
    if (isApi) reply.header('cache-control', 'no-store')
    done()
  })
}
