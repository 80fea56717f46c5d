import { isPlanPath } from '../plans/plan-path.ts'

/** What a file is that comes to be at a path, when nobody says so: a plan is one by its place and name, whoever writes it, by whatever way. */
export function newFileType(path: string): 'document' | 'plan' {
  return isPlanPath(path) ? 'plan' : 'document'
}
