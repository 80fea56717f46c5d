/** The names most like `wanted`, best first: for "did you mean". Only names that are really alike. */
export function nearNames(wanted: string, names: readonly string[], most = 3): readonly string[] {
  return names
    .map((name) => ({ name, likeness: nameLikeness(wanted.toLowerCase(), name.toLowerCase()) }))
    .filter((candidate) => candidate.likeness >= 0.5)
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, most)
    .map((candidate) => candidate.name)
}

/** Names are short: a slip of the finger leaves few letter pairs in common (`raed`, `read`), but is one slip. */
function nameLikeness(a: string, b: string): number {
  const slips = a.length <= MAX_COMPARED && b.length <= MAX_COMPARED ? slipsBetween(a, b) : Infinity
  const share = 1 - slips / Math.max(a.length, b.length, 1)
  return Math.max(likeness(a, b), share >= 0.7 ? share : 0)
}

const MAX_COMPARED = 40

/** Letters to add, drop, replace, or swap with their neighbour. */
function slipsBetween(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const line = [row]
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1]
      const isSwapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      const best = Math.min((above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1, (above[column - 1] ?? 0) + (isSame ? 0 : 1))
      line.push(isSwapped && row > 1 && column > 1 ? Math.min(best, (before[column - 2] ?? 0) + 1) : best)
    }
    before = above
    above = line
  }
  return above[b.length] ?? 0
}

/** 0 to 1: the share of letter pairs that two texts have in common (Sørensen–Dice), 1 when one begins with the other. Linear, unlike an edit distance. */
export function likeness(a: string, b: string): number {
  if (a === b) return 1
  if (a.length >= 3 && b.length >= 3 && (a.startsWith(b) || b.startsWith(a))) return 0.9
  const pairs = letterPairs(a)
  const total = a.length + b.length - 2
  if (total <= 0) return 0
  let common = 0
  for (let index = 0; index < b.length - 1; index++) {
    const pair = b.slice(index, index + 2)
    const left = pairs.get(pair) ?? 0
    if (left === 0) continue
    pairs.set(pair, left - 1)
    common++
  }
  return (2 * common) / total
}

function letterPairs(text: string): Map<string, number> {
  const pairs = new Map<string, number>()
  for (let index = 0; index < text.length - 1; index++) {
    const pair = text.slice(index, index + 2)
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1)
  }
  return pairs
}
