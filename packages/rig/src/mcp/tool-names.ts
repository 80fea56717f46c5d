import { createHash } from 'node:crypto'

const MAX_LENGTH = 64

/**
 * A name that providers accept for each of `names`, which are unique. A name that had to be changed and then met another one, or was cut, ends
 * in a hash of the original: what a tool is called depends on its own name and on those it collides with, never on the order of the list.
 */
export function toolNames(names: readonly string[], prefix: string): ReadonlyMap<string, string> {
  const wanted = new Map(names.map((name) => [name, prefix + name.replace(/[^a-zA-Z0-9_-]/g, '_')]))
  const uses = Map.groupBy(wanted.values(), (name) => name)
  const keeps = (name: string, plain: string) => plain.length > 0 && plain.length <= MAX_LENGTH && (plain === prefix + name || uses.get(plain)?.length === 1)
  const result = new Map([...wanted].filter(([name, plain]) => keeps(name, plain)))
  const taken = new Set(result.values())
  for (const [name, plain] of wanted) {
    if (result.has(name)) continue
    const hashed = freeName(plain, name, taken)
    result.set(name, hashed)
    taken.add(hashed)
  }
  return result
}

function freeName(plain: string, name: string, taken: ReadonlySet<string>): string {
  for (let attempt = 0; ; attempt++) {
    const hash = createHash('sha256').update(attempt === 0 ? name : `${name}#${attempt}`).digest('hex').slice(0, 8)
    const candidate = `${plain.slice(0, MAX_LENGTH - hash.length - 1)}_${hash}`
    if (!taken.has(candidate)) return candidate
  }
}
