import { type IsolationLevel, Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { AppError } from '../errors.ts'
import { clientConfig, type DbConnection } from './db-connection.ts'
import type { DbLog } from './db-log.ts'
import type { Database } from './schema.ts'

/** Something that runs queries: the pool, one connection, or a transaction. Repositories take it as their first argument. */
export type DbConn = Kysely<Database>

export interface DbOptions {
  readonly log: DbLog
  /** Most connections held at once; default 20. */
  readonly maxConnections?: number
}

export interface TransactionOptions {
  /** Default: read committed. Rows that must not move are locked, not serialised. */
  readonly isolation?: IsolationLevel
}

/** One database: a pool of connections and the query builder over it. */
export class Db {
  readonly kysely: DbConn
  /** Where it is, for connections of one's own (`DedicatedConnection`, `ListenConnection`). */
  readonly connection: DbConnection

  constructor(kysely: DbConn, connection: DbConnection) {
    this.kysely = kysely
    this.connection = connection
  }

  /** Runs `run` in a transaction: committed when it resolves, rolled back when it rejects, and the rejection passed on. */
  transaction<T>(run: (tx: DbConn) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const transaction = this.kysely.transaction()
    return (options.isolation === undefined ? transaction : transaction.setIsolationLevel(options.isolation)).execute(run)
  }

  /** Waits for running queries, then closes every connection. */
  close(): Promise<void> {
    return this.kysely.destroy()
  }
}

/** A `Db` over a pool. Nothing is connected before the first query; a server that cannot be reached rejects it with `unavailable`. */
export function createDb(connection: DbConnection, { log, maxConnections = 20 }: DbOptions): Db {
  const pool = new pg.Pool({ ...clientConfig(connection), max: maxConnections, idleTimeoutMillis: 30_000 })
  // Without a listener an idle connection that the server closes (57P01 at its stop) would end this process. The pool replaces it by itself.
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection was lost'))
  // The same for a connection in use: the pool listens only while it is idle. Its query rejects with the reason, so nothing more is to be said here.
  pool.on('connect', (client) => client.on('error', () => undefined))
  const dialect = new PostgresDialect({ pool: { connect: () => connect(pool), end: () => pool.end(), options: pool.options } })
  return new Db(new Kysely<Database>({ dialect }), connection)
}

async function connect(pool: pg.Pool): Promise<PostgresPoolClient> {
  try {
    return await pool.connect()
  } catch (cause) {
    throw new AppError('unavailable', 'The database cannot be reached right now. Try again in a moment.', { cause })
  }
}
