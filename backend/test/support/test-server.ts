/**
 * The one PostgreSQL of a test run: the server of `DATABASE_URL`, or an embedded one in a temporary directory. It is started when the first test asks,
 * so that runs without database tests pay nothing. Tests run in other processes and ask over a unix socket.
 */
import { chmodSync, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDb } from '../../src/db/db.ts'
import { type DbConnection, withDatabase } from '../../src/db/db-connection.ts'
import { DedicatedConnection } from '../../src/db/dedicated-connection.ts'
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts'
import { migrate } from '../../src/db/migrate.ts'
import { findServer } from '../../src/db/postgres-cluster.ts'
import { lockHolder, takeProcessLock } from '../../src/db/process-lock.ts'
import { signalProcess } from '../../src/db/running-process.ts'
import { silentLog } from './silent-log.ts'

/** Where `createTestDatabase` finds the server of the run. */
export const SOCKET_VARIABLE = 'BUILDSCALE_TEST_SERVER'

/** What a test process is told. */
export type TestServerAnswer = { readonly type: 'ready'; readonly admin: DbConnection; readonly template: string } | { readonly type: 'failed'; readonly message: string }

interface RunningServer {
  readonly admin: DbConnection
  readonly template: string
  stop(): Promise<void>
}

const PREFIX = 'buildscale-test-run-'
const LOCK = 'run.lock'

export class TestServer {
  readonly #directory: string
  readonly #socket: Server
  #running: Promise<RunningServer> | undefined

  static async listen(): Promise<TestServer> {
    sweepKilledRuns()
    const directory = mkdtempSync(join(realpathSync(tmpdir()), PREFIX))
    takeProcessLock(join(directory, LOCK))
    // As root the database runs as another user, which must be able to pass.
    chmodSync(directory, 0o711)
    const server = new TestServer(directory)
    const path = join(directory, 'ask')
    await new Promise<void>((done, failed) => server.#socket.once('error', failed).listen(path, done))
    process.env[SOCKET_VARIABLE] = path
    return server
  }

  private constructor(directory: string) {
    this.#directory = directory
    this.#socket = createServer((client) => {
      client.on('error', () => undefined) // a test process that was ended no longer wants the answer
      void this.#answer().then((answer) => client.end(JSON.stringify(answer)))
    })
  }

  async close(): Promise<void> {
    await new Promise((done) => this.#socket.close(done))
    // A start that failed was told to the tests; nothing runs then.
    const running = await this.#running?.catch(() => undefined)
    await running?.stop()
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }

  async #answer(): Promise<TestServerAnswer> {
    try {
      this.#running ??= startServer(this.#directory)
      const { admin, template } = await this.#running
      return { type: 'ready', admin, template }
    } catch (error) {
      return { type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    }
  }
}

function startServer(directory: string): Promise<RunningServer> {
  const url = process.env['DATABASE_URL']
  return url === undefined || url === '' ? startEmbedded(directory) : useExternal(url)
}

async function startEmbedded(directory: string): Promise<RunningServer> {
  // Speed over durability: nothing here outlives the run. Many workers with a pool each need more connections than one server does.
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' }
  const postgres = await startEmbeddedPostgres({ dataDir: join(directory, 'data'), log: silentLog, settings })
  const admin = withDatabase(postgres.connection, 'postgres')
  return { admin, template: await createTemplate(admin), stop: () => postgres.stop() }
}

async function useExternal(url: string): Promise<RunningServer> {
  const admin: DbConnection = { type: 'url', url }
  const template = await createTemplate(admin)
  const stop = async (): Promise<void> => {
    await using connection = await DedicatedConnection.open(admin)
    await connection.query(`DROP DATABASE ${template} WITH (FORCE)`)
  }
  return { admin, template, stop }
}

/** One migrated database; every test database is a copy of it. */
async function createTemplate(admin: DbConnection): Promise<string> {
  const template = `buildscale_template_${process.pid}`
  {
    await using connection = await DedicatedConnection.open(admin)
    await connection.query(`DROP DATABASE IF EXISTS ${template}`)
    await connection.query(`CREATE DATABASE ${template}`)
  }
  const db = createDb(withDatabase(admin, template), { log: silentLog })
  try {
    await migrate(db, { log: silentLog })
  } finally {
    await db.close()
  }
  return template
}

/** Ends the servers and removes the directories of runs that were killed before they could do so. */
function sweepKilledRuns(): void {
  const parent = realpathSync(tmpdir())
  const directories = readdirSync(parent).filter((entry) => entry.startsWith(PREFIX)).map((name) => join(parent, name))
  for (const directory of directories.filter(isAbandoned)) {
    const orphan = findServer({ pgData: join(directory, 'data', 'postgres', 'data') })
    if (orphan !== undefined) signalProcess(orphan, 'SIGQUIT')
    rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
}

/** Another user's directory is theirs to sweep. One without a lock belongs to a run that is just starting, unless it is old. */
function isAbandoned(directory: string): boolean {
  const found = statSync(directory, { throwIfNoEntry: false })
  if (found === undefined || found.uid !== process.getuid?.()) return false
  const lock = join(directory, LOCK)
  return existsSync(lock) ? lockHolder(lock) === undefined : Date.now() - found.mtimeMs > 600_000
}
