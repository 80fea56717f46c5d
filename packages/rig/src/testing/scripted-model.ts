import type { CompletionResponse, FinishReason, RawStreamingChoice, StreamingCompletionResponse } from '../completion/completion-event.ts'
import type { CompletionModel, ModelCapabilities } from '../completion/completion-model.ts'
import { CompletionRequestBuilder } from '../completion/completion-request-builder.ts'
import type { CallOptions, CompletionRequest } from '../completion/completion-request.ts'
import { CompletionStream, type CompletionSink } from '../completion/completion-stream.ts'
import type { JsonObject } from '../completion/json.ts'
import type { AssistantContent, MessageInput, ToolCall } from '../completion/message-types.ts'
import { ZERO_USAGE, type Usage } from '../completion/usage.ts'
import { CompletionError } from '../errors.ts'

/** What a scripted model does when it is called. */
export type ScriptedTurn =
  | { readonly type: 'answer'; readonly content: readonly AssistantContent[]; readonly finishReason?: FinishReason; readonly usage?: Usage }
  | { readonly type: 'error'; readonly error: Error }
  /** The stream ends in the middle: no terminal event. */
  | { readonly type: 'truncated'; readonly content: readonly AssistantContent[] }
  /** Says `content` and then nothing more, until it is aborted. */
  | { readonly type: 'hanging'; readonly content: readonly AssistantContent[] }

/** An answer of text. */
export function says(text: string): ScriptedTurn {
  return { type: 'answer', content: [{ type: 'text', text }] }
}

/** An answer of tool calls. */
export function calls(...toolCalls: readonly ToolCall[]): ScriptedTurn {
  return { type: 'answer', content: toolCalls }
}

/** A tool call as a model would make it. */
export function toolCall(id: string, name: string, args: JsonObject = {}): ToolCall {
  return { type: 'tool_call', id, function: { name, arguments: args, rawArguments: JSON.stringify(args) }, provider: { callId: id } }
}

/**
 * A model that follows a script, one entry per call, and keeps the requests it got. Deltas are single characters of text in their own ticks,
 * which is as badly as a network can cut them. After the last entry it throws.
 */
export class ScriptedModel implements CompletionModel {
  readonly provider = 'scripted'
  readonly api = 'script'
  readonly model = 'scripted'
  readonly capabilities: ModelCapabilities
  readonly #turns: readonly ScriptedTurn[]
  readonly #requests: CompletionRequest[] = []

  /** `capabilities` are all there unless taken away. */
  constructor(turns: readonly ScriptedTurn[], capabilities: Partial<ModelCapabilities> = {}) {
    this.#turns = turns
    this.capabilities = { nativeOutputComposesWithTools: true, toolResultImages: true, strictTools: true, parallelToolCalls: true, ...capabilities }
  }

  get requests(): readonly CompletionRequest[] {
    return this.#requests
  }

  completionRequest(prompt: MessageInput): CompletionRequestBuilder {
    return new CompletionRequestBuilder(this, prompt)
  }

  completion(request: CompletionRequest, options: CallOptions = {}): Promise<CompletionResponse> {
    return this.stream(request, options).response
  }

  stream(request: CompletionRequest, options: CallOptions = {}): StreamingCompletionResponse {
    const turn = this.#turns[this.#requests.length]
    this.#requests.push(request)
    const origin = { provider: this.provider, api: this.api, model: this.model }
    return new CompletionStream((sink, signal) => play(turn, sink, signal), { origin, signal: options.signal })
  }
}

async function play(turn: ScriptedTurn | undefined, sink: CompletionSink, signal: AbortSignal): Promise<void> {
  const parts = sink.begin()
  if (turn === undefined) throw new CompletionError('request', 'The script has no further entry')
  await tick()
  if (turn.type === 'error') throw turn.error
  for (const [index, part] of turn.content.entries()) {
    for (const choice of choicesOf(part, `part ${index}`)) {
      signal.throwIfAborted()
      parts.accept(choice)
      await sink.ready()
      await tick()
    }
  }
  if (turn.type === 'truncated') return
  if (turn.type === 'hanging') await untilAborted(signal)
  else sink.finish({ usage: turn.usage ?? ZERO_USAGE, usageKnown: turn.usage !== undefined, finishReason: turn.finishReason ?? 'stop' }, { isComplete: true })
}

function choicesOf(part: AssistantContent, id: string): readonly RawStreamingChoice[] {
  switch (part.type) {
    case 'text': return [
      { type: 'text_start', id },
      ...[...part.text].map((text): RawStreamingChoice => ({ type: 'text_delta', id, text })),
      { type: 'text_end', id, ...(part.meta === undefined ? {} : { meta: part.meta }) },
    ]
    case 'reasoning': return [
      { type: 'reasoning_start', id, ...(part.id === undefined ? {} : { providerId: part.id }) },
      ...part.content.flatMap((entry, index): RawStreamingChoice[] => (entry.type === 'text' || entry.type === 'summary' ? [{ type: 'reasoning_delta', id, kind: entry.type, index, delta: entry.text }] : [])),
      { type: 'reasoning_end', id, restated: part.content },
    ]
    case 'tool_call': {
      const provider = part.provider ?? { callId: part.id }
      const text = part.function.rawArguments ?? JSON.stringify(part.function.arguments)
      return [{ type: 'tool_start', id, name: part.function.name, provider }, { type: 'tool_delta', id, delta: text }, { type: 'tool_end', id, onUnparseable: 'error' }]
    }
    case 'provider_item': return [{ type: 'provider_item', provider: part.provider, raw: part.raw }]
    case 'image': throw new TypeError('A scripted model says no images')
  }
}

function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function untilAborted(signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<void>()
  const onAbort = () => reject(new CompletionError('aborted', 'The call was aborted'))
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  return promise
}
