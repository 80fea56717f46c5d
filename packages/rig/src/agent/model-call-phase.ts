import type { CompletionModel } from '../completion/completion-model.ts'
import type { Document, ToolChoice } from '../completion/completion-request.ts'
import type { AnyMessage } from '../completion/message-types.ts'
import { NoAnswerError } from '../errors.ts'
import { acceptOutput, type OutputAnswer } from './accept-output.ts'
import type { AgentConfig } from './agent-config.ts'
import type { MultiTurnStreamItem } from './agent-event.ts'
import type { AgentRun, AgentStep, AssistantTurn } from './agent-run.ts'
import type { PendingToolCall } from './agent-run-json.ts'
import type { HookStack } from './hook-stack.ts'
import type { CompletionCallEvent, HookContext, RequestPatch } from './hooks.ts'
import { modelRequest } from './model-request.ts'
import { OutputPlan, type TurnOutput } from './output-schema.ts'
import { isWithoutAnswer, readStreamed, readWatched, readWhole, streamFinalOf, type ModelCall, type ModelTurn } from './read-model-turn.ts'
import { resolveToolCalls } from './resolve-tool-calls.ts'
import { Retrieval } from './retrieval.ts'
import type { RunOptions } from './run-options.ts'
import { traced, type ChatSpanResult } from './telemetry.ts'
import { toolCallsOf } from './tool-calls-of.ts'
import { ToolSnapshots, type TurnTools } from './turn-tools.ts'

export interface ModelCallPhaseInput {
  readonly run: AgentRun
  readonly config: AgentConfig
  readonly options: RunOptions
  readonly isStreaming: boolean
  readonly observer: { item(item: MultiTurnStreamItem): void; ready(): Promise<void> | undefined }
  readonly controller: AbortController
  readonly hooks: HookStack
}

type CallModelStep = Extract<AgentStep, { type: 'callModel' }>

/** What one model call is made with. */
interface TurnSetting {
  readonly patch: RequestPatch
  readonly model: CompletionModel
  readonly tools: TurnTools
  readonly toolChoice: ToolChoice | undefined
  readonly output: TurnOutput | undefined
  readonly retrieved: readonly Document[]
}

/** The model calls of a run, each from the hooks before it to the answer's place in the run. */
export class ModelCallPhase {
  readonly #input: ModelCallPhaseInput
  readonly #retrieval: Retrieval
  readonly #snapshots: ToolSnapshots
  readonly #plan: OutputPlan | undefined
  #structured: unknown

  constructor(input: ModelCallPhaseInput) {
    const { config, options, run } = input
    const output = options.output ?? config.output
    this.#input = input
    this.#retrieval = new Retrieval(config.dynamicContext, config.dynamicTools)
    this.#snapshots = new ToolSnapshots(config.toolServer, promptText(run))
    this.#plan = output === undefined ? undefined : new OutputPlan(output)
  }

  /** The value that the final answer was checked to be; `undefined` without an output schema. */
  async structured(output: string): Promise<unknown> {
    if (this.#plan === undefined || this.#structured !== undefined) return this.#structured
    // A run that was restored at its end: the answer was accepted before.
    const judgement = await this.#plan.judgeText(output)
    return judgement.type === 'accepted' ? judgement.value : undefined
  }

  /** The tools of a turn whose model call was made by another process. */
  tools(): Promise<TurnTools> {
    return this.#takeTools(undefined)
  }

  /** Makes the call and takes its answer in; gives the tools that it offered. */
  async execute(step: CallModelStep, ctx: HookContext): Promise<TurnTools> {
    const { run, hooks, observer, isStreaming } = this.#input
    const setting = await this.#prepare(step, ctx)
    const answer = await this.#ask(ctx, setting)
    const call = run.recordCall(answer.turn)
    observer.item({ type: 'completionCall', call })
    if (hooks.has(isStreaming ? 'onStreamCompletionResponseFinish' : 'onCompletionResponse')) await this.#showAnswer(answer, step.prompt, ctx)
    await this.#accept(answer, setting, ctx)
    return setting.tools
  }

  async #prepare(step: CallModelStep, ctx: HookContext): Promise<TurnSetting> {
    const { config, options, run, hooks } = this.#input
    const patch = hooks.has('onCompletionCall') ? await hooks.completionCall(ctx, this.#callEvent(step)) : {}
    const candidate = options.model ?? config.model
    const model = hooks.has('onModelSelect') ? await hooks.modelSelect(ctx, candidate) : candidate
    const tools = await this.#takeTools(patch.activeTools)
    const retrieved = config.dynamicContext.length === 0 ? [] : await this.#retrieval.documents(run.messages)
    const output = this.#plan?.forTurn(model, tools)
    const mustConclude = options.onMaxTurns === 'answer' && step.turn === run.maxTurns
    const chosen = mustConclude ? concluding(output) : patch.toolChoice ?? options.toolChoice ?? config.toolChoice
    const hasTools = tools.definitions.length > 0 || config.hostedTools.length > 0 || output?.mode === 'tool'
    return { patch, model, tools, retrieved, output, toolChoice: hasTools ? chosen : undefined }
  }

  async #takeTools(active: readonly string[] | undefined): Promise<TurnTools> {
    const { config, run } = this.#input
    const dynamic = config.dynamicTools.length === 0 ? [] : await this.#retrieval.tools(run.messages)
    return this.#snapshots.take(active, dynamic)
  }

  #callEvent({ prompt, turn }: CallModelStep): CompletionCallEvent {
    return { prompt, history: this.#input.run.messages.slice(0, -1), turn }
  }

  async #ask(ctx: HookContext, setting: TurnSetting): Promise<ModelTurn> {
    const { config, options, controller, run } = this.#input
    controller.signal.throwIfAborted()
    const { headers, retry, idleTimeoutMs } = options
    const call: ModelCall = {
      model: setting.model,
      request: modelRequest(run, { config, options, plan: this.#plan, ...setting }),
      options: {
        signal: controller.signal,
        ...(headers === undefined ? {} : { headers }),
        ...(retry === undefined ? {} : { retry }),
        ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
      },
    }
    if (config.telemetry === undefined) return this.#read(call, ctx)
    return this.#readTraced(call, ctx)
  }

  async #readTraced(call: ModelCall, ctx: HookContext): Promise<ModelTurn> {
    const { config, isStreaming } = this.#input
    const read = Promise.withResolvers<ModelTurn>()
    const span = config.telemetry?.chat({ model: call.model, request: call.request, isStreaming })
    await traced<ChatSpanResult>(span, async () => {
      const answer = await this.#read(call, ctx)
      read.resolve(answer)
      return answer.turn
    })
    return read.promise
  }

  #read(call: ModelCall, ctx: HookContext): Promise<ModelTurn> {
    const { isStreaming, observer, hooks } = this.#input
    if (!isStreaming) return readWhole(call)
    const { turn } = ctx
    const sink = {
      item: (item: Extract<MultiTurnStreamItem, { type: 'streamAssistantItem' }>['item']) => observer.item({ type: 'streamAssistantItem', turn, item }),
      ready: () => observer.ready(),
    }
    return hooks.watchesDeltas ? readWatched(call, sink, { hooks, ctx }) : readStreamed(call, sink)
  }

  #showAnswer({ turn, response }: ModelTurn, prompt: AnyMessage, ctx: HookContext): Promise<void> {
    const { hooks, isStreaming } = this.#input
    if (!isStreaming) return hooks.completionResponse(ctx, { prompt, response })
    return hooks.streamFinished(ctx, { prompt, final: streamFinalOf(response), content: turn.content })
  }

  /** The hook first: whoever stores the run does it there, before any tool starts. */
  async #accept(answer: ModelTurn, setting: TurnSetting, ctx: HookContext): Promise<void> {
    const { run, hooks, observer, controller, config } = this.#input
    const { turn, internalCallIds } = answer
    const calls = toolCallsOf({ role: 'assistant', content: turn.content })
    const verdict = hooks.has('onModelTurnFinished') ? await hooks.modelTurnFinished(ctx, turnFinishedEvent(turn, ctx.turn)) : undefined
    if (verdict !== undefined && calls.length === 0) {
      run.retryTurn(turn, verdict.mode === 'feedback' ? verdict.text : undefined)
      observer.item({ type: 'modelTurnRetried', turn: ctx.turn, mode: verdict.mode })
      return
    }
    if (turn.finishReason !== undefined && isWithoutAnswer(turn.content, turn.finishReason)) {
      throw new NoAnswerError(turn.finishReason, turn.maxTokens, run.messages)
    }
    controller.signal.throwIfAborted()
    if (await this.#settlesOutput({ turn, calls, internalCallIds }, setting, ctx)) return
    const { tools, toolChoice } = setting
    const pending = await resolveToolCalls(run, calls, { tools, toolChoice, policy: config.invalidToolCalls, hooks, ctx, internalCallIds })
    run.acceptTurn(hooks.has('onInvalidToolCall') ? withRepairs(turn, pending) : turn, pending)
  }

  /** Whether the required form of the answer has decided what becomes of it. */
  async #settlesOutput(answer: OutputAnswer, { output }: TurnSetting, ctx: HookContext): Promise<boolean> {
    if (this.#plan === undefined || output === undefined) return false
    const { run, observer } = this.#input
    const verdict = await acceptOutput(run, answer, { plan: this.#plan, output })
    switch (verdict.type) {
      case 'asked_again':
        if (answer.calls.length === 0) observer.item({ type: 'modelTurnRetried', turn: ctx.turn, mode: 'feedback' })
        return true
      case 'accepted':
        this.#structured = verdict.value
        return true
      case 'ordinary':
        this.#structured = verdict.value
        return false
    }
  }
}

/** A call that a hook has repaired is kept as it ran: its result would not fit the name that the model made up. */
function withRepairs(turn: AssistantTurn, pending: readonly PendingToolCall[]): AssistantTurn {
  const repaired = new Map(pending.map(({ toolCall }) => [toolCall.id, toolCall]))
  const content = turn.content.map((part) => (part.type === 'tool_call' ? repaired.get(part.id) ?? part : part))
  return content.every((part, index) => part === turn.content[index]) ? turn : { ...turn, content }
}

/** The last permitted call has to bring the answer: by the tool that is the answer, or without any. */
function concluding(output: TurnOutput | undefined): ToolChoice {
  return output?.mode === 'tool' ? { type: 'specific', functionNames: [output.definition.name] } : 'none'
}

function turnFinishedEvent(answer: AssistantTurn, turn: number) {
  const { content, usage, finishReason, maxTokens, messageId, responseId, providerRequestId } = answer
  return {
    turn,
    content,
    ...(usage === undefined ? {} : { usage }),
    ...(finishReason === undefined ? {} : { finishReason }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    identity: {
      ...(messageId === undefined ? {} : { messageId }),
      ...(responseId === undefined ? {} : { responseId }),
      ...(providerRequestId === undefined ? {} : { providerRequestId }),
    },
  }
}

/** What tool definitions may depend on: the text that the run began with. */
function promptText(run: AgentRun): string {
  const [prompt] = run.fresh
  if (prompt === undefined || typeof prompt.content === 'string') return ''
  return prompt.content.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

