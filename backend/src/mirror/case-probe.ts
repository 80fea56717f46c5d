import { lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMissing } from './mirror-state.ts'

/** True when a file system takes `A` and `a` for two names: found out once, with a file. */
export function isCaseSensitive(folder: string): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const probe = join(folder, 'Case-Probe')
  try {
    writeFileSync(probe, '', { mode: 0o600 })
    lstatSync(join(folder, 'case-probe'))
    return false
  } catch (error) {
    if (isMissing(error)) return true
    throw error
  } finally {
    rmSync(probe, { force: true })
  }
}
