/** The longest delay that timers take. */
export const MAX_TIMEOUT_MS = 2_147_483_647

/**
 * The time and the signal of one request. The SDK's own timeout is not used: its listener on the signal outlives the request, so that a signal
 * that is aborted later would cancel requests that have long been answered.
 */
export class RequestLimit {
  readonly #controller = new AbortController()
  readonly #outer: AbortSignal | undefined
  readonly #timeoutMs: number
  #timer: NodeJS.Timeout | undefined
  #endedBy: 'timeout' | 'cancelled' | undefined

  /** `timeoutMs` is in milliseconds, at most `MAX_TIMEOUT_MS`. */
  constructor(outer: AbortSignal | undefined, timeoutMs: number) {
    this.#outer = outer
    this.#timeoutMs = timeoutMs
    outer?.addEventListener('abort', this.#onAbort, { once: true })
    this.restart()
    if (outer?.aborted === true) this.#onAbort()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Why the request was ended from here; `undefined` while it was not. */
  get endedBy(): 'timeout' | 'cancelled' | undefined {
    return this.#endedBy
  }

  /** The time begins anew. */
  restart(): void {
    clearTimeout(this.#timer)
    if (this.#endedBy === undefined) this.#timer = setTimeout(() => this.#stop('timeout', `no answer within ${this.#timeoutMs} ms`), this.#timeoutMs)
  }

  /** The request is over: nothing of it is kept. */
  end(): void {
    clearTimeout(this.#timer)
    this.#outer?.removeEventListener('abort', this.#onAbort)
  }

  readonly #onAbort = (): void => this.#stop('cancelled', 'cancelled by the caller')

  /** `reason` is what the server is told. */
  #stop(endedBy: 'timeout' | 'cancelled', reason: string): void {
    if (this.#endedBy !== undefined) return
    this.#endedBy = endedBy
    this.end()
    this.#controller.abort(reason)
  }
}
