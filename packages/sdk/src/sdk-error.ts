import { ERROR_CODES, type ErrorBody, type ErrorCode } from '@buildscale/protocol'

/** The server's codes, and `invalid_response` for an answer that is not of this API (a proxy's page, say). */
export type SdkErrorCode = ErrorCode | 'invalid_response'

export interface SdkErrorOptions {
  /** HTTP status, 0 when no answer came. */
  readonly status?: number
  readonly details?: unknown
  /** The server's id of the request, as its log has it; empty when no answer came. */
  readonly requestId?: string
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
}

/** What every failed call rejects with, except for an abort, which rejects with the reason of the caller's signal. */
export class SdkError extends Error {
  override readonly name = 'SdkError'
  readonly code: SdkErrorCode
  readonly status: number
  readonly details: unknown
  readonly requestId: string
  readonly retryAfterMs: number | undefined

  constructor(code: SdkErrorCode, message: string, options: SdkErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.status = options.status ?? 0
    this.details = options.details
    this.requestId = options.requestId ?? ''
    this.retryAfterMs = options.retryAfterMs
  }

  /** True when the same call may succeed later: nothing answered, or the server said that it is overloaded, restarting or broken. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

/** No answer came: the server is not there, or the connection broke. */
export function networkError(url: string, cause: unknown): SdkError {
  return new SdkError('unavailable', `No answer from ${new URL(url).origin}: ${innermostMessage(cause)}`, { cause })
}

/** The error that a non-2xx answer carries. */
export async function responseError(response: Response): Promise<SdkError> {
  const text = await response.text().catch(() => '') // the status alone still says what happened
  const body = parseJson(text)
  const retryAfterMs = retryAfter(response.headers.get('retry-after'))
  if (isErrorBody(body)) {
    const { code, message, details, request_id } = body.error
    return new SdkError(code, message, { status: response.status, details, requestId: request_id, retryAfterMs })
  }
  const code = response.status === 503 || response.status === 502 || response.status === 504 ? 'unavailable' : 'invalid_response'
  return new SdkError(code, `HTTP ${response.status} without an error body of BuildScale at ${response.url}`, { status: response.status, details: text.slice(0, 500), retryAfterMs })
}

/** By hand: the schema's compiler would trip a page's content security policy, and errors are rare and small. */
function isErrorBody(value: unknown): value is ErrorBody {
  if (typeof value !== 'object' || value === null || !('error' in value)) return false
  const { error } = value
  if (typeof error !== 'object' || error === null || !('code' in error && 'message' in error && 'request_id' in error)) return false
  return ERROR_CODES.some((code) => code === error.code) && typeof error.message === 'string' && typeof error.request_id === 'string'
}

/** `text` as JSON, or undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not JSON: the caller says what it expected
  }
}

function retryAfter(header: string | null): number | undefined {
  const seconds = Number(header)
  return header !== null && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined
}

/** `fetch` says "fetch failed"; the reason a person can use is in its causes. */
function innermostMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof Error) return innermostMessage(error.cause)
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return innermostMessage(error.errors[0])
  return error.message
}
