import type { Role, Workspace } from '@buildscale/protocol'
import { uuidv7 } from 'uuidv7'
import type { Db, DbConn } from '../../db/db.ts'
import { isUniqueViolation } from '../../db/sql-state.ts'
import { AppError } from '../../errors.ts'
import { findRole, findWorkspaceOf, insertWorkspace, listAllWorkspaces, listWorkspacesOf, type MembershipKey, saveMember, type WorkspaceRow } from '../../repositories/workspace-repository.ts'
import type { IdempotencyKey, IdempotentTransactions } from '../auth/idempotent-transactions.ts'
import { type Page, pageOfIds, type PageRequest } from './id-page.ts'

/** Workspaces as their members see them. */
export class WorkspaceService {
  readonly #db: Db
  readonly #idempotent: IdempotentTransactions

  constructor(deps: { readonly db: Db; readonly idempotent: IdempotentTransactions }) {
    this.#db = deps.db
    this.#idempotent = deps.idempotent
  }

  /** Creates a workspace that the user owns. Throws `conflict` when the user owns one of that name. */
  async create(workspace: { readonly userId: string; readonly name: string }, key: IdempotencyKey | undefined): Promise<Workspace> {
    try {
      return await this.#idempotent.run(key, (tx) => createWorkspace(tx, workspace))
    } catch (cause) {
      if (isUniqueViolation(cause, 'workspaces_name')) throw new AppError('conflict', `You have a workspace named ${JSON.stringify(workspace.name)} already.`, { cause })
      throw cause
    }
  }

  /** The user's workspaces, oldest first. */
  async list(userId: string, page: PageRequest): Promise<Page<Workspace>> {
    const { items, nextCursor } = await pageOfIds(page, (limits) => listWorkspacesOf(this.#db.kysely, { userId, ...limits }))
    return { items: items.map(workspaceOf), nextCursor }
  }

  /** Throws `not_found` when the user is no member. */
  async get(key: MembershipKey): Promise<Workspace> {
    const row = await findWorkspaceOf(this.#db.kysely, key)
    if (row === undefined) throw new AppError('not_found', 'There is no such workspace.')
    return workspaceOf(row)
  }

  /** The user's role; undefined when the user is no member or there is no such workspace. */
  roleOf(key: MembershipKey): Promise<Role | undefined> {
    return findRole(this.#db.kysely, key)
  }

  /** Every workspace of the server, for maintenance. */
  listAll(): Promise<readonly { readonly id: string; readonly name: string }[]> {
    return listAllWorkspaces(this.#db.kysely)
  }
}

async function createWorkspace(tx: DbConn, workspace: { readonly userId: string; readonly name: string }): Promise<Workspace> {
  const key = { workspaceId: uuidv7(), userId: workspace.userId }
  await insertWorkspace(tx, { id: key.workspaceId, name: workspace.name, owner_id: workspace.userId })
  await saveMember(tx, key, 'owner')
  const row = await findWorkspaceOf(tx, key)
  if (row === undefined) throw new Error('a workspace vanished in the transaction that created it')
  return workspaceOf(row)
}

function workspaceOf(row: WorkspaceRow): Workspace {
  return { id: row.id, name: row.name, role: row.role, change_seq: row.change_seq, created_at: row.created_at.toISOString() }
}
