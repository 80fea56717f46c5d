import type { Role } from '@buildscale/protocol'
import type { Db, DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { countOwners, deleteMember, findMember, findRole, listMembers, lockWorkspace, type MemberRow, type MembershipKey, saveMember } from '../../repositories/workspace-repository.ts'
import { findUser } from '../../repositories/user-repository.ts'
import { type Page, pageOfIds, type PageRequest } from './id-page.ts'
import { requirePermission } from './permissions.ts'

/** Who acts. The role is read again under the lock: it may have changed since the request came in. */
export interface MemberChange extends MembershipKey {
  readonly callerId: string
}

/** Who belongs to a workspace. A workspace always keeps an owner. */
export class MemberService {
  readonly #db: Db

  constructor(deps: { readonly db: Db }) {
    this.#db = deps.db
  }

  async list(workspaceId: string, page: PageRequest): Promise<Page<MemberRow>> {
    return await pageOfIds(page, (limits) => listMembers(this.#db.kysely, { workspaceId, ...limits }))
  }

  /**
   * Adds a member or changes its role. Throws `forbidden` when the caller is no admin, or no owner and an owner comes or goes; `not_found` for an
   * unknown user; `conflict` when the last owner would go.
   */
  save(change: MemberChange, role: Role): Promise<MemberRow> {
    return this.#change(change, async (tx, current) => {
      await requireCaller(tx, change, [current, role])
      if ((await findUser(tx, change.userId)) === undefined) throw new AppError('not_found', 'There is no such user.')
      if (current === 'owner' && role !== 'owner') await keepAnOwner(tx, change.workspaceId)
      await saveMember(tx, change, role)
      const member = await findMember(tx, change)
      if (member === undefined) throw new Error('a member vanished in the transaction that saved it')
      return member
    })
  }

  /** Removes a member; everybody may leave. Throws as `save`, and `not_found` for somebody who is no member. */
  remove(change: MemberChange): Promise<void> {
    return this.#change(change, async (tx, current) => {
      if (change.callerId !== change.userId) await requireCaller(tx, change, [current])
      if (current === undefined) throw new AppError('not_found', 'There is no such member.')
      if (current === 'owner') await keepAnOwner(tx, change.workspaceId)
      await deleteMember(tx, change)
    })
  }

  /** One change of a workspace's members at a time: two owners who demote each other at once must not both succeed. */
  #change<T>(key: MembershipKey, apply: (tx: DbConn, current: Role | undefined) => Promise<T>): Promise<T> {
    return this.#db.transaction(async (tx) => {
      if (!(await lockWorkspace(tx, key.workspaceId))) throw new AppError('not_found', 'There is no such workspace.')
      return await apply(tx, await findRole(tx, key))
    })
  }
}

async function requireCaller(tx: DbConn, change: MemberChange, touched: readonly (Role | undefined)[]): Promise<void> {
  const role = await findRole(tx, { workspaceId: change.workspaceId, userId: change.callerId })
  if (role === undefined) throw new AppError('not_found', 'There is no such workspace.')
  requirePermission(role, touched.includes('owner') ? 'manage_owners' : 'manage_members')
}

async function keepAnOwner(tx: DbConn, workspaceId: string): Promise<void> {
  if ((await countOwners(tx, workspaceId)) > 1) return
  throw new AppError('conflict', 'A workspace keeps at least one owner: make another member owner first.')
}
