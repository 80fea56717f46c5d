import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { findProcess, isRunning, type ProcessIdentity } from './running-process.ts'

/** A lock that this process holds. */
interface ProcessLock {
  /** Gives it up; harmless when done twice. */
  release(): void
}

export type LockResult = { readonly type: 'taken'; readonly lock: ProcessLock } | { readonly type: 'held'; readonly pid: number }

/**
 * Takes the lock that the file at `path` stands for: one living process of this machine at a time. The file names its holder with the start time, so that
 * a lock left by a killed process, a zombie or an earlier owner of the same number counts as free.
 * Rejected: `flock`, which Node does not offer; asking the database, which cannot guard its own start. Machines that share a directory are not told apart.
 */
export function takeProcessLock(path: string): LockResult {
  const me = findProcess(process.pid)
  if (me === undefined) throw new Error('this process cannot find itself in the process table; is /proc mounted?')
  const mine = `${path}.${process.pid}`
  writeFileSync(mine, JSON.stringify(me), { mode: 0o600 })
  try {
    return take(path, { mine, me })
  } finally {
    rmSync(mine, { force: true })
  }
}

/** The living holder of the lock at `path`, if any. */
export function lockHolder(path: string): ProcessIdentity | undefined {
  const holder = readHolder(path)
  return holder !== undefined && isRunning(holder) ? holder : undefined
}

function take(path: string, { mine, me }: { readonly mine: string; readonly me: ProcessIdentity }): LockResult {
  for (;;) {
    // A link either appears whole or fails because one is there.
    if (linked(mine, path)) return { type: 'taken', lock: { release: () => release(path, me) } }
    const holder = lockHolder(path)
    if (holder !== undefined) return { type: 'held', pid: holder.pid }
    setAside(path, `${mine}.stale`)
  }
}

/** Moves a dead holder's file away. If another process has just taken the lock over, its file is put back. */
function setAside(path: string, aside: string): void {
  try {
    renameSync(path, aside)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return // somebody else cleared it
    throw error
  }
  if (lockHolder(aside) !== undefined) linked(aside, path)
  rmSync(aside, { force: true })
}

function release(path: string, me: ProcessIdentity): void {
  const holder = readHolder(path)
  if (holder?.pid === me.pid && holder.startedAt === me.startedAt) rmSync(path, { force: true })
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

function readHolder(path: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('startedAt' in value)) return undefined
    return typeof value.pid === 'number' && typeof value.startedAt === 'string' ? { pid: value.pid, startedAt: value.startedAt } : undefined
  } catch (error) {
    if (isCode(error, 'ENOENT') || error instanceof SyntaxError) return undefined // nobody holds it; torn files come from a power cut
    throw error
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
