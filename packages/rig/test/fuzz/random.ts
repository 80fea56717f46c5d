/** Where a run of frames begins, and how many frames each target gets. A failure names the seed that brings it back at once, with one frame. */
export const FUZZ_SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_801)
export const FUZZ_FRAMES = Number(process.env['FUZZ_FRAMES'] ?? 2500)

/** For runs of a million frames. */
export const FUZZ_TIMEOUT_MS = 3_600_000

/** Numbers that look random and are the same for the same seed (a 32-bit mix of a counter). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to `end`, without it. */
  below(end: number): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return Math.floor((((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32) * end)
  }

  /** True once in `count` times. */
  oneIn(count: number): boolean {
    return this.below(count) === 0
  }

  pick<T>(list: readonly T[]): T {
    const chosen = list[this.below(list.length)]
    if (chosen === undefined) throw new RangeError('Nothing to pick from')
    return chosen
  }

  /** Between none and `most` of what `make` makes. */
  some<T>(most: number, make: (index: number) => T): T[] {
    return Array.from({ length: this.below(most + 1) }, (_, index) => make(index))
  }

  bytes(most: number): Buffer {
    return Buffer.from(this.some(most, () => this.below(256)))
  }

  /** `bytes` in pieces of any size. */
  cut(bytes: Buffer): Buffer[] {
    const pieces: Buffer[] = []
    const longest = this.pick([1, 3, 20, 200, 5000])
    for (let start = 0; start < bytes.length;) {
      const size = 1 + this.below(longest)
      pieces.push(bytes.subarray(start, start + size))
      start += size
    }
    return pieces
  }
}

/** Calls `attempt` with one seed after the other until it has used up the frames; it tells how many it took. A failure is thrown on with its seed. */
export async function fuzz(attempt: (random: Random) => number | Promise<number>): Promise<void> {
  for (let frames = 0, seed = FUZZ_SEED; frames < FUZZ_FRAMES; seed++) {
    try {
      const took = attempt(new Random(seed))
      frames += Math.max(1, typeof took === 'number' ? took : await took)
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed} FUZZ_FRAMES=1 brings this back: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
}
