import { createFolder } from '../services/files/file-tree.ts'
import { parsePath } from '../services/files/file-path.ts'
import { defineWriteTool } from './tool.ts'
import { shortText, toolArguments } from './tool-arguments.ts'

export const mkdirTool = defineWriteTool({
  name: 'mkdir',
  description: 'Create a folder, with the folders above it. A folder that exists already is fine. Not needed before write, which creates folders itself.',
  arguments: toolArguments({ path: shortText('The folder to create, for example "/src/components".') }),
  prepare: ({ path }) => Promise.resolve(parsePath(path)),
  async apply(path, set) {
    const { file, created } = await createFolder(set, path)
    return { path: file.path, file_id: file.id, created }
  },
})
