/** What a plan file says: front matter with title and status, then a Markdown text whose checklist is the progress. Pure. */
import { z } from 'zod'
import { brokenFrontMatter } from '../files/broken-front-matter.ts'
import { baseName } from '../files/file-path.ts'
import { type FrontMatterError, joinFrontMatter, setFrontMatter, splitFrontMatter } from '../files/front-matter.ts'
import { type ChecklistItem, checklistItems } from './checklist.ts'
import { PLAN_ENDING } from './plan-path.ts'

export const PLAN_STATUSES = ['draft', 'approved', 'in_progress', 'done', 'cancelled'] as const
export type PlanStatus = (typeof PLAN_STATUSES)[number]

export interface Plan {
  readonly title: string
  readonly status: PlanStatus
  /** As the file says; null when it does not. */
  readonly createdAt: string | null
  readonly updatedAt: string | null
  /** Everything below the front matter, as it stands. */
  readonly body: string
  readonly items: readonly ChecklistItem[]
}

const frontMatter = z.looseObject({
  title: z.string({ error: '"title" must be text.' }).optional(),
  status: z.enum(PLAN_STATUSES, { error: `"status" must be one of ${PLAN_STATUSES.join(', ')}.` }).optional(),
  created_at: z.string({ error: '"created_at" must be a time.' }).optional(),
  updated_at: z.string({ error: '"updated_at" must be a time.' }).optional(),
}, { error: 'The front matter is not a list of keys and values.' })

/** The plan in `text`, or where it is broken. A file without front matter is a draft called by its first heading, or by its name. */
export function parsePlan(text: string, path: string): Plan | { readonly error: FrontMatterError } {
  const split = splitFrontMatter(text)
  if ('error' in split) return split
  const { data, body, at } = split
  const head = frontMatter.safeParse(data ?? {})
  if (!head.success) {
    const [issue] = head.error.issues
    return { error: { ...at(issue?.path ?? []), message: issue?.message ?? 'The front matter is not valid.' } }
  }
  const { title, status, created_at: createdAt, updated_at: updatedAt } = head.data
  return { title: title ?? titleOf(body, path), status: status ?? 'draft', createdAt: createdAt ?? null, updatedAt: updatedAt ?? null, body, items: checklistItems(body) }
}

/** The plan in `text`. Throws `unprocessable`, naming line and column, when it is broken. */
export function requirePlan(text: string, path: string): Plan {
  const plan = parsePlan(text, path)
  if ('error' in plan) throw brokenFrontMatter(path, plan.error)
  return plan
}

export function newPlan({ title, status, createdAt, updatedAt, body }: Omit<Plan, 'items'>): string {
  return joinFrontMatter({ title, status, created_at: createdAt, updated_at: updatedAt }, body)
}

/** The text of a plan with another body and perhaps another status; the same text when neither is new. */
export function changedPlan(text: string, { plan, status, body, now }: { readonly plan: Plan; readonly status: PlanStatus | undefined; readonly body: string; readonly now: string }): string {
  if (body === plan.body && (status === undefined || status === plan.status)) return text
  const changed = setFrontMatter(text, { set: { ...(status !== undefined && { status }), updated_at: now }, body })
  if (typeof changed === 'string') return changed
  throw new Error(`a plan that was read has front matter that cannot be changed: ${changed.error.message}`)
}

export function planProgress({ items }: Pick<Plan, 'items'>): { readonly done: number; readonly total: number } {
  return { done: items.filter((item) => item.done).length, total: items.length }
}

function titleOf(body: string, path: string): string {
  const heading = /^#\s+(.+?)\s*#*\s*$/m.exec(body)?.[1]
  return heading ?? baseName(path).slice(0, -PLAN_ENDING.length)
}
