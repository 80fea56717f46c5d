import type { FastifyInstance } from 'fastify'

/** Bodies of JSON endpoints, in bytes. Files travel as raw bytes and have their own limit. */
const JSON_BODY_LIMIT = 2 * 1024 * 1024

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** JSON is the only type that a JSON endpoint takes; an empty body counts as absent, broken UTF-8 is refused instead of replaced. */
export function installJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit: JSON_BODY_LIMIT }, (_request, body, done) => {
    try {
      done(null, parseJson(body))
    } catch (cause) {
      done(Object.assign(new Error('invalid JSON', { cause }), { statusCode: 400 }))
    }
  })
}

/** Passes the body of this scope's routes on as a stream, whatever its type says: file content is bytes. */
export function installRawBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
}

function parseJson(body: string | Buffer): unknown {
  const text = typeof body === 'string' ? body : utf8.decode(body)
  return text.trim() === '' ? undefined : JSON.parse(text)
}
