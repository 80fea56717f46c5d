import type { CompletionRequestBuilder } from './completion-request-builder.ts'
import type { CallOptions, CompletionRequest } from './completion-request.ts'
import type { CompletionResponse, StreamingCompletionResponse } from './completion-event.ts'
import type { MessageInput } from './message-types.ts'

/** What a model can do beyond the common ground. */
export interface ModelCapabilities {
  readonly nativeOutputComposesWithTools: boolean
  readonly toolResultImages: boolean
  readonly strictTools: boolean
  readonly parallelToolCalls: boolean
}

/** What a provider must be. */
export interface CompletionModel {
  readonly provider: string
  readonly api: string
  readonly model: string
  readonly capabilities: ModelCapabilities
  /** One whole answer. Throws `CompletionError`. */
  completion(request: CompletionRequest, options?: CallOptions): Promise<CompletionResponse>
  stream(request: CompletionRequest, options?: CallOptions): StreamingCompletionResponse
  completionRequest(prompt: MessageInput): CompletionRequestBuilder
}
