import type { Db } from '../../../db/db.ts'
import type { DbLog } from '../../../db/db-log.ts'
import { copyVectors, isPgvectorOffered, lastCopiedSeq, makeSpaceIndex, MOST_CANDIDATES, nearestVectors, setUpPgvector } from '../../../repositories/pgvector-repository.ts'
import { countVectors, readSpaceState, readVectors, type VectorSpace } from '../../../repositories/semantic-vector-repository.ts'
import { vectorOf } from './vector-bytes.ts'
import type { NearChunk, NearestRequest, VectorIndex } from './vector-index.ts'

export interface PgvectorIndexDeps {
  readonly db: Db
  readonly log: DbLog
  /** Vectors of a workspace from which on it gets an index of its own; below, comparing all is as fast and misses nothing. */
  readonly indexFrom?: number
}

const INDEX_FROM = 20_000
const PAGE = 200

/**
 * The vectors as a table of pgvector, for servers that have the extension: nothing is held in memory here, and large workspaces get an index of pgvector's own, one
 * for each, so that another tenant's vectors never take the place of one's own. That index is approximate: it may miss a near one.
 */
export class PgvectorIndex implements VectorIndex {
  readonly kind = 'pgvector'
  readonly #deps: PgvectorIndexDeps
  readonly #indexFrom: number
  readonly #indexed = new Set<string>()
  #building: Promise<void> = Promise.resolve()

  /** The index, when the server has the extension and lets us use it; never throws because of that. */
  static async open(deps: PgvectorIndexDeps): Promise<PgvectorIndex | undefined> {
    const { db, log } = deps
    if (!(await isPgvectorOffered(db.kysely))) return undefined
    try {
      await db.transaction(setUpPgvector)
      return new PgvectorIndex(deps)
    } catch (error) {
      log.warn({ err: error }, 'the database server has pgvector, but it cannot be used; vectors are compared in this process instead')
      return undefined
    }
  }

  private constructor(deps: PgvectorIndexDeps) {
    this.#deps = deps
    this.#indexFrom = deps.indexFrom ?? INDEX_FROM
  }

  async nearest({ space, vector, limit, signal }: NearestRequest): Promise<readonly NearChunk[]> {
    const { db } = this.#deps
    const state = await readSpaceState(db.kysely, space)
    if (state === undefined || state.dimensions === null) return []
    if (vector.length !== state.dimensions) throw new Error(`the question has ${vector.length} coordinates, the stored vectors have ${state.dimensions}`)
    await this.#catchUp(space, signal)
    const mayHaveIndex = state.vectorSeq >= this.#indexFrom
    if (mayHaveIndex) this.#makeIndex(space, state.dimensions)
    const query = { space, dimensions: state.dimensions, text: textOf(vector) }
    const near = await db.transaction((tx) => nearestVectors(tx, { ...query, limit }))
    return mayHaveIndex && near.length < limit && limit <= MOST_CANDIDATES ? this.#all(query, limit) : near
  }

  /** Waits for the indexes that are being made. */
  async settle(): Promise<void> {
    await this.#building
  }

  /** An index that answers less than was asked for has not seen everything; only comparing all can say that there is no more. */
  #all(query: Omit<Parameters<typeof nearestVectors>[1], 'limit'>, limit: number): Promise<readonly NearChunk[]> {
    return this.#deps.db.transaction(async (tx) => (await nearestVectors(tx, { ...query, limit: MOST_CANDIDATES + 1 })).slice(0, limit))
  }

  /** Copies what was stored since the last look, in order, whichever node stored it. */
  async #catchUp(space: VectorSpace, signal: AbortSignal): Promise<void> {
    const { kysely } = this.#deps.db
    for (let after = await lastCopiedSeq(kysely, space); ; ) {
      signal.throwIfAborted()
      const page = await readVectors(kysely, space, { after, limit: PAGE })
      if (page.length > 0) await copyVectors(kysely, space, page.map(({ hash, seq, vector }) => ({ hash, seq, text: textOf(vectorOf(vector)) })))
      after = page.at(-1)?.seq ?? after
      if (page.length < PAGE) return
    }
  }

  /** In the background, one at a time: searches compare all until it is there. */
  #makeIndex(space: VectorSpace, dimensions: number): void {
    const { db, log } = this.#deps
    const key = `${space.workspaceId} ${space.embedder}`
    if (this.#indexed.has(key)) return
    this.#indexed.add(key)
    this.#building = this.#building.then(async () => {
      if ((await countVectors(db.kysely, space)) >= this.#indexFrom) await makeSpaceIndex(db.kysely, space, dimensions)
      else this.#indexed.delete(key)
    }).catch((error: unknown) => {
      this.#indexed.delete(key)
      log.warn({ err: error, workspace: space.workspaceId }, 'an index of vectors could not be made; all of them are compared instead')
    })
  }
}

function textOf(vector: Float32Array): string {
  return `[${vector.join(',')}]`
}
