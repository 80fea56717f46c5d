import type { SearchMode } from '@buildscale/protocol'

/** A place in a file that one way of searching has found. */
export interface FoundPlace {
  readonly path: string
  /** From 1; the place goes from `line` to `endLine`. */
  readonly line: number
  readonly endLine: number
  readonly heading: string | null
  readonly excerpt: string
  readonly highlights: readonly (readonly [number, number])[]
}

/** What one way of searching has found, best first. */
export interface RankedPlaces {
  readonly source: SearchMode
  readonly places: readonly FoundPlace[]
}

export interface MergedPlace extends FoundPlace {
  readonly score: number
  readonly sources: readonly SearchMode[]
}

/** Damps the first ranks, so that two middling places in two lists can beat one first place in one. The usual value. */
const DAMPING = 60

/**
 * Joins lists by the ranks in them (reciprocal rank fusion): their own scores cannot be compared. Places that overlap are one, shown as the list shows it in
 * which it stands first.
 */
export function mergeHits(lists: readonly RankedPlaces[]): readonly MergedPlace[] {
  const merged: MergedPlace[] = []
  const inFile = new Map<string, number[]>()
  for (const { source, places } of lists) {
    for (const [rank, place] of places.entries()) {
      const score = 1 / (DAMPING + rank + 1)
      const known = inFile.get(place.path) ?? []
      const at = known.find((index) => isSame(merged[index], place, source))
      const same = at === undefined ? undefined : merged[at]
      if (at !== undefined && same !== undefined) merged[at] = joined(same, { place, source, score })
      else inFile.set(place.path, [...known, merged.push({ ...place, score, sources: [source] }) - 1])
    }
  }
  return merged.toSorted((one, other) => other.score - one.score || (one.path < other.path ? -1 : one.path > other.path ? 1 : one.line - other.line))
}

/** One list never joins places of its own: it has found them apart. */
function isSame(one: MergedPlace | undefined, other: FoundPlace, source: SearchMode): boolean {
  return one !== undefined && !one.sources.includes(source) && one.line <= other.endLine && other.line <= one.endLine
}

/** The narrower place is the exact one: its line and excerpt are shown, with the heading that the other may know. */
function joined(same: MergedPlace, { place, source, score }: { readonly place: FoundPlace; readonly source: SearchMode; readonly score: number }): MergedPlace {
  const narrow = place.endLine - place.line < same.endLine - same.line ? place : same
  return { ...narrow, heading: same.heading ?? place.heading, score: same.score + score, sources: [...same.sources, source] }
}
