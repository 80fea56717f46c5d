import { type ModelSim, startModelSim } from '@buildscale/model-sim'
import { createHash, randomUUID } from 'node:crypto'
import type { DbLog } from '../../src/db/db-log.ts'
import type { Db } from '../../src/db/db.ts'
import { RigEmbedder } from '../../src/services/chat/rig-embedder.ts'
import type { Embedder } from '../../src/services/search/embedder.ts'
import { type EmbeddingWorkerDeps, EmbeddingWorker } from '../../src/services/search/meaning/embedding-worker.ts'
import { ExactVectorIndex } from '../../src/services/search/meaning/exact-vector-index.ts'
import type { IndexedText, SemanticHit } from '../../src/services/search/semantic-index.ts'
import { SemanticIndexService } from '../../src/services/search/meaning/semantic-index-service.ts'
import type { VectorIndex } from '../../src/services/search/meaning/vector-index.ts'
import { MirrorFixture } from './mirror-fixture.ts'
import { silentLog } from './silent-log.ts'

const NO_PROVIDERS = { openai: undefined, anthropic: undefined, openrouter: undefined, ollama: undefined }
const NO_SIGNAL = new AbortController().signal
/** Fast enough for tests, and still in the order of the real ones. */
const TIMES = { pollMs: 200, firstPauseMs: 20, longestPauseMs: 200, leaseMs: 1_500, batchMs: 1_000 }

export interface SemanticNodeOptions {
  readonly embedder?: Embedder
  readonly vectors?: (db: Db) => VectorIndex
  readonly log?: DbLog
  /** Another one for each unless given. */
  readonly nodeId?: string
  readonly times?: EmbeddingWorkerDeps['times']
}

/** The search by meaning of one server. */
export interface SemanticNode {
  readonly index: SemanticIndexService
  readonly worker: EmbeddingWorker
  readonly embedder: Embedder
}

/** Files in a real database, and an embedding server on loopback that keeps every text it was sent. */
export class SemanticFixture {
  readonly files: MirrorFixture
  readonly model: ModelSim
  readonly #nodes: SemanticNode[] = []

  static async create(): Promise<SemanticFixture> {
    return new SemanticFixture(await MirrorFixture.create(), await startModelSim({ models: 'any' }))
  }

  private constructor(files: MirrorFixture, model: ModelSim) {
    this.files = files
    this.model = model
  }

  get db(): Db {
    return this.files.database.db
  }

  /** Every text that reached the embedding server, in order. */
  get sent(): readonly string[] {
    return this.model.requests().filter(({ path }) => path === '/v1/embeddings').flatMap(({ body }) => inputOf(body))
  }

  /** The embedder of the product, over HTTP. */
  embedder(id?: string): Embedder {
    const offline = RigEmbedder.fromSettings({ model: undefined, providers: NO_PROVIDERS, offlineUrl: this.model.url })
    return id === undefined ? offline : { id, isOffline: offline.isOffline, noise: offline.noise, embed: (texts, signal) => offline.embed(texts, signal) }
  }

  /** Another server on the same database. */
  startNode({ embedder = this.embedder(), vectors, log = silentLog, nodeId = randomUUID(), times = {} }: SemanticNodeOptions = {}): SemanticNode {
    const { db } = this
    const worker = new EmbeddingWorker({ db, embedder, nodeId, log, times: { ...TIMES, ...times } })
    const index = new SemanticIndexService({ db, embedder, vectors: vectors?.(db) ?? new ExactVectorIndex({ db, maxBytes: 64 * 1024 * 1024 }), worker })
    const node = { index, worker, embedder }
    this.#nodes.push(node)
    worker.start()
    return node
  }

  /** Writes files and tells the index of them, as the follower of the journal does. */
  async write({ index }: Pick<SemanticNode, 'index'>, workspaceId: string, files: Readonly<Record<string, string>>): Promise<void> {
    await this.files.write(workspaceId, files)
    await index.update(await this.texts(workspaceId, Object.keys(files)), NO_SIGNAL)
  }

  /** The latest texts of active files. */
  async texts(workspaceId: string, paths?: readonly string[]): Promise<readonly IndexedText[]> {
    const rows = await this.db.kysely
      .selectFrom('files')
      .innerJoin('file_versions', (join) => join.onRef('file_versions.workspace_id', '=', 'files.workspace_id').onRef('file_versions.id', '=', 'files.latest_version_id'))
      .innerJoin('blobs', (join) => join.onRef('blobs.workspace_id', '=', 'files.workspace_id').onRef('blobs.hash', '=', 'file_versions.blob_hash'))
      .select(['files.id', 'files.path', 'file_versions.blob_hash', 'file_versions.mime', 'blobs.content'])
      .where('files.workspace_id', '=', workspaceId)
      .where('files.deleted_at', 'is', null)
      .execute()
    const wanted = paths === undefined ? rows : rows.filter(({ path }) => paths.includes(path))
    return wanted.map(({ id, path, blob_hash: hash, mime, content }) => ({ workspaceId, fileId: id, path, hash, mime, text: content?.toString('utf8') ?? '' }))
  }

  async fileId(workspaceId: string, path: string): Promise<string> {
    return (await this.texts(workspaceId, [path]))[0]?.fileId ?? ''
  }

  /** Waits until every passage of the workspace has its vector. */
  async settled({ index }: Pick<SemanticNode, 'index'>, workspaceId: string): Promise<void> {
    const end = Date.now() + 20_000
    for (let status = await index.status(workspaceId); status.pending > 0; status = await index.status(workspaceId)) {
      if (Date.now() > end) throw new Error(`still pending: ${JSON.stringify(status)}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  search({ index }: Pick<SemanticNode, 'index'>, workspaceId: string, query: { readonly query: string; readonly folder?: string; readonly limit?: number }): Promise<readonly SemanticHit[]> {
    return index.search({ workspaceId, folder: '/', limit: 5, signal: NO_SIGNAL, ...query })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map(({ worker }) => worker.close()))
    await this.model.close()
    await this.files[Symbol.asyncDispose]()
  }
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function inputOf(body: unknown): readonly string[] {
  if (typeof body !== 'object' || body === null || !('input' in body)) return []
  return Array.isArray(body.input) ? body.input.map(String) : [String(body.input)]
}
