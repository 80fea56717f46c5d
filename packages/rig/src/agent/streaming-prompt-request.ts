import { BatchQueue } from '../completion/batch-queue.ts'
import type { CompletionModel } from '../completion/completion-model.ts'
import type { AnyMessage } from '../completion/message-types.ts'
import type { MultiTurnStreamItem, PromptResponse } from './agent-event.ts'
import type { RunObserver } from './drive-agent-run.ts'
import type { AgentHook } from './hooks.ts'
import { StopRun } from './run-ending.ts'
import type { RunOptions } from './run-options.ts'

/** Starts a run with the options that were collected. */
export type StartRun<Deps> = (options: RunOptions<Deps>, io: { readonly observer: RunObserver; readonly controller: AbortController }) => Promise<PromptResponse>

/**
 * A run that is watched while it goes. It starts when the iteration starts or `response` is asked for, and runs once.
 * Leaving the iteration ends the run and waits until nothing of it is running. Iteration throws the errors of `errors.ts`.
 */
export class StreamingPromptRequest<Deps = unknown> implements AsyncIterable<MultiTurnStreamItem> {
  readonly #start: StartRun<Deps>
  readonly #options: RunOptions<Deps>
  #running: RunningStream | undefined

  constructor(start: StartRun<Deps>, options: RunOptions<Deps>) {
    this.#start = start
    this.#options = options
  }

  /** How the run ended. Rejects with what the iteration throws; never becomes an unhandled rejection. Without iteration the items are kept until it settles. */
  get response(): Promise<PromptResponse> {
    return this.#run().response
  }

  [Symbol.asyncIterator](): AsyncIterator<MultiTurnStreamItem, undefined> {
    const running = this.#run()
    running.isWatched = true
    return {
      next: () => running.queue.next(),
      return: async () => {
        running.controller.abort(new StopRun('the consumer left'))
        running.queue.discard()
        await running.response.catch(() => undefined) // The consumer has left: how the run ended is in `response`.
        return { done: true, value: undefined }
      },
    }
  }

  /** The text of the answers only, delta by delta. */
  async *textStream(): AsyncGenerator<string, void, undefined> {
    for await (const item of this) {
      if (item.type === 'streamAssistantItem' && item.item.type === 'text') yield item.item.text
    }
  }

  /** The items as a web stream; cancelling it ends the run. */
  toReadableStream(): ReadableStream<MultiTurnStreamItem> {
    const iterator = this[Symbol.asyncIterator]()
    return new ReadableStream<MultiTurnStreamItem>({
      pull: async (controller) => {
        const result = await iterator.next()
        if (result.done === true) controller.close()
        else controller.enqueue(result.value)
      },
      cancel: async () => {
        await iterator.return?.()
      },
    })
  }

  maxTurns(count: number): StreamingPromptRequest<Deps> {
    return this.#with({ maxTurns: count })
  }

  /** Exactly `count` model calls, like `maxTurns`. */
  multiTurn(count: number): StreamingPromptRequest<Deps> {
    return this.maxTurns(count)
  }

  withHistory(history: readonly AnyMessage[]): StreamingPromptRequest<Deps> {
    return this.#with({ history })
  }

  withHook(hook: AgentHook<Deps>): StreamingPromptRequest<Deps> {
    return this.#with({ hooks: [...(this.#options.hooks ?? []), hook] })
  }

  withToolConcurrency(count: number): StreamingPromptRequest<Deps> {
    return this.#with({ toolConcurrency: count })
  }

  withDeps(deps: Deps): StreamingPromptRequest<Deps> {
    return this.#with({ deps })
  }

  withModel(model: CompletionModel): StreamingPromptRequest<Deps> {
    return this.#with({ model })
  }

  /** With an agent that has a memory: goes on with this conversation and adds to it. */
  withConversation(conversationId: string): StreamingPromptRequest<Deps> {
    return this.#with({ conversationId })
  }

  withSignal(signal: AbortSignal): StreamingPromptRequest<Deps> {
    return this.#with({ signal })
  }

  /** A request is a value until it starts: the changed one is another. */
  #with(change: RunOptions<Deps>): StreamingPromptRequest<Deps> {
    return new StreamingPromptRequest(this.#start, { ...this.#options, ...change })
  }

  #run(): RunningStream {
    this.#running ??= startStream(this.#start, this.#options)
    return this.#running
  }
}

interface RunningStream {
  readonly queue: BatchQueue<MultiTurnStreamItem>
  readonly controller: AbortController
  readonly response: Promise<PromptResponse>
  /** Only a consumer that iterates may slow the run down. */
  isWatched: boolean
}

function startStream<Deps>(start: StartRun<Deps>, options: RunOptions<Deps>): RunningStream {
  const queue = new BatchQueue<MultiTurnStreamItem>()
  const controller = new AbortController()
  const observer: RunObserver = {
    item: (item) => queue.push(item),
    ready: () => (running.isWatched ? queue.room() : undefined),
  }
  const response = start(options, { observer, controller })
  response.then(() => queue.close(), (error: unknown) => queue.fail(error))
  const running: RunningStream = { queue, controller, response, isWatched: false }
  return running
}
