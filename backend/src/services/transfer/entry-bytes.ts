/**
 * The bytes of one entry of a stream that goes on after it. A reader may stop in the middle without ending the stream below, as leaving a loop over it would;
 * `passOver` then reads what is left.
 */
export class EntryBytes implements AsyncIterable<Buffer> {
  readonly #iterator: AsyncIterator<unknown>
  readonly #explain: (error: unknown) => unknown

  /** `explain` says what a failure of the stream is to whoever reads. */
  constructor(stream: AsyncIterable<unknown>, explain: (error: unknown) => unknown = (error) => error) {
    this.#iterator = stream[Symbol.asyncIterator]()
    this.#explain = explain
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) yield piece
  }

  async passOver(): Promise<void> {
    while ((await this.#next()) !== undefined);
  }

  async #next(): Promise<Buffer | undefined> {
    try {
      const { done, value } = await this.#iterator.next()
      if (done === true) return undefined
      if (Buffer.isBuffer(value)) return value
      throw new TypeError('an archive gave something that is not bytes')
    } catch (error) {
      throw this.#explain(error)
    }
  }
}
