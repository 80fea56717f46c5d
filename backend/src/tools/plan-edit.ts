import { AppError } from '../errors.ts'
import { tickItems } from '../services/plans/checklist.ts'
import { changedPlan, type Plan, PLAN_STATUSES, planProgress, requirePlan } from '../services/plans/plan-file.ts'
import { EDIT_ARGUMENTS, type EditArguments, textEdit } from './edit-arguments.ts'
import { editText } from './edit-text.ts'
import { LAST_READ_HASH, readForEdit, writeEdited } from './edited-file.ts'
import { utf8 } from './file-text.ts'
import { findPlan } from './find-plan.ts'
import { defineWriteTool } from './tool.ts'
import { optionalChoice, optionalTextList, shortText, toolArguments } from './tool-arguments.ts'

const MOST_ITEMS = 200

export const planEditTool = defineWriteTool({
  name: 'plan_edit',
  description:
    'Change a plan, all at once or not at all: tick items of its checklist off (check) or open them again (uncheck), set its status, and edit its text below the front matter as edit does. Tick an item as soon as it is done.',
  arguments: toolArguments({
    path: shortText('The plan, by its name ("add-login") or path ("/plans/add-login.plan").'),
    check: optionalTextList('Items that are done, each by its number in plan_read or by its text.', { max: MOST_ITEMS }),
    uncheck: optionalTextList('Items that are open again, each by its number or its text.', { max: MOST_ITEMS }),
    status: optionalChoice(PLAN_STATUSES, 'How far the plan is now.'),
    ...EDIT_ARGUMENTS,
    last_read_hash: LAST_READ_HASH,
  }),
  inPlanMode: () => true,
  async prepare({ path: asked, check = [], uncheck = [], status, last_read_hash: lastReadHash, ...edit }, context) {
    const isEdit = edit.old_string !== undefined || edit.new_string !== undefined || edit.insert_line !== undefined || edit.insert_content !== undefined
    if (!isEdit && status === undefined && check.length + uncheck.length === 0) {
      throw new AppError('invalid_request', 'There is nothing to do. Give check or uncheck, status, old_string and new_string, or insert_line and insert_content.')
    }
    const path = await findPlan(asked, context)
    const { file, text } = await readForEdit(path, lastReadHash, context)
    const plan = requirePlan(text, path)
    const ticked = check.length + uncheck.length === 0 ? plan.body : tickItems(plan.body, { check, uncheck })
    const body = isEdit ? editedBody({ ...plan, body: ticked }, { edit, path }) : ticked
    const changed = changedPlan(text, { plan, status, body, now: new Date().toISOString() })
    return { path, content: utf8(changed, 'The new text'), ifHash: file.hash, after: requirePlan(changed, path) }
  },
  async apply({ after, ...edited }, set) {
    const { file, version, unchanged } = await writeEdited(set, edited)
    return { path: file.path, file_id: file.id, version: version.number, hash: version.hash, title: after.title, status: after.status, progress: planProgress(after), unchanged }
  },
})

function editedBody({ body }: Plan, { edit, path }: { readonly edit: EditArguments; readonly path: string }): string {
  return editText(body, textEdit(edit), path).text
}
