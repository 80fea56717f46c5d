import { baseName } from '../services/files/file-path.ts'
import { parsePlan, PLAN_STATUSES, planProgress } from '../services/plans/plan-file.ts'
import { isPlanPath, PLAN_ENDING, PLANS_FOLDER } from '../services/plans/plan-path.ts'
import { fittingItems } from './result-limit.ts'
import { type TextBelow, textsBelow } from './texts-below.ts'
import { defineReadTool } from './tool.ts'
import { limit, optionalChoice, toolArguments } from './tool-arguments.ts'

const DEFAULT_LIMIT = 50
const TITLE_LENGTH = 300

export const planListTool = defineReadTool({
  name: 'plan_list',
  description: 'List the plans of the workspace with title, status and progress, the one that changed last first. Plans whose front matter is broken are listed with their problem.',
  arguments: toolArguments({
    status: optionalChoice(PLAN_STATUSES, 'Only plans of this status.'),
    limit: limit('plans', DEFAULT_LIMIT),
  }),
  async run({ status, limit: most }, context) {
    const { files, more } = await textsBelow(PLANS_FOLDER, isPlanPath, context)
    const plans = files.map(listedPlan).filter((plan) => status === undefined || plan.status === status).sort((a, b) => compare(b.updated_at, a.updated_at))
    const shown = fittingItems(most === 0 ? plans : plans.slice(0, most))
    const truncated = more || shown.length < plans.length
    return { plans: shown, total: plans.length, truncated, notice: truncated ? `${shown.length} of ${more ? 'more than ' : ''}${plans.length} plans are shown. Give status or a higher limit; ls of ${PLANS_FOLDER} lists the files.` : null }
  },
})

interface ListedPlan {
  readonly path: string
  readonly name: string
  readonly title: string | null
  readonly status: string | null
  readonly progress: { readonly done: number; readonly total: number } | null
  readonly created_at: string | null
  readonly updated_at: string
  /** Why the rest is not known; null for a plan in order. */
  readonly problem: string | null
}

function listedPlan({ path, text, updatedAt }: TextBelow): ListedPlan {
  const name = baseName(path).slice(0, -PLAN_ENDING.length)
  const plan = text === undefined ? undefined : parsePlan(text, path)
  if (plan !== undefined && !('error' in plan)) {
    return { path, name, title: plan.title.slice(0, TITLE_LENGTH).toWellFormed(), status: plan.status, progress: planProgress(plan), created_at: plan.createdAt, updated_at: updatedAt, problem: null }
  }
  const problem = plan === undefined ? 'It is over 1 MiB, or not text.' : `Line ${plan.error.line}, column ${plan.error.column}: ${plan.error.message}`
  return { path, name, title: null, status: null, progress: null, created_at: null, updated_at: updatedAt, problem }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
