import { RigError } from '../errors.ts'

export const TOOL_ERROR_KINDS = [
  'invalid_args', 'timeout', 'cancelled', 'not_found', 'permission_denied', 'rate_limited', 'provider', 'network', 'other',
] as const

export type ToolErrorKind = (typeof TOOL_ERROR_KINDS)[number]

/** What the model is told when a tool failed and gave no words of its own. */
export const DEFAULT_FEEDBACK = {
  invalid_args: 'tool arguments were invalid',
  timeout: 'tool execution timed out',
  cancelled: 'tool execution was cancelled',
  not_found: 'the requested tool or resource was not found',
  permission_denied: 'the tool denied the request',
  rate_limited: 'the tool was rate limited; try again later',
  provider: 'the tool provider failed',
  network: 'the tool could not reach its upstream service',
  other: 'the tool failed',
} as const satisfies Record<ToolErrorKind, string>

export interface ToolExecutionErrorOptions {
  /** What the model is told instead of `message`. */
  readonly modelFeedback?: string
  readonly retryable?: boolean
  readonly code?: string
  readonly httpStatus?: number
  /** The tool said no, rather than failed: the outcome is `denied`. */
  readonly refusal?: boolean
  readonly cause?: unknown
}

/**
 * A tool failed in a way that it wants the model to know: `message` (or `modelFeedback`) is shown to it. Any other thrown error shows the
 * model a generic sentence only, so that paths, secrets and stack traces stay here. It never fails the run.
 */
export class ToolExecutionError extends RigError {
  readonly kind: ToolErrorKind
  readonly modelFeedback: string
  readonly retryable: boolean
  readonly code?: string
  readonly httpStatus?: number
  readonly refusal: boolean

  constructor(kind: ToolErrorKind, message: string, options: ToolExecutionErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.kind = kind
    this.modelFeedback = options.modelFeedback ?? (message === '' ? DEFAULT_FEEDBACK[kind] : message)
    this.retryable = options.retryable ?? false
    this.refusal = options.refusal ?? false
    if (options.code !== undefined) this.code = options.code
    if (options.httpStatus !== undefined) this.httpStatus = options.httpStatus
  }

  /** Whatever a tool threw, as an error that is safe to show: foreign errors become the default sentence of their kind, with the cause kept. */
  static from(thrown: unknown, kind: ToolErrorKind = 'other'): ToolExecutionError {
    return thrown instanceof ToolExecutionError ? thrown : new ToolExecutionError(kind, DEFAULT_FEEDBACK[kind], { cause: thrown })
  }
}
