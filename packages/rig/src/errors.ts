import type { CompletionCall, FinishReason } from './completion/completion-event.ts'
import type { Json } from './completion/json.ts'
import type { AnyMessage } from './completion/message-types.ts'
import type { Usage } from './completion/usage.ts'

/** Marks our errors across realms and duplicate installs, where `instanceof` fails. */
const BRAND = Symbol.for('rig.error')

/** Base of every error that this package throws on purpose. */
export class RigError extends Error {
  /** What the run had used when it failed. */
  usage?: Usage
  completionCalls?: readonly CompletionCall[]
  readonly [BRAND] = true

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** Whether `error` was thrown by this package, another copy of it included. */
export function isRigError(error: unknown): error is RigError {
  return error instanceof Error && BRAND in error
}

/** A client cannot be set up from what it was given. */
export class ConfigError extends RigError {}

/**
 * What went wrong with a model call. `http`: no connection, or it broke before an answer; `truncated_stream`: a streamed answer ended
 * without its terminal event; `provider_response`: the provider said no; `request`: we could not build the call; `response`, `json`: the
 * answer makes no sense; `aborted`: the caller ended it.
 */
export type CompletionErrorKind = 'http' | 'json' | 'url' | 'request' | 'response' | 'provider_response' | 'truncated_stream' | 'timeout' | 'aborted'

export interface CompletionErrorDetails {
  readonly status?: number
  readonly bodyText?: string
  readonly bodyJson?: Json
  readonly headers?: Headers
  readonly providerRequestId?: string
  readonly retryAfterMs?: number
  readonly provider?: string
  readonly code?: string
  readonly cause?: unknown
}

/** A model call failed. Inside a run it also carries the conversation so far. */
export class CompletionError extends RigError {
  readonly kind: CompletionErrorKind
  readonly status?: number
  readonly bodyText?: string
  readonly bodyJson?: Json
  readonly headers?: Headers
  readonly providerRequestId?: string
  readonly retryAfterMs?: number
  readonly provider?: string
  readonly code?: string
  chatHistory?: readonly AnyMessage[]

  constructor(kind: CompletionErrorKind, message: string, { cause, ...details }: CompletionErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
    Object.assign(this, details)
  }
}

const RETRYABLE_STATUSES = new Set([408, 409, 429, 500, 502, 503, 504, 529])
/** Codes of errors inside a stream, where there is no status. */
const RETRYABLE_CODES = new Set(['server_error', 'rate_limit_exceeded', 'overloaded', 'overloaded_error', 'api_error', 'rate_limit_error', 'timeout', 'timeout_error', 'vector_store_timeout'])
/** Codes that come with a status that sounds temporary and are not. */
const PERMANENT_CODES = new Set(['insufficient_quota', 'billing_hard_limit_reached'])

/** Whether the same call may succeed when it is made again. */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof CompletionError)) return false
  switch (error.kind) {
    case 'http':
    case 'timeout':
    case 'truncated_stream': return true
    case 'provider_response': return isRetryableResponse(error)
    case 'json':
    case 'url':
    case 'request':
    case 'response':
    case 'aborted': return false
  }
}

function isRetryableResponse({ headers, code, status }: CompletionError): boolean {
  const advice = headers?.get('x-should-retry')
  if (advice === 'true') return true
  if (advice === 'false' || (code !== undefined && PERMANENT_CODES.has(code))) return false
  if (status !== undefined && RETRYABLE_STATUSES.has(status)) return true
  return code !== undefined && RETRYABLE_CODES.has(code)
}

/** A run ended without an answer. `chatHistory` is everything said, the input history included. */
export class PromptError extends RigError {
  readonly chatHistory: readonly AnyMessage[]

  constructor(message: string, chatHistory: readonly AnyMessage[], options?: ErrorOptions) {
    super(message, options)
    this.chatHistory = chatHistory
  }
}

/** All permitted model calls were made and the model still wants tools. The tools of the last turn did run. */
export class MaxTurnsError extends PromptError {
  readonly maxTurns: number
  readonly prompt: AnyMessage

  constructor(maxTurns: number, prompt: AnyMessage, chatHistory: readonly AnyMessage[]) {
    super(`No final answer after ${maxTurns} model ${maxTurns === 1 ? 'call' : 'calls'}`, chatHistory)
    this.maxTurns = maxTurns
    this.prompt = prompt
  }
}

/** The run was ended: by the caller's signal, by leaving the iteration, or by a hook. */
export class PromptCancelledError extends PromptError {
  readonly reason: string

  constructor(reason: string, chatHistory: readonly AnyMessage[], options?: ErrorOptions) {
    super(`The run was cancelled: ${reason}`, chatHistory, options)
    this.reason = reason
  }
}

/** The model called a tool that it was not offered, more often than the policy allows. */
export class UnknownToolCallError extends PromptError {
  readonly toolName: string
  readonly available: readonly string[]

  constructor(toolName: string, available: readonly string[], chatHistory: readonly AnyMessage[]) {
    super(`The model called the tool "${toolName}", which is not available; available: ${available.join(', ') || 'none'}`, chatHistory)
    this.toolName = toolName
    this.available = available
  }
}

/** The model stopped at a limit before it said anything. */
export class NoAnswerError extends PromptError {
  readonly finishReason: FinishReason

  constructor(finishReason: FinishReason, maxTokens: number | undefined, chatHistory: readonly AnyMessage[]) {
    super(noAnswerText(finishReason, maxTokens), chatHistory)
    this.finishReason = finishReason
  }
}

function noAnswerText(reason: FinishReason, maxTokens: number | undefined): string {
  if (reason === 'content_filter') return 'The model gave no answer: the provider filtered it; change the content, the token budget is not the cause'
  const cap = maxTokens === undefined ? '' : ` of ${maxTokens}`
  return `The model gave no answer: it used up its token budget${cap} (finish reason length); raise maxTokens or lower the reasoning effort`
}

/** The answer does not have the form of the output schema, and no retry is left. */
export class StructuredOutputError extends PromptError {
  /** What the model answered. */
  readonly raw: string
  readonly problems: readonly string[]

  constructor(raw: string, problems: readonly string[], chatHistory: readonly AnyMessage[]) {
    super(`The answer does not match the output schema: ${problems.join('; ')}`, chatHistory)
    this.raw = raw
    this.problems = problems
  }
}

/** A conversation could not be read or kept; `cause` says why. */
export class MemoryError extends RigError {
  readonly operation: 'load' | 'append'
  readonly conversationId: string

  constructor(operation: 'load' | 'append', conversationId: string, options: ErrorOptions) {
    const { cause } = options
    super(`The conversation "${conversationId}" could not be ${operation === 'load' ? 'loaded' : 'kept'}: ${cause instanceof Error ? cause.message : String(cause)}`, options)
    this.operation = operation
    this.conversationId = conversationId
  }
}

/** Nothing could be extracted. `no_data`: the model submitted nothing; `deserialization`: what it submitted does not fit; else the call failed. */
export class ExtractionError extends RigError {
  readonly kind: 'no_data' | 'deserialization' | 'completion' | 'prompt'
  /** How many model calls were made. */
  readonly attempts: number

  constructor(kind: ExtractionError['kind'], attempts: number, options: { readonly message: string; readonly cause: unknown }) {
    super(options.message, { cause: options.cause })
    this.kind = kind
    this.attempts = attempts
  }
}

/** A hook threw. The run ends: a hook that fails may have been the one that saves or guards. */
export class HookError extends PromptError {
  readonly hook: string

  constructor(hook: string, chatHistory: readonly AnyMessage[], cause: unknown) {
    super(`The hook ${hook} failed: ${cause instanceof Error ? cause.message : String(cause)}`, chatHistory, { cause })
    this.hook = hook
  }
}
