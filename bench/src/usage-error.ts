/** The options make no sense: the bench ends with exit code 2 and this sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
