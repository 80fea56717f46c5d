import { PgBoss } from 'pg-boss'
import type { DbConnection } from '../db/db-connection.ts'

interface JobLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface BackgroundJobsDeps {
  readonly connection: DbConnection
  readonly log: JobLog
}

/** Work that is done later, once per key: a queue holds at most one waiting job of each. */
export interface JobQueue {
  readonly name: string
  /** Jobs of this queue that one node works on at the same time. */
  readonly concurrency: number
  /** Rejects when it has to be tried again; the job then comes back, later each time. Ends soon after the signal. */
  run(key: string, signal: AbortSignal): Promise<void>
}

const SCHEMA = 'pgboss'
/** Connections of its own, so that jobs never wait for those of requests, nor requests for those of jobs. */
const CONNECTIONS = 3
const STOP_MS = 3_000
const RETRY_START_MS = 5_000
/** Tries of a job that fails, over about a day; whoever sends jobs looks by itself from time to time anyway. */
const RETRIES = { retryLimit: 100, retryDelay: 2, retryBackoff: true, retryDelayMax: 900 }

/** Jobs of all nodes on one database (pg-boss). A job whose node died is taken by another one; losing one is harmless, because senders also look by themselves. */
export class BackgroundJobs {
  readonly #deps: BackgroundJobsDeps
  readonly #queues: readonly JobQueue[]
  readonly #stop = new AbortController()
  #boss: PgBoss | undefined
  #starting: Promise<void> = Promise.resolve()
  #retry: NodeJS.Timeout | undefined
  #failure: string | undefined = 'not started'

  constructor(deps: BackgroundJobsDeps, queues: readonly JobQueue[]) {
    this.#deps = deps
    this.#queues = queues
  }

  /** What is wrong with it now; undefined when it works. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** Begins to work. Never rejects: what fails is logged, shown by `failure`, and tried again. */
  start(): Promise<void> {
    this.#starting = this.#start()
    return this.#starting
  }

  /** Asks for a job. A job with this key that waits already is enough. Does nothing while the queue cannot be reached: the sender's next look asks again. */
  async send(queue: string, key: string): Promise<void> {
    if (this.#failure !== undefined) return
    try {
      await this.#boss?.send(queue, { key }, { singletonKey: key })
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#deps.log.warn({ err: error, queue }, 'a background job could not be asked for; it is asked for again later')
    }
  }

  /** Ends running jobs, which go on where they were after the next start. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the server is stopping'))
    clearTimeout(this.#retry)
    await this.#starting
    await this.#boss?.stop({ graceful: true, timeout: STOP_MS })
  }

  async #start(): Promise<void> {
    const { connection, log } = this.#deps
    const boss = new PgBoss({ ...bossConnection(connection), schema: SCHEMA, max: CONNECTIONS, useListenNotify: true, schedule: false })
    boss.on('error', (error) => this.#stop.signal.aborted || log.warn({ err: error }, 'background jobs: an error'))
    boss.on('warning', (warning) => log.warn({ ...warning }, 'background jobs: a warning'))
    try {
      await boss.start()
      for (const queue of this.#queues) await this.#work(boss, queue)
      this.#boss = boss
      this.#failure = undefined
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error)
      log.warn({ err: error }, 'background jobs could not be started; they are tried again')
      await boss.stop({ graceful: false }).catch((failure: unknown) => log.warn({ err: failure }, 'background jobs did not stop cleanly'))
      if (!this.#stop.signal.aborted) this.#retry = setTimeout(() => void this.start(), RETRY_START_MS).unref()
    }
  }

  async #work(boss: PgBoss, queue: JobQueue): Promise<void> {
    await boss.createQueue(queue.name, { policy: 'short', notify: true, deleteAfterSeconds: 3_600, ...RETRIES })
    await boss.work<{ readonly key: string }>(queue.name, { localConcurrency: queue.concurrency }, async (jobs) => {
      for (const job of jobs) await this.#run(queue, job.data.key, job.signal)
    })
  }

  async #run(queue: JobQueue, key: string, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#stop.signal])
    try {
      await queue.run(key, either)
    } catch (error) {
      if (!either.aborted) this.#deps.log.warn({ err: error, queue: queue.name, key }, 'a background job failed and is tried again later')
      throw error
    }
  }
}

/** Jobs are hints about derived data, so their bookkeeping need not wait for the disk. */
function bossConnection(connection: DbConnection): ConstructorParameters<typeof PgBoss>[0] & object {
  const common = { application_name: 'buildscale jobs', options: '-c synchronous_commit=off' }
  if (connection.type === 'url') return { ...common, connectionString: connection.url }
  const { host, port, user, database } = connection
  return { ...common, host, port, user, database, ssl: false }
}
