/** The names most like `wanted`, best first: for "did you mean". Only names that are really alike. */
export function nearNames(wanted: string, names: readonly string[], most = 3): readonly string[] {
  return names
    .map((name) => ({ name, likeness: likeness(wanted.toLowerCase(), name.toLowerCase()) }))
    .filter((candidate) => candidate.likeness >= 0.5)
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, most)
    .map((candidate) => candidate.name)
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
