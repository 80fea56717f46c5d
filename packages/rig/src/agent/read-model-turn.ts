import type { CompletionModel } from '../completion/completion-model.ts'
import type { CompletionResponse, FinishReason, StreamedAssistantContent, StreamFinal } from '../completion/completion-event.ts'
import type { CallOptions, CompletionRequest } from '../completion/completion-request.ts'
import type { AssistantContent, ToolCall } from '../completion/message-types.ts'
import type { AssistantTurn } from './agent-run.ts'
import type { HookContext } from './hooks.ts'
import type { HookStack } from './hook-stack.ts'
import { untilAborted } from './run-ending.ts'

/** Where the deltas of a turn go. */
export interface DeltaSink {
  item(item: StreamedAssistantContent): void
  /** A promise while the consumer is far behind. */
  ready(): Promise<void> | undefined
}

/** An answer as it was read. */
export interface ModelTurn {
  readonly turn: AssistantTurn
  readonly response: CompletionResponse
  /** By the id of the call. */
  readonly internalCallIds: ReadonlyMap<string, string>
}

export interface ModelCall {
  readonly model: CompletionModel
  readonly request: CompletionRequest
  readonly options: CallOptions & { readonly signal: AbortSignal }
}

/** One whole answer. */
export async function readWhole({ model, request, options }: ModelCall): Promise<ModelTurn> {
  const response = await untilAborted(model.completion(request, options), options.signal)
  return modelTurn(request, response, new Map())
}

/** One streamed answer: deltas are forwarded, calls and the ending held back for the run to report in its order. */
export async function readStreamed({ model, request, options }: ModelCall, sink: DeltaSink): Promise<ModelTurn> {
  const minted = new Map<ToolCall, string>()
  const stream = model.stream(request, options)
  stream.listen({
    item: (item) => {
      if (item.type === 'tool_call') minted.set(item.toolCall, item.internalCallId)
      else if (item.type !== 'final') sink.item(item)
    },
    ready: () => sink.ready(),
  })
  return modelTurn(request, await stream.response, minted)
}

/** The same with hooks that watch deltas: each delta waits for them before it is forwarded. */
export async function readWatched(call: ModelCall, sink: DeltaSink, watch: { readonly hooks: HookStack; readonly ctx: HookContext }): Promise<ModelTurn> {
  const { model, request, options } = call
  const minted = new Map<ToolCall, string>()
  const said = new Map<string, string>()
  const stream = model.stream(request, options)
  for await (const item of stream) {
    if (item.type === 'tool_call') minted.set(item.toolCall, item.internalCallId)
    if (item.type === 'tool_call' || item.type === 'final') continue
    await watch.hooks.delta(watch.ctx, item, aggregate(said, item))
    sink.item(item)
    await sink.ready()
  }
  return modelTurn(request, await stream.response, minted)
}

/** Text adds up over the whole turn, reasoning per part. */
function aggregate(said: Map<string, string>, item: StreamedAssistantContent): string {
  if (item.type !== 'text' && item.type !== 'reasoning_delta') return ''
  const [key, delta] = item.type === 'text' ? ['', item.text] : [`reasoning ${item.id}`, item.delta]
  const aggregated = (said.get(key) ?? '') + delta
  said.set(key, aggregated)
  return aggregated
}

function modelTurn(request: CompletionRequest, response: CompletionResponse, minted: ReadonlyMap<ToolCall, string>): ModelTurn {
  const internalCallIds = new Map<string, string>()
  const content = withUniqueCallIds(response.choice, (call, id) => internalCallIds.set(id, minted.get(call) ?? crypto.randomUUID()))
  const { usage, usageKnown, finishReason, origin, model, messageId, responseId, providerRequestId } = response
  const turn: AssistantTurn = {
    content,
    origin,
    ...(usageKnown ? { usage } : {}),
    ...(finishReason === undefined ? {} : { finishReason }),
    ...(request.maxTokens === undefined ? {} : { maxTokens: request.maxTokens }),
    ...(model === undefined ? {} : { model }),
    ...(messageId === undefined ? {} : { messageId }),
    ...(responseId === undefined ? {} : { responseId }),
    ...(providerRequestId === undefined ? {} : { providerRequestId }),
  }
  return { turn, response, internalCallIds }
}

/** Some servers repeat a call id within one answer. Results are matched by it, so a repeated one is replaced and kept as the wire id. */
function withUniqueCallIds(content: readonly AssistantContent[], seen: (call: ToolCall, id: string) => void): readonly AssistantContent[] {
  const ids = new Set<string>()
  return content.map((part) => {
    if (part.type !== 'tool_call') return part
    const id = ids.has(part.id) || part.id === '' ? `call_${crypto.randomUUID()}` : part.id
    ids.add(id)
    seen(part, id)
    return id === part.id ? part : { ...part, id, provider: { ...part.provider, callId: part.provider?.callId ?? part.id } }
  })
}

/** How a streamed answer ended, for the hook of that name. */
export function streamFinalOf({ usage, usageKnown, model, finishReason, messageId, responseId, providerRequestId }: CompletionResponse): StreamFinal {
  return {
    usage,
    usageKnown,
    ...(model === undefined ? {} : { model }),
    ...(finishReason === undefined ? {} : { finishReason }),
    ...(messageId === undefined ? {} : { messageId }),
    ...(responseId === undefined ? {} : { responseId }),
    ...(providerRequestId === undefined ? {} : { providerRequestId }),
  }
}

/** Whether the model was cut off before it said anything: reasoning alone is no answer. */
export function isWithoutAnswer(content: readonly AssistantContent[], reason: FinishReason | undefined): boolean {
  if (reason !== 'length' && reason !== 'content_filter') return false
  return !content.some((part) => (part.type === 'text' && part.text !== '') || part.type === 'tool_call' || part.type === 'image')
}
