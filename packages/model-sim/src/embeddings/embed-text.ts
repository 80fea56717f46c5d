/**
 * Vectors without a model: every word, and every piece of three letters of it, adds to a few places that a hash of it chooses. Texts that share words
 * or stems are near each other, others are nearly at right angles; the same text has the same vector everywhere and always.
 */
const PLACES = 4
const PIECE_WEIGHT = 0.25

/** @returns `dimensions` numbers, of length 1 together */
export function embedText(text: string, dimensions: number): Float32Array {
  const sums = new Float64Array(dimensions)
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text]
  for (const word of words) {
    add(sums, word, 1)
    for (const piece of pieces(word)) add(sums, `~${piece}`, PIECE_WEIGHT)
  }
  const length = Math.sqrt(sums.reduce((sum, value) => sum + value * value, 0))
  if (length === 0) sums[0] = 1 // everything cancelled out, as it may where there are few dimensions
  return Float32Array.from(sums, (value) => value / (length || 1))
}

function pieces(word: string): readonly string[] {
  const letters = [...` ${word} `]
  return letters.slice(2).map((letter, index) => `${letters[index]}${letters[index + 1]}${letter}`)
}

function add(sums: Float64Array, word: string, weight: number): void {
  for (let place = 0; place < PLACES; place += 1) {
    const hash = fnv1a(`${place}${word}`)
    const index = (hash >>> 1) % sums.length
    sums[index] = (sums[index] ?? 0) + (hash % 2 === 0 ? weight : -weight)
  }
}

/** FNV-1a over UTF-16, its bits mixed once more at the end because its lowest ones are hardly mixed at all. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
