/** How many unread items make a producer wait. */
const HIGH_WATER = 1024

type Ending = { readonly type: 'done' } | { readonly type: 'failed'; readonly error: unknown }

interface Waiter<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void
  readonly reject: (error: unknown) => void
}

/**
 * The one asynchronous boundary between a socket and a consumer: pushed to in the tick of the read, taken from by iteration.
 * Items that wait are handed out without going back to the event loop.
 */
export class BatchQueue<T> {
  #items: T[] = []
  #head = 0
  #ending: Ending | undefined
  readonly #waiters: Waiter<T>[] = []
  #drained: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined

  push(item: T): void {
    if (this.#ending !== undefined) return
    const waiter = this.#waiters.length > 0 ? this.#waiters.shift() : undefined
    if (waiter === undefined) this.#items.push(item)
    else waiter.resolve({ done: false, value: item })
  }

  /** No more items; those that wait are still handed out. */
  close(): void {
    this.#end({ type: 'done' })
  }

  /** No more items; after those that wait, one `next` rejects with `error`. */
  fail(error: unknown): void {
    this.#end({ type: 'failed', error })
  }

  /** Forgets what waits: the consumer has left. */
  discard(): void {
    this.#items = []
    this.#head = 0
    this.#drained?.resolve()
    this.close()
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const item = this.#items[this.#head]
    if (item !== undefined) {
      this.#advance()
      return Promise.resolve({ done: false, value: item })
    }
    if (this.#ending !== undefined) return this.#afterEnd(this.#ending)
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }))
  }

  /** Everything that waits, emptied. */
  takeAll(): readonly T[] {
    const items = this.#head === 0 ? this.#items : this.#items.slice(this.#head)
    this.#items = []
    this.#head = 0
    this.#drained?.resolve()
    return items
  }

  /** `undefined` while there is room, else a promise that resolves when the consumer has caught up. */
  room(): Promise<void> | undefined {
    if (this.#items.length - this.#head < HIGH_WATER || this.#ending !== undefined) return undefined
    this.#drained ??= Promise.withResolvers<void>()
    return this.#drained.promise
  }

  #advance(): void {
    this.#head++
    if (this.#head < this.#items.length) return
    this.#items = []
    this.#head = 0
    this.#drained?.resolve()
    this.#drained = undefined
  }

  #end(ending: Ending): void {
    if (this.#ending !== undefined) return
    this.#ending = ending
    this.#drained?.resolve()
    for (const { resolve, reject } of this.#waiters.splice(0)) this.#afterEnd(this.#ending).then(resolve, reject)
  }

  #afterEnd(ending: Ending): Promise<IteratorResult<T, undefined>> {
    if (ending.type === 'done') return Promise.resolve({ done: true, value: undefined })
    this.#ending = { type: 'done' }
    return Promise.reject(ending.error)
  }
}
