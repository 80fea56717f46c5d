import pg from 'pg'

/** Where a database is: the parts of our embedded server (`host` is its socket directory), or a URL as people give it in `DATABASE_URL`. */
export type DbConnection =
  | { readonly type: 'parts'; readonly host: string; readonly port: number; readonly user: string; readonly database: string }
  | { readonly type: 'url'; readonly url: string }

const INT8_OID = 20

/**
 * The driver's settings for one connection. int8 is read as number on purpose: our counters, seqs and sizes stay far below 2^53, and a value that
 * does not is an error rather than a silently wrong number. bytea is a Buffer and timestamptz a Date, as the driver does by itself.
 */
export function clientConfig(connection: DbConnection): pg.ClientConfig {
  const types = new pg.TypeOverrides()
  types.setTypeParser(INT8_OID, parseInt8)
  const common = { types, application_name: 'buildscale', keepAlive: true, connectionTimeoutMillis: 10_000 }
  if (connection.type === 'url') return { ...common, connectionString: connection.url }
  const { host, port, user, database } = connection
  // `ssl: false` because the driver would otherwise obey a PGSSLMODE that was meant for another server.
  return { ...common, host, port, user, database, ssl: false }
}

/** The same place as a URL, for `DATABASE_URL` of a child process. The driver reads a socket directory from the `host` parameter. */
export function connectionUrl(connection: DbConnection): string {
  if (connection.type === 'url') return connection.url
  const { host, port, user, database } = connection
  return `postgresql://${encodeURIComponent(user)}@localhost/${encodeURIComponent(database)}?host=${encodeURIComponent(host)}&port=${port}`
}

/** Another database of the same server. */
export function withDatabase(connection: DbConnection, database: string): DbConnection {
  if (connection.type === 'parts') return { ...connection, database }
  const url = new URL(connection.url)
  url.pathname = `/${encodeURIComponent(database)}`
  return { type: 'url', url: url.href }
}

function parseInt8(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 value ${text} does not fit a JavaScript number; cast it to text in the query`)
  return value
}
