import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { createDb, type Db } from '../../src/db/db.ts'
import { connectionUrl, type DbConnection, withDatabase } from '../../src/db/db-connection.ts'
import { DedicatedConnection } from '../../src/db/dedicated-connection.ts'
import { silentLog } from './silent-log.ts'
import { SOCKET_VARIABLE, type TestServerAnswer } from './test-server.ts'

/** A migrated database of one test file, on the one server of the run. */
export interface TestDatabase {
  readonly db: Db
  readonly connection: DbConnection
  readonly url: string
  /** For child processes: `{...process.env, ...env}`. */
  readonly env: { readonly DATABASE_URL: string }
  /** Closes `db` and drops the database, whoever is still connected. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface TestDatabaseOptions {
  /** False: an empty database, for tests of migrations. Default true. */
  readonly migrated?: boolean
}

/** `await using database = await createTestDatabase()`, or dispose of it in `afterAll`. Takes about 50 ms; the first one of a run about a second. */
export async function createTestDatabase({ migrated = true }: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const { admin, template } = await askForServer()
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await command(admin, `CREATE DATABASE ${name} TEMPLATE ${migrated ? template : 'template0'}`)
  const connection = withDatabase(admin, name)
  const db = createDb(connection, { log: silentLog })
  const url = connectionUrl(connection)
  const dispose = async (): Promise<void> => {
    // Forced first: a connection that a failed test never gave back would otherwise keep the pool from closing.
    await command(admin, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await db.close()
  }
  return { db, connection, url, env: { DATABASE_URL: url }, [Symbol.asyncDispose]: dispose }
}

async function command(admin: DbConnection, text: string): Promise<void> {
  await using connection = await DedicatedConnection.open(admin)
  await connection.query(text)
}

async function askForServer(): Promise<Extract<TestServerAnswer, { type: 'ready' }>> {
  const path = process.env[SOCKET_VARIABLE]
  if (path === undefined) throw new Error('no test server: run the tests with vitest from the root of the repository')
  const socket = connect(path)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  const answer = JSON.parse(text) as TestServerAnswer
  if (answer.type === 'failed') throw new Error(`the test database did not start: ${answer.message}`)
  return answer
}
