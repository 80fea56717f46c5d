import type { Endpoint } from '@buildscale/protocol'
import type { z } from 'zod'
import { AppError } from '../errors.ts'

/** One field of a request that is not what the endpoint takes. */
interface FieldProblem {
  readonly in: 'query' | 'body'
  /** The path of the field, dotted; empty for the query or body as a whole. */
  readonly field: string
  readonly message: string
}

export interface RequestParts {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

/**
 * The parts of a request as the endpoint's schemas give them. A body that is absent counts as `{}`; a raw body is passed through.
 * Throws `not_found` for path parameters that can name nothing, `invalid_request` naming every bad field otherwise.
 */
export function validateRequest(endpoint: Endpoint, parts: RequestParts): RequestParts {
  const params = endpoint.params.safeParse(parts.params)
  if (!params.success) throw new AppError('not_found', 'There is no such thing: the path holds an id that is none.')
  const query = endpoint.query.safeParse(parts.query ?? {})
  const body = endpoint.bodyKind === 'json' ? endpoint.body.safeParse(parts.body ?? {}) : undefined
  const problems = [...problemsOf('query', query.error), ...problemsOf('body', body?.error)]
  if (problems.length > 0) throw invalidRequest(problems)
  return { params: params.data, query: query.data, body: endpoint.bodyKind === 'bytes' ? parts.body : body?.data }
}

function invalidRequest(problems: readonly FieldProblem[]): AppError {
  const sentences = problems.map(({ in: part, field, message }) => `${field === '' ? part : `${part}.${field}`}: ${message}`)
  return new AppError('invalid_request', `The request is not valid. ${sentences.join('; ')}`, { details: { fields: problems } })
}

function problemsOf(part: FieldProblem['in'], error: z.ZodError | undefined): readonly FieldProblem[] {
  return (error?.issues ?? []).flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [{ in: part, field: issue.path.join('.'), message: issue.message }]
    return issue.keys.map((key) => ({ in: part, field: [...issue.path, key].join('.'), message: 'is not a known field' }))
  })
}
