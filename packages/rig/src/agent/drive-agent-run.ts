import type { ToolChoice } from '../completion/completion-request.ts'
import type { AnyMessage } from '../completion/message-types.ts'
import { MaxTurnsError, NoAnswerError } from '../errors.ts'
import type { AgentConfig } from './agent-config.ts'
import type { MultiTurnStreamItem, PromptResponse } from './agent-event.ts'
import type { AgentRun, AgentStep, AssistantTurn } from './agent-run.ts'
import { toolCallsOf } from './tool-calls-of.ts'
import { ToolCallPhase } from './tool-call-phase.ts'
import { HookStack } from './hook-stack.ts'
import type { CompletionCallEvent, HookContext, RequestPatch } from './hooks.ts'
import { modelRequest } from './model-request.ts'
import { isWithoutAnswer, readStreamed, readWatched, readWhole, streamFinalOf, type ModelCall, type ModelTurn } from './read-model-turn.ts'
import { resolveToolCalls } from './resolve-tool-calls.ts'
import { StopRun, runError } from './run-ending.ts'
import type { RunOptions, ToolCallDecision } from './run-options.ts'
import { ToolSnapshots, type TurnTools } from './turn-tools.ts'

/** What a run reports to while it is under way. */
export interface RunObserver {
  item(item: MultiTurnStreamItem): void
  /** A promise while the consumer is far behind: reading from the model waits for it. */
  ready(): Promise<void> | undefined
}

export interface RunInput {
  readonly run: AgentRun
  readonly config: AgentConfig
  readonly options: RunOptions
  readonly decisions: Readonly<Record<string, ToolCallDecision>>
  /** Whether answers are streamed; everything else is the same. */
  readonly isStreaming: boolean
  readonly observer: RunObserver
  /** Ends the run and everything it has started. */
  readonly controller: AbortController
}

/** Drives a run to its end: the only place where its decisions become I/O. Throws the errors of `errors.ts`; nothing is left running. */
export async function driveAgentRun(input: RunInput): Promise<PromptResponse> {
  try {
    return await new RunDriver(input).drive()
  } catch (error) {
    throw runError(error, input.run, input.controller.signal)
  } finally {
    input.controller.abort(new StopRun('the run has ended'))
  }
}

type CallModelStep = Extract<AgentStep, { type: 'callModel' }>

/** What one model call was made with. */
interface TurnSetting {
  readonly patch: RequestPatch
  readonly tools: TurnTools
  readonly toolChoice: ToolChoice | undefined
}

class RunDriver {
  readonly #input: RunInput
  readonly #run: AgentRun
  readonly #hooks: HookStack
  readonly #snapshots: ToolSnapshots
  readonly #toolPhase: ToolCallPhase
  readonly #runId = crypto.randomUUID()
  readonly #scratchpad = new Map<unknown, unknown>()

  constructor(input: RunInput) {
    const { config, options, run } = input
    this.#input = input
    this.#run = run
    this.#hooks = new HookStack([...config.hooks, ...(options.hooks ?? [])])
    this.#snapshots = new ToolSnapshots(config.toolServer, promptText(run))
    this.#toolPhase = new ToolCallPhase({ ...input, hooks: this.#hooks, runId: this.#runId })
  }

  async drive(): Promise<PromptResponse> {
    let tools: TurnTools | undefined
    for (;;) {
      this.#input.controller.signal.throwIfAborted()
      const step = this.#run.nextStep()
      switch (step.type) {
        case 'callModel':
          tools = await this.#callModel(step)
          break
        case 'callTools':
          await this.#toolPhase.execute(step, { tools: tools ?? await this.#snapshots.take(undefined), ctx: this.#context(step.turn) })
          break
        case 'turnLimit': throw new MaxTurnsError(step.maxTurns, step.prompt, this.#run.messages)
        case 'done':
          this.#input.observer.item({ type: 'finalResponse', response: step.response })
          return step.response
      }
    }
  }

  /** One model call, from the hooks before it to the answer's place in the run. */
  async #callModel(step: CallModelStep): Promise<TurnTools> {
    const ctx = this.#context(step.turn)
    const setting = await this.#prepare(step, ctx)
    const answer = await this.#ask(ctx, setting)
    const call = this.#run.recordCall(answer.turn)
    this.#input.observer.item({ type: 'completionCall', call })
    if (this.#hooks.has(this.#input.isStreaming ? 'onStreamCompletionResponseFinish' : 'onCompletionResponse')) await this.#showAnswer(answer, step.prompt, ctx)
    await this.#accept(answer, setting, ctx)
    return setting.tools
  }

  #showAnswer({ turn, response }: ModelTurn, prompt: AnyMessage, ctx: HookContext): Promise<void> {
    if (!this.#input.isStreaming) return this.#hooks.completionResponse(ctx, { prompt, response })
    return this.#hooks.streamFinished(ctx, { prompt, final: streamFinalOf(response), content: turn.content })
  }

  async #prepare(step: CallModelStep, ctx: HookContext): Promise<TurnSetting> {
    const { config, options } = this.#input
    const patch = this.#hooks.has('onCompletionCall') ? await this.#hooks.completionCall(ctx, this.#callEvent(step)) : {}
    const tools = await this.#snapshots.take(patch.activeTools)
    const mustConclude = options.onMaxTurns === 'answer' && step.turn === this.#run.maxTurns
    const toolChoice = mustConclude ? 'none' : patch.toolChoice ?? options.toolChoice ?? config.toolChoice
    return { patch, tools, toolChoice: tools.definitions.length === 0 && config.hostedTools.length === 0 ? undefined : toolChoice }
  }

  #callEvent({ prompt, turn }: CallModelStep): CompletionCallEvent {
    return { prompt, history: this.#run.messages.slice(0, -1), turn }
  }

  async #ask(ctx: HookContext, setting: TurnSetting): Promise<ModelTurn> {
    const { config, options, controller, observer } = this.#input
    const candidate = options.model ?? config.model
    const model = this.#hooks.has('onModelSelect') ? await this.#hooks.modelSelect(ctx, candidate) : candidate
    controller.signal.throwIfAborted()
    const call: ModelCall = {
      model,
      request: modelRequest(this.#run, { config, options, ...setting }),
      options: {
        signal: controller.signal,
        ...(options.headers === undefined ? {} : { headers: options.headers }),
        ...(options.retry === undefined ? {} : { retry: options.retry }),
      },
    }
    if (!this.#input.isStreaming) return readWhole(call)
    const { turn } = ctx
    const sink = {
      item: (item: Extract<MultiTurnStreamItem, { type: 'streamAssistantItem' }>['item']) => observer.item({ type: 'streamAssistantItem', turn, item }),
      ready: () => observer.ready(),
    }
    return this.#hooks.watchesDeltas ? readWatched(call, sink, { hooks: this.#hooks, ctx }) : readStreamed(call, sink)
  }

  /** The hook first: whoever stores the run does it there, before any tool starts. */
  async #accept({ turn, internalCallIds }: ModelTurn, setting: TurnSetting, ctx: HookContext): Promise<void> {
    const calls = toolCallsOf({ role: 'assistant', content: turn.content })
    const verdict = this.#hooks.has('onModelTurnFinished') ? await this.#hooks.modelTurnFinished(ctx, turnFinishedEvent(turn, ctx.turn)) : undefined
    if (verdict !== undefined && calls.length === 0) {
      this.#run.retryTurn(turn, verdict.mode === 'feedback' ? verdict.text : undefined)
      this.#input.observer.item({ type: 'modelTurnRetried', turn: ctx.turn, mode: verdict.mode })
      return
    }
    if (turn.finishReason !== undefined && isWithoutAnswer(turn.content, turn.finishReason)) {
      throw new NoAnswerError(turn.finishReason, turn.maxTokens, this.#run.messages)
    }
    this.#input.controller.signal.throwIfAborted()
    const { tools, toolChoice } = setting
    const policy = this.#input.config.invalidToolCalls
    const pending = await resolveToolCalls(this.#run, calls, { tools, toolChoice, policy, hooks: this.#hooks, ctx, internalCallIds })
    this.#run.acceptTurn(turn, pending)
  }

  #context(turn: number): HookContext {
    return {
      runId: this.#runId,
      turn,
      isStreaming: this.#input.isStreaming,
      agentName: this.#input.config.name,
      deps: this.#input.options.deps,
      scratchpad: this.#scratchpad,
      signal: this.#input.controller.signal,
      cancel: (reason) => {
        throw new StopRun(reason)
      },
    }
  }
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
