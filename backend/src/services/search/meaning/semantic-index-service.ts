import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Db } from '../../../db/db.ts'
import {
  advanceChunkSeq, type ChunkRow, claimFiles, type FilePassages, findPassages, type FoundPassage, hasPurged, readCutFiles, removePassages, replacePassages, storeChunks,
} from '../../../repositories/semantic-passage-repository.ts'
import { countSpace, readCountState, readSpaceState, type SpaceCounts } from '../../../repositories/semantic-vector-repository.ts'
import type { EmbeddingWorker } from './embedding-worker.ts'
import type { Embedder } from '../embedder.ts'
import { QueryVectors } from './query-vectors.ts'
import type { IndexedText, SemanticHit, SemanticIndex, SemanticQuery, SemanticStatus } from '../semantic-index.ts'
import { sweepWorkspace } from './semantic-sweep.ts'
import { CHUNK_RULES, chunkText, type TextChunk } from './text-chunks.ts'
import type { NearChunk, VectorIndex } from './vector-index.ts'

export interface SemanticIndexDeps {
  readonly db: Db
  readonly embedder: Embedder
  readonly vectors: VectorIndex
  readonly worker: Pick<EmbeddingWorker, 'wake' | 'lastError'>
}

/** Files whose passages are stored in one transaction. */
const FILES_AT_ONCE = 50
/** The first number of chunks that are looked at for an answer; more when too few of them are in the right folder. */
const FIRST_LOOK = 64
const EXCERPT = 400
const END_OF_TIME = new Date('9999-01-01')
/** Workspaces whose counts are remembered. */
const COUNTED = 1_000

/** Cuts texts into passages and leaves their vectors to the worker; answers from what has vectors already. */
export class SemanticIndexService implements SemanticIndex {
  readonly #deps: SemanticIndexDeps
  readonly #queries: QueryVectors
  /** By workspace, in the order of use. */
  readonly #counted = new Map<string, { readonly key: string; readonly counts: SpaceCounts }>()

  constructor(deps: SemanticIndexDeps) {
    this.#deps = deps
    this.#queries = new QueryVectors(deps.embedder)
  }

  async update(files: readonly IndexedText[], signal: AbortSignal): Promise<void> {
    for (const [workspaceId, texts] of Map.groupBy(files, (file) => file.workspaceId)) {
      const changed = await this.#changed(workspaceId, texts)
      for (let from = 0; from < changed.length; from += FILES_AT_ONCE) {
        signal.throwIfAborted()
        await this.#store(workspaceId, await cutFiles(changed.slice(from, from + FILES_AT_ONCE)))
      }
      if (changed.length > 0) this.#deps.worker.wake()
    }
  }

  async remove(workspaceId: string, fileIds: readonly string[]): Promise<void> {
    const { db } = this.#deps
    if (fileIds.length === 0) return
    await db.transaction(async (tx) => {
      await advanceChunkSeq(tx, workspaceId)
      await removePassages(tx, workspaceId, fileIds)
    })
    // Purged is purged: the texts of such files are not kept for a day as others are.
    if (await hasPurged(db.kysely, workspaceId, fileIds)) await sweepWorkspace(db, workspaceId, END_OF_TIME)
  }

  /** Throws `unavailable` when the question cannot be embedded now. */
  async search({ workspaceId, query, folder, limit, signal }: SemanticQuery): Promise<readonly SemanticHit[]> {
    const { db, embedder, vectors } = this.#deps
    const space = { workspaceId, embedder: embedder.id }
    if (((await readSpaceState(db.kysely, space))?.vectorSeq ?? 0) === 0) return []
    const vector = await this.#queries.vectorOf(query, signal)
    for (let look = Math.max(FIRST_LOOK, 2 * limit); ; look *= 8) {
      const near = await vectors.nearest({ space, vector, limit: look, signal })
      const meant = near.filter(({ score }) => score > embedder.noise)
      const passages = await findPassages(db.kysely, workspaceId, { hashes: meant.map(({ hash }) => hash), folder, limit })
      if (passages.length >= limit || near.length < look || meant.length < near.length) return hitsOf(passages, meant).slice(0, limit)
    }
  }

  async status(workspaceId: string): Promise<SemanticStatus> {
    const { embedder, worker } = this.#deps
    const { chunks, embedded, refused, lastError } = await this.#counts(workspaceId)
    const pending = chunks - embedded - refused
    return { chunks, embedded, pending, refused, embedder: embedder.id, isOffline: embedder.isOffline, lastError: pending === 0 ? null : (worker.lastError ?? lastError) }
  }

  /** Counted again only when something has changed: every search says how far the index is. */
  async #counts(workspaceId: string): Promise<SpaceCounts & { readonly lastError: string | null }> {
    const { db, embedder } = this.#deps
    const space = { workspaceId, embedder: embedder.id }
    const { key, lastError } = await readCountState(db.kysely, space)
    const known = this.#counted.get(workspaceId)
    const counts = known?.key === key ? known.counts : await countSpace(db.kysely, space)
    this.#counted.delete(workspaceId)
    this.#counted.set(workspaceId, { key, counts })
    const [oldest] = this.#counted.keys()
    if (oldest !== undefined && this.#counted.size > COUNTED) this.#counted.delete(oldest)
    return { ...counts, lastError }
  }

  /** Without those whose passages were made from these very bytes. */
  async #changed(workspaceId: string, texts: readonly IndexedText[]): Promise<readonly IndexedText[]> {
    const known = await readCutFiles(this.#deps.db.kysely, workspaceId, { fileIds: texts.map(({ fileId }) => fileId), rules: CHUNK_RULES })
    return texts.filter(({ fileId, hash }) => !known.has(`${fileId}:${hash.toString('hex')}`))
  }

  #store(workspaceId: string, cut: readonly CutFile[]): Promise<void> {
    return this.#deps.db.transaction(async (tx) => {
      await advanceChunkSeq(tx, workspaceId)
      const current = await claimFiles(tx, workspaceId, { files: cut, rules: CHUNK_RULES })
      const files = cut.filter(({ fileId }) => current.has(fileId))
      const chunks = new Map(files.flatMap((file) => file.chunks).map((chunk) => [chunk.hash.toString('hex'), chunk]))
      await storeChunks(tx, workspaceId, [...chunks.values()])
      await replacePassages(tx, workspaceId, files)
    })
  }
}

interface CutFile extends FilePassages {
  readonly chunks: readonly ChunkRow[]
}

/** One file after the other, so that a large one does not hold up the whole server for long. */
async function cutFiles(texts: readonly IndexedText[]): Promise<readonly CutFile[]> {
  const cut: CutFile[] = []
  for (const text of texts) {
    cut.push(cutFile(text))
    await nextTurn()
  }
  return cut
}

function cutFile(file: IndexedText): CutFile {
  const parts = chunkText(file).filter(hasWords).map((chunk) => ({ chunk, row: chunkRow(chunk) }))
  const passages = parts.map(({ chunk, row }) => ({ chunkHash: row.hash, startLine: chunk.startLine, endLine: chunk.endLine, heading: chunk.heading }))
  return { fileId: file.fileId, contentHash: file.hash, passages, chunks: parts.map(({ row }) => row) }
}

/** What is only signs has no meaning. */
function hasWords({ body }: TextChunk): boolean {
  return /[\p{L}\p{N}]/u.test(body)
}

/** The path is no part of it: a file that is moved is not embedded again. */
function chunkRow({ heading, body }: TextChunk): ChunkRow {
  const context = storable(heading ?? '')
  const text = storable(body)
  return { hash: createHash('sha256').update(context).update('\0').update(text).digest(), context, body: text }
}

/** PostgreSQL takes no NUL and no half of a pair in a text. */
function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed()
}

function hitsOf(passages: readonly FoundPassage[], chunks: readonly NearChunk[]): readonly SemanticHit[] {
  const scores = new Map(chunks.map(({ hash, score }) => [hash.toString('hex'), score]))
  return passages
    .map(({ chunkHash, body, ...place }) => ({ ...place, excerpt: excerptOf(body), score: scores.get(chunkHash) ?? 0 }))
    .toSorted((a, b) => b.score - a.score || (a.path < b.path ? -1 : a.path > b.path ? 1 : a.startLine - b.startLine))
}

/** The beginning of a passage, whole lines when they fit. */
function excerptOf(body: string): string {
  const text = body.trim()
  if (text.length <= EXCERPT) return text
  const start = text.slice(0, EXCERPT).toWellFormed()
  const end = Math.max(start.lastIndexOf('\n'), start.lastIndexOf(' '))
  return `${start.slice(0, end > EXCERPT / 2 ? end : EXCERPT).trimEnd()} …`
}
