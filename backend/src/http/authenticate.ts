import type { FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import type { HttpAccess, SignedInUser } from './access.ts'
import { readCookie, SESSION_COOKIE } from './cookies.ts'
import { guardOrigin } from './host-guard.ts'

/** Other sites cannot set it without a preflight, which they do not get. */
const CSRF_HEADER = 'x-buildscale'
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** The user of a request, by API token or by the UI's cookie. Throws `unauthenticated` without one, `forbidden` for a cookie that another page may have sent. */
export async function authenticate(request: FastifyRequest, access: HttpAccess): Promise<SignedInUser> {
  const { authorization } = request.headers
  const user = authorization === undefined ? await userOfCookie(request, access) : await userOfHeader(authorization, access)
  if (user === undefined) throw new AppError('unauthenticated', 'Sign in: send `Authorization: Bearer <token>`, or open a sign-in link. The token may be wrong, revoked or expired.')
  return user
}

/** What the caller signed in with: the API token or the cookie's secret. Undefined when the request has neither. */
export function credentialOf(request: FastifyRequest): string | undefined {
  const { authorization, cookie } = request.headers
  return authorization === undefined ? readCookie(cookie, SESSION_COOKIE) : bearerToken(authorization)
}

function bearerToken(authorization: string): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1]
}

async function userOfHeader(authorization: string, access: HttpAccess): Promise<SignedInUser | undefined> {
  const token = bearerToken(authorization)
  return token === undefined ? undefined : await access.userOfToken(token)
}

async function userOfCookie(request: FastifyRequest, access: HttpAccess): Promise<SignedInUser | undefined> {
  const secret = readCookie(request.headers.cookie, SESSION_COOKIE)
  if (secret === undefined) return undefined
  if (!SAFE_METHODS.has(request.method)) guardCookieUse(request)
  return await access.userOfSession(secret)
}

function guardCookieUse(request: FastifyRequest): void {
  guardOrigin(request)
  if (request.headers[CSRF_HEADER] !== '1') throw new AppError('forbidden', 'A request that changes something and is signed in by cookie needs the header `X-BuildScale: 1`.')
}
