import { CompletionError, HookError, isRigError, PromptCancelledError, PromptError, RigError } from '../errors.ts'
import type { AgentRun } from './agent-run.ts'

const NO_REASON = '<no reason given>'

/** Thrown inside a run to end it on purpose: by the verdict `stop`, or by `ctx.cancel`. */
export class StopRun extends Error {
  readonly reason: string

  constructor(reason: string | undefined) {
    super(reason ?? NO_REASON)
    this.reason = reason ?? NO_REASON
  }
}

/** A hook threw; becomes `HookError` when the run ends. */
export class HookFailure extends Error {
  readonly hook: string

  constructor(hook: string, cause: unknown) {
    super(`The hook ${hook} failed`, { cause })
    this.hook = hook
  }
}

/** Whatever ended a run, as the error that its caller gets: with the conversation so far and what it cost. */
export function runError(thrown: unknown, run: AgentRun, signal: AbortSignal): unknown {
  const error = translate(thrown, run, signal)
  if (isRigError(error)) {
    error.usage = run.usage
    error.completionCalls = run.completionCalls
  }
  if (error instanceof CompletionError) error.chatHistory = run.messages
  return error
}

function translate(thrown: unknown, run: AgentRun, signal: AbortSignal): unknown {
  if (thrown instanceof StopRun) return new PromptCancelledError(thrown.reason, run.messages)
  if (thrown instanceof PromptError) return thrown
  if (signal.aborted) return new PromptCancelledError(abortReason(signal.reason), run.messages, { cause: thrown })
  if (thrown instanceof HookFailure) return new HookError(thrown.hook, run.messages, thrown.cause)
  if (thrown instanceof CompletionError && thrown.kind === 'aborted') return new PromptCancelledError(thrown.message, run.messages, { cause: thrown })
  return thrown instanceof Error ? thrown : new RigError(String(thrown), { cause: thrown })
}

/** An `AbortSignal`'s reason in words; the platform's own sentence says nothing. */
function abortReason(reason: unknown): string {
  if (typeof reason === 'string') return reason
  if (reason instanceof StopRun) return reason.reason
  if (reason instanceof Error && reason.name !== 'AbortError') return reason.message
  return NO_REASON
}

/** The end of a run whose signal was aborted. */
export function stopOf(signal: AbortSignal): StopRun {
  return signal.reason instanceof StopRun ? signal.reason : new StopRun(abortReason(signal.reason))
}

/** Rejects as soon as `signal` is aborted, for work that does not watch it itself. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => undefined) // Its outcome no longer matters; the abort is what is reported.
    throw stopOf(signal)
  }
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(stopOf(signal))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
