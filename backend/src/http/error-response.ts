import type { ErrorBody } from '@buildscale/protocol'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { AppError, publicError, STATUS } from '../errors.ts'
import { pathOf } from './idempotency-key.ts'

/** One body for everything that is not 2xx, unknown routes and methods included. */
export function installErrorResponses(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => sendError(request, reply, error))
  app.setNotFoundHandler((request, reply) => {
    const methods = app.routeTable.methodsOf(pathOf(request.url))
    if (methods.length === 0) throw new AppError('not_found', 'There is nothing at this address.')
    reply.header('allow', methods.join(', '))
    throw new AppError('method_not_allowed', `This address takes ${methods.join(', ')}.`)
  })
}

/** The JSON body of an error: what `publicError` lets out, and the id under which the log has the rest. */
function errorBody(error: unknown, requestId: string): ErrorBody {
  return { error: { ...publicError(error), request_id: requestId } }
}

/** Answers with the error's body and status. */
export function sendError(request: FastifyRequest, reply: FastifyReply, cause: unknown): FastifyReply {
  const error = fromFramework(cause)
  const body = errorBody(error, request.id)
  const status = STATUS[body.error.code]
  reply.header('x-request-id', request.id)
  if (status >= 500) request.log.error({ err: error }, 'request failed')
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  const size = error instanceof AppError && error.code === 'range_not_satisfiable' ? error.details?.['size'] : undefined
  if (typeof size === 'number') reply.header('content-range', `bytes */${size}`)
  const retryAfter = error instanceof AppError ? error.details?.['retry_after'] : undefined
  if (typeof retryAfter === 'number') reply.header('retry-after', String(Math.ceil(retryAfter)))
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body))
}

/** For what is no HTTP at all: there is no request yet, so the answer is written by hand and the connection ends. */
export function refuseConnection(error: Error, socket: Socket): void {
  if (!socket.writable || ('code' in error && error.code === 'ECONNRESET')) return void socket.destroy()
  const body = JSON.stringify(errorBody(new AppError('invalid_request', 'This is not a valid HTTP/1.1 request.'), randomUUID()))
  socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`)
}

/** Fastify's own complaints (https://fastify.dev/docs/latest/Reference/Errors/) in our codes; anything else as it is. */
function fromFramework(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error) || !('statusCode' in error)) return error
  switch (error.statusCode) {
    case 413:
      return new AppError('payload_too_large', 'The body is too large for this endpoint.')
    case 403:
    case 404:
    case 414:
      return new AppError('not_found', 'There is nothing at this address.')
    case 415:
      return new AppError('unsupported_media_type', 'This endpoint takes JSON: send `Content-Type: application/json`, without a content encoding.')
    case 400:
      return new AppError('invalid_request', `The request cannot be read. ${frameworkReason(error)}`, { cause: error })
    default:
      return error
  }
}

function frameworkReason(error: Error): string {
  const code = 'code' in error ? error.code : undefined
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH') return 'body: its length is not what Content-Length says'
  if (code === 'FST_ERR_BAD_URL') return 'url: it is not validly percent-encoded'
  return 'body: it is not valid JSON in UTF-8'
}
