import type { Role } from '@buildscale/protocol'
import type { RouteTable } from './route-table.ts'

/** The person behind a request. */
export interface SignedInUser {
  readonly id: string
  readonly name: string
  readonly email: string | null
  /** The one user that the first start of a local server creates; may add users. */
  readonly isLocalOwner: boolean
  readonly createdAt: Date
}

/** What the HTTP mechanism asks of the services: who is this, and what is their role here. */
export interface HttpAccess {
  /** The user of an API token; undefined when it is unknown, revoked or expired. */
  userOfToken(token: string): Promise<SignedInUser | undefined>
  /** The user of a browser's session cookie; undefined when it is unknown or expired. */
  userOfSession(secret: string): Promise<SignedInUser | undefined>
  /** The user's role; undefined when the user is no member or there is no such workspace. */
  roleOf(membership: { readonly workspaceId: string; readonly userId: string }): Promise<Role | undefined>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Set by `createApp` before any route. */
    readonly access: HttpAccess
    readonly routeTable: RouteTable
  }
  interface FastifyRequest {
    /** Null until the request is authenticated, and on endpoints that are open to everybody. */
    signedInUser: SignedInUser | null
    /** Null on endpoints that belong to no workspace. */
    workspaceRole: Role | null
  }
}
