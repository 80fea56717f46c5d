import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { silentLog } from '../../test/support/silent-log.ts'
import { createTestDatabase } from '../../test/support/test-database.ts'
import { StartError } from '../errors.ts'
import { createDb, type Db } from './db.ts'
import { migrate } from './migrate.ts'

const options = { log: silentLog }

const tables = async (db: Db): Promise<string[]> => {
  const { rows } = await sql<{ name: string }>`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`.execute(db.kysely)
  return rows.map(({ name }) => name)
}

it('makes the whole schema in an empty database, and a second run changes nothing', async () => {
  await using database = await createTestDatabase({ migrated: false })
  expect(await tables(database.db)).toEqual([])
  await migrate(database.db, options)
  const made = await tables(database.db)
  expect(made).toEqual(expect.arrayContaining(['users', 'files', 'file_versions', 'changes', 'chats', 'turns', 'tool_calls', 'schema_migrations']))
  await database.db.kysely.insertInto('users').values({ id: crypto.randomUUID(), name: 'kept', email: null }).execute()
  await migrate(database.db, options)
  expect(await tables(database.db)).toEqual(made)
  expect(await database.db.kysely.selectFrom('users').select('name').execute()).toEqual([{ name: 'kept' }])
})

it('lets servers that start at the same time take turns', async () => {
  await using database = await createTestDatabase({ migrated: false })
  const servers = [1, 2, 3].map(() => createDb(database.connection, options))
  await Promise.all(servers.map((db) => migrate(db, options)))
  const { rows } = await sql<{ count: number }>`SELECT count(*) AS count FROM schema_migrations`.execute(database.db.kysely)
  expect(rows[0]?.count).toBeGreaterThan(0)
  await Promise.all(servers.map((db) => db.close()))
})

it('leaves a schema that is newer than the program untouched, naming what it does not know', async () => {
  await using database = await createTestDatabase()
  await sql`INSERT INTO schema_migrations (name, timestamp) VALUES ('9999-from-the-future', '2030-01-01')`.execute(database.db.kysely)
  const before = await tables(database.db)
  const migrating = migrate(database.db, options)
  await expect(migrating).rejects.toThrow(StartError)
  await expect(migrating).rejects.toThrow(/9999-from-the-future.*Nothing was changed/)
  expect(await tables(database.db)).toEqual(before)
})

it('refuses a database that is not UTF-8, saying how to make one', async () => {
  await using database = await createTestDatabase({ migrated: false })
  const name = `latin_${crypto.randomUUID().replaceAll('-', '')}`
  await sql.raw(`CREATE DATABASE ${name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc TEMPLATE template0`).execute(database.db.kysely)
  const latin = createDb({ type: 'url', url: database.url.replace(/\/test_\w+/, `/${name}`) }, options)
  try {
    await expect(migrate(latin, options)).rejects.toThrow(/DATABASE_URL.*LATIN1.*ENCODING 'UTF8'/)
  } finally {
    await latin.close()
    await sql.raw(`DROP DATABASE ${name} WITH (FORCE)`).execute(database.db.kysely)
  }
})
