import { AppError } from '../errors.ts'
import { parsePath } from '../services/files/file-path.ts'
import { isPlanPath } from '../services/plans/plan-path.ts'
import { replacement } from './edit-arguments.ts'
import { type EditedText, editText } from './edit-text.ts'
import { LAST_READ_HASH, readForEdit, writeEdited } from './edited-file.ts'
import { utf8 } from './file-text.ts'
import { defineWriteTool } from './tool.ts'
import { flag, longText, objectList, shortText, toolArguments } from './tool-arguments.ts'

const MOST_EDITS = 100

export const multiEditTool = defineWriteTool({
  name: 'multi_edit',
  description:
    'Change a text file in several places at once, all or none. Each edit replaces text that is in the file exactly once, and works on the result of the edits before it. Read the file first. For changes in several files use apply_patch.',
  arguments: toolArguments({
    path: shortText('The file to change.'),
    edits: objectList(
      {
        old_string: longText('The text to replace, exactly as it is in the file after the edits before this one, with enough around it that it is there only once.'),
        new_string: longText('What to put in its place; empty text removes it.'),
        replace_all: flag('Replace old_string everywhere in the file, however often it is there.'),
      },
      { description: `The replacements, in the order in which they are made; 1 to ${MOST_EDITS}.`, max: MOST_EDITS },
    ),
    last_read_hash: LAST_READ_HASH,
  }),
  inPlanMode: ({ path }) => isPlanPath(parsePath(path)),
  async prepare({ path: asked, edits, last_read_hash: lastReadHash }, context) {
    const path = parsePath(asked)
    const { file, text } = await readForEdit(path, lastReadHash, context)
    const { text: edited, places } = edits.reduce<EditedText>(
      (before, { old_string: oldText, new_string: newText, replace_all: all }, index) => {
        const after = numbered({ number: index + 1, of: edits.length }, () => editText(before.text, { ...replacement(oldText, newText), all }, path))
        return { text: after.text, places: before.places + after.places }
      },
      { text, places: 0 },
    )
    return { path, content: utf8(edited, 'The new text'), ifHash: file.hash, places }
  },
  async apply({ places, ...edited }, set) {
    const { file, version, unchanged } = await writeEdited(set, edited)
    return { path: file.path, file_id: file.id, version: version.number, hash: version.hash, size: version.size, unchanged, replacements: places }
  },
})

/** The failure of one edit says which one it was, and that none was made. */
function numbered<Result>({ number, of }: { readonly number: number; readonly of: number }, edit: () => Result): Result {
  try {
    return edit()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const lines = number === 1 ? '' : ` Line numbers are those after edit ${number - 1}.`
    throw new AppError(error.code, `Edit ${number} of ${of} failed, so nothing was changed. ${error.message}${lines}`, { cause: error })
  }
}
