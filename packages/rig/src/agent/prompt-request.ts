import type { CompletionModel } from '../completion/completion-model.ts'
import type { AnyMessage } from '../completion/message-types.ts'
import type { PromptResponse } from './agent-event.ts'
import type { AgentHook } from './hooks.ts'
import type { RunOptions } from './run-options.ts'

/** Runs to the end with the options that were collected. */
export type RunToEnd<Deps> = (options: RunOptions<Deps>) => Promise<PromptResponse>

export interface PromptRequestParts<T, Deps> {
  readonly start: RunToEnd<Deps>
  readonly options: RunOptions<Deps>
  /** What of the response the caller gets. */
  readonly select: (response: PromptResponse) => T
}

/**
 * A run that is awaited. Nothing starts before `await` or `then`; awaiting twice runs once. Any `await` starts it, returning it from an
 * `async` function too: finish the settings first, or use `Agent.run`.
 */
export class PromptRequest<T = string, Deps = unknown> implements PromiseLike<T> {
  readonly #parts: PromptRequestParts<T, Deps>
  #result: Promise<T> | undefined

  constructor(parts: PromptRequestParts<T, Deps>) {
    this.#parts = parts
  }

  then<A = T, B = never>(onFulfilled?: ((value: T) => A | PromiseLike<A>) | null, onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<A | B> {
    const { start, options, select } = this.#parts
    this.#result ??= start(options).then(select)
    return this.#result.then(onFulfilled, onRejected)
  }

  /** The same run with everything that is known of it. */
  extendedDetails(): PromptRequest<PromptResponse<T>, Deps> {
    const { select } = this.#parts
    return new PromptRequest({ ...this.#parts, select: (response) => ({ ...response, output: select(response) }) })
  }

  maxTurns(count: number): PromptRequest<T, Deps> {
    return this.#with({ maxTurns: count })
  }

  /** Exactly `count` model calls, like `maxTurns`. */
  multiTurn(count: number): PromptRequest<T, Deps> {
    return this.maxTurns(count)
  }

  withHistory(history: readonly AnyMessage[]): PromptRequest<T, Deps> {
    return this.#with({ history })
  }

  withHook(hook: AgentHook<Deps>): PromptRequest<T, Deps> {
    return this.#with({ hooks: [...(this.#parts.options.hooks ?? []), hook] })
  }

  withToolConcurrency(count: number): PromptRequest<T, Deps> {
    return this.#with({ toolConcurrency: count })
  }

  withDeps(deps: Deps): PromptRequest<T, Deps> {
    return this.#with({ deps })
  }

  withModel(model: CompletionModel): PromptRequest<T, Deps> {
    return this.#with({ model })
  }

  /** With an agent that has a memory: goes on with this conversation and adds to it. */
  withConversation(conversationId: string): PromptRequest<T, Deps> {
    return this.#with({ conversationId })
  }

  withSignal(signal: AbortSignal): PromptRequest<T, Deps> {
    return this.#with({ signal })
  }

  #with(change: RunOptions<Deps>): PromptRequest<T, Deps> {
    return new PromptRequest({ ...this.#parts, options: { ...this.#parts.options, ...change } })
  }
}
