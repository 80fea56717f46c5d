/** What takes bytes in: a stream of Node, or one of a library that is nearly one. */
export interface Sink {
  readonly destroyed: boolean
  /** False: wait for `drain`. */
  write(piece: Buffer): boolean
  end(nothing: undefined): void
  destroy(error: Error): void
  once(event: 'drain' | 'close', listener: () => void): void
}

/**
 * Writes all of `source` into a parser, no faster than it takes them. Never rejects: a failure of the source destroys the parser with it. When the parser
 * is done for, the source is left.
 */
export async function feed(source: AsyncIterable<Buffer>, parser: Sink): Promise<void> {
  let wake = (): void => undefined
  parser.once('close', () => wake())
  try {
    for await (const piece of source) {
      if (parser.destroyed) return
      if (parser.write(piece) || parser.destroyed) continue
      await new Promise<void>((resolve) => {
        wake = resolve
        parser.once('drain', resolve)
      })
    }
    parser.end(undefined)
  } catch (error) {
    parser.destroy(error instanceof Error ? error : new Error(String(error)))
  }
}
