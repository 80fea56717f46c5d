import type { ChecklistItem } from '../services/plans/checklist.ts'
import { planProgress, requirePlan } from '../services/plans/plan-file.ts'
import { findPlan } from './find-plan.ts'
import { fittingLines } from './line-budget.ts'
import { readText } from './read.ts'
import { CONTENT_LIMIT_BYTES, jsonBytes } from './result-limit.ts'
import { lineRange, splitLines } from './text-lines.ts'
import { defineReadTool } from './tool.ts'
import { limit, optionalInteger, shortText, toolArguments } from './tool-arguments.ts'

const DEFAULT_LIMIT = 500
const SHOWN_ITEMS = 200
const ITEM_LENGTH = 120

export const planReadTool = defineReadTool({
  name: 'plan_read',
  description: 'Read a plan: title, status, progress, the items of its checklist with their numbers (for plan_edit), and its text.',
  arguments: toolArguments({
    path: shortText('The plan, by its name ("add-login") or path ("/plans/add-login.plan").'),
    offset: optionalInteger('Lines of the text to skip. Negative: from that many lines before the end. With cursor: relative to it. Default 0.'),
    limit: limit('lines', DEFAULT_LIMIT),
    cursor: optionalInteger('The line to go on from, 0 = the first: the cursor of the previous result.', { min: 0 }),
  }),
  async run({ path: asked, offset = 0, limit: most, cursor }, context) {
    const path = await findPlan(asked, context)
    const { file, text } = await readText(path, context)
    const plan = requirePlan(text, path)
    const items = plan.items.slice(0, SHOWN_ITEMS).map(shownItem)
    const lines = splitLines(plan.body)
    const { start, end } = lineRange(lines.length, { offset, limit: most, cursor })
    const { text: content, count, cut } = fittingLines(lines.slice(start, end), CONTENT_LIMIT_BYTES - jsonBytes(items), true)
    const next = start + count
    const isWhole = !cut && next >= lines.length
    return {
      path,
      title: plan.title,
      status: plan.status,
      progress: planProgress(plan),
      items,
      content,
      created_at: plan.createdAt,
      updated_at: plan.updatedAt,
      hash: file.hash,
      version: file.version,
      total_lines: lines.length,
      truncated: !isWhole,
      offset: start,
      limit: most,
      cursor: next,
      notice: notice({ isWhole, next, hidden: plan.items.length - items.length }),
    }
  },
})

function shownItem({ number, text, done }: ChecklistItem): { readonly item: number; readonly text: string; readonly done: boolean } {
  return { item: number, text: text.length > ITEM_LENGTH ? `${text.slice(0, ITEM_LENGTH).toWellFormed()}…` : text, done }
}

function notice({ isWhole, next, hidden }: { readonly isWhole: boolean; readonly next: number; readonly hidden: number }): string | null {
  const parts = [isWhole ? '' : `The text goes on: read on with cursor: ${next}.`, hidden > 0 ? `${hidden} more items are in the text; their numbers go on in its order.` : '']
  const text = parts.filter((part) => part !== '').join(' ')
  return text === '' ? null : text
}
