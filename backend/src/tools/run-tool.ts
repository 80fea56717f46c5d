/** The one way into a core tool, for people (REST) and for models: look-up, validation, mode, time limit, errors as text. */
import type { ErrorCode } from '@buildscale/protocol'
import { AppError, publicError } from '../errors.ts'
import type { Author } from '../services/files/author.ts'
import type { ChangeSet } from '../services/files/change-set.ts'
import type { FileService } from '../services/files/file-service.ts'
import { invalidArguments } from './invalid-arguments.ts'
import { findTool, TOOL_NAMES } from './registry.ts'
import type { AnyTool, ToolContext } from './tool.ts'

/** How a call ended: what a model reads. `output` is plain JSON. */
export type ToolOutcome =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly error: { readonly code: ErrorCode; readonly message: string } }

export type FailedOutcome = Extract<ToolOutcome, { ok: false }>

export interface ToolCall {
  readonly name: string
  /** As the caller sent it; null or absent means no arguments. */
  readonly args: unknown
}

/** A call that has ended, or a write that waits for its change set. */
export type PreparedCall =
  | { readonly kind: 'finished'; readonly outcome: ToolOutcome }
  | { readonly kind: 'apply'; apply(set: ChangeSet): Promise<unknown> }

/** The longest that a reading tool, or the preparation of a write, may take. */
const TIME_LIMIT_MS = 10 * 60_000

/**
 * Everything of a call that needs no transaction: a read tool runs here to its end, a write tool's preparation runs here.
 * What the tool refuses is a failed outcome. Rejects with the signal's reason when aborted, and with what is not an `AppError`:
 * log that, and use `failedOutcome` for the text that may leave.
 */
export async function prepareCall(call: ToolCall, context: ToolContext): Promise<PreparedCall> {
  const time = AbortSignal.timeout(TIME_LIMIT_MS)
  try {
    context.signal.throwIfAborted()
    return await prepare(call, { ...context, signal: AbortSignal.any([context.signal, time]) })
  } catch (error) {
    context.signal.throwIfAborted()
    if (time.aborted) return finished(failedOutcome(new AppError('unavailable', `${call.name} took longer than ${TIME_LIMIT_MS / 60_000} minutes and was ended. Ask for less at once.`)))
    if (error instanceof AppError) return finished(failedOutcome(error))
    throw error
  }
}

/** A call from its arguments to its outcome, in a change set of its own: for callers without a ledger. Rejects like `prepareCall`. */
export async function runTool(call: ToolCall, context: ToolContext & { readonly files: Pick<FileService, 'change'>; readonly author: Author }): Promise<ToolOutcome> {
  const prepared = await prepareCall(call, context)
  if (prepared.kind === 'finished') return prepared.outcome
  try {
    const { workspaceId, author } = context
    const { result } = await context.files.change({ workspaceId, author }, (set) => prepared.apply(set))
    return { ok: true, output: result }
  } catch (error) {
    if (error instanceof AppError) return failedOutcome(error)
    throw error
  }
}

/** What a model may read of an error: the text of our own errors, a general sentence for all others. */
export function failedOutcome(error: unknown): FailedOutcome {
  const { code, message } = publicError(error)
  return { ok: false, error: { code, message } }
}

async function prepare(call: ToolCall, context: ToolContext): Promise<PreparedCall> {
  const tool = findTool(call.name)
  if (tool === undefined) throw new AppError('not_found', `There is no tool named ${JSON.stringify(call.name)}. The tools are: ${TOOL_NAMES.join(', ')}.`)
  if (context.mode === 'plan') checkPlanMode(tool, call.args)
  const args = parseArguments(tool, call.args)
  if (tool.effect === 'read') return finished({ ok: true, output: await tool.run(args, context) })
  const prepared = await tool.prepare(args, context)
  context.signal.throwIfAborted()
  return { kind: 'apply', apply: (set) => tool.apply(prepared, set) }
}

/** In plan mode only plans change. */
function checkPlanMode(tool: AnyTool, args: unknown): void {
  if (tool.effect === 'read') return
  if (tool.inPlanMode === undefined) throw new AppError('conflict', `${tool.name} is not possible in plan mode, where only plans change. Write down what it should do in the plan, and finish that first.`)
  if (tool.inPlanMode(parseArguments(tool, args))) return
  throw new AppError('conflict', `In plan mode ${tool.name} works on plans only: files below /plans whose names end in ".plan". Anything else changes after the plan is finished.`)
}

function parseArguments(tool: AnyTool, args: unknown): unknown {
  const parsed = tool.arguments.safeParse(args ?? {}, { reportInput: true })
  if (!parsed.success) throw invalidArguments(tool.name, tool.arguments, parsed.error)
  return parsed.data
}

function finished(outcome: ToolOutcome): PreparedCall {
  return { kind: 'finished', outcome }
}
