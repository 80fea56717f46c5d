import { CompletionError, isRigError, PromptCancelledError } from '../../src/index.ts'

/** How long a call may take that is bound to fail at once. */
const PATIENCE_MS = 8000

/** How a call ended, in one comparable line; `HANGS` when it did not. */
export async function outcomeOf(call: Promise<unknown>): Promise<string> {
  const { promise: patience, resolve } = Promise.withResolvers<string>()
  const timer = setTimeout(() => resolve('HANGS'), PATIENCE_MS)
  try {
    return await Promise.race([call.then(() => 'answered', describeError), patience])
  } finally {
    clearTimeout(timer)
  }
}

function describeError(error: unknown): string {
  if (error instanceof CompletionError) return error.status === undefined ? error.kind : `${error.kind} ${error.status}`
  if (error instanceof PromptCancelledError) return 'cancelled'
  return isRigError(error) ? error.name : `NOT OURS: ${String(error)}`
}

/** What the call fails with. */
export async function failureOf(call: Promise<unknown>): Promise<CompletionError> {
  const error = await call.then(() => new Error('The call did not fail'), (reason: unknown) => reason)
  if (error instanceof CompletionError) return error
  throw error
}
