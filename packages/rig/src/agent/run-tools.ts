import type { Json } from '../completion/json.ts'
import type { Tool, ToolContext } from '../tool/tool.ts'
import { DEFAULT_FEEDBACK, ToolExecutionError, type ToolErrorKind } from '../tool/tool-error.ts'
import { errorOutcome, successOutcome, type ToolCallOutcome } from '../tool/tool-output.ts'
import { stopOf } from './run-ending.ts'

/** One piece of a batch. */
export interface BatchTask<T> {
  /** Runs alone and keeps its place: everything before it has ended, nothing after it has begun. */
  readonly exclusive: boolean
  run(): Promise<T>
}

export interface BatchOptions {
  /** At most this many at a time. */
  readonly concurrency: number
  /** Once aborted, nothing more is started. */
  readonly signal: AbortSignal
  /** Told of the first failure, so that the others can be ended. */
  readonly onFailure: (error: unknown) => void
}

type Settled<T> = { readonly type: 'fulfilled'; readonly value: T } | { readonly type: 'rejected'; readonly error: unknown }

/** Runs tasks in order, several at a time; the values come in the order of the tasks. Settles when nothing is running any more; the first failure in task order is thrown. */
export async function runBatch<T>(tasks: readonly BatchTask<T>[], { concurrency, signal, onFailure }: BatchOptions): Promise<readonly T[]> {
  const [only] = tasks
  if (only !== undefined && tasks.length === 1 && !signal.aborted) {
    const value = await only.run()
    if (signal.aborted) throw stopOf(signal)
    return [value]
  }
  const started: Promise<Settled<T>>[] = []
  const running = new Set<Promise<Settled<T>>>()
  const start = (task: BatchTask<T>): void => {
    const work = settle(task, onFailure).finally(() => running.delete(work))
    running.add(work)
    started.push(work)
  }
  for (const task of tasks) {
    const limit = task.exclusive ? 1 : concurrency
    while (running.size >= limit) await Promise.race(running)
    if (signal.aborted) break
    start(task)
    if (task.exclusive) await Promise.all(running)
  }
  const outcomes = await Promise.all(started)
  for (const outcome of outcomes) if (outcome.type === 'rejected') throw outcome.error
  if (signal.aborted) throw stopOf(signal)
  return outcomes.flatMap((outcome) => (outcome.type === 'fulfilled' ? [outcome.value] : []))
}

async function settle<T>(task: BatchTask<T>, onFailure: (error: unknown) => void): Promise<Settled<T>> {
  try {
    return { type: 'fulfilled', value: await task.run() }
  } catch (error) {
    onFailure(error)
    return { type: 'rejected', error }
  }
}

export interface ToolRun {
  readonly tool: Tool
  readonly args: Json
  readonly context: ToolContext
  /** How long, in milliseconds, a call may take to end after its signal was aborted. */
  readonly graceMs: number
}

/** Runs one call to its outcome. Never throws: a failure is something that the model is told. */
export async function runTool({ tool, args, context, graceMs }: ToolRun): Promise<ToolCallOutcome> {
  const limit = new CallLimit(context.signal, { timeoutMs: tool.timeoutMs, graceMs, waitAfterTimeout: tool.exclusive === true })
  try {
    return successOutcome(await limit.watch(callTool(tool, args, { ...context, signal: limit.signal })))
  } catch (error) {
    const { endedBy } = limit
    return errorOutcome(endedBy === undefined ? ToolExecutionError.from(error) : new ToolExecutionError(endedBy, DEFAULT_FEEDBACK[endedBy], { cause: error }))
  } finally {
    limit.end()
  }
}

/** Async, so that a tool that throws before its first await rejects like any other. */
async function callTool(tool: Tool, args: Json, context: ToolContext): Promise<unknown> {
  return tool.call(await tool.parseArgs(args), context)
}

type CallEnding = Extract<ToolErrorKind, 'timeout' | 'cancelled'>

interface CallLimitOptions {
  readonly timeoutMs: number | undefined
  readonly graceMs: number
  /** Whether a call that is out of time gets the grace too: what has to run alone should not overlap with its successor. */
  readonly waitAfterTimeout: boolean
}

/** The time and the signal of one call. An aborted call gets a grace period to end by itself; then it is given up. */
class CallLimit {
  readonly signal: AbortSignal
  readonly #controller: AbortController | undefined
  readonly #timers: NodeJS.Timeout[] = []
  readonly #outer: AbortSignal
  readonly #options: CallLimitOptions
  readonly #givenUp = Promise.withResolvers<never>()
  #endedBy: CallEnding | undefined

  constructor(outer: AbortSignal, options: CallLimitOptions) {
    const { timeoutMs } = options
    this.#outer = outer
    this.#options = options
    // A controller per call is needed only when the call can end before the run does.
    this.#controller = timeoutMs === undefined ? undefined : new AbortController()
    this.signal = this.#controller?.signal ?? outer
    if (timeoutMs !== undefined) this.#timers.push(setTimeout(() => this.#stop('timeout'), timeoutMs))
    outer.addEventListener('abort', this.#onAbort, { once: true })
    this.#givenUp.promise.catch(() => undefined) // Nobody waits for it when the call ends first.
    if (outer.aborted) this.#onAbort()
  }

  get endedBy(): CallEnding | undefined {
    return this.#endedBy
  }

  /** Settles as `work` does, or rejects when it was given up. Work that ends well in its grace period counts as done. */
  watch<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#givenUp.promise])
  }

  end(): void {
    this.#outer.removeEventListener('abort', this.#onAbort)
    for (const timer of this.#timers) clearTimeout(timer)
  }

  readonly #onAbort = (): void => this.#stop('cancelled')

  #stop(kind: CallEnding): void {
    if (this.#endedBy !== undefined) return
    this.#endedBy = kind
    this.#controller?.abort(new Error(DEFAULT_FEEDBACK[kind]))
    const graceMs = kind === 'cancelled' || this.#options.waitAfterTimeout ? this.#options.graceMs : 0
    this.#timers.push(setTimeout(() => this.#givenUp.reject(new Error(`The tool did not end within ${graceMs} ms after it was told to`)), graceMs))
  }
}
