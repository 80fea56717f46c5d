import { startModelSim, type ModelSim } from '@buildscale/model-sim'
import { type BuildScaleClient, createClient } from '@buildscale/sdk'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { readConfig } from '../../src/config.ts'
import { buildContainer, type Container } from '../../src/container.ts'
import { createTestDatabase, type TestDatabase } from './test-database.ts'

export interface RunningAppOptions {
  /** A script for the model; without one it is the offline model. */
  readonly script?: object
  readonly env?: Readonly<Record<string, string>>
  /** A built page to serve. */
  readonly webRoot?: string
  /** Another node on the database of this app. */
  readonly beside?: RunningApp
}

/** The whole server in this process, on a real port, over a database of its own and a model on loopback. */
export interface RunningApp {
  readonly url: string
  readonly token: string
  readonly client: BuildScaleClient
  readonly userId: string
  readonly workspaceId: string
  readonly dataDir: string
  readonly database: TestDatabase
  /** `requests()` are the questions of turns; the texts that the search by meaning sends for their vectors come when they come. */
  readonly model: ModelSim
  readonly container: Container
  readonly logged: readonly string[]
  /** A second person, with a workspace of their own. */
  addPerson(name: string): Promise<{ readonly client: BuildScaleClient; readonly token: string; readonly userId: string; readonly workspaceId: string }>
  [Symbol.asyncDispose](): Promise<void>
}

export async function startApp(options: RunningAppOptions = {}): Promise<RunningApp> {
  const database = options.beside?.database ?? (await createTestDatabase())
  const dataDir = mkdtempSync(join(tmpdir(), 'buildscale-app-'))
  const model = await startModelSim({ models: 'any', ...(options.script !== undefined && { script: options.script }) })
  const isScripted = options.script !== undefined
  const config = readConfig({ BUILDSCALE_DATA_DIR: dataDir, ...(isScripted && { OPENAI_BASE_URL: model.url }), ...options.env })
  const logged: string[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) })
  const container = await buildContainer({ config, db: database.db, nodeId: randomUUID(), log, offlineUrl: model.url, ...(options.webRoot !== undefined && { webRoot: options.webRoot }) })
  const { user, token } = await container.auth.bootstrapLocal({ dataDir })
  await container.start()
  const url = await container.app.listen({ host: '127.0.0.1', port: 0 })
  const client = createClient({ url, token })
  const { workspaces } = await client.me()
  const addPerson: RunningApp['addPerson'] = async (name) => {
    const { user: person } = await client.users.create({ name })
    const issued = await client.tokens.create({ name: 'test', user_id: person.id })
    const theirs = createClient({ url, token: issued.token })
    const workspace = await theirs.workspaces.create({ name: `${name}'s` })
    return { client: theirs, token: issued.token, userId: person.id, workspaceId: workspace.id }
  }
  return {
    url,
    token,
    client,
    userId: user.id,
    workspaceId: workspaces[0]?.id ?? '',
    dataDir,
    database,
    model: { ...model, requests: () => model.requests().filter(({ path }) => path !== '/v1/embeddings') },
    container,
    logged,
    addPerson,
    [Symbol.asyncDispose]: async () => {
      await container.close()
      await model.close()
      rmSync(dataDir, { recursive: true, force: true })
      if (options.beside === undefined) await database[Symbol.asyncDispose]()
    },
  }
}
