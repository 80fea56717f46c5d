import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { empty, id, nothing, page, paging, time } from './shared.ts'

/** Weakest first: a role may do all that the roles before it may. */
export const ROLES = ['viewer', 'editor', 'admin', 'owner'] as const
export type Role = (typeof ROLES)[number]

export const workspace = z.object({
  id,
  name: z.string(),
  role: z.enum(ROLES),
  change_seq: z.number().int(),
  /** Bytes of every version of every file, the trash included; equal bytes count once. */
  stored_bytes: z.number().int(),
  /** The most that `stored_bytes` may become; null: no limit but the disk. */
  quota_bytes: z.number().int().nullable(),
  created_at: time,
})
export type Workspace = z.output<typeof workspace>

export const workspaceParams = z.strictObject({ w: id })
const workspaceName = z.string().trim().min(1).max(200)
const none = { query: nothing, body: nothing, bodyKind: 'none' } as const

export const createWorkspace = endpoint({
  ...none,
  name: 'createWorkspace',
  summary: 'Create a workspace; the caller owns it.',
  method: 'POST',
  path: '/workspaces',
  access: 'user',
  params: nothing,
  body: z.strictObject({ name: workspaceName }),
  bodyKind: 'json',
  response: workspace,
  responseKind: 'json',
  status: 201,
})

export const listWorkspaces = endpoint({
  ...none,
  name: 'listWorkspaces',
  summary: 'The workspaces in which the caller is a member.',
  method: 'GET',
  path: '/workspaces',
  access: 'user',
  params: nothing,
  query: z.strictObject(paging),
  response: page(workspace),
  responseKind: 'json',
  status: 200,
})

export const getWorkspace = endpoint({
  ...none,
  name: 'getWorkspace',
  summary: 'One workspace.',
  method: 'GET',
  path: '/workspaces/:w',
  access: 'workspace',
  params: workspaceParams,
  response: workspace,
  responseKind: 'json',
  status: 200,
})

export const patchWorkspace = endpoint({
  ...none,
  name: 'patchWorkspace',
  summary: 'Rename a workspace, admins only; set its quota, the local owner only.',
  method: 'PATCH',
  path: '/workspaces/:w',
  access: 'workspace',
  params: workspaceParams,
  body: z.strictObject({ name: workspaceName.optional(), quota_bytes: z.number().int().min(0).nullable().optional() }),
  bodyKind: 'json',
  response: workspace,
  responseKind: 'json',
  status: 200,
})

export const deleteWorkspace = endpoint({
  ...none,
  name: 'deleteWorkspace',
  summary: 'Delete a workspace with its files, versions and chats; owners only. Running turns are stopped.',
  method: 'DELETE',
  path: '/workspaces/:w',
  access: 'workspace',
  params: workspaceParams,
  response: empty,
  responseKind: 'empty',
  status: 204,
})

export const member = z.object({ user_id: id, name: z.string(), role: z.enum(ROLES), created_at: time })
const memberParams = z.strictObject({ w: id, user: id })

export const listMembers = endpoint({
  ...none,
  name: 'listMembers',
  summary: 'Who is a member, and with which role.',
  method: 'GET',
  path: '/workspaces/:w/members',
  access: 'workspace',
  params: workspaceParams,
  query: z.strictObject(paging),
  response: page(member),
  responseKind: 'json',
  status: 200,
})

export const putMember = endpoint({
  ...none,
  name: 'putMember',
  summary: 'Add a member or change its role; admins only, owners for the role owner.',
  method: 'PUT',
  path: '/workspaces/:w/members/:user',
  access: 'workspace',
  params: memberParams,
  body: z.strictObject({ role: z.enum(ROLES) }),
  bodyKind: 'json',
  response: member,
  responseKind: 'json',
  status: 200,
})

export const deleteMember = endpoint({
  ...none,
  name: 'deleteMember',
  summary: 'Remove a member; admins only, and everybody for themselves.',
  method: 'DELETE',
  path: '/workspaces/:w/members/:user',
  access: 'workspace',
  params: memberParams,
  response: empty,
  responseKind: 'empty',
  status: 204,
})
