/** The composition root: the only file that constructs services. Top to bottom, each line needs only what stands above it. */
import type { FastifyBaseLogger } from 'fastify'
import { sql } from 'kysely'
import { existsSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AppDeps, createApp } from './app.ts'
import type { Config } from './config.ts'
import type { Db } from './db/db.ts'
import { AppError } from './errors.ts'
import { ListenConnection } from './db/listen-connection.ts'
import { DiskMirrorService } from './mirror/disk-mirror-service.ts'
import { workspacesBehind } from './repositories/search-repository.ts'
import { AgentCatalog } from './services/agents/agent-catalog.ts'
import { AuthService } from './services/auth/auth-service.ts'
import { IdempotentTransactions } from './services/auth/idempotent-transactions.ts'
import { PeopleService } from './services/auth/people-service.ts'
import { ChatBroadcast, CHANNEL } from './services/chat/chat-broadcast.ts'
import { ChatCommands } from './services/chat/chat-commands.ts'
import { WriterLanes } from './services/chat/chat-delta-writer.ts'
import { ChatEventReader } from './services/chat/chat-event-reader.ts'
import { ChatSessions } from './services/chat/chat-session.ts'
import { ChatService } from './services/chat/chat-service.ts'
import { ChatTurnQueue } from './services/chat/chat-turn-queue.ts'
import { ChatTurnRunner } from './services/chat/chat-turn-runner.ts'
import { ChatWorker } from './services/chat/chat-worker.ts'
import { RigContextInspector } from './services/chat/rig-context.ts'
import { RigEmbedder } from './services/chat/rig-embedder.ts'
import { RigModels, type RigModelSettings } from './services/chat/rig-models.ts'
import { RigService } from './services/chat/rig-service.ts'
import { BlobCollector } from './services/files/blob-collector.ts'
import { DiskEditService } from './services/files/disk-edit-service.ts'
import { FileService } from './services/files/file-service.ts'
import { FileTags } from './services/files/file-tags.ts'
import { JournalFeed } from './services/files/journal-feed.ts'
import { JournalReader } from './services/files/journal-reader.ts'
import { RewindService } from './services/files/rewind-service.ts'
import { EmbeddingWorker } from './services/search/meaning/embedding-worker.ts'
import { ExactVectorIndex } from './services/search/meaning/exact-vector-index.ts'
import { JournalFollower } from './services/search/journal-follower.ts'
import { LinkGraph } from './services/search/links/link-graph.ts'
import { PgvectorIndex } from './services/search/meaning/pgvector-index.ts'
import { DiskSearch } from './services/search/disk/disk-search.ts'
import { SemanticIndexService } from './services/search/meaning/semantic-index-service.ts'
import { SemanticJournalIndex } from './services/search/meaning/semantic-journal-index.ts'
import { TextAnalyser } from './services/search/words/text-analyser.ts'
import { TextIndex } from './services/search/words/text-index.ts'
import { TextSearch } from './services/search/words/text-search.ts'
import { WorkspaceSearch } from './services/search/workspace-search.ts'
import { ShellService } from './services/shell/shell-service.ts'
import { ExportService } from './services/transfer/export-service.ts'
import { ImportService } from './services/transfer/import-service.ts'
import { configuredSearch } from './services/web/configured-search.ts'
import { PageReader } from './services/web/page-reader.ts'
import { WebClient } from './services/web/web-client.ts'
import { WebPages } from './services/web/web-pages.ts'
import { DoctorService } from './services/workspaces/doctor-service.ts'
import { MemberService } from './services/workspaces/member-service.ts'
import { WorkspaceRemoval } from './services/workspaces/workspace-removal.ts'
import { WorkspaceService } from './services/workspaces/workspace-service.ts'
import { TOOL_NAMES } from './tools/registry.ts'
import type { ToolServices } from './tools/tool.ts'
import { VERSION } from './version.ts'
import { BackgroundJobs } from './workers/background-jobs.ts'
import { BlobCleanup } from './workers/blob-cleanup.ts'
import { indexQueues, SearchIndexing } from './workers/search-indexing.ts'

export interface ContainerOptions {
  readonly config: Config
  readonly db: Db
  readonly nodeId: string
  readonly log: FastifyBaseLogger
  /** Base URL of the offline model. */
  readonly offlineUrl: string
  /** The folder with the built page; default: the one that `npm start` builds, if it is there. */
  readonly webRoot?: string
}

/** Turns that run at the same time on one node; they wait for models most of the time. */
const MAX_RUNNING_TURNS = 64
/** Memory for the vectors of workspaces that are searched by meaning; never more than a quarter of what the machine has. */
const MAX_VECTOR_BYTES = 1024 ** 3

export type Container = Awaited<ReturnType<typeof buildContainer>>

export async function buildContainer(options: ContainerOptions) {
  const { config, db, log } = options
  const { mirror, journal, files, tags, shell, cleanup, doctor } = buildFiles(options)
  const { idempotent, auth, people, workspaces, members } = buildPeople(options)
  const removal = new WorkspaceRemoval({ db, mirror, log })
  const { search, links, indexing } = await buildSearch(options, { journal, mirror })
  const tools = { files, search, shell, ...buildWeb(config) }
  const chat = await buildChat(options, { journal, tools })
  const closing = new AbortController()
  const isMember = async (of: { readonly workspaceId: string; readonly userId: string }): Promise<boolean> => (await workspaces.roleOf(of)) !== undefined
  const deps: AppDeps = {
    log,
    version: VERSION,
    ready: () => readiness({ db, mirror, worker: chat.worker, jobs: indexing }),
    models: () => modelList(chat.models),
    doctor: (options) => doctor.inspect(options),
    auth,
    people,
    workspaces,
    members,
    removal,
    stopTurns: (workspaceId) => chat.commands.stopWorkspace(workspaceId),
    ...tools,
    tags,
    history: { rewinds: new RewindService({ db, files }), journal: new JournalReader({ db, journal }), isMember, closing: closing.signal },
    imports: new ImportService({ db, files }),
    exports: new ExportService({ db }),
    links,
    agents: chat.agents,
    db,
    idempotent,
    chats: { chats: chat.chats, commands: chat.commands, events: chat.events, context: chat.context, idempotent, isMember, closing: closing.signal },
    publicUrl: undefined,
    hosts: { loopbackOnly: isLoopback(config.host), allowedHosts: config.allowedHosts },
    webRoot: options.webRoot ?? builtPage(),
  }
  const app = createApp(deps)
  return {
    app,
    auth,
    /** Clears what an earlier life left, and begins the work that needs no request. */
    async start(): Promise<boolean> {
      await files.clearSpool()
      await mirror.start()
      cleanup.start()
      await indexing.start()
      removal.begin()
      return chat.worker.start()
    },
    /** Ends streams and turns first, so that nothing that still needs the database outlives it. */
    async close(): Promise<void> {
      closing.abort()
      await chat.worker.stop()
      await app.close()
      await cleanup.close()
      await indexing.close()
      await removal.close()
      await mirror.close()
      await chat.close()
    },
  }
}

/** The files of workspaces, and what follows their journals. */
function buildFiles({ config, db, log }: ContainerOptions) {
  const journal = new JournalFeed()
  const files = new FileService({ db, journal, limits: config.limits, tempDir: join(config.dataDir, 'spool') })
  const mirror = new DiskMirrorService({ db, dataDir: config.dataDir, log, importer: new DiskEditService({ files, limits: config.limits }) })
  journal.onChanged(({ workspaceId, seq }) => mirror.changed(workspaceId, seq))
  return {
    mirror,
    journal,
    files,
    tags: new FileTags({ db }),
    shell: new ShellService({ mirror, files }),
    cleanup: new BlobCleanup({ blobs: new BlobCollector({ db }), log }),
    doctor: new DoctorService({ db, mirror }),
  }
}

/** Who there is, and who may what in which workspace. */
function buildPeople({ config, db }: ContainerOptions) {
  const idempotent = new IdempotentTransactions({ db })
  return {
    idempotent,
    auth: new AuthService({ db }),
    people: new PeopleService({ db, idempotent }),
    workspaces: new WorkspaceService({ db, idempotent, quotaBytes: config.workspaceQuotaBytes }),
    members: new MemberService({ db }),
  }
}

/** The search by meaning: passages, and the worker that gives them their vectors. */
async function buildSemantic({ config, db, nodeId, log, offlineUrl }: ContainerOptions) {
  const embedder = RigEmbedder.fromSettings({ model: config.embeddingModel, providers: config.providers, offlineUrl })
  const worker = new EmbeddingWorker({ db, embedder, nodeId, log })
  const vectors = (await PgvectorIndex.open({ db, log })) ?? new ExactVectorIndex({ db, maxBytes: Math.min(MAX_VECTOR_BYTES, totalmem() / 4) })
  return { index: new SemanticIndexService({ db, embedder, vectors, worker }), worker }
}

/** Everything that searches, and the background work that its indexes need. */
async function buildSearch(options: ContainerOptions, { journal, mirror }: { readonly journal: JournalFeed; readonly mirror: DiskMirrorService }) {
  const { db, log } = options
  const { index: semantic, worker: embedding } = await buildSemantic(options)
  const analyser = new TextAnalyser()
  const followers = [new TextIndex({ db, analyser, log }), new SemanticJournalIndex({ db, semantic })].map((index) => new JournalFollower({ db, index, log }))
  const jobs = new BackgroundJobs({ connection: db.connection, log }, indexQueues(followers))
  const indexing = new SearchIndexing({ journal, jobs, log, followers, behind: (name) => workspacesBehind(db.kysely, name) })
  return {
    search: new WorkspaceSearch({ files: new DiskSearch({ mirror }), text: new TextSearch(db.kysely), semantic, conn: db.kysely, log }),
    links: new LinkGraph(db.kysely),
    indexing: {
      failure: () => jobs.failure,
      async start(): Promise<void> {
        await jobs.start()
        embedding.start()
        indexing.start()
      },
      async close(): Promise<void> {
        await indexing.close()
        await jobs.close()
        await analyser.close()
        await embedding.close()
      },
    },
  }
}

/** What tools may do with the web. */
function buildWeb({ web }: Config): Pick<ToolServices, 'pages' | 'webSearch'> {
  return { pages: new WebPages({ client: new WebClient({ allowed: web.allowed }), reader: new PageReader() }), webSearch: configuredSearch(web) }
}

interface ChatParts {
  readonly journal: JournalFeed
  /** What agents' tools work with. */
  readonly tools: ToolServices & { readonly files: FileService }
}

async function buildChat({ config, db, nodeId, log, offlineUrl }: ContainerOptions, { journal, tools }: ChatParts) {
  const listening = await ListenConnection.open({ connection: db.connection, log })
  const broadcast = new ChatBroadcast({ db, nodeId, log })
  await listening.listen(CHANNEL, (payload) => broadcast.received(payload))
  listening.onRestored(() => broadcast.wakeAll())
  journal.onChanged(({ workspaceId, seq, origin }) => {
    if (origin === 'here') broadcast.journalChanged(workspaceId, seq)
  })
  broadcast.onJournalChanged((workspaceId, seq) => journal.changedElsewhere(workspaceId, seq))

  const models = new RigModels(modelSettings(config, offlineUrl))
  const rig = new RigService({ models, services: tools, blobs: tools.files, log })
  const agents = new AgentCatalog({ tools: TOOL_NAMES, modelFault: (model) => modelFault(models, model) })
  const sessions = new ChatSessions({ db, agents, models })
  const context = new RigContextInspector({ db, rig, sessions })
  const chats = new ChatService({ db, files: tools.files, agents, models, broadcast, now: () => new Date() })
  const commands = new ChatCommands({ db, broadcast })
  const events = new ChatEventReader({ db, broadcast })
  const runner = new ChatTurnRunner({ db, journal, broadcast, lanes: new WriterLanes(), engine: rig, sessions, log, turnMs: config.limits.turnMs })
  const queue = new ChatTurnQueue({ db, broadcast, nodeId, log, maxRunning: MAX_RUNNING_TURNS, runTurn: (turn, signal) => runner.run(turn, signal) })
  const worker = new ChatWorker({ connection: db.connection, nodeId, queue, log })

  return {
    agents,
    models,
    context,
    chats,
    commands,
    events,
    worker,
    async close(): Promise<void> {
      await broadcast.close()
      await listening.close()
    },
  }
}

/** Why a model cannot be used; undefined when it can. */
function modelFault(models: RigModels, model: string): string | undefined {
  try {
    models.resolve(model)
    return undefined
  } catch (error) {
    if (error instanceof AppError) return error.message
    throw error
  }
}

function modelSettings({ model, providers }: Config, offlineUrl: string): RigModelSettings {
  return { defaultModel: model, providers, offlineUrl }
}

function modelList(models: RigModels): Awaited<ReturnType<AppDeps['models']>> {
  const { items, offline, problems } = models.list()
  return { items: [...items], offline, problems: [...problems] }
}

type Parts = Awaited<ReturnType<AppDeps['ready']>>

interface ReadinessParts {
  readonly db: Db
  readonly mirror: Pick<DiskMirrorService, 'status'>
  readonly worker: ChatWorker
  readonly jobs: { failure(): string | undefined }
}

async function readiness({ db, mirror, worker, jobs }: ReadinessParts): Promise<Parts> {
  const failure = jobs.failure()
  const behind = mirror.status().filter((status) => status.behind)
  const [first] = behind
  const notice = mirror.status().find((status) => status.notice !== null)
  return {
    database: await answers(db),
    mirror: first === undefined ? { ok: true, ...(notice !== undefined && { detail: `${notice.workspaceId}: ${notice.notice}` }) } : { ok: false, detail: `${behind.length} workspace(s) behind; ${first.workspaceId}: ${first.error ?? 'catching up'}` },
    queue: worker.isWorking ? { ok: true } : { ok: false, detail: 'this node does not hold its lock' },
    jobs: failure === undefined ? { ok: true } : { ok: false, detail: failure },
  }
}

async function answers(db: Db): Promise<Parts[string]> {
  try {
    await sql`SELECT 1`.execute(db.kysely)
    return { ok: true }
  } catch {
    // Which way it fails is in the log; the outside only needs to know that it does.
    return { ok: false, detail: 'the database does not answer' }
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

function builtPage(): string | undefined {
  const folder = fileURLToPath(new URL('../../web/dist', import.meta.url))
  return existsSync(join(folder, 'index.html')) ? folder : undefined
}
