import pg from 'pg'
import { clientConfig, type DbConnection } from './db-connection.ts'

/** What a query answers; columns are named by the caller's type. */
export type QueryRows<Row extends pg.QueryResultRow> = readonly Row[]

/**
 * One connection that stays open and never reconnects, for what lives as long as the connection: advisory locks and lease renewals.
 * When it is lost, its locks are gone; `lost` says so.
 */
export class DedicatedConnection {
  readonly #client: pg.Client
  readonly #lost = Promise.withResolvers<Error>()
  #closed = false

  /** Connects; rejects with the driver's error when the server cannot be reached. */
  static async open(connection: DbConnection): Promise<DedicatedConnection> {
    const client = new pg.Client(clientConfig(connection))
    const opened = new DedicatedConnection(client)
    await client.connect()
    return opened
  }

  private constructor(client: pg.Client) {
    this.#client = client
    let cause: Error | undefined
    // The first error is the reason; what follows from it says only that the connection ended.
    client.on('error', (error) => (cause ??= error))
    client.on('end', () => {
      if (!this.#closed) this.#lost.resolve(cause ?? new Error('the database closed the connection'))
    })
  }

  /** Resolves once, with the reason, when the connection ends without `close()`; never rejects. */
  get lost(): Promise<Error> {
    return this.#lost.promise
  }

  async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<QueryRows<Row>> {
    const { rows } = await this.#client.query<Row>(text, [...values])
    return rows
  }

  /** Takes the advisory lock named `key` if nobody holds it. It is held until this connection ends. */
  async tryLock(key: string): Promise<boolean> {
    const [row] = await this.query<{ taken: boolean }>('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS taken', [key])
    return row?.taken === true
  }

  /** Calls `handler` with the channel and payload of every notification. */
  onNotification(handler: (channel: string, payload: string) => void): void {
    this.#client.on('notification', ({ channel, payload }) => handler(channel, payload ?? ''))
  }

  /** Ends the connection; its locks are released by the server. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#client.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
