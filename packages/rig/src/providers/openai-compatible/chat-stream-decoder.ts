import type { FinishReason } from '../../completion/completion-event.ts'
import { isJsonObject, objectAt, stringAt, tryParseJson, type JsonObject } from '../../completion/json.ts'
import type { Usage } from '../../completion/usage.ts'
import { CompletionError } from '../../errors.ts'
import type { DecoderOutput, StreamDecoder } from '../wire.ts'
import { ChatAnswer } from './chat-answer.ts'
import { chatError, firstChoice } from './chat-error.ts'
import { chatFinal, finishReasonOf, isCutOff, usageIn, type ChatDecoderOptions } from './decode-chat-response.ts'

/** A frame that was meant to end the answer, as far as that can be seen in broken JSON. */
const TERMINAL = /"finish_reason"\s*:\s*"|"error"\s*:\s*["{]/

/**
 * Reads the chunks of a streamed answer: https://platform.openai.com/docs/api-reference/chat-streaming. No I/O. The answer has ended when a
 * reason for its end was given and `[DONE]` or the end of the bytes follows: usage comes between them.
 */
export class ChatStreamDecoder implements StreamDecoder {
  readonly #output: DecoderOutput
  readonly #options: ChatDecoderOptions
  readonly #answer: ChatAnswer
  readonly #chunks: JsonObject[] = []
  #responseId: string | undefined
  #model: string | undefined
  #usage: Usage | undefined
  #finishReason: FinishReason | undefined
  #isFinished = false

  constructor(output: DecoderOutput, options: ChatDecoderOptions) {
    this.#output = output
    this.#options = options
    this.#answer = new ChatAnswer((choice) => output.choice(choice), { thinkTags: options.thinkTags, isWhole: false })
  }

  /** Whether the end was read; what follows it is ignored. */
  get isFinished(): boolean {
    return this.#isFinished
  }

  /** The data of one event. Throws `CompletionError` when it says that the answer has failed. */
  push(data: string): void {
    if (this.#isFinished) return
    if (data.trimEnd() === '[DONE]') {
      if (this.#finishReason === undefined) throw new CompletionError('truncated_stream', 'The stream was done before the answer had ended')
      this.#finish()
      return
    }
    const chunk = tryParseJson(data)
    if (isJsonObject(chunk)) this.#chunk(chunk)
    else if (chunk === undefined) this.#malformed(data)
  }

  /** Several servers leave out `[DONE]`: the end of the bytes does as well, once there was a reason for it. */
  end(): void {
    if (!this.#isFinished && this.#finishReason !== undefined) this.#finish()
  }

  #chunk(chunk: JsonObject): void {
    const { provider, providerRequestId, includeRaw = false } = this.#options
    const choice = firstChoice(chunk)
    const error = chatError(chunk, { provider, providerRequestId, choice })
    if (error !== undefined) throw error
    if (includeRaw) this.#chunks.push(chunk)
    this.#responseId ??= stringAt(chunk, 'id') || undefined
    this.#model ??= stringAt(chunk, 'model') || undefined
    this.#readUsage(chunk, choice)
    if (choice === undefined) return
    const delta = objectAt(choice, 'delta') ?? objectAt(choice, 'message')
    if (delta !== undefined) this.#answer.accept(delta)
    this.#finishReason = finishReasonOf(choice) ?? this.#finishReason
  }

  /** The last figures count: some servers send them with every chunk, growing. */
  #readUsage(chunk: JsonObject, choice: JsonObject | undefined): void {
    const usage = chunk['usage']
    if (usage !== undefined && usage !== null && !isJsonObject(usage)) {
      this.#output.choice({ type: 'warning', error: new CompletionError('json', 'A chunk of the stream has a malformed usage', { bodyJson: chunk }) })
    }
    this.#usage = usageIn(chunk, choice) ?? this.#usage
  }

  /** A frame that is not JSON is reported and skipped, unless it was the end. */
  #malformed(data: string): void {
    const error = new CompletionError('json', 'A malformed chunk in the stream', { bodyText: data.slice(0, 500) })
    if (TERMINAL.test(data)) throw error
    this.#output.choice({ type: 'warning', error })
  }

  #finish(): void {
    this.#isFinished = true
    this.#answer.end(this.#finishReason)
    const { providerRequestId, includeRaw = false } = this.#options
    const final = chatFinal({ responseId: this.#responseId, model: this.#model, usage: this.#usage, finishReason: this.#finishReason, providerRequestId })
    this.#output.finish({ ...final, ...(includeRaw ? { raw: this.#chunks } : {}) }, { isComplete: !isCutOff(this.#finishReason) })
  }
}
