/** What no path of a workspace may hold. Without any import, so that a worker thread can check names without loading the rest. */

export const MAX_PATH_BYTES = 1_024
export const MAX_SEGMENT_BYTES = 255

/** What is wrong with the characters of a path, as the end of a sentence; undefined when nothing is. */
export function characterFault(input: string): string | undefined {
  if (input.includes('\0')) return 'contains a NUL character'
  if (/\p{Cc}/u.test(input)) return 'contains a control character'
  if (input.includes('\\')) return 'contains a backslash: folders are separated by "/"'
  if (!input.isWellFormed()) return 'is not valid Unicode'
  return undefined
}
