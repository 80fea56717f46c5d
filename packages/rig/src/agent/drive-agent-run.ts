import { MaxTurnsError } from '../errors.ts'
import type { AgentConfig } from './agent-config.ts'
import type { MultiTurnStreamItem, PromptResponse } from './agent-event.ts'
import type { AgentRun } from './agent-run.ts'
import type { RememberedConversation } from './conversation-memory.ts'
import { HookStack } from './hook-stack.ts'
import type { HookContext } from './hooks.ts'
import { ModelCallPhase } from './model-call-phase.ts'
import { StopRun, runError } from './run-ending.ts'
import type { RunOptions, ToolCallDecision } from './run-options.ts'
import { ToolCallPhase } from './tool-call-phase.ts'
import type { TurnTools } from './turn-tools.ts'

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
  /** Gets what the run has said, before anybody hears that it is done. */
  readonly conversation: RememberedConversation | undefined
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

class RunDriver {
  readonly #input: RunInput
  readonly #run: AgentRun
  readonly #hooks: HookStack
  readonly #modelPhase: ModelCallPhase
  readonly #toolPhase: ToolCallPhase
  readonly #runId = crypto.randomUUID()
  readonly #scratchpad = new Map<unknown, unknown>()

  constructor(input: RunInput) {
    this.#input = input
    this.#run = input.run
    this.#hooks = new HookStack([...input.config.hooks, ...(input.options.hooks ?? [])])
    this.#modelPhase = new ModelCallPhase({ ...input, hooks: this.#hooks })
    this.#toolPhase = new ToolCallPhase({ ...input, hooks: this.#hooks, runId: this.#runId })
  }

  async drive(): Promise<PromptResponse> {
    const { config, options } = this.#input
    const span = config.telemetry?.invokeAgent({
      agentName: config.name,
      description: config.description,
      runId: this.#runId,
      conversationId: options.conversationId,
      model: options.model ?? config.model,
      prompt: this.#run.fresh,
    })
    if (span === undefined) return this.#loop()
    return span.run(() => this.#loop()).then((response) => {
      span.end({ usage: response.usage, output: response.output, finishReason: response.finishReason })
      return response
    }, (error: unknown) => {
      span.fail(error)
      throw error
    })
  }

  async #loop(): Promise<PromptResponse> {
    let tools: TurnTools | undefined
    for (;;) {
      this.#input.controller.signal.throwIfAborted()
      const step = this.#run.nextStep()
      switch (step.type) {
        case 'callModel':
          tools = await this.#modelPhase.execute(step, this.#context(step.turn))
          break
        case 'callTools':
          await this.#toolPhase.execute(step, { tools: tools ?? await this.#modelPhase.tools(), ctx: this.#context(step.turn) })
          break
        case 'turnLimit': throw new MaxTurnsError(step.maxTurns, step.prompt, this.#run.messages)
        case 'done': return this.#finish(step.response)
      }
    }
  }

  async #finish(response: PromptResponse): Promise<PromptResponse> {
    const { config, options, conversation, observer } = this.#input
    const hasForm = config.output !== undefined || options.output !== undefined
    const finished = hasForm ? { ...response, structured: await this.#modelPhase.structured(response.output) } : response
    const problem = await conversation?.append(response.messages)
    if (problem !== undefined) await this.#hooks.warning(this.#context(this.#run.turn), { error: problem })
    observer.item({ type: 'finalResponse', response: finished })
    return finished
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
