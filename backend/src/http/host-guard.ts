import type { FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'

/** Names that always mean this machine, so that no DNS answer of a stranger can point a browser at them. */
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

export interface HostPolicy {
  /** The server listens on loopback only: nothing but loopback names (and `allowedHosts`) is served. */
  readonly loopbackOnly: boolean
  /** Host names without a port under which the server is reached. Empty on a public address: any name. */
  readonly allowedHosts: readonly string[]
}

/** Whether a `Host` header may be served. A page of another site that rebinds its own DNS name to this server still sends that name. */
export function isHostAllowed(host: string | undefined, policy: HostPolicy): boolean {
  const name = hostName(host)
  if (name === undefined) return false
  if (policy.allowedHosts.some((allowed) => allowed.toLowerCase() === name)) return true
  return policy.loopbackOnly ? LOOPBACK_HOSTS.has(name) : policy.allowedHosts.length === 0
}

/** Throws `forbidden` for a request under a name that is not ours. */
export function guardHost(request: FastifyRequest, policy: HostPolicy): void {
  if (isHostAllowed(request.headers.host, policy)) return
  throw new AppError('forbidden', 'This server does not answer under that host name. Use http://localhost or http://127.0.0.1 with its port.')
}

/** Throws `forbidden` when a page of another origin sent the request. Programs send no `Origin`. */
export function guardOrigin(request: FastifyRequest): void {
  const { origin, host } = request.headers
  if (origin === undefined || originHost(origin) === host?.toLowerCase()) return
  throw new AppError('forbidden', 'Requests from pages of another origin are refused.')
}

/** The host with its port of an `Origin` header; undefined for `null` and other opaque origins. */
function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

function hostName(host: string | undefined): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[^:/@\s]+)(?::\d{1,5})?$/i.exec(host ?? '')?.[1]?.toLowerCase()
}
