import type { z } from 'zod'

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What travels in a body: JSON by a schema, raw bytes, an event stream, or nothing. */
export type ResponseKind = 'json' | 'bytes' | 'events' | 'empty'

/**
 * One route of the API, once: the server's handler, the SDK's call and the OpenAPI document all derive from this value.
 * `path` is below `/api/v1`, with `:name` parameters.
 */
export interface Endpoint<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
> {
  readonly name: string
  readonly summary: string
  readonly method: HttpMethod
  readonly path: string
  /** `none`: open to everybody; `user`: any signed-in user; `workspace`: a member of the workspace in `:w`. */
  readonly access: 'none' | 'user' | 'workspace'
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly bodyKind: 'json' | 'bytes' | 'none'
  readonly response: Response
  readonly responseKind: ResponseKind
  /** The status of success. */
  readonly status: number
}

/** Gives `definition` its exact type; the schemas of requests are strict, those of responses tolerate fields added later. */
export function endpoint<const Definition extends Endpoint>(definition: Definition): Definition {
  return definition
}

/** `path` with something else in the place of each of its parameters. */
export function replaceParameters(path: string, by: (name: string) => string): string {
  return path.replace(/:([A-Za-z_]+)/g, (_, name: string) => by(name))
}

/** `path` with its parameters filled in, each percent-encoded. Throws when one is missing. */
export function fillPath(path: string, params: Readonly<Record<string, string>>): string {
  return replaceParameters(path, (name) => {
    const value = params[name]
    if (value === undefined) throw new TypeError(`Missing path parameter ${name} of ${path}`)
    return encodeURIComponent(value)
  })
}
