import { removeFile } from '../services/files/file-tree.ts'
import { memoryPath } from '../services/memories/memory-path.ts'
import { requireFile } from './find-entry.ts'
import { MEMORY_NAME } from './memory-arguments.ts'
import { defineWriteTool } from './tool.ts'
import { toolArguments } from './tool-arguments.ts'

export const memoryDeleteTool = defineWriteTool({
  name: 'memory_delete',
  description: 'Forget one memory: its file moves to the trash, from where a person can restore it.',
  arguments: toolArguments(MEMORY_NAME),
  async prepare({ scope, category, key }, context) {
    const path = memoryPath({ scope, category, key }, context.userId)
    await requireFile(context, path, 'It is no memory; ls shows what is in it.')
    return { scope, category: category.trim(), key: key.trim(), path }
  },
  async apply({ path, ...name }, set) {
    const { file } = await removeFile(set, { path, recursive: false })
    return { path, file_id: file.id, ...name }
  },
})
