/** Reads the body of `POST /v1/embeddings`, with the refusals that OpenAI answers to malformed ones. */
import { ApiError } from '../api-error.ts'
import { emptyArray, invalidType, invalidValue, missing, readBody } from '../openai-refusals.ts'

export interface EmbeddingsRequest {
  readonly model: string
  /** Tokens stand as their numbers, separated by spaces. */
  readonly texts: readonly string[]
  readonly dimensions: number
  readonly format: 'float' | 'base64'
}

const PARAMETERS = new Set('dimensions encoding_format input model user'.split(' '))
const MAXIMUM_TEXTS = 2048
const DEFAULT_DIMENSIONS = 1536
const LARGE_DIMENSIONS = 3072

/** @throws ApiError as OpenAI refuses it */
export function parseEmbeddingsRequest(given: unknown): EmbeddingsRequest {
  const { body, model } = readBody(given, PARAMETERS)
  const format = body['encoding_format'] ?? 'float'
  if (format !== 'float' && format !== 'base64') throw invalidValue({ param: 'encoding_format', value: format, allowed: ['float', 'base64'] })
  return { model, texts: parseInput(body['input']), dimensions: parseDimensions(body['dimensions'], model), format }
}

function parseInput(input: unknown): readonly string[] {
  if (input === undefined || input === null) throw missing('input')
  const list: readonly unknown[] = isTokens(input) || !Array.isArray(input) ? [input] : input
  if (list.length === 0) throw emptyArray('input')
  if (list.length > MAXIMUM_TEXTS) throw new ApiError(`Invalid 'input': array too long. Expected an array with maximum length ${MAXIMUM_TEXTS}, but got an array with length ${list.length} instead.`, { param: 'input', code: 'array_above_max_length' })
  return list.map((entry) => {
    if (isTokens(entry)) return entry.join(' ')
    if (typeof entry !== 'string') throw invalidType('input', 'a string, or an array of strings or of tokens')
    if (entry === '') throw new ApiError("Invalid 'input': input cannot be an empty string.", { param: 'input' })
    return entry
  })
}

function isTokens(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((token) => Number.isInteger(token))
}

function parseDimensions(dimensions: unknown, model: string): number {
  const most = model === 'text-embedding-3-large' ? LARGE_DIMENSIONS : DEFAULT_DIMENSIONS
  if (dimensions === undefined || dimensions === null) return most
  if (typeof dimensions !== 'number' || !Number.isInteger(dimensions)) throw invalidType('dimensions', 'an integer')
  if (model === 'text-embedding-ada-002') throw new ApiError('This model does not support specifying dimensions.', { param: 'dimensions' })
  if (dimensions >= 1 && dimensions <= most) return dimensions
  throw new ApiError(`Invalid value for 'dimensions' = ${dimensions}. Must be between 1 and ${most}.`, { param: 'dimensions' })
}
