import type { Endpoint } from '@buildscale/protocol'
import { Api, type ApiOptions, type ApiRequest, type CallOptions, type CreateOptions, type QueryValue } from './api.ts'
import { networkError, parseJson, responseError, SdkError } from './sdk-error.ts'

/** What a caller may put into the JSON body of `E`. */
export type BodyOf<E extends Endpoint> = E['body']['_zod']['input']
/** What the answer of `E` holds. */
export type ResponseOf<E extends Endpoint> = E['response']['_zod']['output']

type ParamsOf<E extends Endpoint> = E['params']['_zod']['input']
type QueryOf<E extends Endpoint> = { readonly [Name in keyof E['query']['_zod']['input']]?: QueryValue }
/** A field that may be left out when the endpoint needs none of it. */
type Field<Name extends string, Value> = Record<never, never> extends Value ? { readonly [Key in Name]?: Value } : { readonly [Key in Name]: Value }

export type CallInput<E extends Endpoint> = Field<'params', ParamsOf<E>> &
  Field<'body', BodyOf<E>> & {
    readonly query?: QueryOf<E>
    readonly headers?: Readonly<Record<string, string | undefined>>
    readonly options?: CreateOptions | undefined
    /** Statuses besides 2xx whose body is an answer, not an error. */
    readonly alsoAccept?: readonly number[]
  }

/**
 * Calls endpoints with their types. Answers are not checked field by field: a server that is newer than this client may add fields and values,
 * and the schemas are the server's to keep. What is checked is that a JSON object came at all.
 */
export class Caller {
  readonly api: Api

  constructor(options: ApiOptions) {
    this.api = new Api(options)
  }

  /** Throws `SdkError`, or the reason of the caller's signal. */
  async call<E extends Endpoint>(endpoint: E, input: CallInput<E>): Promise<ResponseOf<E>> {
    const response = await this.api.fetch(endpoint, toRequest(endpoint, input))
    if (!response.ok && input.alsoAccept?.includes(response.status) !== true) throw await responseError(response)
    if (endpoint.responseKind === 'empty') return undefined as ResponseOf<E>
    return readJson(endpoint, response, input.options?.signal)
  }
}

/** The JSON object of an answer of `endpoint`. */
export async function readJson<E extends Endpoint>(_endpoint: E, response: Response, signal: AbortSignal | undefined): Promise<ResponseOf<E>> {
  return (await readObject(response, signal)) as ResponseOf<E>
}

function toRequest(endpoint: Endpoint, input: CallInput<Endpoint>): ApiRequest {
  const { body, options } = input as { body?: unknown; options?: CreateOptions }
  const isJson = endpoint.bodyKind === 'json'
  return {
    params: (input.params ?? {}) as Record<string, string>,
    query: (input.query ?? {}) as Record<string, QueryValue>,
    headers: { ...(isJson && { 'content-type': 'application/json' }), 'idempotency-key': options?.idempotencyKey, ...input.headers },
    signal: options?.signal,
    ...(isJson && { body: JSON.stringify(body ?? {}) }),
  }
}

async function readObject(response: Response, signal: CallOptions['signal']): Promise<object> {
  const text = await response.text().catch((error: unknown) => {
    throw signal?.aborted === true ? signal.reason : networkError(response.url, error)
  })
  const value = parseJson(text)
  if (typeof value === 'object' && value !== null) return value
  throw new SdkError('invalid_response', `Not an answer of BuildScale's API at ${response.url}`, { status: response.status, details: text.slice(0, 500) })
}
