/**
 * The PostgreSQL that the server brings along: its own child process, reached over a unix socket in a private directory, never over the network.
 * Whatever died before (this program, the server, both, with or without its zombie reaped), the next start finds its way back to a running server.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StartError } from '../errors.ts'
import type { DbConnection } from './db-connection.ts'
import type { DbLog } from './db-log.ts'
import { DedicatedConnection } from './dedicated-connection.ts'
import { type PostgresBinaries, preparePostgresBinaries } from './postgres-binaries.ts'
import {
  clearStaleLocks,
  createDatabase,
  findServer,
  hasDatabase,
  logTail,
  openCluster,
  PORT,
  type PostgresCluster,
  removeSharedSocketDir,
  ROLE,
  serverEnvironment,
  sweepUnfinished,
} from './postgres-cluster.ts'
import { takeProcessLock } from './process-lock.ts'
import { findProcess, isRunning, type ProcessIdentity, signalProcess } from './running-process.ts'

export interface EmbeddedPostgresOptions {
  /** Made when missing. See `PostgresCluster` for what lies in it. */
  readonly dataDir: string
  readonly log: DbLog
  /** Called once when the server died and could not be brought back: the program should end. */
  readonly onFailed?: (error: Error) => void
  /** Where copies of the programs lie; default `runtime/` in the data directory. Tests share one. */
  readonly runtimeDir?: string
  /** Failed restarts in a row before `onFailed`; default 8, which takes about 15 s. */
  readonly mostRestarts?: number
  /** More server settings, `name: value`. Tests use them to be fast; the product does not. */
  readonly settings?: Readonly<Record<string, string>>
}

const DATABASE = 'buildscale'
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '60',
  shared_buffers: '64MB',
  max_wal_size: '512MB',
  // Containers give /dev/shm 64 MB, which parallel queries overrun; requests run beside each other anyway.
  max_parallel_workers_per_gather: '0',
  // A query whose program was killed ends soon, instead of holding its locks against the next one.
  client_connection_check_interval: '2s',
  log_min_messages: 'warning',
  log_line_prefix: '%m [%p] ',
  timezone: 'UTC',
}
const LARGEST_LOG = 10 * 1024 * 1024
/** Crash recovery after a power cut may take long; a server that makes no sign for this time will not come. */
const READY_TIMEOUT_MS = 300_000
const FAST_STOP_MS = 5_000
const IMMEDIATE_STOP_MS = 2_000
const FIRST_RESTART_MS = 100
const LAST_RESTART_MS = 5_000
/** A server that stayed up this long was healthy: the next restart counts from the beginning. */
const HEALTHY_MS = 60_000
const MOST_RESTARTS = 8
const LOOK_MS = 200

/**
 * Starts the embedded server, or adopts the one that a killed program left running on the same data.
 * Throws a ConfigError (directory out of reach, platform without programs) or a StartError (in use, other PostgreSQL major, does not start).
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const cluster = openCluster(options.dataDir)
  const taken = takeProcessLock(join(cluster.dataDir, 'postgres.lock'))
  if (taken.type === 'held') throw new StartError(`BuildScale is already running on ${cluster.dataDir} (process ${taken.pid}).`)
  try {
    const runtimeDir = options.runtimeDir ?? join(cluster.dataDir, 'runtime')
    const binaries = preparePostgresBinaries({ runtimeDir, inPlace: cluster.user === undefined })
    sweepUnfinished(cluster)
    if (!hasDatabase(cluster, binaries.major)) await createDatabase(cluster, binaries)
    const postgres = new EmbeddedPostgres({ ...options, cluster, binaries, release: () => taken.lock.release() })
    await postgres.start()
    return postgres
  } catch (error) {
    removeSharedSocketDir(cluster)
    taken.lock.release()
    throw error
  }
}

interface EmbeddedPostgresDeps extends EmbeddedPostgresOptions {
  readonly cluster: PostgresCluster
  readonly binaries: PostgresBinaries
  readonly release: () => void
}

/** The running embedded server. When it dies it is started again, with growing pauses; the pool reconnects by itself. */
export class EmbeddedPostgres {
  readonly connection: DbConnection
  readonly #deps: EmbeddedPostgresDeps
  readonly #stopping = new AbortController()
  #server: ProcessIdentity | undefined
  #supervision: Promise<void> = Promise.resolve()

  constructor(deps: EmbeddedPostgresDeps) {
    this.#deps = deps
    this.connection = connectionTo(deps.cluster, DATABASE)
  }

  /** The server's process number now; another one after a restart. Undefined while it is down. */
  get pid(): number | undefined {
    return this.#server?.pid
  }

  /** For `startEmbeddedPostgres` only. */
  async start(): Promise<void> {
    await this.#bringUp()
    await ensureDatabase(this.#deps.cluster)
    this.#supervision = this.#supervise()
  }

  /** Ends the server: fast (running transactions roll back) within 5 s, else immediately, and gives the data directory free. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#supervision
    if (this.#server !== undefined) await stopServer(this.#server, this.#deps.log)
    this.#server = undefined
    removeSharedSocketDir(this.#deps.cluster)
    this.#deps.release()
  }

  async #bringUp(): Promise<void> {
    const { cluster, log } = this.#deps
    const orphan = findServer(cluster)
    if (orphan !== undefined && (await this.#adopt(orphan))) return
    clearStaleLocks(cluster)
    const { child, exited } = spawnServer(this.#deps)
    const server = child.pid === undefined ? undefined : findProcess(child.pid)
    if (server !== undefined) this.#server = server
    try {
      await waitUntilReady(cluster, { isAlive: () => server !== undefined && isRunning(server), signal: this.#stopping.signal, log })
    } catch (error) {
      if (server !== undefined) await stopServer(server, log)
      this.#server = undefined
      throw withLog(error, { cluster, outcome: await exited })
    }
    log.info({ pid: child.pid, version: this.#deps.binaries.version }, 'embedded PostgreSQL is ready')
  }

  /** A server that outlived its program. False when it was on its way out. */
  async #adopt(orphan: ProcessIdentity): Promise<boolean> {
    const { cluster, log } = this.#deps
    try {
      await waitUntilReady(cluster, { isAlive: () => isRunning(orphan), signal: this.#stopping.signal, log })
    } catch (error) {
      if (isRunning(orphan)) throw error
      return false
    }
    this.#server = orphan
    log.info({ pid: orphan.pid }, 'adopted the PostgreSQL that was left running')
    return true
  }

  /**
   * Restarting was chosen over ending the program: a turn in flight loses one statement instead of its process. Looking at the process now and then
   * serves children and adopted servers alike.
   */
  async #supervise(): Promise<void> {
    const { log, mostRestarts = MOST_RESTARTS } = this.#deps
    for (let tries = 0; ; tries += 1) {
      if (this.#server !== undefined) tries = (await this.#untilDead()) > HEALTHY_MS ? 0 : tries
      if (this.#stopping.signal.aborted) return
      log.error({ pid: this.pid, tries }, 'the embedded PostgreSQL is down; starting it again')
      this.#server = undefined
      await this.#pause(Math.min(FIRST_RESTART_MS * 2 ** tries, LAST_RESTART_MS))
      const failure = await this.#bringUp().then(() => undefined, asError)
      if (failure !== undefined && !this.#stopping.signal.aborted && tries + 1 >= mostRestarts) return this.#deps.onFailed?.(failure)
    }
  }

  /** How long it lived, in milliseconds. */
  async #untilDead(): Promise<number> {
    const startedAt = performance.now()
    while (!this.#stopping.signal.aborted && this.#server !== undefined && isRunning(this.#server)) await this.#pause(LOOK_MS)
    return performance.now() - startedAt
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => undefined) // aborted: the callers look
  }
}

function connectionTo({ socketDir }: PostgresCluster, database: string): DbConnection {
  return { type: 'parts', host: socketDir, port: PORT, user: ROLE, database }
}

/** In a session of its own, so that a Ctrl-C in the terminal reaches the program, which then stops the server in order. */
function spawnServer({ cluster, binaries, settings = {} }: EmbeddedPostgresDeps): { readonly child: ChildProcess; readonly exited: Promise<string> } {
  rotateLog(cluster.logFile)
  const log = openSync(cluster.logFile, 'a', 0o600)
  const all = { ...SETTINGS, unix_socket_directories: cluster.socketDir, port: String(PORT), ...settings }
  const args = ['-D', cluster.pgData, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  const child = spawn(binaries.postgres, args, { ...cluster.user, cwd: cluster.home, env: serverEnvironment(), detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  child.unref()
  const exited = new Promise<string>((done) => {
    child.on('error', (error) => done(error.message))
    child.on('exit', (code, signal) => done(`it ended with ${signal ?? `exit code ${code}`}`))
  })
  return { child, exited }
}

function rotateLog(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > LARGEST_LOG) renameSync(file, `${file}.1`)
}

interface Wait {
  readonly isAlive: () => boolean
  readonly signal: AbortSignal
  readonly log: DbLog
}

/** Connects until it works and the server says that it serves this very directory. */
async function waitUntilReady(cluster: PostgresCluster, { isAlive, signal, log }: Wait): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS
  for (let tries = 1; ; tries += 1) {
    try {
      await checkIdentity(cluster)
      return
    } catch (error) {
      if (error instanceof StartError || !isAlive() || signal.aborted || performance.now() > deadline) throw error
      if (tries % 100 === 0) log.info({ reason: error instanceof Error ? error.message : String(error) }, 'waiting for PostgreSQL')
      await sleep(Math.min(5 * tries, 100))
    }
  }
}

async function checkIdentity(cluster: PostgresCluster): Promise<void> {
  await using connection = await DedicatedConnection.open(connectionTo(cluster, 'postgres'))
  const [row] = await connection.query<{ directory: string }>(`SELECT current_setting('data_directory') AS directory`)
  if (row?.directory === cluster.pgData) return
  throw new StartError(`The PostgreSQL behind ${cluster.socketDir} serves ${row?.directory}, not ${cluster.pgData}. Stop it, or choose another BUILDSCALE_DATA_DIR.`)
}

async function ensureDatabase(cluster: PostgresCluster): Promise<void> {
  await using connection = await DedicatedConnection.open(connectionTo(cluster, 'postgres'))
  const found = await connection.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE])
  if (found.length === 0) await connection.query(`CREATE DATABASE ${DATABASE}`)
}

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one, which the next start repairs from the log of writes. */
async function stopServer(server: ProcessIdentity, log: DbLog): Promise<void> {
  signalProcess(server, 'SIGINT')
  if (await hasEnded(server, FAST_STOP_MS)) return
  log.warn({ pid: server.pid }, 'PostgreSQL did not stop in time; stopping it immediately')
  signalProcess(server, 'SIGQUIT')
  if (await hasEnded(server, IMMEDIATE_STOP_MS)) return
  signalProcess(server, 'SIGKILL')
  await hasEnded(server, IMMEDIATE_STOP_MS)
}

async function hasEnded(server: ProcessIdentity, withinMs: number): Promise<boolean> {
  for (const deadline = performance.now() + withinMs; isRunning(server); await sleep(10)) if (performance.now() > deadline) return false
  return true
}

function withLog(error: unknown, { cluster, outcome }: { readonly cluster: PostgresCluster; readonly outcome: string }): StartError {
  return new StartError(`The embedded PostgreSQL did not start: ${outcome}. The end of ${cluster.logFile}:\n${logTail(cluster)}`, { cause: error })
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
