import type { Json, JsonObject, JsonSchema } from './json.ts'
import type { AnyMessage } from './message-types.ts'

/** What a model is told about a tool. */
export interface ToolDefinition {
  readonly name: string
  readonly description: string
  /** JSON Schema with `type: "object"` at the top. */
  readonly parameters: JsonSchema
  /** `true` and `false` are sent; `undefined` leaves the choice to the service (OpenAI then makes schemas strict when it can). */
  readonly strict?: boolean
}

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly type: 'specific'; readonly functionNames: readonly string[] }

/** A text given to the model beside the conversation, shown before it. */
export interface Document {
  readonly id: string
  readonly text: string
  readonly additionalProps?: Readonly<Record<string, string>>
}

/** The JSON that the answer must be. */
export interface OutputSchema {
  readonly name?: string
  readonly schema: JsonSchema
  readonly strict?: boolean
}

/** One call of a model, independent of the provider. */
export interface CompletionRequest {
  /** Overrides the model's own id for this call. */
  readonly model?: string
  /** System messages first, then the conversation; the last one is what is answered. */
  readonly messages: readonly AnyMessage[]
  readonly documents?: readonly Document[]
  readonly tools?: readonly ToolDefinition[]
  /** Tools that the provider runs itself, in its own format. */
  readonly hostedTools?: readonly Json[]
  readonly toolChoice?: ToolChoice
  readonly temperature?: number
  readonly maxTokens?: number
  readonly outputSchema?: OutputSchema
  /** Provider fields by their wire names; explicit fields of the request win. */
  readonly additionalParams?: JsonObject
}

/** When a failed request is sent again. */
export interface RetryPolicy {
  readonly maxRetries: number
  readonly initialDelayMs: number
  readonly maxDelayMs: number
  readonly statuses: readonly number[]
  readonly respectRetryAfter: boolean
}

export interface CallOptions {
  readonly signal?: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
  readonly retry?: RetryPolicy | false
  /** Keep the provider's JSON in `rawResponse` or `final.raw`. */
  readonly includeRaw?: boolean
  /** The longest silence between the bytes of a streamed answer, in milliseconds; the client's own unless given. */
  readonly idleTimeoutMs?: number
}
