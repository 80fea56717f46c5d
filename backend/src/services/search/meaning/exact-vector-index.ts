import type { Db } from '../../../db/db.ts'
import { countVectors, readSpaceState, readVectors, type SpaceState, type VectorSpace } from '../../../repositories/semantic-vector-repository.ts'
import { FlatVectors } from './flat-vectors.ts'
import type { NearChunk, NearestRequest, VectorIndex } from './vector-index.ts'

export interface ExactVectorIndexDeps {
  readonly db: Db
  /** Memory for the vectors of all workspaces together. */
  readonly maxBytes: number
}

/** Bytes of vectors that one query for them carries. */
const PAGE_BYTES = 4 * 1024 * 1024

/**
 * The vectors of workspaces that are searched, in memory, compared one by one: no answer is missed, and nothing has to be installed. Loaded at the first search of a
 * workspace, followed by seq after that, and forgotten when others need the memory. A workspace that is larger than all of it is read from the database at each search.
 */
export class ExactVectorIndex implements VectorIndex {
  readonly kind = 'exact'
  readonly #deps: ExactVectorIndexDeps
  /** In the order of use, the latest last. */
  readonly #loaded = new Map<string, LoadedSpace>()

  constructor(deps: ExactVectorIndexDeps) {
    this.#deps = deps
  }

  /** Memory that vectors take now. */
  get bytes(): number {
    return [...this.#loaded.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  async nearest(request: NearestRequest): Promise<readonly NearChunk[]> {
    const { space, vector, limit, signal } = request
    const state = await readSpaceState(this.#deps.db.kysely, space)
    if (state === undefined || state.dimensions === null) return []
    checkDimensions(vector, state.dimensions)
    const count = await this.#countOf(space, state)
    if (count * state.dimensions * 4 > this.#deps.maxBytes) return this.#scan(request, state.dimensions)
    const loaded = this.#touch(space)
    const vectors = await loaded.follow(state, count)
    this.#forgetOthers(loaded)
    return vectors.nearest(vector, limit, signal)
  }

  /** Vectors that the space has, or will have when it is brought up to date. */
  async #countOf(space: VectorSpace, state: SpaceState): Promise<number> {
    const loaded = this.#loaded.get(keyOf(space))
    return loaded?.countAt(state) ?? countVectors(this.#deps.db.kysely, space)
  }

  #touch(space: VectorSpace): LoadedSpace {
    const key = keyOf(space)
    const loaded = this.#loaded.get(key) ?? new LoadedSpace(this.#deps.db, space)
    this.#loaded.delete(key)
    this.#loaded.set(key, loaded)
    return loaded
  }

  #forgetOthers(kept: LoadedSpace): void {
    for (const [key, loaded] of this.#loaded) {
      if (this.bytes <= this.#deps.maxBytes) return
      if (loaded !== kept) this.#loaded.delete(key)
    }
  }

  /** Page by page, with the best ones so far. */
  async #scan({ space, vector, limit, signal }: NearestRequest, dimensions: number): Promise<readonly NearChunk[]> {
    const page = new FlatVectors(dimensions)
    let best: readonly NearChunk[] = []
    await eachPage({ db: this.#deps.db, space, dimensions, after: 0 }, async (vectors) => {
      page.clear()
      for (const { hash, vector: bytes } of vectors) page.add(hash, bytes)
      const found = await page.nearest(vector, limit, signal)
      best = [...best, ...found].toSorted((a, b) => b.score - a.score).slice(0, limit)
    })
    return best
  }
}

function keyOf({ workspaceId, embedder }: VectorSpace): string {
  return `${workspaceId} ${embedder}`
}

/** The vectors of one space. Brought up to date by one caller at a time. */
class LoadedSpace {
  readonly #db: Db
  readonly #space: VectorSpace
  #vectors: FlatVectors | undefined
  #seq = 0
  #generation = 0
  #queue: Promise<unknown> = Promise.resolve()

  constructor(db: Db, space: VectorSpace) {
    this.#db = db
    this.#space = space
  }

  get bytes(): number {
    return this.#vectors?.bytes ?? 0
  }

  /** How many vectors it holds, when these are the ones of this state. */
  countAt(state: SpaceState): number | undefined {
    return this.#isAt(state) ? this.#vectors?.count : undefined
  }

  /** The vectors of the state or of a later one. */
  follow(state: SpaceState, expected: number): Promise<FlatVectors> {
    const following = this.#queue.then(() => this.#catchUp(state, expected))
    this.#queue = following.catch(() => undefined) // Its caller is told; the next one tries again from where this one came to.
    return following
  }

  async #catchUp(state: SpaceState, expected: number): Promise<FlatVectors> {
    const dimensions = state.dimensions ?? 0
    if (this.#vectors?.dimensions !== dimensions || this.#generation < state.generation) {
      this.#vectors = new FlatVectors(dimensions, expected)
      this.#seq = 0
      this.#generation = state.generation
    }
    const vectors = this.#vectors
    if (this.#seq >= state.vectorSeq) return vectors
    await eachPage({ db: this.#db, space: this.#space, dimensions, after: this.#seq }, (page) => {
      for (const { hash, seq, vector } of page) {
        vectors.add(hash, vector)
        this.#seq = seq
      }
      return Promise.resolve()
    })
    this.#seq = Math.max(this.#seq, state.vectorSeq)
    return vectors
  }

  #isAt({ vectorSeq, generation }: SpaceState): boolean {
    return this.#seq >= vectorSeq && this.#generation >= generation
  }
}

interface PagesOf {
  readonly db: Db
  readonly space: VectorSpace
  readonly dimensions: number
  readonly after: number
}

/** Every vector after a seq, in order, a connection held only for each page. */
async function eachPage({ db, space, dimensions, after }: PagesOf, read: (page: Awaited<ReturnType<typeof readVectors>>) => Promise<void>): Promise<void> {
  const limit = Math.max(1, Math.floor(PAGE_BYTES / (dimensions * 4)))
  for (let from = after; ; ) {
    const page = await readVectors(db.kysely, space, { after: from, limit })
    await read(page)
    const last = page.at(-1)
    if (last === undefined || page.length < limit) return
    from = last.seq
  }
}

function checkDimensions(vector: Float32Array, dimensions: number): void {
  if (vector.length !== dimensions) throw new Error(`the question has ${vector.length} coordinates, the stored vectors have ${dimensions}`)
}
