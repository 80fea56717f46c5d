import { AppError } from '../../errors.ts'
import { isInside, parsePath } from '../files/file-path.ts'

export const PLANS_FOLDER = '/plans'
export const PLAN_ENDING = '.plan'

/** True for files that are plans: below `/plans`, with the ending of plans. `path` has been through `parsePath`, so nothing in it leads elsewhere. */
export function isPlanPath(path: string): boolean {
  return isInside(path, PLANS_FOLDER) && path.endsWith(PLAN_ENDING)
}

/** Where a plan is that people call `auth`, `auth.plan`, `team/auth` or `/plans/auth.plan`. Throws `invalid_request` for what lies elsewhere. */
export function planPath(input: string): string {
  const path = parsePath(input)
  const below = isInside(path, PLANS_FOLDER) || input.trimStart().startsWith('/') ? path : parsePath(`${PLANS_FOLDER}${path}`)
  const named = below.endsWith(PLAN_ENDING) ? below : parsePath(`${below}${PLAN_ENDING}`)
  if (isPlanPath(named)) return named
  throw new AppError('invalid_request', `"${path}" is not below ${PLANS_FOLDER}: plans are files such as "${PLANS_FOLDER}/add-login${PLAN_ENDING}".`)
}

const LONGEST_NAME = 60

/** A file name for a plan that has only a title: its letters and digits, in any script, joined by dashes. */
export function planName(title: string): string {
  const words = title.normalize('NFC').toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  const name = [...words.join('-')].slice(0, LONGEST_NAME).join('').replace(/-+$/, '')
  return name === '' ? 'plan' : name
}
