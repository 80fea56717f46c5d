/** Vectors one after the other in one piece of memory, and the exact search through all of them. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { readVectorInto } from './vector-bytes.ts'
import type { NearChunk } from './vector-index.ts'

const HASH_BYTES = 32
const FIRST_ROWS = 256
/** Multiplications between two looks at the event loop, about 3 ms of them: a large search must not hold up every stream of the server. */
const SLICE = 4_000_000

export class FlatVectors {
  readonly dimensions: number
  #vectors: Float32Array
  #hashes: Buffer
  #count = 0

  /** `rows`: how many are expected. */
  constructor(dimensions: number, rows = FIRST_ROWS) {
    this.dimensions = dimensions
    this.#vectors = new Float32Array(rows * dimensions)
    this.#hashes = Buffer.alloc(rows * HASH_BYTES)
  }

  get count(): number {
    return this.#count
  }

  /** Memory that it takes. */
  get bytes(): number {
    return this.#vectors.byteLength + this.#hashes.byteLength
  }

  /** Adds a vector of length 1, as it is stored. Throws when it has another number of coordinates. */
  add(hash: Buffer, bytes: Buffer): void {
    if (bytes.byteLength !== this.dimensions * 4) throw new Error(`a stored vector has ${bytes.byteLength / 4} coordinates instead of ${this.dimensions}`)
    if (this.#count * HASH_BYTES === this.#hashes.byteLength) this.#grow()
    readVectorInto(this.#vectors, this.#count * this.dimensions, bytes)
    hash.copy(this.#hashes, this.#count * HASH_BYTES)
    this.#count += 1
  }

  clear(): void {
    this.#count = 0
  }

  /** The vectors nearest to `query`, best first; of equal ones, those that were added first. */
  async nearest(query: Float32Array, limit: number, signal: AbortSignal): Promise<readonly NearChunk[]> {
    // What is added while this waits is not looked at, and a larger array that takes the place of this one holds the same rows.
    const [count, vectors, hashes] = [this.#count, this.#vectors, this.#hashes]
    const best = new BestRows(Math.min(limit, count))
    const step = Math.max(1, Math.floor(SLICE / this.dimensions))
    for (let from = 0; from < count; from += step) {
      if (from > 0) await nextTurn()
      signal.throwIfAborted()
      for (let row = from; row < Math.min(from + step, count); row++) best.offer(row, dot(vectors, row * this.dimensions, query))
    }
    return best.sorted().map(({ row, score }) => ({ hash: Buffer.from(hashes.subarray(row * HASH_BYTES, (row + 1) * HASH_BYTES)), score }))
  }

  #grow(): void {
    const rows = Math.max(FIRST_ROWS, Math.ceil(this.#count * 1.5))
    const vectors = new Float32Array(rows * this.dimensions)
    const hashes = Buffer.alloc(rows * HASH_BYTES)
    vectors.set(this.#vectors)
    this.#hashes.copy(hashes)
    this.#vectors = vectors
    this.#hashes = hashes
  }
}

/** Four sums at a time, which the processor can work on side by side. Each loop has an index of its own: with a shared one V8 makes code that is four times slower. */
function dot(vectors: Float32Array, offset: number, query: Float32Array): number {
  const end = query.length - (query.length % 4)
  let [a, b, c, d] = [0, 0, 0, 0]
  for (let index = 0; index < end; index += 4) {
    a += (vectors[offset + index] ?? 0) * (query[index] ?? 0)
    b += (vectors[offset + index + 1] ?? 0) * (query[index + 1] ?? 0)
    c += (vectors[offset + index + 2] ?? 0) * (query[index + 2] ?? 0)
    d += (vectors[offset + index + 3] ?? 0) * (query[index + 3] ?? 0)
  }
  for (let index = end; index < query.length; index++) a += (vectors[offset + index] ?? 0) * (query[index] ?? 0)
  return a + b + c + d
}

interface ScoredRow {
  readonly row: number
  readonly score: number
}

/** The best rows so far: a heap with the worst of them on top, which the next better one replaces. */
class BestRows {
  readonly #capacity: number
  readonly #heap: ScoredRow[] = []

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  offer(row: number, score: number): void {
    const worst = this.#heap[0]
    if (this.#heap.length < this.#capacity) this.#push({ row, score })
    else if (worst !== undefined && score > worst.score) this.#replaceTop({ row, score })
  }

  sorted(): readonly ScoredRow[] {
    return this.#heap.toSorted((a, b) => b.score - a.score || a.row - b.row)
  }

  #push(entry: ScoredRow): void {
    let at = this.#heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isWorse(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #replaceTop(entry: ScoredRow): void {
    this.#heap[0] = entry
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      let worst = at
      if (left < this.#heap.length && this.#isWorse(left, worst)) worst = left
      if (right < this.#heap.length && this.#isWorse(right, worst)) worst = right
      if (worst === at) return
      this.#swap(at, worst)
      at = worst
    }
  }

  #isWorse(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]]
    return a !== undefined && b !== undefined && (a.score < b.score || (a.score === b.score && a.row > b.row))
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#heap[one], this.#heap[other]]
    if (a === undefined || b === undefined) return
    this.#heap[one] = b
    this.#heap[other] = a
  }
}
