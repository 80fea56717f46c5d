import type { UserRow } from '../../repositories/user-repository.ts'

/** A user as the services name it. */
export interface AuthUser {
  readonly id: string
  readonly name: string
  readonly email: string | null
  readonly isLocalOwner: boolean
  readonly createdAt: Date
}

export function authUser(row: UserRow): AuthUser {
  return { id: row.id, name: row.name, email: row.email, isLocalOwner: row.is_local_owner, createdAt: row.created_at }
}
