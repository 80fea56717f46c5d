import { type Selectable, sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import type { Database, RoleRow } from '../db/schema.ts'

/** A workspace as one of its members sees it. */
export type WorkspaceRow = Pick<Selectable<Database['workspaces']>, 'id' | 'name' | 'change_seq' | 'stored_bytes' | 'quota_bytes' | 'created_at'> & { readonly role: RoleRow }

export interface MemberRow {
  readonly user_id: string
  readonly name: string
  readonly role: RoleRow
  readonly created_at: Date
}

export interface MembershipKey {
  readonly workspaceId: string
  readonly userId: string
}

const WORKSPACE = ['workspaces.id', 'workspaces.name', 'workspaces.change_seq', 'workspaces.stored_bytes', 'workspaces.quota_bytes', 'workspaces.created_at', 'workspace_members.role'] as const
const MEMBER = ['workspace_members.user_id', 'users.name', 'workspace_members.role', 'workspace_members.created_at'] as const

export interface NewWorkspace {
  readonly id: string
  readonly name: string
  readonly owner_id: string
  /** Left out: no limit. */
  readonly quota_bytes?: number | null
}

export async function insertWorkspace(tx: DbConn, workspace: NewWorkspace): Promise<void> {
  await tx.insertInto('workspaces').values({ ...workspace, deleted_at: null }).execute()
}

/** The user's workspaces, oldest first, after the one with id `after`. */
export function listWorkspacesOf(conn: DbConn, page: { readonly userId: string; readonly limit: number; readonly after: string | undefined }): Promise<WorkspaceRow[]> {
  const query = workspacesOf(conn, page.userId)
  return (page.after === undefined ? query : query.where('workspaces.id', '>', page.after)).orderBy('workspaces.id').limit(page.limit).execute()
}

/** The workspace, when the user is a member of it. */
export function findWorkspaceOf(conn: DbConn, key: MembershipKey): Promise<WorkspaceRow | undefined> {
  return workspacesOf(conn, key.userId).where('workspaces.id', '=', key.workspaceId).executeTakeFirst()
}

/** Changes what is given; nothing when nothing is. */
export async function updateWorkspace(tx: DbConn, id: string, { name, quota_bytes }: { readonly name?: string | undefined; readonly quota_bytes?: number | null | undefined }): Promise<void> {
  const change = { ...(name !== undefined && { name }), ...(quota_bytes !== undefined && { quota_bytes }) }
  if (Object.keys(change).length > 0) await tx.updateTable('workspaces').set(change).where('id', '=', id).where('deleted_at', 'is', null).execute()
}

/** Marks a workspace as deleted: from here on nobody finds it. False: there is no such workspace. */
export async function markWorkspaceDeleted(tx: DbConn, id: string): Promise<boolean> {
  const result = await tx.updateTable('workspaces').set({ deleted_at: sql<Date>`now()` }).where('id', '=', id).where('deleted_at', 'is', null).executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Workspaces that were deleted and whose rows are still there. */
export async function listDeletedWorkspaces(conn: DbConn): Promise<string[]> {
  const rows = await conn.selectFrom('workspaces').select('id').where('deleted_at', 'is not', null).orderBy('deleted_at').execute()
  return rows.map(({ id }) => id)
}

/** Removes a workspace that was marked as deleted, with every row of it. */
export async function deleteWorkspaceRows(tx: DbConn, id: string): Promise<void> {
  const isDeleted = tx.selectFrom('workspaces').select('id').where('id', '=', id).where('deleted_at', 'is not', null)
  // Before the blobs, which versions name: cascades alone would take them in the wrong order.
  await tx.deleteFrom('files').where('workspace_id', 'in', isDeleted).execute()
  await tx.deleteFrom('workspaces').where('id', 'in', isDeleted).execute()
}

/** Every workspace, for maintenance: not bound to a member. */
export function listAllWorkspaces(conn: DbConn): Promise<{ id: string; name: string }[]> {
  return conn.selectFrom('workspaces').select(['id', 'name']).where('deleted_at', 'is', null).orderBy('id').execute()
}

/** Locks the workspace, so that its members change one at a time. False: there is none. */
export async function lockWorkspace(tx: DbConn, workspaceId: string): Promise<boolean> {
  const row = await tx.selectFrom('workspaces').select('id').where('id', '=', workspaceId).where('deleted_at', 'is', null).forUpdate().executeTakeFirst()
  return row !== undefined
}

export async function findRole(conn: DbConn, key: MembershipKey): Promise<RoleRow | undefined> {
  const row = await conn
    .selectFrom('workspace_members')
    .innerJoin('workspaces', 'workspaces.id', 'workspace_members.workspace_id')
    .select('role')
    .where('workspace_id', '=', key.workspaceId)
    .where('user_id', '=', key.userId)
    .where('workspaces.deleted_at', 'is', null)
    .executeTakeFirst()
  return row?.role
}

/** By user id, after user `after`. */
export function listMembers(conn: DbConn, page: { readonly workspaceId: string; readonly limit: number; readonly after: string | undefined }): Promise<MemberRow[]> {
  const query = membersOf(conn, page.workspaceId)
  return (page.after === undefined ? query : query.where('workspace_members.user_id', '>', page.after)).orderBy('workspace_members.user_id').limit(page.limit).execute()
}

export function findMember(conn: DbConn, key: MembershipKey): Promise<MemberRow | undefined> {
  return membersOf(conn, key.workspaceId).where('workspace_members.user_id', '=', key.userId).executeTakeFirst()
}

export async function countOwners(conn: DbConn, workspaceId: string): Promise<number> {
  const row = await conn
    .selectFrom('workspace_members')
    .select(sql<number>`count(*)::int`.as('owners'))
    .where('workspace_id', '=', workspaceId)
    .where('role', '=', 'owner')
    .executeTakeFirstOrThrow()
  return row.owners
}

export async function saveMember(tx: DbConn, key: MembershipKey, role: RoleRow): Promise<void> {
  await tx
    .insertInto('workspace_members')
    .values({ workspace_id: key.workspaceId, user_id: key.userId, role })
    .onConflict((conflict) => conflict.columns(['workspace_id', 'user_id']).doUpdateSet({ role }))
    .execute()
}

/** False when the user is no member. */
export async function deleteMember(tx: DbConn, key: MembershipKey): Promise<boolean> {
  const deleted = await tx.deleteFrom('workspace_members').where('workspace_id', '=', key.workspaceId).where('user_id', '=', key.userId).executeTakeFirst()
  return deleted.numDeletedRows > 0n
}

function workspacesOf(conn: DbConn, userId: string) {
  return conn
    .selectFrom('workspace_members')
    .innerJoin('workspaces', 'workspaces.id', 'workspace_members.workspace_id')
    .select(WORKSPACE)
    .where('workspace_members.user_id', '=', userId)
    .where('workspaces.deleted_at', 'is', null)
}

function membersOf(conn: DbConn, workspaceId: string) {
  return conn.selectFrom('workspace_members').innerJoin('users', 'users.id', 'workspace_members.user_id').select(MEMBER).where('workspace_id', '=', workspaceId)
}
