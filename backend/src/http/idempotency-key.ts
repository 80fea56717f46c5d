import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'

/** What makes a request a repeat of another one: same user, method, path and key. Another body under the same key is a mistake of the client. */
export interface IdempotencyKey {
  readonly userId: string
  readonly method: string
  readonly path: string
  readonly key: string
  readonly bodyHash: Buffer
}

/** 1 to 255 visible ASCII characters. */
const KEY = /^[\x21-\x7e]{1,255}$/

/** The key of a `POST` that has an `Idempotency-Key` header; undefined otherwise. Throws `invalid_request` for a malformed one. */
export function idempotencyKey(request: FastifyRequest): IdempotencyKey | undefined {
  const header = request.headers['idempotency-key']
  if (request.method !== 'POST' || header === undefined || request.signedInUser === null) return undefined
  if (typeof header !== 'string' || !KEY.test(header)) {
    throw new AppError('invalid_request', 'The header Idempotency-Key must be 1 to 255 visible ASCII characters.')
  }
  const bodyHash = createHash('sha256').update(JSON.stringify(request.body ?? {})).digest()
  return { userId: request.signedInUser.id, method: request.method, path: pathOf(request.url), key: header, bodyHash }
}

/** The path of a request target, without its query string. */
export function pathOf(url: string): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}
