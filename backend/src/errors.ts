/** Every error that this backend raises on purpose, and the one place that decides what of it leaves the process. */
import type { ErrorCode } from '@buildscale/protocol'

/** HTTP status of each code. */
export { ERROR_STATUS as STATUS } from '@buildscale/protocol'

/** Facts for programs beside the sentence for people, for example `{last_seq: 12}`. Sent as they are: no secrets. */
export type ErrorDetails = Readonly<Record<string, unknown>>

export interface AppErrorOptions {
  readonly details?: ErrorDetails
  /** What went wrong underneath: goes to the log, never to a client. */
  readonly cause?: unknown
}

/** A request cannot continue. `message` is our own sentence and is shown to people and models. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly details: ErrorDetails | undefined

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.details = options.details
  }
}

/** The environment asks for something impossible: names the variable, what is wrong with it and the remedy. The process ends with exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly exitCode = 2
}

/** The configuration is fine, yet the server cannot start (data in use, made by a newer program, …). The process ends with exit code 1. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly exitCode = 1
}

/** What a client may know of an error. */
export interface PublicError {
  readonly code: ErrorCode
  readonly message: string
  readonly details?: ErrorDetails
}

/** The only way out of the process for an error: our own errors as they are, everything else as `internal` (or `unavailable`) with a sentence of ours. */
export function publicError(error: unknown): PublicError {
  if (error instanceof AppError) return { code: error.code, message: error.message, ...(error.details !== undefined && { details: error.details }) }
  if (isDatabaseAway(error)) return { code: 'unavailable', message: 'The database was interrupted. Try again in a moment.' }
  return { code: 'internal', message: 'Something went wrong on our side. The log has the details under this request id.' }
}

/** The driver's own sentences for a connection that is gone; they carry no code (`pg`, lib/client.js). */
const LOST_CONNECTION = new Set([
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
])

/**
 * True for what the driver raises when the server goes away under a query: SQLSTATE class 08 and 57P01 to 57P03
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html), a broken socket, or one of its own sentences.
 */
function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (LOST_CONNECTION.has(error.message)) return true
  if (!('code' in error) || typeof error.code !== 'string') return false
  if ('severity' in error) return /^(08|57P0[123])/.test(error.code)
  return 'syscall' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET')
}
