import { createWorkspace, deleteMember, deleteWorkspace, getWorkspace, listMembers, listWorkspaces, patchWorkspace, putMember } from '@buildscale/protocol'
import type { FastifyInstance } from 'fastify'
import { AppError } from '../errors.ts'
import { handle } from '../http/handle.ts'
import type { MemberService } from '../services/workspaces/member-service.ts'
import { requirePermission } from '../services/workspaces/permissions.ts'
import type { WorkspaceRemoval } from '../services/workspaces/workspace-removal.ts'
import type { WorkspaceService } from '../services/workspaces/workspace-service.ts'

export interface WorkspaceDeps {
  readonly workspaces: WorkspaceService
  readonly members: MemberService
  readonly removal: Pick<WorkspaceRemoval, 'begin'>
  /** Stops every turn of a workspace that has been deleted. */
  readonly stopTurns: (workspaceId: string) => Promise<void>
}

/** Workspaces and their members. */
export function registerWorkspaceRoutes(app: FastifyInstance, deps: WorkspaceDeps): void {
  const { workspaces, members } = deps
  handle(app, createWorkspace, ({ user, body, idempotency }) => workspaces.create({ userId: user.id, name: body.name }, idempotency))
  handle(app, listWorkspaces, async ({ user, query }) => {
    const { items, nextCursor } = await workspaces.list(user.id, query)
    return { items: [...items], next_cursor: nextCursor }
  })
  handle(app, getWorkspace, ({ user, params }) => workspaces.get({ workspaceId: params.w, userId: user.id }))
  handle(app, patchWorkspace, ({ user, params, body, role }) => {
    if (body.name !== undefined) requirePermission(role, 'change_settings')
    // Who may store how much is a matter of the server, not of those who would store it.
    if (body.quota_bytes !== undefined && !user.isLocalOwner) throw new AppError('forbidden', 'Only the local owner of this server sets quotas.')
    return workspaces.change({ workspaceId: params.w, userId: user.id }, body)
  })
  handle(app, deleteWorkspace, async ({ params, role }) => {
    requirePermission(role, 'delete_workspace')
    await workspaces.delete(params.w)
    await deps.stopTurns(params.w)
    deps.removal.begin()
  })
  handle(app, listMembers, async ({ params, query }) => {
    const { items, nextCursor } = await members.list(params.w, query)
    return { items: items.map(memberView), next_cursor: nextCursor }
  })
  handle(app, putMember, async ({ user, params, body }) => {
    return memberView(await members.save({ workspaceId: params.w, userId: params.user, callerId: user.id }, body.role))
  })
  handle(app, deleteMember, ({ user, params }) => members.remove({ workspaceId: params.w, userId: params.user, callerId: user.id }))
}

function memberView<Member extends { readonly created_at: Date }>(member: Member): Omit<Member, 'created_at'> & { readonly created_at: string } {
  return { ...member, created_at: member.created_at.toISOString() }
}
