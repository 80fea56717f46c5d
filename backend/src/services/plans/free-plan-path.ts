import { AppError } from '../../errors.ts'
import type { ChangeSet } from '../files/change-set.ts'
import { placeInTree } from '../files/place-in-tree.ts'
import { planPath } from './plan-path.ts'

const MOST_NUMBERS = 200

/** A path that no file has yet: `/plans/<name>.plan`, or with the next number. Inside a change set, so that it stays free until the commit. */
export async function freePlanPath(set: ChangeSet, name: string): Promise<string> {
  const first = planPath(name)
  const candidates = [first, ...Array.from({ length: MOST_NUMBERS - 1 }, (_, index) => planPath(`${name}-${index + 2}`))]
  const { others } = await placeInTree(set, first, candidates)
  const free = candidates.find((path) => !others.has(path))
  if (free === undefined) throw new AppError('conflict', `There are ${MOST_NUMBERS} plans called "${name}" already. Give a path of its own.`)
  return free
}
