import { AppError } from '../errors.ts'
import { parsePath } from '../services/files/file-path.ts'
import { removeFile } from '../services/files/file-tree.ts'
import { requireEntry } from './find-entry.ts'
import { defineWriteTool } from './tool.ts'
import { flag, shortText, toolArguments } from './tool-arguments.ts'

export const rmTool = defineWriteTool({
  name: 'rm',
  description: 'Move a file or an empty folder to the trash. A folder with content needs recursive: true.',
  arguments: toolArguments({
    path: shortText('The file or folder to remove.'),
    recursive: flag('Also remove a folder that has content, with everything in it.'),
  }),
  async prepare({ path: asked, recursive }, context) {
    const path = parsePath(asked)
    if (path === '/') throw new AppError('invalid_request', '"/" is the workspace itself and cannot be removed. Name a file or folder in it.')
    const entry = await requireEntry(context, path)
    if (entry.file_type !== 'folder' || recursive) return { path, recursive }
    const { workspaceId } = context
    const { items } = await context.conn.run((conn) => context.files.list(conn, { workspaceId, path, recursive: false, limit: 1 }))
    if (items.length > 0) throw new AppError('conflict', `The folder "${path}" is not empty. Look with ls, then call rm with recursive: true if everything in it shall go.`)
    return { path, recursive }
  },
  async apply(target, set) {
    const { file, removed } = await removeFile(set, target)
    return { path: file.path, file_id: file.id, removed }
  },
})
