import type { Role } from '@buildscale/protocol'
import { AppError } from '../../errors.ts'

/** What each role may do, besides what the roles before it may. */
const GRANTS = {
  viewer: ['read'],
  editor: ['write_files', 'chat'],
  admin: ['manage_members', 'change_settings', 'purge'],
  owner: ['manage_owners', 'delete_workspace'],
} as const satisfies Record<Role, readonly string[]>

export type Permission = (typeof GRANTS)[Role][number]

const WEAKEST_FIRST = ['viewer', 'editor', 'admin', 'owner'] as const satisfies readonly Role[]

/** Whether a role may do something. */
export function isAllowed(role: Role, permission: Permission): boolean {
  const roles = WEAKEST_FIRST.slice(0, WEAKEST_FIRST.indexOf(role) + 1)
  return roles.some((weaker) => GRANTS[weaker].some((granted) => granted === permission))
}

/** Throws `forbidden`, naming the role that would do. */
export function requirePermission(role: Role, permission: Permission): void {
  if (isAllowed(role, permission)) return
  const needed = WEAKEST_FIRST.find((stronger) => isAllowed(stronger, permission))
  throw new AppError('forbidden', `Your role here is ${role}; this needs ${needed ?? 'another one'}.`)
}
