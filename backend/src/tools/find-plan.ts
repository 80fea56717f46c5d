import { AppError } from '../errors.ts'
import { baseName } from '../services/files/file-path.ts'
import { nearNames } from '../services/files/near-names.ts'
import { isPlanPath, PLANS_FOLDER, planPath } from '../services/plans/plan-path.ts'
import { findEntry } from './find-entry.ts'
import type { ToolContext } from './tool.ts'

const PAGE = 1_000
const MOST_PLANS = 5_000
const SHOWN_PLANS = 10

/** The path of the plan that is meant: by its path, or by its name alone wherever below `/plans` it is. Throws `not_found` with near names, `conflict` when several have the name. */
export async function findPlan(asked: string, context: ToolContext): Promise<string> {
  const path = planPath(asked)
  if ((await findEntry(context, path)) !== undefined) return path
  const paths = await planPaths(context)
  const named = asked.includes('/') ? [] : paths.filter((candidate) => baseName(candidate) === baseName(path))
  const [found] = named
  if (found !== undefined && named.length === 1) return found
  if (named.length > 1) throw new AppError('conflict', `Several plans are called "${asked}": ${named.map((candidate) => `"${candidate}"`).join(', ')}. Name one by its path.`)
  throw new AppError('not_found', `There is no plan "${path}". ${hint(path, paths)}`)
}

async function planPaths(context: ToolContext): Promise<readonly string[]> {
  if ((await findEntry(context, PLANS_FOLDER))?.file_type !== 'folder') return []
  const paths: string[] = []
  for (let cursor: string | undefined; paths.length < MOST_PLANS; ) {
    const at = { workspaceId: context.workspaceId, path: PLANS_FOLDER, recursive: true, limit: PAGE, ...(cursor !== undefined && { cursor }) }
    const page = await context.conn.run((conn) => context.files.list(conn, at))
    paths.push(...page.items.filter((entry) => entry.hash !== null && isPlanPath(entry.path)).map((entry) => entry.path))
    if (page.nextCursor === null) break
    cursor = page.nextCursor
  }
  return paths
}

function hint(path: string, paths: readonly string[]): string {
  if (paths.length === 0) return 'There are no plans yet: plan_write makes one.'
  const near = nearNames(baseName(path), paths.map(baseName))
  if (near.length > 0) return `Did you mean ${paths.filter((candidate) => near.includes(baseName(candidate))).slice(0, SHOWN_PLANS).map((name) => `"${name}"`).join(' or ')}?`
  return `The plans are: ${paths.slice(0, SHOWN_PLANS).join(', ')}${paths.length > SHOWN_PLANS ? ', … (plan_list shows all)' : ''}.`
}
