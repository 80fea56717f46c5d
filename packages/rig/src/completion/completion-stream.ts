import { CompletionError } from '../errors.ts'
import { BatchQueue } from './batch-queue.ts'
import type { CompletionResponse, StreamedAssistantContent, StreamFinal, StreamingCompletionResponse, StreamListener } from './completion-event.ts'
import type { AssistantContent, ModelOrigin } from './message-types.ts'
import { PartsAccumulator } from './parts-accumulator.ts'

/** What a provider writes a streamed answer to. */
export interface CompletionSink {
  /** A fresh answer: once per attempt. */
  begin(): PartsAccumulator
  /** Whether the consumer has seen anything: from then on a failed attempt cannot be repeated. */
  readonly hasSurfaced: boolean
  /** A promise while the consumer is far behind: read no further until it resolves. */
  ready(): Promise<void> | undefined
  /** The genuine end of the answer. `isComplete`: whether it was not cut off. */
  finish(final: StreamFinal, options: { readonly isComplete: boolean }): void
}

export interface CompletionStreamOptions {
  readonly origin: ModelOrigin
  readonly signal?: AbortSignal | undefined
}

/** Produces the answer; resolves when the exchange is over, after `finish`. Rejects with `CompletionError`. */
export type ProduceCompletion = (sink: CompletionSink, signal: AbortSignal) => Promise<void>

/** A streamed answer, for every provider: `produce` starts at once, what it reports is accumulated and handed on in the same tick. */
export class CompletionStream implements StreamingCompletionResponse {
  readonly response: Promise<CompletionResponse>
  readonly #queue = new BatchQueue<StreamedAssistantContent>()
  readonly #controller = new AbortController()
  readonly #origin: ModelOrigin
  #listener: StreamListener | undefined
  #parts = new PartsAccumulator()
  #hasSurfaced = false
  /** Only a consumer that iterates may hold back the reading: whoever waits for `response` alone takes nothing out. */
  #isIterated = false
  #finished: CompletionResponse | undefined

  constructor(produce: ProduceCompletion, { origin, signal }: CompletionStreamOptions) {
    this.#origin = origin
    this.response = this.#run(produce, signal)
    this.response.then(() => this.#queue.close(), (error: unknown) => this.#queue.fail(error))
  }

  get choice(): readonly AssistantContent[] {
    return this.#finished?.choice ?? this.#parts.snapshot()
  }

  cancel(reason?: string): void {
    this.#controller.abort(reason)
  }

  listen(listener: StreamListener): void {
    this.#listener = listener
    for (const item of this.#queue.takeAll()) listener.item(item)
  }

  [Symbol.asyncIterator](): AsyncIterator<StreamedAssistantContent, undefined> {
    this.#isIterated = true
    return {
      next: () => this.#queue.next(),
      return: async () => {
        this.cancel('the consumer left')
        this.#queue.discard()
        await this.response.catch(() => undefined) // The consumer has left: how the call ended is in `response`.
        return { done: true, value: undefined }
      },
    }
  }

  async #run(produce: ProduceCompletion, signal: AbortSignal | undefined): Promise<CompletionResponse> {
    const onAbort = () => this.#controller.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted === true) onAbort()
    try {
      await produce(this.#sink(), this.#controller.signal)
    } catch (error) {
      throw this.#failure(error)
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
    if (this.#finished === undefined) throw new CompletionError('truncated_stream', 'The answer ended without its terminal event')
    return this.#finished
  }

  #failure(error: unknown): unknown {
    if (!this.#controller.signal.aborted) return error
    const { reason } = this.#controller.signal
    return new CompletionError('aborted', typeof reason === 'string' ? reason : 'The call was aborted', { cause: error })
  }

  #sink(): CompletionSink {
    const hasSurfaced = () => this.#hasSurfaced
    return {
      begin: () => {
        this.#parts = new PartsAccumulator((item) => this.#hand(item))
        return this.#parts
      },
      get hasSurfaced() {
        return hasSurfaced()
      },
      ready: () => (this.#listener === undefined ? this.#roomInQueue() : this.#listener.ready()),
      finish: (final, { isComplete }) => this.#finish(final, isComplete),
    }
  }

  #roomInQueue(): Promise<void> | undefined {
    return this.#isIterated ? this.#queue.room() : undefined
  }

  #hand(item: StreamedAssistantContent): void {
    this.#hasSurfaced = true
    if (this.#listener === undefined) this.#queue.push(item)
    else this.#listener.item(item)
  }

  #finish(final: StreamFinal, isComplete: boolean): void {
    if (this.#finished !== undefined) return
    const choice = this.#parts.finish({ isComplete })
    const finishReason = final.finishReason === 'stop' && choice.some((part) => part.type === 'tool_call') ? 'tool_calls' : final.finishReason
    const settled = { ...final, ...(finishReason === undefined ? {} : { finishReason }) }
    const { raw, ...rest } = settled
    this.#finished = { ...rest, choice, origin: this.#origin, ...(raw === undefined ? {} : { rawResponse: raw }) }
    this.#hand({ type: 'final', final: settled })
  }
}
