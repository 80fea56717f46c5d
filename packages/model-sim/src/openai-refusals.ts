/** Refusals in OpenAI's words, which Responses, Chat Completions and Embeddings share, and the envelope they travel in. */
import { ApiError } from './api-error.ts'
import { isObject, type JsonObject } from './json.ts'

const TOOL_NAME = /^[a-zA-Z0-9_-]+$/

export function missing(param: string): ApiError {
  return new ApiError(`Missing required parameter: '${param}'.`, { param, code: 'missing_required_parameter' })
}

export function invalidType(param: string, expected: string): ApiError {
  return new ApiError(`Invalid type for '${param}': expected ${expected}.`, { param, code: 'invalid_type' })
}

export function invalidValue(found: { readonly param: string; readonly value: unknown; readonly allowed: readonly string[] }): ApiError {
  const allowed = found.allowed.map((name) => `'${name}'`).join(', ')
  return new ApiError(`Invalid value: '${String(found.value)}'. Supported values are: ${allowed}.`, { param: found.param, code: 'invalid_value' })
}

export function emptyArray(param: string): ApiError {
  return new ApiError(`Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`, { param, code: 'empty_array' })
}

/** @throws ApiError when `body` is no object, has a parameter that is not in `known`, or names no model */
export function readBody(body: unknown, known: ReadonlySet<string>): { readonly body: JsonObject; readonly model: string } {
  if (!isObject(body)) throw new ApiError('We could not parse the JSON body of your request.')
  const unknown = Object.keys(body).find((key) => !known.has(key))
  if (unknown !== undefined) throw new ApiError(`Unknown parameter: '${unknown}'.`, { param: unknown, code: 'unknown_parameter' })
  const { model } = body
  if (model === undefined || model === null) throw missing('model')
  if (typeof model !== 'string') throw invalidType('model', 'a string')
  return { body, model }
}

/** The name, when it is one. @throws ApiError */
export function checkToolName(name: unknown, param: string): string {
  if (typeof name !== 'string') throw missing(param)
  if (name.length > 64) {
    throw new ApiError(`Invalid '${param}': string too long. Expected a string with maximum length 64, but got a string with length ${name.length} instead.`, { param, code: 'string_above_max_length' })
  }
  if (name === '') throw new ApiError(`Invalid '${param}': empty string. Expected a string with minimum length 1, but got an empty string instead.`, { param, code: 'empty_string' })
  if (!TOOL_NAME.test(name)) {
    throw new ApiError(`Invalid '${param}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`, { param, code: 'invalid_value' })
  }
  return name
}

/** @throws ApiError when a function's parameters are no schema of an object */
export function checkToolParameters(name: string, tool: { readonly parameters: unknown; readonly param: string }): void {
  const { parameters, param } = tool
  if (!isObject(parameters) || parameters['type'] === 'object') return
  const message = `Invalid schema for function '${name}': schema must be a JSON Schema of 'type: "object"', got 'type: "${String(parameters['type'])}"'.`
  throw new ApiError(message, { param, code: 'invalid_function_parameters' })
}

export function openaiErrorBody(error: Pick<ApiError, 'message' | 'status' | 'type' | 'code' | 'param'>): JsonObject {
  const type = error.type ?? (error.status >= 500 ? 'server_error' : 'invalid_request_error')
  return { error: { message: error.message, type, param: error.param, code: error.code } }
}

/** @throws ApiError 401 */
export function checkBearer(headers: Readonly<Record<string, unknown>>, apiKey: string | undefined): void {
  const { authorization } = headers
  if (apiKey === undefined || authorization === `Bearer ${apiKey}`) return
  // OpenAI labels this JSON body as plain text; clients have to cope.
  const labelled = { 'content-type': 'text/plain; charset=utf-8' }
  if (authorization === undefined) throw new ApiError("You didn't provide an API key. Send it in an Authorization header using Bearer auth.", { status: 401, headers: labelled })
  throw new ApiError('Incorrect API key provided.', { status: 401, code: 'invalid_api_key', headers: labelled })
}
