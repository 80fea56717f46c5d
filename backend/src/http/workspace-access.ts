import { id, type Role } from '@buildscale/protocol'
import type { FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import type { HttpAccess } from './access.ts'

/** The caller's role in the workspace of the path. Throws `not_found` for strangers, so that nobody learns which workspaces exist. */
export async function workspaceRole(request: FastifyRequest, access: HttpAccess): Promise<Role> {
  const workspaceId = workspaceIdOf(request.params)
  const userId = request.signedInUser?.id
  const role = workspaceId === undefined || userId === undefined ? undefined : await access.roleOf({ workspaceId, userId })
  if (role === undefined) throw new AppError('not_found', 'There is no such workspace.')
  return role
}

function workspaceIdOf(params: unknown): string | undefined {
  if (typeof params !== 'object' || params === null || !('w' in params)) return undefined
  const parsed = id.safeParse(params.w)
  return parsed.success ? parsed.data : undefined
}
