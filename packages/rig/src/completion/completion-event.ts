import type { Json, JsonObject } from './json.ts'
import type { AssistantContent, ModelOrigin, PartMeta, ProviderCallIds, Reasoning, ReasoningContent, ToolCall } from './message-types.ts'
import type { Usage } from './usage.ts'

/** Why the model stopped. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | { readonly other: string }

/** Three different ids of one answer: of its message, of the response object, and of the HTTP exchange. */
export interface ResponseIdentity {
  readonly messageId?: string
  readonly responseId?: string
  readonly providerRequestId?: string
}

/** A whole answer of a model. */
export interface CompletionResponse<Raw = Json> extends ResponseIdentity {
  /** Parts in wire order. */
  readonly choice: readonly AssistantContent[]
  readonly usage: Usage
  /** Whether the provider reported usage; `usage` is zero when it did not. */
  readonly usageKnown: boolean
  readonly model?: string
  readonly finishReason?: FinishReason
  readonly rawResponse?: Raw
  readonly origin: ModelOrigin
}

/** How a streamed answer ended. */
export interface StreamFinal extends ResponseIdentity {
  readonly usage: Usage
  readonly usageKnown: boolean
  readonly model?: string
  readonly finishReason?: FinishReason
  readonly raw?: Json
}

/** One model call of a run, for accounting. */
export interface CompletionCall extends ResponseIdentity {
  /** From 0, in the order of the calls of this run. */
  readonly index: number
  /** From 1. */
  readonly turn: number
  readonly usage?: Usage
  readonly finishReason?: FinishReason
  readonly maxTokens?: number
  readonly model?: string
  readonly raw?: Json
}

/** What a consumer of a streamed answer sees. */
export type StreamedAssistantContent =
  | { readonly type: 'text'; readonly id: string; readonly text: string }
  | {
    readonly type: 'reasoning_delta'
    readonly id: string
    readonly providerId?: string
    readonly kind: 'text' | 'summary'
    readonly summaryIndex?: number
    readonly delta: string
  }
  /** Authoritative: supersedes the deltas of the same reasoning. */
  | { readonly type: 'reasoning'; readonly reasoning: Reasoning }
  | { readonly type: 'tool_call_delta'; readonly internalCallId: string; readonly name?: string; readonly delta?: string }
  | { readonly type: 'tool_call'; readonly internalCallId: string; readonly toolCall: ToolCall }
  | { readonly type: 'unknown'; readonly raw: Json }
  /** A malformed frame that does not end the answer; the stream goes on. */
  | { readonly type: 'warning'; readonly error: Error }
  /** Exactly one, last, and only after a genuine terminal event. */
  | { readonly type: 'final'; readonly final: StreamFinal }

/** What a provider reports while it reads a stream; `PartsAccumulator` alone makes parts of it. `position` is the place on the wire. */
export type RawStreamingChoice =
  | { readonly type: 'text_start'; readonly id: string; readonly position?: number }
  | { readonly type: 'text_delta'; readonly id: string; readonly text: string }
  /** `text`, when given, is authoritative. */
  | { readonly type: 'text_end'; readonly id: string; readonly text?: string; readonly meta?: PartMeta }
  | { readonly type: 'reasoning_start'; readonly id: string; readonly providerId?: string; readonly position?: number }
  | { readonly type: 'reasoning_delta'; readonly id: string; readonly kind: 'text' | 'summary'; readonly index?: number; readonly delta: string }
  | { readonly type: 'reasoning_end'; readonly id: string; readonly restated?: readonly ReasoningContent[]; readonly signature?: string; readonly meta?: PartMeta }
  | { readonly type: 'tool_start'; readonly id: string; readonly name?: string; readonly provider?: ProviderCallIds; readonly position?: number }
  | { readonly type: 'tool_delta'; readonly id: string; readonly name?: string; readonly delta?: string }
  /** `arguments`, when given, is authoritative. `onUnparseable`: `error` keeps the call and answers it with an error, `drop` forgets it. */
  | {
    readonly type: 'tool_end'
    readonly id: string
    readonly name?: string
    readonly provider?: ProviderCallIds
    readonly arguments?: string
    readonly signature?: string
    readonly additionalParams?: JsonObject
    readonly onUnparseable: 'error' | 'drop'
  }
  | { readonly type: 'provider_item'; readonly provider: string; readonly raw: Json; readonly position?: number }
  | { readonly type: 'warning'; readonly error: Error }

/** Receives the items of a streamed answer one by one, in the same tick in which they were read from the socket. */
export interface StreamListener {
  item(item: StreamedAssistantContent): void
  /** Asked after each socket chunk: a promise holds back further reading until it resolves. */
  ready(): Promise<void> | undefined
}

/**
 * A streamed answer. Iterate it, or give it a listener, not both. The request is under way as soon as this exists; leaving the
 * iteration early, `cancel` and the call's signal all end it. Iteration throws `CompletionError`.
 */
export interface StreamingCompletionResponse extends AsyncIterable<StreamedAssistantContent> {
  /** The parts so far, in wire order. */
  readonly choice: readonly AssistantContent[]
  /** The whole answer, once `final` was seen. Rejects with what iteration throws; never becomes an unhandled rejection. */
  readonly response: Promise<CompletionResponse>
  cancel(reason?: string): void
  /** The way without an asynchronous boundary per delta. Items that arrived earlier are handed over at once; failures show in `response`. */
  listen(listener: StreamListener): void
}
