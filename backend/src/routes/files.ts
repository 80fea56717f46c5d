import { createFolder, deleteFile, type FileEntry, listFiles, listFileVersions, moveFile, restoreFile } from '@buildscale/protocol'
import type { FastifyInstance } from 'fastify'
import { checkPreconditions, preconditionsOf } from '../http/entity-tag.ts'
import { type Call, handle } from '../http/handle.ts'
import type { IdempotentTransactions } from '../services/auth/idempotent-transactions.ts'
import { userAuthor } from '../services/files/author.ts'
import type { ChangeSet } from '../services/files/change-set.ts'
import { parsePath } from '../services/files/file-path.ts'
import type { FileService } from '../services/files/file-service.ts'
import * as tree from '../services/files/file-tree.ts'
import { requirePermission } from '../services/workspaces/permissions.ts'
import { type FileContentDeps, registerFileContentRoutes } from './file-content.ts'

const PAGE = 100

/** What runs single statements on the database. */
type FileConn = Parameters<FileService['stat']>[0]

export interface FileDeps extends FileContentDeps {
  readonly files: Pick<FileService, 'stat' | 'list' | 'versions' | 'openContent' | 'spool' | 'storeAhead' | 'change'>
  readonly db: { readonly kysely: FileConn }
  readonly idempotent: Pick<IdempotentTransactions, 'within'>
}

/** The tree of a workspace: what is there, and the changes that people make by hand. */
export function registerFileRoutes(app: FastifyInstance, deps: FileDeps): void {
  const { files, db } = deps
  handle(app, listFiles, async ({ params, query }) => {
    const { items, nextCursor } = await files.list(db.kysely, { workspaceId: params.w, path: parsePath(query.path), recursive: query.recursive, ...pageOf(query) })
    return { items: [...items], next_cursor: nextCursor }
  })
  handle(app, listFileVersions, async ({ params, query }) => {
    const { items, nextCursor } = await files.versions(db.kysely, { workspaceId: params.w, path: parsePath(query.path), ...pageOf(query) })
    return { items: [...items], next_cursor: nextCursor }
  })
  registerFileContentRoutes(app, deps)
  registerFileChanges(app, deps)
}

function registerFileChanges(app: FastifyInstance, deps: FileDeps): void {
  handle(app, createFolder, (call) => changeByHand(deps, call, (set) => tree.createFolder(set, parsePath(call.body.path))))
  handle(app, moveFile, (call) => changeByHand(deps, call, (set) => tree.moveFile(set, { from: parsePath(call.body.from), to: parsePath(call.body.to) })))
  handle(app, restoreFile, (call) => changeByHand(deps, call, (set) => tree.restoreVersion(set, { path: parsePath(call.body.path), version: call.body.version })))
  handle(app, deleteFile, async ({ params, query, user, role, request }) => {
    requirePermission(role, 'write_files')
    const path = parsePath(query.path)
    const preconditions = preconditionsOf(request.headers)
    await deps.files.change({ workspaceId: params.w, author: userAuthor(user.id) }, async (set) => {
      const current = await deps.files.stat(set.tx, { workspaceId: params.w, path })
      checkPreconditions(preconditions, current === undefined ? undefined : (current.hash ?? ''))
      return await tree.removeFile(set, { path, recursive: true })
    })
  })
}

/** What a change by hand needs of its request. */
type ChangeCall = Pick<Call<typeof createFolder>, 'user' | 'role' | 'idempotency'> & { readonly params: { readonly w: string } }

/** One change by hand, in a change set of its own, done once per idempotency key. */
export async function changeByHand({ files, idempotent }: FileDeps, { params, user, role, idempotency }: ChangeCall, apply: (set: ChangeSet) => Promise<{ readonly file: FileEntry }>) {
  requirePermission(role, 'write_files')
  const { result } = await files.change({ workspaceId: params.w, author: userAuthor(user.id) }, (set) =>
    idempotent.within(set.tx, idempotency, async () => {
      const { file } = await apply(set)
      return { file }
    }),
  )
  return result
}

export function pageOf(query: { readonly limit?: number | undefined; readonly cursor?: string | undefined }): { readonly limit: number; readonly cursor?: string } {
  return { limit: query.limit ?? PAGE, ...(query.cursor !== undefined && { cursor: query.cursor }) }
}
