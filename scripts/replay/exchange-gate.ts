/** Lets the runs of one recording send their requests in the recorded order, however many of them are under way. */
export class ExchangeGate {
  readonly #size: number
  /** Exchanges that are over with, or that nobody will ask for. */
  readonly #passed = new Set<number>()
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>()
  /** Who may send now and has not yet. */
  #admitted: number | undefined
  #isClosed = false

  constructor(size: number) {
    this.#size = size
  }

  /** Waits until every earlier exchange was asked for or given up. Rejects when the gate is closed. */
  enter(exchange: number): Promise<void> {
    const waiting = Promise.withResolvers<void>()
    this.#waiting.set(exchange, waiting)
    if (this.#isClosed) this.close()
    else this.#advance()
    return waiting.promise
  }

  /** Lets nobody in any more. */
  close(): void {
    this.#isClosed = true
    for (const { reject } of this.#waiting.values()) reject(new Error('the replay was ended'))
    this.#waiting.clear()
  }

  /** The exchange whose request has just arrived; `undefined` when nobody was to send one. */
  arrived(): number | undefined {
    const exchange = this.#admitted
    if (exchange === undefined) return undefined
    this.#passed.add(exchange)
    this.#admitted = undefined
    this.#advance()
    return exchange
  }

  /** Nobody will ask for these any more. */
  abandon(exchanges: readonly number[]): void {
    for (const exchange of exchanges) {
      this.#passed.add(exchange)
      if (this.#admitted === exchange) this.#admitted = undefined
    }
    this.#advance()
  }

  #advance(): void {
    if (this.#admitted !== undefined) return
    const next = Array.from({ length: this.#size }, (_, index) => index).find((index) => !this.#passed.has(index))
    const waiting = next === undefined ? undefined : this.#waiting.get(next)
    if (next === undefined || waiting === undefined) return
    this.#waiting.delete(next)
    this.#admitted = next
    waiting.resolve()
  }
}
