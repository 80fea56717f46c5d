import { copyFile, emptyTrash, getFileTags, listTagged, listTags, listTrash, purgeTrash, putFileTags, restoreTrash } from '@buildscale/protocol'
import type { FastifyInstance } from 'fastify'
import { handle } from '../http/handle.ts'
import { userAuthor } from '../services/files/author.ts'
import type { FileTags } from '../services/files/file-tags.ts'
import { parsePath } from '../services/files/file-path.ts'
import * as tree from '../services/files/file-tree.ts'
import { listTrash as listTrashPage } from '../services/files/trash.ts'
import { requirePermission } from '../services/workspaces/permissions.ts'
import { changeByHand, type FileDeps, pageOf } from './files.ts'

/** Files that one change set purges when the trash is emptied: the workspace is locked only for so many. */
const PURGE_BATCH = 500

export interface TrashDeps extends FileDeps {
  readonly tags: FileTags
}

/** Copies, the trash and the way out of it, tags. */
export function registerTrashRoutes(app: FastifyInstance, deps: TrashDeps): void {
  handle(app, copyFile, (call) => changeByHand(deps, call, (set) => tree.copyFile(set, { from: parsePath(call.body.from), to: parsePath(call.body.to) })))
  handle(app, listTrash, async ({ params, query }) => {
    const { items, nextCursor } = await listTrashPage(deps.db.kysely, { workspaceId: params.w, ...pageOf(query) })
    return { items, next_cursor: nextCursor }
  })
  handle(app, restoreTrash, (call) => {
    const { to } = call.body
    return changeByHand(deps, call, (set) => tree.restoreFromTrash(set, { fileId: call.params.fileId, ...(to !== undefined && { to: parsePath(to) }) }))
  })
  registerPurge(app, deps)
  registerTags(app, deps)
}

function registerPurge(app: FastifyInstance, { files }: TrashDeps): void {
  handle(app, purgeTrash, async ({ params, user, role }) => {
    requirePermission(role, 'purge')
    await files.change({ workspaceId: params.w, author: userAuthor(user.id) }, (set) => tree.purgeFromTrash(set, params.fileId))
  })
  handle(app, emptyTrash, async ({ params, user, role, signal }) => {
    requirePermission(role, 'purge')
    for (let purged = 1; purged > 0 && !signal.aborted; ) {
      purged = (await files.change({ workspaceId: params.w, author: userAuthor(user.id) }, (set) => tree.purgeSome(set, PURGE_BATCH))).result.purged
    }
  })
}

function registerTags(app: FastifyInstance, { tags }: TrashDeps): void {
  handle(app, getFileTags, ({ params, query }) => tags.read({ workspaceId: params.w, path: parsePath(query.path) }))
  handle(app, putFileTags, ({ params, query, body, role }) => {
    requirePermission(role, 'write_files')
    return tags.replace({ workspaceId: params.w, path: parsePath(query.path) }, body.tags)
  })
  handle(app, listTags, async ({ params, query }) => {
    const { items, nextCursor } = await tags.counts(params.w, pageOf(query))
    return { items, next_cursor: nextCursor }
  })
  handle(app, listTagged, async ({ params, query }) => {
    const { items, nextCursor } = await tags.tagged({ workspaceId: params.w, tag: params.tag }, pageOf(query))
    return { items, next_cursor: nextCursor }
  })
}
