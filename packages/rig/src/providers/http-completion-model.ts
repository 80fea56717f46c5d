import type { CompletionResponse, StreamingCompletionResponse } from '../completion/completion-event.ts'
import type { CompletionModel, ModelCapabilities } from '../completion/completion-model.ts'
import { CompletionRequestBuilder } from '../completion/completion-request-builder.ts'
import type { CallOptions, CompletionRequest } from '../completion/completion-request.ts'
import { CompletionStream, type CompletionSink } from '../completion/completion-stream.ts'
import { isJsonObject, tryParseJson } from '../completion/json.ts'
import type { MessageInput, ModelOrigin } from '../completion/message-types.ts'
import { CompletionError, isRigError } from '../errors.ts'
import type { HttpClient } from '../http/http-client.ts'
import { withRetry } from '../http/retry.ts'
import { readText, type RequestBody } from '../http/transport.ts'
import { readEventStream } from './read-event-stream.ts'
import type { DecodedResponse, Wire } from './wire.ts'

export interface HttpCompletionModelOptions {
  readonly http: HttpClient
  readonly model: string
  readonly wire: Wire
}

/** A model behind HTTP: what all providers share once their wire is known. */
export class HttpCompletionModel implements CompletionModel {
  readonly provider: string
  readonly api: string
  readonly model: string
  readonly capabilities: ModelCapabilities
  readonly #http: HttpClient
  readonly #wire: Wire

  constructor({ http, model, wire }: HttpCompletionModelOptions) {
    this.provider = wire.provider
    this.api = wire.api
    this.model = model
    this.capabilities = wire.capabilities
    this.#http = http
    this.#wire = wire
  }

  completionRequest(prompt: MessageInput): CompletionRequestBuilder {
    return new CompletionRequestBuilder(this, prompt)
  }

  async completion(request: CompletionRequest, options: CallOptions = {}): Promise<CompletionResponse> {
    const body = this.#encode(request, { isStreaming: false })
    const signal = options.signal ?? new AbortController().signal
    const attempt = async () => {
      const response = await this.#post(request, body, { accept: '*/*', signal, options })
      const answer = tryParseJson(await readText(response))
      if (!isJsonObject(answer)) throw new CompletionError('json', 'The answer is not a JSON object')
      const decoded = this.#wire.decode(answer, { providerRequestId: this.#http.requestIdOf(response), includeRaw: options.includeRaw === true })
      return responseOf(decoded, this.#origin(request))
    }
    return withRetry(attempt, { policy: options.retry ?? this.#http.retry, signal })
  }

  stream(request: CompletionRequest, options: CallOptions = {}): StreamingCompletionResponse {
    const produce = async (sink: CompletionSink, signal: AbortSignal) => {
      const body = this.#encode(request, { isStreaming: true })
      const attempt = async () => {
        const response = await this.#post(request, body, { accept: 'text/event-stream', signal, options })
        const decodeOptions = { providerRequestId: this.#http.requestIdOf(response), includeRaw: options.includeRaw === true }
        await readEventStream(response, {
          sink,
          decoder: (output) => this.#wire.streamDecoder(output, decodeOptions),
          idleTimeoutMs: options.idleTimeoutMs ?? this.#http.idleTimeoutMs,
        })
      }
      await withRetry(attempt, { policy: options.retry ?? this.#http.retry, signal, mayRepeat: () => !sink.hasSurfaced })
    }
    return new CompletionStream(produce, { origin: this.#origin(request), signal: options.signal })
  }

  /** What JSON cannot hold comes from the caller: big integers, circles, more depth than the stack. */
  #encode(request: CompletionRequest, options: { readonly isStreaming: boolean }): RequestBody {
    try {
      return this.#wire.encode(request, options)
    } catch (error) {
      throw isRigError(error) ? error : new CompletionError('request', `The request cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }

  #post(request: CompletionRequest, body: RequestBody, { accept, signal, options }: { readonly accept: string; readonly signal: AbortSignal; readonly options: CallOptions }) {
    const path = this.#wire.path(request.model ?? this.model)
    return this.#http.post(path, { body, accept, signal, ...(options.headers === undefined ? {} : { headers: options.headers }) })
  }

  #origin({ model = this.model }: { readonly model?: string }): ModelOrigin {
    return { provider: this.provider, api: this.api, model }
  }
}

function responseOf({ raw, finishReason, ...decoded }: DecodedResponse, origin: ModelOrigin): CompletionResponse {
  const calls = finishReason === 'stop' && decoded.choice.some((part) => part.type === 'tool_call')
  const reason = calls ? 'tool_calls' : finishReason
  return {
    ...decoded,
    ...(reason === undefined ? {} : { finishReason: reason }),
    origin,
    ...(raw === undefined ? {} : { rawResponse: raw }),
  }
}
