/** The most that one result may take as JSON, in bytes of UTF-8: `1 MiB a tool result`. */
export const RESULT_LIMIT_BYTES = 1024 * 1024

/** Room for everything in a result that is not its list or text: paths, counts, the notice. */
const ENVELOPE_BYTES = 16 * 1024

/** What the list or the text of a result may take. */
export const CONTENT_LIMIT_BYTES = RESULT_LIMIT_BYTES - ENVELOPE_BYTES

/** Bytes of `value` as JSON. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}

/** The longest beginning of `items` that fits into one result. */
export function fittingItems<Item>(items: readonly Item[]): readonly Item[] {
  let bytes = 0
  const end = items.findIndex((item) => (bytes += jsonBytes(item) + 1) > CONTENT_LIMIT_BYTES)
  return end < 0 ? items : items.slice(0, end)
}
