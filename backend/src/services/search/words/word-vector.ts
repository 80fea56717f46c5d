import { comparable, wordsOf } from './words.ts'

/** How much a word counts, in PostgreSQL's letters: in the file's name, in a heading, in the names of its folders, in the text. */
export type WordWeight = 'A' | 'B' | 'C' | 'D'

/** A position is stored in 14 bits. Counted round after that, so that phrases are found in long texts too. */
const POSITIONS = 16_383
/** PostgreSQL keeps so many positions of a word. */
const POSITIONS_A_WORD = 255
/** PostgreSQL's limit is 1 MiB for all words with their positions; some room is left for the scope. */
const MOST_BYTES = 1_000_000

/** Collects the words of a file into the text form of a `tsvector`, which cannot grow beyond what PostgreSQL takes. */
export class WordVector {
  readonly #positions = new Map<string, string[]>()
  #position = 0
  #bytes = 0
  #isFull = false

  /** True when words had to be left out. */
  get isFull(): boolean {
    return this.#isFull
  }

  add(text: string, weight: WordWeight): void {
    for (const { parts, whole } of wordsOf(comparable(text))) {
      if (whole !== null) this.#put(whole, weight)
      for (const part of parts) {
        this.#put(part, weight)
        this.#position += 1
      }
    }
  }

  /** Keeps what follows from forming phrases with what stands before. */
  gap(): void {
    this.#position += 10
  }

  /** As PostgreSQL reads it. `scope` is a word that no text can have. */
  toString(scope: string): string {
    const words = [...this.#positions].map(([word, positions]) => `'${word}':${positions.join(',')}`)
    return [`'${scope}'`, ...words].join(' ')
  }

  #put(word: string, weight: WordWeight): void {
    const known = this.#positions.get(word)
    const bytes = known === undefined ? Buffer.byteLength(word) + 10 : 2
    if (known !== undefined && known.length >= POSITIONS_A_WORD) return
    if (this.#bytes + bytes > MOST_BYTES) {
      this.#isFull = true
      return
    }
    this.#bytes += bytes
    const position = `${(this.#position % POSITIONS) + 1}${weight === 'D' ? '' : weight}`
    if (known === undefined) this.#positions.set(word, [position])
    else known.push(position)
  }
}
