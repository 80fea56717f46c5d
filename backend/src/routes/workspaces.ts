import { createWorkspace, deleteMember, getWorkspace, listMembers, listWorkspaces, putMember } from '@buildscale/protocol'
import type { FastifyInstance } from 'fastify'
import { handle } from '../http/handle.ts'
import type { MemberService } from '../services/workspaces/member-service.ts'
import type { WorkspaceService } from '../services/workspaces/workspace-service.ts'

export interface WorkspaceDeps {
  readonly workspaces: WorkspaceService
  readonly members: MemberService
}

/** Workspaces and their members. */
export function registerWorkspaceRoutes(app: FastifyInstance, { workspaces, members }: WorkspaceDeps): void {
  handle(app, createWorkspace, ({ user, body, idempotency }) => workspaces.create({ userId: user.id, name: body.name }, idempotency))
  handle(app, listWorkspaces, async ({ user, query }) => {
    const { items, nextCursor } = await workspaces.list(user.id, query)
    return { items: [...items], next_cursor: nextCursor }
  })
  handle(app, getWorkspace, ({ user, params }) => workspaces.get({ workspaceId: params.w, userId: user.id }))
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
