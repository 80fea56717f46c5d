import { AppError } from '../errors.ts'
import type { ChangeSet } from '../services/files/change-set.ts'
import { findTrashedAt } from '../services/files/file-history.ts'
import { parsePath } from '../services/files/file-path.ts'
import { restoreFromTrash, restoreVersion } from '../services/files/file-tree.ts'
import { findEntry, requireEntry } from './find-entry.ts'
import { defineWriteTool } from './tool.ts'
import { optionalInteger, shortText, toolArguments } from './tool-arguments.ts'

export const restoreTool = defineWriteTool({
  name: 'restore',
  description:
    'Bring back an old version of a file as its new version, or a file or folder from the trash (by the path where it was; a folder comes back with what was removed with it). Nothing is lost: the versions after it stay in the history.',
  arguments: toolArguments({
    path: shortText('The file, or where the removed file or folder was.'),
    version: optionalInteger('The version number to go back to; history lists them. Left out: bring the path back from the trash as it was.', { min: 1 }),
  }),
  async prepare({ path: asked, version }, context) {
    const path = parsePath(asked)
    const { conn, workspaceId } = context
    const entry = await findEntry(context, path)
    if (entry !== undefined && version === undefined) throw new AppError('conflict', `"${path}" is there and not in the trash. Name the version to go back to; history lists them.`)
    if (entry?.file_type === 'folder') throw new AppError('conflict', `"${path}" is a folder: only files have versions.`)
    if (entry === undefined && (await conn.run((db) => findTrashedAt(db, { workspaceId, path }))) === undefined) await requireEntry(context, path)
    return { path, version }
  },
  async apply({ path, version }, set) {
    const isBack = await takeFromTrash(set, path)
    if (version === undefined && !isBack) throw new AppError('conflict', `"${path}" is there and not in the trash. Name the version to go back to; history lists them.`)
    const file = version === undefined ? isBack?.file : (await restoreVersion(set, { path, version })).file
    return { path, file_id: file?.id, version: file?.version ?? null, hash: file?.hash ?? null, size: file?.size ?? null, from_trash: isBack !== undefined }
  },
})

/** What was last removed at the path, back in its place; undefined when something stands there. */
async function takeFromTrash(set: ChangeSet, path: string) {
  const fileId = await findTrashedAt(set.tx, { workspaceId: set.workspaceId, path })
  return fileId === undefined ? undefined : restoreFromTrash(set, { fileId })
}
