import { sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { ConfigError, StartError } from '../errors.ts'
import type { Db, DbConn } from './db.ts'
import type { DbLog } from './db-log.ts'
import * as initial from './migrations/0001-initial.ts'
import * as quotasAndTags from './migrations/0002-quotas-and-tags.ts'
import * as search from './migrations/0003-search.ts'
import * as agents from './migrations/0004-agents.ts'
import * as semantic from './migrations/0008-semantic.ts'

/** Every migration, in order. A new one is a file `migrations/NNNN-name.ts` and a line here; a released one never changes. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-initial': initial,
  '0002-quotas-and-tags': quotasAndTags,
  '0003-search': search,
  '0004-agents': agents,
  '0008-semantic': semantic,
}

const TABLE = 'schema_migrations'
/** Any fixed number: servers that start at the same time on one database take turns under it. */
const LOCK_KEY = 7_104_311_482
const OLDEST_SERVER = 150_000

/**
 * Brings the schema to the newest version; a schema that is there already is left as it is.
 * Throws a ConfigError when the server is older than PostgreSQL 15 or not UTF-8, a StartError when the schema is newer than this program.
 */
export async function migrate(db: Db, { log }: { readonly log: DbLog }): Promise<void> {
  await db.kysely.connection().execute(async (conn) => {
    await checkServer(conn)
    await sql`SELECT pg_advisory_lock(${LOCK_KEY})`.execute(conn)
    try {
      await migrateLocked(conn, log)
    } finally {
      await sql`SELECT pg_advisory_unlock(${LOCK_KEY})`.execute(conn)
    }
  })
}

async function migrateLocked(conn: DbConn, log: DbLog): Promise<void> {
  const unknown = (await appliedMigrations(conn)).filter((name) => !(name in MIGRATIONS))
  if (unknown.length > 0) throw newerSchema(unknown)
  const migrator = new Migrator({
    db: conn,
    provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) },
    migrationTableName: TABLE,
    migrationLockTableName: `${TABLE}_lock`,
  })
  const { error, results = [] } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
  for (const { migrationName } of results) log.info({ migration: migrationName }, 'database schema migrated')
}

async function appliedMigrations(conn: DbConn): Promise<string[]> {
  const { rows: tables } = await sql<{ found: boolean }>`SELECT to_regclass(${TABLE}) IS NOT NULL AS found`.execute(conn)
  if (tables[0]?.found !== true) return []
  const { rows } = await sql<{ name: string }>`SELECT name FROM ${sql.table(TABLE)} ORDER BY name`.execute(conn)
  return rows.map((row) => row.name)
}

function newerSchema(unknown: readonly string[]): StartError {
  return new StartError(
    `The database was last used by a newer BuildScale: this version does not know ${unknown.join(', ')}. Nothing was changed. ` +
      'Start the newer version again, or restore a backup that was made with this one.',
  )
}

async function checkServer(conn: DbConn): Promise<void> {
  const { rows } = await sql<{ number: string; version: string; encoding: string }>`
    SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version, current_setting('server_encoding') AS encoding`.execute(conn)
  const [server] = rows
  if (server === undefined) throw new Error('the database server did not say its version')
  if (Number(server.number) < OLDEST_SERVER) throw new ConfigError(`DATABASE_URL: the server is PostgreSQL ${server.version}, 15 or newer is needed. Upgrade it, or unset DATABASE_URL to use the embedded one.`)
  if (server.encoding !== 'UTF8') throw new ConfigError(`DATABASE_URL: the database has the encoding ${server.encoding}, UTF8 is needed. Create one with: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`)
}
