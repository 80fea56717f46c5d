import { AppError } from '../../errors.ts'
import { parsePath } from '../files/file-path.ts'

/** Where an entry belongs, or why nowhere. */
export type EntryPath =
  | { readonly type: 'path'; readonly path: string }
  /** The folder that the archive is unpacked to. */
  | { readonly type: 'root' }
  | { readonly type: 'skipped'; readonly path: string; readonly reason: string }

/** Where an entry called `name` goes below the folder `to`. Names are checked like every path; beyond that they are relative, and nothing of `.git` is taken. */
export function entryPath(to: string, name: string): EntryPath {
  if (name.startsWith('/')) return { type: 'skipped', path: name, reason: 'an absolute path' }
  const segments = name.split('/')
  const git = segments.indexOf('.git')
  if (git !== -1) return { type: 'skipped', path: segments.slice(0, git + 1).join('/'), reason: 'Git’s own data' }
  try {
    const path = parsePath(`${to}/${name}`)
    return path === to ? { type: 'root' } : { type: 'path', path }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { type: 'skipped', path: name, reason: error.message }
  }
}
