/** A server in a process of its own, with a database of its own on the same disk as everything that it is compared with. */
import { type BuildScaleClient, createClient } from '@buildscale/sdk'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createDb, type Db } from '../../../backend/src/db/db.ts'
import { connectionUrl } from '../../../backend/src/db/db-connection.ts'
import { startEmbeddedPostgres } from '../../../backend/src/db/embedded-postgres.ts'

const MAIN = fileURLToPath(new URL('../../../backend/src/main.ts', import.meta.url))
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined }
const READY = /^BuildScale is ready at (\S+) /

export interface BenchServer {
  readonly client: BuildScaleClient
  /** The same database, for what is called without a request. */
  readonly db: Db
  /** Where things to compare with may be put; removed at the end. */
  readonly folder: string
  /** Where the disk copy of a workspace is. */
  mirrorOf(workspaceId: string): string
  /** CPU time of the server's process so far, in milliseconds. */
  cpuMs(): number
  close(): Promise<void>
}

/** @throws Error with what the server printed when it does not start */
export async function startBenchServer(parent: string, signal: AbortSignal): Promise<BenchServer> {
  const folder = mkdtempSync(join(parent, 'buildscale-bench-'))
  chmodSync(folder, 0o711) // the database may run as another user, who has to reach its part
  const dataDir = join(folder, 'data')
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'database'), log: SILENT })
  const db = createDb(postgres.connection, { log: SILENT })
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: '0', HOST: '127.0.0.1', BUILDSCALE_DATA_DIR: dataDir, DATABASE_URL: connectionUrl(postgres.connection), BUILDSCALE_LOG_LEVEL: 'warn' }
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await exited
    await db.close()
    await postgres.stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true })
  try {
    const url = await readyUrl(child)
    const client = createClient({ url, token: readFileSync(join(dataDir, 'local-token'), 'utf8').trim() })
    return { client, db, folder, mirrorOf: (workspaceId) => join(dataDir, 'workspaces', workspaceId), cpuMs: () => cpuMs(child.pid ?? 0), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function readyUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null || child.stderr === null) throw new Error('the server has no output')
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-20_000)))
  for await (const line of createInterface({ input: child.stdout })) {
    const url = READY.exec(line)?.[1]
    if (url !== undefined) return url
  }
  throw new Error(`the server did not start:\n${log}`)
}

/** Ticks of the kernel are 10 ms on every Linux that Node runs on; elsewhere there is no such file. */
function cpuMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return 0 // not Linux: nobody waits for quiet there
  }
}
