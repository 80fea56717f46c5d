import { AppError } from '../errors.ts'
import { parsePath } from '../services/files/file-path.ts'
import { writeFile } from '../services/files/file-tree.ts'
import { editText, type TextEdit } from './edit-text.ts'
import { utf8 } from './file-text.ts'
import { readText } from './read.ts'
import { defineWriteTool } from './tool.ts'
import { optionalInteger, optionalText, shortText, toolArguments } from './tool-arguments.ts'

interface EditArguments {
  readonly old_string: string | undefined
  readonly new_string: string | undefined
  readonly insert_line: number | undefined
  readonly insert_content: string | undefined
}

const WAYS = 'Give either old_string and new_string (replace), or insert_line and insert_content (insert).'

export const editTool = defineWriteTool({
  name: 'edit',
  description:
    'Change a text file in one place: replace text that is in it exactly once (old_string, new_string), or insert whole lines (insert_line, insert_content). Read the file first.',
  arguments: toolArguments({
    path: shortText('The file to change.'),
    old_string: optionalText('The text to replace, exactly as it is in the file, with enough around it that it is there only once.'),
    new_string: optionalText('What to put in its place; empty text removes it.'),
    insert_line: optionalInteger('Insert before this line: 0 = before the first line, the number of lines = at the end.', { min: 0 }),
    insert_content: optionalText('The lines to insert.'),
    last_read_hash: optionalText('The hash of the file as you read it: the edit is refused when the file has changed since.'),
  }),
  async prepare({ path: asked, last_read_hash: lastReadHash, ...args }, context) {
    const edit = textEdit(args)
    const path = parsePath(asked)
    const { file, text } = await readText(path, context)
    if (lastReadHash !== undefined && lastReadHash !== file.hash) throw changedSince(path)
    return { path, content: utf8(editText(text, edit, path), 'The new text'), ifHash: file.hash }
  },
  async apply({ path, content, ifHash }, set) {
    try {
      const { file, version, unchanged } = await writeFile(set, { path, content, ifHash, overwrite: true })
      return { path: file.path, file_id: file.id, version: version.number, hash: version.hash, size: version.size, unchanged }
    } catch (error) {
      // Another writer came between reading and writing: the new text was computed from what is no longer there.
      throw error instanceof AppError && error.code === 'version_mismatch' ? changedSince(path, error) : error
    }
  },
})

function changedSince(path: string, cause?: unknown): AppError {
  return new AppError('version_mismatch', `"${path}" has changed since you read it, so nothing was written. Read it again and repeat the edit on what is there now.`, { cause })
}

/** Exactly one of the two ways to edit. */
function textEdit({ old_string: oldText, new_string: newText, insert_line: line, insert_content: content }: EditArguments): TextEdit {
  const isReplace = oldText !== undefined || newText !== undefined
  const isInsert = line !== undefined || content !== undefined
  if (isReplace === isInsert) throw new AppError('invalid_request', isReplace ? `Replace or insert, not both at once. ${WAYS}` : `There is nothing to do. ${WAYS}`)
  return isReplace ? replacement(oldText, newText) : insertion(line, content)
}

function replacement(oldText: string | undefined, newText: string | undefined): TextEdit {
  if (oldText === undefined || newText === undefined) throw new AppError('invalid_request', `${oldText === undefined ? 'old_string' : 'new_string'} is missing. ${WAYS}`)
  if (oldText === '') throw new AppError('invalid_request', 'old_string is empty. Give the text to replace; to add text use insert_line and insert_content.')
  return { type: 'replace', oldText, newText }
}

function insertion(line: number | undefined, content: string | undefined): TextEdit {
  if (line === undefined || content === undefined) throw new AppError('invalid_request', `${line === undefined ? 'insert_line' : 'insert_content'} is missing. ${WAYS}`)
  if (content === '') throw new AppError('invalid_request', 'insert_content is empty. To insert an empty line give "\\n".')
  return { type: 'insert', line, content }
}
