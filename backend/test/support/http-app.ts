import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { type AppDeps, createApp } from '../../src/app.ts'
import { AgentCatalog } from '../../src/services/agents/agent-catalog.ts'
import { AuthService } from '../../src/services/auth/auth-service.ts'
import { IdempotentTransactions } from '../../src/services/auth/idempotent-transactions.ts'
import { PeopleService } from '../../src/services/auth/people-service.ts'
import { FileTags } from '../../src/services/files/file-tags.ts'
import { FileService } from '../../src/services/files/file-service.ts'
import { JournalFeed } from '../../src/services/files/journal-feed.ts'
import { JournalReader } from '../../src/services/files/journal-reader.ts'
import { RewindService } from '../../src/services/files/rewind-service.ts'
import { LinkGraph } from '../../src/services/search/links/link-graph.ts'
import { TextSearch } from '../../src/services/search/words/text-search.ts'
import { WorkspaceSearch } from '../../src/services/search/workspace-search.ts'
import { ExportService } from '../../src/services/transfer/export-service.ts'
import { ImportService } from '../../src/services/transfer/import-service.ts'
import { MemberService } from '../../src/services/workspaces/member-service.ts'
import { WorkspaceService } from '../../src/services/workspaces/workspace-service.ts'
import { TOOL_NAMES } from '../../src/tools/registry.ts'
import { silentLog } from './silent-log.ts'
import { createTestDatabase, type TestDatabase } from './test-database.ts'

export interface HttpRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'
  /** Below `/api/v1`. */
  readonly path: string
  /** Sent as JSON; a Buffer or a text as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

type HttpCaller = (request: HttpRequest) => Promise<LightMyRequestResponse>

/** The HTTP side over real services and a real database, without mirror, search and chats: those are tried with the whole server. */
export interface HttpApp {
  readonly app: FastifyInstance
  readonly database: TestDatabase
  readonly auth: AuthService
  /** Lines of the log. */
  readonly logged: readonly string[]
  /** What the mirror was told of. */
  readonly mirrored: readonly { readonly workspaceId: string; readonly seq: number }[]
  readonly owner: { readonly id: string; readonly token: string; readonly workspaceId: string; readonly call: HttpCaller }
  /** Without any sign-in. */
  readonly anonymous: HttpCaller
  caller(token: string): HttpCaller
  /** Another user with a token. */
  addUser(name: string): Promise<{ readonly id: string; readonly token: string; readonly call: HttpCaller }>
  [Symbol.asyncDispose](): Promise<void>
}

export interface HttpAppOptions {
  readonly fileBytes?: number
  readonly deps?: Partial<AppDeps>
}

export async function createHttpApp({ fileBytes = 64 * 1024 * 1024, deps = {} }: HttpAppOptions = {}): Promise<HttpApp> {
  const database = await createTestDatabase()
  const dataDir = mkdtempSync(join(tmpdir(), 'buildscale-http-'))
  const { db } = database
  const logged: string[] = []
  const mirrored: { workspaceId: string; seq: number }[] = []
  const files = new FileService({ db, journal: { changed: (workspaceId, seq) => void mirrored.push({ workspaceId, seq }) }, limits: { fileBytes }, tempDir: join(dataDir, 'spool') })
  const idempotent = new IdempotentTransactions({ db })
  const auth = new AuthService({ db })
  const app = createApp({
    version: '0.0.0-test',
    log: pino({ level: 'info' }, { write: (line: string) => void logged.push(line) }),
    hosts: { loopbackOnly: true, allowedHosts: [] },
    publicUrl: undefined,
    webRoot: undefined,
    ready: () => Promise.resolve({ database: { ok: true } }),
    models: () => ({ items: [], offline: true, problems: [] }),
    doctor: () => Promise.resolve({ ok: true, workspaces: [] }),
    auth,
    people: new PeopleService({ db, idempotent }),
    workspaces: new WorkspaceService({ db, idempotent, quotaBytes: null }),
    removal: { begin: () => undefined },
    stopTurns: () => Promise.resolve(),
    tags: new FileTags({ db }),
    members: new MemberService({ db }),
    files,
    history: { rewinds: new RewindService({ db, files }), journal: new JournalReader({ db, journal: new JournalFeed() }), isMember: () => Promise.resolve(true), closing: new AbortController().signal },
    agents: new AgentCatalog({ tools: TOOL_NAMES, modelFault: () => undefined }),
    pages: { read: () => Promise.reject(new Error('no web here')) },
    webSearch: undefined,
    shell: { run: () => Promise.reject(new Error('no shell here')) },
    search: new WorkspaceSearch({ files: { grep: noMirror, glob: noMirror }, text: new TextSearch(db.kysely), semantic: undefined, conn: db.kysely, log: silentLog }),
    links: new LinkGraph(db.kysely),
    imports: new ImportService({ db, files }),
    exports: new ExportService({ db }),
    db,
    idempotent,
    // Chat routes are registered, but nothing here may reach them.
    chats: {} as AppDeps['chats'],
    ...deps,
  })
  const local = await auth.bootstrapLocal({ dataDir })
  const caller = (token?: string): HttpCaller => (request) => send(app, request, token)
  const call = caller(local.token)
  const workspaceId = (await call({ path: '/workspaces' })).json<{ items: { id: string }[] }>().items[0]?.id ?? ''
  return {
    app,
    database,
    auth,
    logged,
    mirrored,
    owner: { id: local.user.id, token: local.token, workspaceId, call },
    anonymous: caller(),
    caller,
    addUser: async (name) => {
      const { user } = (await call({ method: 'POST', path: '/users', body: { name } })).json<{ user: { id: string } }>()
      const { token } = (await call({ method: 'POST', path: '/tokens', body: { name: 'test', user_id: user.id } })).json<{ token: string }>()
      return { id: user.id, token, call: caller(token) }
    },
    [Symbol.asyncDispose]: async () => {
      await app.close()
      rmSync(dataDir, { recursive: true, force: true })
      await database[Symbol.asyncDispose]()
    },
  }
}

const noMirror = () => Promise.reject(new Error('no disk copy here'))

function send(app: FastifyInstance, { method = 'GET', path, body, headers = {} }: HttpRequest, token: string | undefined): Promise<LightMyRequestResponse> {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body)
  return app.inject({
    method,
    url: `/api/v1${path}`,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': isRaw ? 'application/octet-stream' : 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { payload: isRaw ? body : JSON.stringify(body) }),
  })
}
