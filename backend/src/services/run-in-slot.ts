import type { Semaphore } from 'async-mutex'

/** Runs `work` when one of the slots is free. Who is aborted while it waits leaves the queue at once, with the reason of the signal. */
export async function runInSlot<T>(slots: Semaphore, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const slot = slots.acquire()
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort)
  try {
    await Promise.race([slot, aborted.promise])
    return await work()
  } finally {
    signal.removeEventListener('abort', onAbort)
    // A slot that comes after the abort is for the next one.
    void slot.then(([, release]) => release())
  }
}
