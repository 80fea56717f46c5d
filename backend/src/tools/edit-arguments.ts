/** The arguments with which `edit` and `plan_edit` say what to change. */
import { AppError } from '../errors.ts'
import type { TextEdit } from './edit-text.ts'
import { flag, optionalInteger, optionalText } from './tool-arguments.ts'

export interface EditArguments {
  readonly old_string: string | undefined
  readonly new_string: string | undefined
  readonly replace_all: boolean
  readonly insert_line: number | undefined
  readonly insert_content: string | undefined
}

const WAYS = 'Give either old_string and new_string (replace), or insert_line and insert_content (insert).'

export const EDIT_ARGUMENTS = {
  old_string: optionalText('The text to replace, exactly as it is in the file, with enough around it that it is there only once.'),
  new_string: optionalText('What to put in its place; empty text removes it.'),
  replace_all: flag('Replace old_string everywhere in the file, however often it is there.'),
  insert_line: optionalInteger('Insert before this line: 0 = before the first line, the number of lines = at the end.', { min: 0 }),
  insert_content: optionalText('The lines to insert.'),
} as const

/** Exactly one of the two ways to edit. */
export function textEdit({ old_string: oldText, new_string: newText, replace_all: all, insert_line: line, insert_content: content }: EditArguments): TextEdit {
  const isReplace = oldText !== undefined || newText !== undefined
  const isInsert = line !== undefined || content !== undefined
  if (isReplace === isInsert) throw new AppError('invalid_request', isReplace ? `Replace or insert, not both at once. ${WAYS}` : `There is nothing to do. ${WAYS}`)
  return isReplace ? { ...replacement(oldText, newText), all } : insertion(line, content)
}

/** The text to replace and its replacement, both there. */
export function replacement(oldText: string | undefined, newText: string | undefined): { readonly type: 'replace'; readonly oldText: string; readonly newText: string } {
  if (oldText === undefined || newText === undefined) throw new AppError('invalid_request', `${oldText === undefined ? 'old_string' : 'new_string'} is missing. ${WAYS}`)
  if (oldText === '') throw new AppError('invalid_request', 'old_string is empty. Give the text to replace; to add text use insert_line and insert_content.')
  return { type: 'replace', oldText, newText }
}

function insertion(line: number | undefined, content: string | undefined): TextEdit {
  if (line === undefined || content === undefined) throw new AppError('invalid_request', `${line === undefined ? 'insert_line' : 'insert_content'} is missing. ${WAYS}`)
  if (content === '') throw new AppError('invalid_request', 'insert_content is empty. To insert an empty line give "\\n".')
  return { type: 'insert', line, content }
}
