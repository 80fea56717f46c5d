import { createWorkspace, deleteMember, deleteWorkspace, getWorkspace, listMembers, listWorkspaces, patchWorkspace, putMember, type Role, type Workspace } from '@buildscale/protocol'
import type { CallOptions, CreateOptions } from '../api.ts'
import type { BodyOf, Caller, ResponseOf } from '../client.ts'

export interface PageOptions extends CallOptions {
  /** Items a page, 1 to 1,000; 100 when left out. */
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

export class WorkspacesResource {
  readonly #caller: Caller

  constructor(caller: Caller) {
    this.#caller = caller
  }

  create(body: { readonly name: string }, options?: CreateOptions): Promise<Workspace> {
    return this.#caller.call(createWorkspace, { body, options })
  }

  list({ limit, cursor, ...options }: PageOptions = {}): Promise<ResponseOf<typeof listWorkspaces>> {
    return this.#caller.call(listWorkspaces, { query: { limit, cursor }, options })
  }

  get(workspaceId: string, options?: CallOptions): Promise<Workspace> {
    return this.#caller.call(getWorkspace, { params: { w: workspaceId }, options })
  }

  /** Renames a workspace, or sets its quota in bytes (null: none; the local owner only). */
  change(workspaceId: string, body: BodyOf<typeof patchWorkspace>, options?: CallOptions): Promise<Workspace> {
    return this.#caller.call(patchWorkspace, { params: { w: workspaceId }, body, options })
  }

  /** Deletes a workspace with everything in it; there is no way back. */
  delete(workspaceId: string, options?: CallOptions): Promise<void> {
    return this.#caller.call(deleteWorkspace, { params: { w: workspaceId }, options })
  }

  members(workspaceId: string, { limit, cursor, ...options }: PageOptions = {}): Promise<ResponseOf<typeof listMembers>> {
    return this.#caller.call(listMembers, { params: { w: workspaceId }, query: { limit, cursor }, options })
  }

  /** Adds a member or changes its role. */
  setMember(workspaceId: string, member: { readonly userId: string; readonly role: Role }, options?: CallOptions): Promise<ResponseOf<typeof putMember>> {
    return this.#caller.call(putMember, { params: { w: workspaceId, user: member.userId }, body: { role: member.role }, options })
  }

  removeMember(workspaceId: string, userId: string, options?: CallOptions): Promise<void> {
    return this.#caller.call(deleteMember, { params: { w: workspaceId, user: userId }, options })
  }
}
