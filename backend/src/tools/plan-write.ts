import { AppError } from '../errors.ts'
import { writeFile } from '../services/files/file-tree.ts'
import { freePlanPath } from '../services/plans/free-plan-path.ts'
import { newPlan, parsePlan, PLAN_STATUSES, planProgress, requirePlan } from '../services/plans/plan-file.ts'
import { planName, planPath } from '../services/plans/plan-path.ts'
import { findEntry } from './find-entry.ts'
import { utf8 } from './file-text.ts'
import { readText } from './read.ts'
import { defineWriteTool, type ToolContext } from './tool.ts'
import { flag, longText, optionalChoice, optionalText, shortText, toolArguments } from './tool-arguments.ts'

export const planWriteTool = defineWriteTool({
  name: 'plan_write',
  description:
    'Write a plan: a Markdown text with a checklist ("- [ ] step") that people and agents follow and tick off. It is stored below /plans with its title and status. To change a plan use plan_edit.',
  arguments: toolArguments({
    title: shortText('What the plan is about, in one line.'),
    content: longText('The plan in Markdown, without front matter. Write each step as "- [ ] step".'),
    path: optionalText('The name of the plan, such as "add-login" or "/plans/team/add-login.plan". Default: a new name made of the title.'),
    status: optionalChoice(PLAN_STATUSES, 'How far it is. Default "draft".'),
    overwrite: flag('Replace a plan that exists at this path.'),
  }),
  inPlanMode: () => true,
  async prepare({ title: asked, content, path, status = 'draft', overwrite }, context) {
    const title = titleOf(asked)
    const now = new Date().toISOString()
    const replaced = path === undefined ? undefined : await planToReplace(planPath(path), overwrite, context)
    const text = newPlan({ title, status, createdAt: replaced?.createdAt ?? now, updatedAt: now, body: content })
    const target = path === undefined ? { name: planName(title) } : { path: planPath(path), ifHash: replaced?.hash }
    return { ...target, content: utf8(text, 'content'), title, status, progress: planProgress(requirePlan(text, title)) }
  },
  async apply({ content, title, status, progress, ...target }, set) {
    const path = 'name' in target ? await freePlanPath(set, target.name) : target.path
    const guard = 'name' in target || target.ifHash === undefined ? { mustNotExist: true } : { ifHash: target.ifHash }
    const { file, version, created } = await writeFile(set, { path, content, fileType: 'plan', ...guard })
    return { path: file.path, file_id: file.id, version: version.number, hash: version.hash, title, status, progress, created }
  },
})

function titleOf(asked: string): string {
  const title = asked.trim()
  if (title === '' || /[\r\n]/.test(title)) throw new AppError('invalid_request', 'title: give one line of text that says what the plan is about.')
  return title
}

/** What is kept of a plan that is to be replaced: when it was made. Throws `conflict` when it may not be. */
async function planToReplace(path: string, overwrite: boolean, context: ToolContext): Promise<{ readonly hash: string; readonly createdAt: string | null } | undefined> {
  const entry = await findEntry(context, path)
  if (entry === undefined) return undefined
  if (!overwrite) throw new AppError('conflict', `The plan "${path}" exists already. To change it use plan_edit; to replace all of it call plan_write with overwrite: true; for another plan leave out path.`)
  const { file, text } = await readText(path, context)
  const plan = parsePlan(text, path)
  return { hash: file.hash, createdAt: 'error' in plan ? null : plan.createdAt }
}
