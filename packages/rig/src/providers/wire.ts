import type { RawStreamingChoice, StreamFinal } from '../completion/completion-event.ts'
import type { ModelCapabilities } from '../completion/completion-model.ts'
import type { CompletionRequest } from '../completion/completion-request.ts'
import type { JsonObject } from '../completion/json.ts'
import type { RequestBody } from '../http/transport.ts'
import type { AssistantContent } from '../completion/message-types.ts'

/** Where a stream decoder puts what it reads. */
export interface DecoderOutput {
  choice(choice: RawStreamingChoice): void
  /** The genuine end. `isComplete`: whether the answer was not cut off. */
  finish(final: StreamFinal, options: { readonly isComplete: boolean }): void
}

export interface DecodeOptions {
  /** The id that the provider gave the HTTP exchange. */
  readonly providerRequestId?: string | undefined
  /** Keeps the provider's object in the result. */
  readonly includeRaw?: boolean
}

/** Reads the events of one streamed answer. No I/O. */
export interface StreamDecoder {
  /** Whether the terminal event was read; what follows it is ignored. */
  readonly isFinished: boolean
  /** The data of one event. Throws `CompletionError` when it says that the answer has failed. */
  push(data: string): void
  /** The bytes have ended. Some wires take that for the end of the answer when everything else has been said. */
  end(): void
}

/** A whole answer, as a wire gives it. */
export interface DecodedResponse extends StreamFinal {
  readonly choice: readonly AssistantContent[]
}

/** The format of one provider's requests and answers: pure functions, so that it can be tested without a network. */
export interface Wire {
  readonly provider: string
  readonly api: string
  readonly capabilities: ModelCapabilities
  /** The path of requests to `model`, below the client's base address. */
  path(model: string): string
  /** The body as JSON in UTF-8. Throws `CompletionError` of kind `request` for what the provider cannot be asked. */
  encode(request: CompletionRequest, options: { readonly isStreaming: boolean }): RequestBody
  /** Throws `CompletionError` for an answer that says it failed, or makes no sense. */
  decode(answer: JsonObject, options: DecodeOptions): DecodedResponse
  streamDecoder(output: DecoderOutput, options: DecodeOptions): StreamDecoder
}
