import { parsePath } from '../services/files/file-path.ts'
import { isPlanPath } from '../services/plans/plan-path.ts'
import { EDIT_ARGUMENTS, textEdit } from './edit-arguments.ts'
import { editText } from './edit-text.ts'
import { LAST_READ_HASH, readForEdit, writeEdited } from './edited-file.ts'
import { utf8 } from './file-text.ts'
import { defineWriteTool } from './tool.ts'
import { shortText, toolArguments } from './tool-arguments.ts'

export const editTool = defineWriteTool({
  name: 'edit',
  description:
    'Change a text file in one place: replace text that is in it exactly once (old_string, new_string; everywhere with replace_all), or insert whole lines (insert_line, insert_content). Read the file first. For several changes use multi_edit.',
  arguments: toolArguments({
    path: shortText('The file to change.'),
    ...EDIT_ARGUMENTS,
    last_read_hash: LAST_READ_HASH,
  }),
  inPlanMode: ({ path }) => isPlanPath(parsePath(path)),
  async prepare({ path: asked, last_read_hash: lastReadHash, ...args }, context) {
    const edit = textEdit(args)
    const path = parsePath(asked)
    const { file, text } = await readForEdit(path, lastReadHash, context)
    return { path, content: utf8(editText(text, edit, path).text, 'The new text'), ifHash: file.hash }
  },
  async apply(edited, set) {
    const { file, version, unchanged } = await writeEdited(set, edited)
    return { path: file.path, file_id: file.id, version: version.number, hash: version.hash, size: version.size, unchanged }
  },
})
