/** Numbers from 0 to below 1, the same in every run of one seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

export function pick<Item>(random: () => number, items: readonly Item[]): Item {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

const FOLDERS = ['', '/a', '/b', '/a/b', '/c', '/c/d', '/A']
const NAMES = ['f0', 'f1', 'f2', 'f3.md', 'Ünï', 'a', 'b', '[x] y']

/** One of few paths, so that changes meet. */
export function randomPath(random: () => number): string {
  return `${pick(random, FOLDERS)}/${pick(random, NAMES)}`
}

export function randomFolder(random: () => number): string {
  return pick(random, FOLDERS.slice(1))
}
