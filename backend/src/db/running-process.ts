/** What the operating system says of a process. Numbers are reused and zombies count as alive for `kill`, so neither is trusted alone. */
import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { platform } from 'node:os'

/** One run of a process: the number and when it started (boot and clock ticks on Linux, a date elsewhere). */
export interface ProcessIdentity {
  readonly pid: number
  readonly startedAt: string
}

/** The process with that number, unless it has ended: a zombie that nobody reaps has. */
export function findProcess(pid: number): ProcessIdentity | undefined {
  // 0 and below address groups of processes, 1 is never ours.
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined
  return platform() === 'linux' ? findInProc(pid) : findWithPs(pid)
}

/** True while that very run goes on. */
export function isRunning(identity: ProcessIdentity): boolean {
  return findProcess(identity.pid)?.startedAt === identity.startedAt
}

/** The command line of a process, its words joined by blanks; undefined when it has ended. */
export function commandLine(pid: number): string | undefined {
  if (platform() !== 'linux') return ps(pid, 'command=')
  const text = readOrUndefined(`/proc/${pid}/cmdline`)
  return text === undefined ? undefined : text.split('\0').join(' ').trim()
}

/** The current directory of a process, where the system tells us: on Linux, and for processes that we may inspect. */
export function workingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined // ended, another user's, or no /proc
  }
}

/** Sends a signal to that very run. False when it has ended. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false
  try {
    return process.kill(identity.pid, signal)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false // it ended in between
    throw error
  }
}

/** `/proc/<pid>/stat` (proc_pid_stat(5)): after the name in brackets come the state (field 3) and, as field 22, the start time. */
function findInProc(pid: number): ProcessIdentity | undefined {
  const stat = readOrUndefined(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state = 'X'] = fields
  const startedAt = fields[19]
  // Ticks count from the boot: without its id, a process of the boot before could look like one of this.
  return startedAt === undefined || 'ZX'.includes(state.toUpperCase()) ? undefined : { pid, startedAt: `${bootId()}/${startedAt}` }
}

function bootId(): string {
  return readOrUndefined('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
}

function findWithPs(pid: number): ProcessIdentity | undefined {
  const state = ps(pid, 'state=')
  const startedAt = ps(pid, 'lstart=')
  return state === undefined || startedAt === undefined || state.startsWith('Z') ? undefined : { pid, startedAt }
}

function ps(pid: number, column: string): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, LC_ALL: 'C' } }).trim()
    return text === '' ? undefined : text
  } catch {
    return undefined // ps exits with 1 when there is no such process
  }
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // no such file: the process has ended, or the kernel does not tell
  }
}
