/**
 * Joins what several ways of searching have found into one list. Their own scores cannot be compared, their ranks can: reciprocal rank fusion (G. V. Cormack,
 * C. L. A. Clarke, S. Büttcher: Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods, SIGIR 2009) gives each place the sum of
 * `weight / (60 + rank)` over the lists, ranks from 1, so that what two lists find in the middle beats what one of them finds first.
 */

/** A part of a file; lines count from 1, `endLine` belongs to it. */
export interface Place {
  readonly path: string
  readonly line: number
  readonly endLine: number
}

/** What one way of searching has found, best first, each place once. */
export interface RankedList<P extends Place, Source extends string> {
  readonly source: Source
  readonly places: readonly P[]
  /** How much the list counts beside others; 1 unless given. */
  readonly weight?: number
}

export interface FusedPlace<P extends Place, Source extends string> {
  readonly score: number
  /** The lists that have found it, in their order. */
  readonly sources: readonly Source[]
  /** What they have found there, one place of each list, in the same order. */
  readonly places: readonly [P, ...P[]]
}

/** The constant of the formula: the paper's value. */
const DAMPING = 60
/** Places of different lists with at most so many lines between them are one: a paragraph and the heading above it. */
const NEAR_LINES = 2

/**
 * All places, best first. Places of different lists that overlap or nearly touch are one. Those of one list never are: it has found them apart, and a file in
 * which every line matches would otherwise be one place. Equal scores stand in the order of path and line, so that the same lists always give the same order.
 */
export function fuseRankings<P extends Place, Source extends string>(lists: readonly RankedList<P, Source>[]): readonly FusedPlace<P, Source>[] {
  const fused: FusedPlace<P, Source>[] = []
  const inFile = new Map<string, number[]>()
  for (const { source, places, weight = 1 } of lists) {
    for (const [index, place] of places.entries()) {
      const score = weight / (DAMPING + index + 1)
      const known = inFile.get(place.path) ?? []
      const at = known.find((candidate) => isSamePlace(fused[candidate], place, source))
      const same = at === undefined ? undefined : fused[at]
      if (at !== undefined && same !== undefined) fused[at] = { score: same.score + score, sources: [...same.sources, source], places: [...same.places, place] }
      else inFile.set(place.path, [...known, fused.push({ score, sources: [source], places: [place] }) - 1])
    }
  }
  return fused.toSorted((one, other) => other.score - one.score || byPlace(one.places[0], other.places[0]))
}

function isSamePlace<P extends Place, Source extends string>(fused: FusedPlace<P, Source> | undefined, place: P, source: Source): boolean {
  return fused !== undefined && !fused.sources.includes(source) && fused.places.some(({ line, endLine }) => line <= place.endLine + NEAR_LINES && place.line <= endLine + NEAR_LINES)
}

function byPlace(one: Place, other: Place): number {
  if (one.path !== other.path) return one.path < other.path ? -1 : 1
  return one.line - other.line || one.endLine - other.endLine
}
