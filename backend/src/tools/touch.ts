import { AppError } from '../errors.ts'
import { parsePath } from '../services/files/file-path.ts'
import { touchFile } from '../services/files/file-tree.ts'
import { isPlanPath } from '../services/plans/plan-path.ts'
import { defineWriteTool } from './tool.ts'
import { shortText, toolArguments } from './tool-arguments.ts'

export const touchTool = defineWriteTool({
  name: 'touch',
  description: 'Create an empty file, with the folders above it; of a file that exists, set the time of change to now and leave the content as it is.',
  arguments: toolArguments({ path: shortText('The file, for example "/notes/ideas.md".') }),
  inPlanMode: ({ path }) => isPlanPath(parsePath(path)),
  async prepare({ path }) {
    const parsed = parsePath(path)
    if (parsed === '/') throw new AppError('invalid_request', '"/" is the workspace itself. Name a file.')
    return Promise.resolve(parsed)
  },
  async apply(path, set) {
    const { file, created } = await touchFile(set, path)
    return { path: file.path, file_id: file.id, version: file.version, created }
  },
})
