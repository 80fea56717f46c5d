import type { CompletionResponse, StreamingCompletionResponse } from '../../completion/completion-event.ts'
import type { CompletionModel, ModelCapabilities } from '../../completion/completion-model.ts'
import { CompletionRequestBuilder } from '../../completion/completion-request-builder.ts'
import type { CallOptions, CompletionRequest } from '../../completion/completion-request.ts'
import { CompletionStream, type CompletionSink } from '../../completion/completion-stream.ts'
import { arrayAt, isJsonObject, objectAt, stringAt, tryParseJson, type JsonObject } from '../../completion/json.ts'
import type { AssistantContent, MessageInput, ModelOrigin } from '../../completion/message-types.ts'
import { PartsAccumulator } from '../../completion/parts-accumulator.ts'
import { CompletionError } from '../../errors.ts'
import type { HttpClient } from '../../http/http-client.ts'
import { withRetry } from '../../http/retry.ts'
import { SseDecoder } from '../../http/sse-decoder.ts'
import { readText, type HttpResponse } from '../../http/transport.ts'
import { itemChoices, responseFinal } from './decode-response.ts'
import { RequestEncoder, type SystemInstructions } from './encode-request.ts'
import { responseError } from './response-error.ts'
import { ResponsesStreamDecoder } from './responses-stream-decoder.ts'

export interface ResponsesModelOptions {
  readonly http: HttpClient
  readonly model: string
  readonly systemInstructions: SystemInstructions
  readonly strictTools: boolean | undefined
  readonly replayPhase: boolean
}

/** How long, in milliseconds, the end of the connection is waited for after the end of the answer: a connection that ended can be used again. */
const LINGER_MS = 250

/** OpenAI's Responses API, and servers that speak it. */
export class ResponsesCompletionModel implements CompletionModel {
  readonly provider = 'openai'
  readonly api = 'responses'
  readonly model: string
  readonly capabilities: ModelCapabilities = { nativeOutputComposesWithTools: true, toolResultImages: true, strictTools: true, parallelToolCalls: true }
  readonly #http: HttpClient
  readonly #encoder: RequestEncoder

  constructor({ http, model, systemInstructions, strictTools, replayPhase }: ResponsesModelOptions) {
    this.model = model
    this.#http = http
    this.#encoder = new RequestEncoder({ origin: this.#origin({}), systemInstructions, strictTools, replayPhase })
  }

  completionRequest(prompt: MessageInput): CompletionRequestBuilder {
    return new CompletionRequestBuilder(this, prompt)
  }

  async completion(request: CompletionRequest, options: CallOptions = {}): Promise<CompletionResponse> {
    const body = this.#encoder.encode(request, { isStreaming: false })
    const signal = options.signal ?? new AbortController().signal
    const attempt = async () => {
      const response = await this.#post(body, { accept: '*/*', signal, options })
      const json = tryParseJson(await readText(response))
      if (!isJsonObject(json)) throw new CompletionError('json', 'The answer is not a JSON object')
      return this.#decode(json, request, { providerRequestId: response.header('x-request-id'), includeRaw: options.includeRaw === true })
    }
    return withRetry(attempt, { policy: options.retry ?? this.#http.retry, signal })
  }

  stream(request: CompletionRequest, options: CallOptions = {}): StreamingCompletionResponse {
    const produce = async (sink: CompletionSink, signal: AbortSignal) => {
      const body = this.#encoder.encode(request, { isStreaming: true })
      const attempt = async () => readStream(await this.#post(body, { accept: 'text/event-stream', signal, options }), { sink, includeRaw: options.includeRaw === true })
      await withRetry(attempt, { policy: options.retry ?? this.#http.retry, signal, mayRepeat: () => !sink.hasSurfaced })
    }
    return new CompletionStream(produce, { origin: this.#origin(request), signal: options.signal })
  }

  #post(body: Buffer, { accept, signal, options }: { readonly accept: string; readonly signal: AbortSignal; readonly options: CallOptions }) {
    return this.#http.post('/responses', { body, accept, signal, ...(options.headers === undefined ? {} : { headers: options.headers }) })
  }

  #origin({ model = this.model }: { readonly model?: string }): ModelOrigin {
    return { provider: this.provider, api: this.api, model }
  }

  #decode(json: JsonObject, request: CompletionRequest, { providerRequestId, includeRaw }: { readonly providerRequestId: string | undefined; readonly includeRaw: boolean }): CompletionResponse {
    const status = stringAt(json, 'status')
    if (status === 'failed' || status === 'cancelled' || objectAt(json, 'error') !== undefined) throw responseError(json, providerRequestId)
    const choice = choiceOf(json, status !== 'incomplete')
    if (choice.length === 0 && arrayAt(json, 'output').length === 0 && status !== 'incomplete') throw new CompletionError('response', 'The answer is empty', { bodyJson: json })
    const final = responseFinal(json, providerRequestId)
    const messageId = messageIdOf(json)
    const calls = choice.some((part) => part.type === 'tool_call')
    return {
      ...final,
      ...(calls && final.finishReason === 'stop' ? { finishReason: 'tool_calls' } : {}),
      ...(messageId === undefined ? {} : { messageId }),
      choice,
      origin: this.#origin(request),
      ...(includeRaw ? { rawResponse: json } : {}),
    }
  }
}

function choiceOf(json: JsonObject, isComplete: boolean): readonly AssistantContent[] {
  const parts = new PartsAccumulator()
  const items = arrayAt(json, 'output').filter(isJsonObject)
  // Some servers give reasoning as plain text beside the output.
  const reasoning = stringAt(json, 'reasoning')
  if (reasoning !== undefined && !items.some((item) => item['type'] === 'reasoning')) {
    parts.accept({ type: 'reasoning_start', id: 'reasoning', position: -1 })
    parts.accept({ type: 'reasoning_end', id: 'reasoning', restated: [{ type: 'text', text: reasoning }] })
  }
  for (const [position, item] of items.entries()) {
    for (const choice of itemChoices(item, { key: `item ${position}`, position, isCutOff: !isComplete })) parts.accept(choice)
  }
  return parts.finish({ isComplete })
}

function messageIdOf(json: JsonObject): string | undefined {
  const message = arrayAt(json, 'output').filter(isJsonObject).find((item) => item['type'] === 'message')
  return message === undefined ? undefined : stringAt(message, 'id')
}

/** Reads one streamed answer into the sink; resolves when the connection has ended, or soon after the answer has. */
async function readStream(response: HttpResponse, { sink, includeRaw }: { readonly sink: CompletionSink; readonly includeRaw: boolean }): Promise<void> {
  const parts = sink.begin()
  const finished = Promise.withResolvers<void>()
  const decoder = new ResponsesStreamDecoder({
    choice: (choice) => parts.accept(choice),
    finish: (final, options) => {
      sink.finish(final, options)
      finished.resolve()
    },
  }, { providerRequestId: response.header('x-request-id'), includeRaw })
  const sse = new SseDecoder((data) => decoder.push(data))
  const reading = response.read((chunk) => {
    sse.push(chunk)
    return decoder.isFinished ? undefined : sink.ready()
  })
  const ended = reading.then(() => sse.end()).catch((error: unknown) => {
    if (decoder.isFinished) return
    parts.flushToolCalls()
    throw brokenOff(error)
  })
  const linger = new Linger()
  await Promise.race([ended, finished.promise.then(() => (response.isComplete ? ended : linger.start()))])
  linger.end()
  response.discard()
  if (!decoder.isFinished) throw new CompletionError('truncated_stream', 'The answer ended without its terminal event')
}

/** The bytes of an answer that has begun broke off: that is another thing than no connection. */
function brokenOff(error: unknown): unknown {
  if (error instanceof CompletionError && error.kind !== 'http') return error
  if (error instanceof RangeError) return new CompletionError('response', error.message, { cause: error })
  return new CompletionError('truncated_stream', 'The connection broke off in the middle of the answer', { cause: error })
}

/** The short wait for a connection to end after its answer has. */
class Linger {
  #timer: NodeJS.Timeout | undefined

  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#timer = setTimeout(resolve, LINGER_MS)
    })
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}
