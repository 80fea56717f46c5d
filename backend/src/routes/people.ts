import { createSession, createSignInCode, createToken, createUser, deleteSession, deleteToken, listTokens, me, type User } from '@buildscale/protocol'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { credentialOf } from '../http/authenticate.ts'
import { readCookie, SESSION_COOKIE, sessionCookie } from '../http/cookies.ts'
import { handle } from '../http/handle.ts'
import { guardOrigin } from '../http/host-guard.ts'
import type { AuthService } from '../services/auth/auth-service.ts'
import type { AuthUser } from '../services/auth/auth-user.ts'
import type { PeopleService } from '../services/auth/people-service.ts'
import type { WorkspaceService } from '../services/workspaces/workspace-service.ts'

/** `GET /me` lists this many workspaces; `GET /workspaces` pages through all. */
const ME_WORKSPACES = 1000

export interface PeopleDeps {
  readonly auth: AuthService
  readonly people: PeopleService
  readonly workspaces: Pick<WorkspaceService, 'list'>
  /** Under which address browsers reach the server, `https://host`; default: the address of the request. */
  readonly publicUrl: string | undefined
}

/** Who am I, signing in and out, users and tokens. */
export function registerPeopleRoutes(app: FastifyInstance, deps: PeopleDeps): void {
  handle(app, me, async ({ user }) => {
    const { items } = await deps.workspaces.list(user.id, { limit: ME_WORKSPACES })
    return { user: userView(user), workspaces: [...items] }
  })
  registerSessionRoutes(app, deps)
  registerTokenRoutes(app, deps)
  handle(app, createUser, async ({ user, body, idempotency }) => {
    const created = await deps.people.createUser(user, { name: body.name, email: body.email ?? null }, idempotency)
    return { user: userView(created) }
  })
}

function registerSessionRoutes(app: FastifyInstance, { auth, publicUrl }: PeopleDeps): void {
  const secure = publicUrl?.startsWith('https:') ?? false
  handle(app, createSession, async ({ body, request, reply }) => {
    guardOrigin(request)
    const { user, session } = await auth.signIn(body.code)
    const maxAgeSeconds = Math.floor((session.expiresAt.getTime() - Date.now()) / 1000)
    reply.header('set-cookie', sessionCookie(session.secret, { maxAgeSeconds, secure }))
    return { user: userView(user) }
  })
  handle(app, deleteSession, async ({ request, reply }) => {
    const secret = readCookie(request.headers.cookie, SESSION_COOKIE)
    if (secret !== undefined) await auth.signOut(secret)
    reply.header('set-cookie', sessionCookie('', { maxAgeSeconds: 0, secure }))
  })
  // A repeat makes another code: each one ends by itself, and an answer with a secret is better not stored.
  handle(app, createSignInCode, async ({ user, request }) => {
    const { secret, expiresAt } = await auth.createSignInCode(user.id)
    return { code: secret, url: `${publicUrl ?? originOf(request)}/sign-in#code=${secret}`, expires_at: expiresAt.toISOString() }
  })
}

function registerTokenRoutes(app: FastifyInstance, { people }: PeopleDeps): void {
  handle(app, createToken, async ({ user, body, idempotency, request }) => {
    const credential = credentialOf(request)
    const repeat = idempotency === undefined || credential === undefined ? undefined : { key: idempotency, credential }
    const expiresAt = body.expires_at === undefined ? null : new Date(body.expires_at)
    return await people.createToken(user, { userId: body.user_id, name: body.name, expiresAt }, repeat)
  })
  handle(app, listTokens, async ({ user, query }) => {
    const { items, nextCursor } = await people.listTokens(user, query)
    const views = items.map((token) => ({
      id: token.id,
      user_id: token.user_id,
      name: token.name,
      created_at: token.created_at.toISOString(),
      expires_at: token.expires_at?.toISOString() ?? null,
      last_used_at: token.last_used_at?.toISOString() ?? null,
    }))
    return { items: views, next_cursor: nextCursor }
  })
  handle(app, deleteToken, ({ user, params }) => people.deleteToken(user, params.id))
}

function userView(user: AuthUser): User {
  return { id: user.id, name: user.name, email: user.email, created_at: user.createdAt.toISOString() }
}

function originOf(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`
}
