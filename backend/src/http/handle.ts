import type { Endpoint, Role } from '@buildscale/protocol'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Readable } from 'node:stream'
import type { z } from 'zod'
import { AppError } from '../errors.ts'
import type { SignedInUser } from './access.ts'
import { authenticate } from './authenticate.ts'
import { type BytesAnswer, sendBytes } from './bytes-answer.ts'
import { type IdempotencyKey, idempotencyKey } from './idempotency-key.ts'
import { installRawBodies } from './json-body.ts'
import { API_PREFIX, hasHead } from './route-table.ts'
import { validateRequest } from './validate-request.ts'
import { workspaceRole } from './workspace-access.ts'

/** A request as its handler sees it: authenticated, allowed into the workspace, parsed. */
export interface Call<E extends Endpoint> {
  readonly params: z.output<E['params']>
  readonly query: z.output<E['query']>
  /** Of an endpoint that takes bytes: the stream of them, unread. */
  readonly body: E['bodyKind'] extends 'bytes' ? AsyncIterable<Buffer> : z.output<E['body']>
  /** Undefined on endpoints that are open to everybody. */
  readonly user: E['access'] extends 'none' ? undefined : SignedInUser
  /** Undefined on endpoints that belong to no workspace. */
  readonly role: E['access'] extends 'workspace' ? Role : undefined
  /** The request's `Idempotency-Key`, for `IdempotentTransactions`. Of an endpoint that takes bytes always undefined: a stream is not compared with an earlier one. */
  readonly idempotency: IdempotencyKey | undefined
  /** Aborted when the client goes away before its answer is complete. */
  readonly signal: AbortSignal
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Returned by a handler of JSON that was asked for events and has sent them by itself. */
export const SENT = Symbol('sent')

/** What a handler returns. One of an event stream hijacks the reply and sends by itself. */
type Answer<E extends Endpoint> = AnswerOfKind<E>[E['responseKind']]

interface AnswerOfKind<E extends Endpoint> {
  readonly json: z.output<E['response']> | typeof SENT
  readonly bytes: BytesAnswer
  readonly empty: void
  readonly events: void
}

export type Handler<E extends Endpoint> = (call: Call<E>) => Answer<E> | Promise<Answer<E>>

/**
 * Registers an endpoint: authenticates, resolves the workspace role (`404` for strangers), validates by the endpoint's schemas,
 * answers with the endpoint's status (a handler may set another one on `reply`). What the handler throws becomes the error body.
 */
export function handle<E extends Endpoint>(app: FastifyInstance, endpoint: E, handler: Handler<E>): void {
  app.routeTable.add(endpoint)
  if (endpoint.bodyKind !== 'bytes') return addRoute(app, endpoint, handler)
  // Parsers belong to a scope: in this one no body is parsed.
  app.register((scope, _options, done) => {
    installRawBodies(scope)
    addRoute(scope, endpoint, handler)
    done()
  })
}

function addRoute<E extends Endpoint>(app: FastifyInstance, endpoint: E, handler: Handler<E>): void {
  const sendsBytes = endpoint.responseKind === 'bytes'
  app.route({
    // A handler of bytes answers HEAD by itself: the framework would produce all bytes to throw them away.
    method: sendsBytes ? [endpoint.method, 'HEAD'] : endpoint.method,
    url: API_PREFIX + endpoint.path,
    exposeHeadRoute: hasHead(endpoint) && !sendsBytes,
    onRequest: (request) => admit(endpoint, request),
    handler: (request, reply) => run(endpoint, handler, { request, reply }),
  })
}

/** Before the body is read, so that strangers cannot make the server read one. */
async function admit(endpoint: Endpoint, request: FastifyRequest): Promise<void> {
  const { access } = request.server
  if (endpoint.access !== 'none') request.signedInUser = await authenticate(request, access)
  if (endpoint.access === 'workspace') request.workspaceRole = await workspaceRole(request, access)
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') throw new AppError('unsupported_media_type', 'Bodies are taken without a content encoding.')
}

interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

async function run<E extends Endpoint>(endpoint: E, handler: Handler<E>, { request, reply }: Exchange): Promise<FastifyReply> {
  const call = callOf(endpoint, { request, reply })
  reply.code(endpoint.status)
  const answer: unknown = await handler(call)
  if (answer === SENT) return reply
  switch (endpoint.responseKind) {
    case 'json':
      return reply.send(answer)
    case 'bytes':
      return sendBytes(reply, answer as BytesAnswer)
    case 'empty':
      return reply.send()
    case 'events':
      return reply
  }
}

function callOf<E extends Endpoint>(endpoint: E, { request, reply }: Exchange): Call<E> {
  const body = endpoint.bodyKind === 'bytes' ? rawBody(request) : request.body
  const parts = validateRequest(endpoint, { params: request.params, query: request.query, body })
  return {
    ...parts,
    user: request.signedInUser ?? undefined,
    role: request.workspaceRole ?? undefined,
    idempotency: endpoint.bodyKind === 'bytes' ? undefined : idempotencyKey(request),
    signal: disconnectSignal(reply),
    request,
    reply,
    // The one cast between schemas and handlers: the parts above were made by this endpoint's schemas and guards.
  } as Call<E>
}

/**
 * A handler that stops reading must not take the connection down: the client could not read why its upload was refused.
 * What is left is read and dropped, as Node does with a body that nobody began to read.
 */
async function* rawBody({ body }: FastifyRequest): AsyncGenerator<Buffer, void, void> {
  if (!(body instanceof Readable)) return
  try {
    yield* body.iterator({ destroyOnReturn: false })
  } finally {
    body.resume()
  }
}

function disconnectSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new AppError('unavailable', 'The client went away before its answer was complete.'))
  })
  return controller.signal
}
