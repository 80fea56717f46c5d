/** Splits a list into runs of at most `files` items and `bytes` bytes; an item larger than that stands alone. */
export function boundedGroups<Item>(items: readonly Item[], limits: { readonly files: number; readonly bytes: number; readonly sizeOf: (item: Item) => number }): Item[][] {
  const groups: Item[][] = []
  let bytes = 0
  for (const item of items) {
    const size = limits.sizeOf(item)
    const open = groups.at(-1)
    if (open === undefined || bytes + size > limits.bytes || open.length >= limits.files) {
      groups.push([item])
      bytes = size
      continue
    }
    open.push(item)
    bytes += size
  }
  return groups
}
