import type { Role, Workspace } from '@buildscale/protocol'
import { uuidv7 } from 'uuidv7'
import type { Db, DbConn } from '../../db/db.ts'
import { isUniqueViolation } from '../../db/sql-state.ts'
import { AppError } from '../../errors.ts'
import {
  findRole, findWorkspaceOf, insertWorkspace, listAllWorkspaces, listWorkspacesOf, lockWorkspace, markWorkspaceDeleted, type MembershipKey, saveMember, updateWorkspace, type WorkspaceRow,
} from '../../repositories/workspace-repository.ts'
import type { IdempotencyKey, IdempotentTransactions } from '../auth/idempotent-transactions.ts'
import { type Page, pageOfIds, type PageRequest } from './id-page.ts'

export interface WorkspaceServiceDeps {
  readonly db: Db
  readonly idempotent: IdempotentTransactions
  /** What workspaces may store that people make from now on, in bytes; null: no limit. */
  readonly quotaBytes: number | null
}

export interface WorkspaceChange {
  readonly name?: string | undefined
  readonly quota_bytes?: number | null | undefined
}

/** Workspaces as their members see them. */
export class WorkspaceService {
  readonly #db: Db
  readonly #idempotent: IdempotentTransactions
  readonly #quotaBytes: number | null

  constructor(deps: WorkspaceServiceDeps) {
    this.#db = deps.db
    this.#idempotent = deps.idempotent
    this.#quotaBytes = deps.quotaBytes
  }

  /** Creates a workspace that the user owns. Throws `conflict` when the user owns one of that name. */
  async create(workspace: { readonly userId: string; readonly name: string }, key: IdempotencyKey | undefined): Promise<Workspace> {
    try {
      return await this.#idempotent.run(key, (tx) => createWorkspace(tx, { ...workspace, quotaBytes: this.#quotaBytes }))
    } catch (cause) {
      throw nameTaken(cause, workspace.name)
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

  /** Changes what is given. Throws `not_found`, and `conflict` when the owner has another workspace of that name. */
  async change(key: MembershipKey, change: WorkspaceChange): Promise<Workspace> {
    try {
      return await this.#db.transaction(async (tx) => {
        await updateWorkspace(tx, key.workspaceId, change)
        const row = await findWorkspaceOf(tx, key)
        if (row === undefined) throw new AppError('not_found', 'There is no such workspace.')
        return workspaceOf(row)
      })
    } catch (cause) {
      throw nameTaken(cause, change.name ?? '')
    }
  }

  /** From the answer on nobody finds the workspace; its rows and files go later (`WorkspaceRemoval`). Throws `not_found`. */
  async delete(workspaceId: string): Promise<void> {
    await this.#db.transaction(async (tx) => {
      // After the changes that hold the lock; those that come later find no workspace.
      if (!(await lockWorkspace(tx, workspaceId)) || !(await markWorkspaceDeleted(tx, workspaceId))) throw new AppError('not_found', 'There is no such workspace.')
    })
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

/** What to throw for a failed change of a workspace. */
function nameTaken(cause: unknown, name: string): unknown {
  return isUniqueViolation(cause, 'workspaces_name') ? new AppError('conflict', `There is a workspace named ${JSON.stringify(name)} of the same owner already.`, { cause }) : cause
}

async function createWorkspace(tx: DbConn, workspace: { readonly userId: string; readonly name: string; readonly quotaBytes: number | null }): Promise<Workspace> {
  const key = { workspaceId: uuidv7(), userId: workspace.userId }
  await insertWorkspace(tx, { id: key.workspaceId, name: workspace.name, owner_id: workspace.userId, quota_bytes: workspace.quotaBytes })
  await saveMember(tx, key, 'owner')
  const row = await findWorkspaceOf(tx, key)
  if (row === undefined) throw new Error('a workspace vanished in the transaction that created it')
  return workspaceOf(row)
}

function workspaceOf(row: WorkspaceRow): Workspace {
  return { ...row, created_at: row.created_at.toISOString() }
}
