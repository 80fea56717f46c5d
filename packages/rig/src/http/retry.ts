import type { RetryPolicy } from '../completion/completion-request.ts'
import { CompletionError, isRetryable } from '../errors.ts'
import { aborted } from './transport.ts'

/** Two more attempts, at most eight seconds apart unless the server asks for another pause. */
export const DEFAULT_RETRY: RetryPolicy = {
  maxRetries: 2,
  initialDelayMs: 500,
  maxDelayMs: 8000,
  statuses: [408, 409, 429, 500, 502, 503, 504, 529],
  respectRetryAfter: true,
}

/** A server that asks for a longer pause than this is not waited for: the caller can do better. */
const LONGEST_RETRY_AFTER_MS = 60_000

export interface RetryOptions {
  readonly policy: RetryPolicy | false
  readonly signal: AbortSignal
  /** Asked after a failure: once the consumer has seen something, nothing is repeated. */
  readonly mayRepeat?: () => boolean
  /** From 0 to 1; spreads clients that failed together. */
  readonly random?: () => number
}

/** Runs `attempt` until it succeeds or may not be repeated; throws its last error, or one of kind `aborted` when the signal ends a pause. */
export async function withRetry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      const delay = options.mayRepeat?.() === false ? undefined : retryDelay(error, failures, options)
      if (delay === undefined) throw error
      await sleep(delay, options.signal)
    }
  }
}

/** How long to wait, in milliseconds, before the next attempt; `undefined` when there should be none. */
export function retryDelay(error: unknown, failures: number, { policy, random = Math.random }: Pick<RetryOptions, 'policy' | 'random'>): number | undefined {
  if (policy === false || failures >= policy.maxRetries || !(error instanceof CompletionError) || !isCovered(error, policy)) return undefined
  if (policy.respectRetryAfter && error.retryAfterMs !== undefined) {
    return error.retryAfterMs > LONGEST_RETRY_AFTER_MS ? undefined : error.retryAfterMs
  }
  const ceiling = Math.min(policy.maxDelayMs, policy.initialDelayMs * 2 ** failures)
  return ceiling * (0.75 + 0.25 * random())
}

function isCovered(error: CompletionError, { statuses }: RetryPolicy): boolean {
  if (!isRetryable(error)) return false
  return error.status === undefined || statuses.includes(error.status) || error.headers?.get('x-should-retry') === 'true'
}

/** The pause that a server asks for, in milliseconds: `retry-after-ms`, or `retry-after` in seconds or as a date. */
export function retryAfterMs(headers: Headers, now: number): number | undefined {
  const milliseconds = Number(headers.get('retry-after-ms') ?? Number.NaN)
  if (milliseconds >= 0) return milliseconds
  const text = headers.get('retry-after')
  if (text === null) return undefined
  const seconds = Number(text)
  if (seconds >= 0) return seconds * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  if (signal.aborted) return Promise.reject(aborted(signal))
  const onAbort = () => {
    clearTimeout(timer)
    reject(aborted(signal))
  }
  const timer = setTimeout(() => {
    signal.removeEventListener('abort', onAbort)
    resolve()
  }, delayMs)
  signal.addEventListener('abort', onAbort, { once: true })
  return promise
}
