/** The server as a process: read the configuration, start what it needs, listen, stop on a signal. */
import { startModelSim } from '@buildscale/model-sim'
import { chmodSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Logger, pino } from 'pino'
import { z } from 'zod'
import { type Config, readConfig } from './config.ts'
import { buildContainer, type Container } from './container.ts'
import { createDb, type Db } from './db/db.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './db/embedded-postgres.ts'
import { migrate } from './db/migrate.ts'
import { takeProcessLock } from './db/process-lock.ts'
import { AppError, ConfigError, StartError } from './errors.ts'
import { readNodeId } from './node-id.ts'

/** A server that answers requests. */
export interface RunningServer {
  readonly url: string
  /** One-time link for a browser. */
  readonly signInUrl: string
  /** Stops accepting, parks running turns, stops the database that it started. */
  stop(): Promise<void>
}

/** What has been started, in order; stopped in reverse. */
class Started {
  readonly #parts: { readonly name: string; stop(): Promise<void> | void }[] = []

  add(name: string, stop: () => Promise<void> | void): void {
    this.#parts.push({ name, stop })
  }

  async stop(log: Logger): Promise<void> {
    for (const part of this.#parts.splice(0).reverse()) {
      try {
        await part.stop()
      } catch (error) {
        log.error({ err: error, part: part.name }, 'a part did not stop cleanly')
      }
    }
  }
}

/** Starts everything. Throws a ConfigError or a StartError with a sentence for people; nothing is left running then. */
export async function startServer(config: Config, log: Logger): Promise<RunningServer> {
  const started = new Started()
  try {
    return await startParts({ config, log, started })
  } catch (error) {
    await started.stop(log)
    throw error
  }
}

/** Between the offline model's words, so that a person sees them come. */
const OFFLINE_DELAY_MS = 6

interface Starting {
  readonly config: Config
  readonly log: Logger
  readonly started: Started
}

async function startParts(starting: Starting): Promise<RunningServer> {
  const { config, log, started } = starting
  claimDataDir(starting)
  const { db, postgres } = await startDatabase(starting)
  await migrate(db, { log })
  const nodeId = readNodeId(config.dataDir)
  const offline = await startModelSim({ models: 'any', eventDelayMs: OFFLINE_DELAY_MS })
  started.add('offline model', () => offline.close())
  const container = await buildContainer({ config, db, nodeId, log, offlineUrl: offline.url }).catch(explainModel)
  started.add('services', () => container.close())
  const local = await container.auth.bootstrapLocal({ dataDir: config.dataDir })
  if (!(await container.start())) throw new StartError(`Another server works as node ${nodeId} on this database. Stop it, or give this one a data directory of its own.`)
  const url = await listen(container, config)
  writeServerFile(starting, { url, postgresPid: postgres?.pid ?? null })
  const { secret } = await container.auth.createSignInCode(local.user.id)
  return { url, signInUrl: `${url}/sign-in#code=${secret}`, stop: () => started.stop(log) }
}

/** One server per data directory, whatever database it uses. */
function claimDataDir({ config, started }: Starting): void {
  try {
    mkdirSync(config.dataDir, { recursive: true, mode: 0o711 })
    chmodSync(config.dataDir, 0o711)
  } catch (error) {
    throw new ConfigError(`BUILDSCALE_DATA_DIR: ${config.dataDir} cannot be made or used (${error instanceof Error ? error.message : String(error)}). Choose a folder that you may write to.`)
  }
  const taken = takeProcessLock(join(config.dataDir, 'server.lock'))
  if (taken.type === 'held') throw new StartError(`BuildScale is already running at ${runningUrl(config.dataDir) ?? `${config.dataDir} (process ${taken.pid})`}. Stop it first, or set BUILDSCALE_DATA_DIR to another folder.`)
  started.add('data directory', () => taken.lock.release())
}

const serverFile = z.object({ pid: z.number(), postgres_pid: z.number().nullable(), url: z.string() })

function runningUrl(dataDir: string): string | undefined {
  try {
    return serverFile.parse(JSON.parse(readFileSync(join(dataDir, 'server.json'), 'utf8'))).url
  } catch {
    // It is starting and has not written the file yet, or it is damaged: the process id must do.
    return undefined
  }
}

function writeServerFile({ config, started }: Starting, { url, postgresPid }: { readonly url: string; readonly postgresPid: number | null }): void {
  const path = join(config.dataDir, 'server.json')
  writeFileSync(path, `${JSON.stringify({ pid: process.pid, postgres_pid: postgresPid, url })}\n`, { mode: 0o600 })
  started.add('server.json', () => rmSync(path, { force: true }))
}

async function startDatabase({ config, log, started }: Starting): Promise<{ readonly db: Db; readonly postgres: EmbeddedPostgres | undefined }> {
  const postgres = config.databaseUrl === undefined ? await startEmbeddedPostgres({ dataDir: config.dataDir, log, onFailed: (error) => giveUp(log, error) }) : undefined
  if (postgres !== undefined) started.add('database server', () => postgres.stop())
  const db = createDb(postgres?.connection ?? { type: 'url', url: config.databaseUrl ?? '' }, { log })
  started.add('database connections', () => db.close())
  return { db, postgres }
}

/** The embedded database could not be brought back: a supervisor or a person has to look. */
function giveUp(log: Logger, error: Error): void {
  log.fatal({ err: error }, 'the embedded database does not start any more')
  process.kill(process.pid, 'SIGTERM')
  process.exitCode = 1
}

/** A model that cannot be used is a mistake in the environment, not in a request. */
function explainModel(error: unknown): never {
  if (error instanceof AppError && error.code === 'invalid_request') throw new ConfigError(`BUILDSCALE_MODEL: ${error.message}`)
  throw error
}

async function listen(container: Container, { host, port }: Config): Promise<string> {
  try {
    const address = await container.app.listen({ host, port })
    const { port: bound } = new URL(address)
    return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE') throw new StartError(`Port ${port} of ${host} is taken by another program. Set PORT to another number, or to 0 for any free one.`)
    if (code === 'EACCES') throw new StartError(`Port ${port} needs rights that this user does not have. Set PORT to a number above 1023.`)
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') throw new ConfigError(`HOST: ${host} is not an address of this machine. Use 127.0.0.1, or 0.0.0.0 for all.`)
    throw error
  }
}

/** Longest time that a stop may take; then the process ends anyway, and the next start repairs. */
const STOP_LIMIT_MS = 9_000

/** The whole life of a server process: what `npm start` and `buildscale serve` run. Sets the exit code; resolves when the server has stopped. */
export async function runServer(env: Readonly<Record<string, string | undefined>> = process.env): Promise<void> {
  const stopped = Promise.withResolvers<void>()
  let config: Config
  try {
    config = readConfig(env)
  } catch (error) {
    return refuse(error)
  }
  const log = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ fd: 2, sync: true }))
  const starting = startServer(config, log)
  let isStopping = false
  const stop = (): void => {
    if (isStopping) return
    isStopping = true
    const limit = setTimeout(() => process.exit(process.exitCode ?? 0), STOP_LIMIT_MS).unref()
    starting
      .then((server) => server.stop(), () => undefined) // A start that failed has reported itself.
      .finally(() => {
        clearTimeout(limit)
        stopped.resolve()
      })
  }
  // Listening on keeps a second Ctrl-C from killing the process in the middle of its stop.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop)
  try {
    const server = await starting
    process.stdout.write(`BuildScale is ready at ${server.url} — sign in: ${server.signInUrl}\n`)
    await stopped.promise
  } catch (error) {
    refuse(error)
  }
}

/** A start that did not work: a sentence on stderr and the exit code of its kind. */
function refuse(error: unknown): void {
  if (error instanceof ConfigError || error instanceof StartError) {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = error.exitCode
    return
  }
  process.stderr.write(`BuildScale could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exitCode = 1
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await runServer()
  // Sockets that clients keep open must not keep the process.
  process.exit()
}
