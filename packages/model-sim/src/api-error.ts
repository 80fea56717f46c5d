export interface ApiErrorDetails {
  readonly status?: number
  readonly code?: string | null
  readonly param?: string | null
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A request that is refused. Each wire has its own envelope for it, see wire.ts. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly code: string | null
  readonly param: string | null
  /** Undefined where the wire's usual word for the status will do. */
  readonly type: string | undefined

  constructor(message: string, details: ApiErrorDetails = {}) {
    super(message)
    this.status = details.status ?? 400
    this.headers = details.headers ?? {}
    this.code = details.code ?? null
    this.param = details.param ?? null
    this.type = details.type
  }
}
