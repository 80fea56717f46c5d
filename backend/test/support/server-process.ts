import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const READY = /^BuildScale is ready at (\S+) — sign in: (\S+)$/

export interface ServerProcessOptions {
  readonly dataDir: string
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** A real server in a process of its own. */
export interface ServerProcess {
  readonly url: string
  readonly signInUrl: string
  readonly token: string
  readonly pid: number
  /** What it wrote to stderr so far. */
  log(): string
  /** Sends the signal and waits for the end; answers the exit code, null when a signal ended it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
  [Symbol.asyncDispose](): Promise<void>
}

/** Servers of this test file that run. A test that fails half way leaves its own; they end with the file, and each stops the database that it started. */
const running = new Set<() => Promise<unknown>>()
afterAll(() => Promise.all([...running].map((end) => end())))

/** Starts a server and waits for its ready line. Rejects with its stderr when it ends before. */
export async function startServerProcess({ dataDir, env }: ServerProcessOptions): Promise<ServerProcess> {
  const child = spawn(process.execPath, [MAIN], { env: { ...cleanEnvironment(), HOST: '127.0.0.1', PORT: '0', BUILDSCALE_DATA_DIR: dataDir, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return exited
  }
  const stop = (): Promise<unknown> => end('SIGTERM')
  running.add(stop)
  void exited.finally(() => running.delete(stop))
  const ready = await firstLine(child, exited, () => log)
  return {
    ...ready,
    token: readFileSync(join(dataDir, 'local-token'), 'utf8').trim(),
    pid: child.pid ?? -1,
    log: () => log,
    end,
    [Symbol.asyncDispose]: async () => void (await end('SIGTERM')),
  }
}

/** What a run of the program that does not become ready says. */
export async function runServerToItsEnd({ dataDir, env }: ServerProcessOptions): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [MAIN], { env: { ...cleanEnvironment(), PORT: '0', BUILDSCALE_DATA_DIR: dataDir, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

async function firstLine(child: ChildProcess, exited: Promise<number | null>, log: () => string): Promise<{ url: string; signInUrl: string }> {
  if (child.stdout === null) throw new Error('no stdout')
  const lines = createInterface({ input: child.stdout })
  const line = await Promise.race([once(lines, 'line').then(([text]) => String(text)), exited.then((code) => Promise.reject(new Error(`the server ended with code ${code}:\n${log()}`)))])
  const match = READY.exec(line)
  if (match?.[1] === undefined || match[2] === undefined) throw new Error(`not a ready line: ${line}`)
  return { url: match[1], signInUrl: match[2] }
}

/** The shell's own keys and addresses must not reach a test's server. */
function cleanEnvironment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'USER']
  return Object.fromEntries(kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])))
}

/** A data directory that is removed at the end. */
export function temporaryDataDir(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'buildscale-test-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
