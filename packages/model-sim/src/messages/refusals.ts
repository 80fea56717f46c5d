/** Refusals in Anthropic's words, and the envelope they travel in. */
import { ApiError } from '../api-error.ts'
import type { JsonObject } from '../json.ts'

export function required(place: string): ApiError {
  return new ApiError(`${place}: Field required`)
}

export function invalid(place: string, complaint: string): ApiError {
  return new ApiError(`${place}: ${complaint}`)
}

/** A tag that is none of those that may stand there. */
export function unknownTag(place: string, options: { readonly tag: unknown; readonly expected: readonly string[] }): ApiError {
  const expected = options.expected.map((tag) => `'${tag}'`).join(', ')
  return new ApiError(`${place}: Input tag '${String(options.tag)}' found using 'type' does not match any of the expected tags: ${expected}`)
}

/** Codes that are none of this provider's types (they are OpenAI's, or ours) give way to the usual type for the status. */
export function anthropicErrorBody(error: Pick<ApiError, 'message' | 'status' | 'type' | 'code'>, requestId: string): JsonObject {
  const own = error.type ?? (error.code?.endsWith('_error') === true ? error.code : undefined)
  const type = own ?? TYPES[error.status] ?? (error.status >= 500 ? 'api_error' : 'invalid_request_error')
  return { type: 'error', error: { type, message: error.message }, request_id: requestId }
}

const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}
