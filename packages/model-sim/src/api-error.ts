import type { JsonObject } from './json.ts'

export interface ApiErrorDetails {
  readonly status?: number
  readonly code?: string | null
  readonly param?: string | null
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A request that is refused, with the status and the error body that OpenAI answers with. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: JsonObject

  constructor(message: string, details: ApiErrorDetails = {}) {
    super(message)
    this.status = details.status ?? 400
    this.headers = details.headers ?? {}
    this.body = { error: { message, type: details.type ?? 'invalid_request_error', param: details.param ?? null, code: details.code ?? null } }
  }
}
