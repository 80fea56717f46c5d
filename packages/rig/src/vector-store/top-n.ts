/** Something with a rank: the higher score comes first, and among equals the lower sequence. No two have the same sequence. */
export interface Ranked {
  readonly score: number
  readonly sequence: number
}

/** The best `limit` of the items offered, in memory for no more than those: a heap with the worst on top. */
export class TopN<T extends Ranked> {
  readonly #limit: number
  readonly #heap: T[] = []

  /** `limit`: 1 or more. */
  constructor(limit: number) {
    this.#limit = limit
  }

  offer(item: T): void {
    if (this.#heap.length < this.#limit) {
      this.#rise(item)
      return
    }
    const [worst] = this.#heap
    if (worst !== undefined && compareRanks(item, worst) < 0) this.#sink(item)
  }

  /** What was kept, best first. */
  best(): readonly T[] {
    return this.#heap.toSorted(compareRanks)
  }

  /** Adds `item` at the bottom and lets it rise above what is better than it. */
  #rise(item: T): void {
    let index = this.#heap.length
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#heap[parentIndex]
      if (parent === undefined || compareRanks(item, parent) <= 0) break
      this.#heap[index] = parent
      index = parentIndex
    }
    this.#heap[index] = item
  }

  /** Puts `item` in the place of the top and lets it sink below what is worse than it. */
  #sink(item: T): void {
    let index = 0
    for (;;) {
      const childIndex = this.#worseChild(index)
      const child = this.#heap[childIndex]
      if (child === undefined || compareRanks(child, item) <= 0) break
      this.#heap[index] = child
      index = childIndex
    }
    this.#heap[index] = item
  }

  #worseChild(index: number): number {
    const left = this.#heap[2 * index + 1]
    const right = this.#heap[2 * index + 2]
    return left !== undefined && right !== undefined && compareRanks(right, left) > 0 ? 2 * index + 2 : 2 * index + 1
  }
}

/** Negative when `left` comes before `right`. */
function compareRanks(left: Ranked, right: Ranked): number {
  return right.score - left.score || left.sequence - right.sequence
}
