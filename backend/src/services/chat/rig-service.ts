import {
  type Agent,
  AgentBuilder,
  AgentRun,
  type AgentHook,
  type AssistantContent,
  CompletionError,
  type CompletionModel,
  isRetryable,
  type Message,
  type ModelTurnFinishedEvent,
  NoAnswerError,
  RigError,
  type ToolResultEvent,
  type Usage as RigUsage,
} from '@buildscale/rig'
import type { Usage } from '@buildscale/protocol'
import type { SessionConn } from '../../db/session-conn.ts'
import type { FileService } from '../files/file-service.ts'
import { findTool, offeredTools } from '../../tools/registry.ts'
import type { ToolServices } from '../../tools/tool.ts'
import { ContextKey, ContextMap, PRIORITY } from './chat-context.ts'
import type { ChatSession, ChatTurnEngine, StepCommit, StoredTurn, TurnResult, TurnRun } from './chat-turn.ts'
import { RigEventTranslator } from './rig-event.ts'
import { rigHistory, rigTurn } from './rig-history.ts'
import { RigMedia } from './rig-media.ts'
import type { RigModels } from './rig-models.ts'
import { rigPreamble } from './rig-preamble.ts'
import { rigSight } from './rig-sight.ts'
import type { RigTurnDeps } from './rig-tool.ts'
import { RIG_TOOLS } from './rig-tools.ts'

export interface RigServiceDeps {
  readonly models: RigModels
  readonly services: ToolServices
  /** Where the bytes of images and documents are that tools have shown. */
  readonly blobs: Pick<FileService, 'readHash'>
  readonly log: { error(details: object, message: string): void }
}

/** Reads of one answer that run side by side; writes run alone. */
const TOOL_CONCURRENCY = 4
/** Tokens kept free for the answer. */
const ANSWER_RESERVE = 8_000

/** The factory of agents, and the engine that runs turns with them. */
export class RigService implements ChatTurnEngine {
  readonly #deps: RigServiceDeps

  constructor(deps: RigServiceDeps) {
    this.#deps = deps
  }

  /** The agent of a session: its model, its persona, one wrapper per core tool that it may use. */
  createAgent(conn: SessionConn, workspaceId: string, userId: string, session: ChatSession, context: ContextMap): Agent<RigTurnDeps> {
    const { agent } = session
    const builder = new AgentBuilder<RigTurnDeps>(this.#deps.models.completionModel(session.model))
      .name(agent.name)
      .preamble(rigPreamble(context))
      .toolConcurrency(TOOL_CONCURRENCY)
      .defaultMaxTurns(agent.max_steps)
      .additionalParams(this.#deps.models.additionalParams(session.model))
    if (agent.temperature !== null) builder.temperature(agent.temperature)
    for (const { name } of this.toolsOf(session)) builder.tool(new RIG_TOOLS[name]({ conn, workspaceId, userId }))
    return builder.build()
  }

  /** What the agent may use and this server can do, in the order in which the model sees it. */
  toolsOf({ agent }: ChatSession): ReturnType<typeof offeredTools> {
    return offeredTools(this.#deps.services).filter((tool) => agent.tools.includes(tool.name))
  }

  /** What goes into the next model call. Everything is essential for now: a context that does not fit ends the turn. */
  contextOf(session: ChatSession, history: readonly StoredTurn[], current: StoredTurn | undefined): ContextMap {
    const stored = history.flatMap((turn) => [turn.question, ...storedTexts(turn)])
    const request = current === undefined ? [] : [current.question, ...storedTexts(current)]
    return withSkills(new ContextMap().with(ContextKey.SystemPersona, { content: session.agent.persona, priority: PRIORITY.persona, isEssential: true }), session)
      .with(ContextKey.ChatHistory, { content: stored.join('\n'), priority: PRIORITY.history, isEssential: true })
      .with(ContextKey.UserRequest, { content: request.join('\n'), priority: PRIORITY.request, isEssential: true })
  }

  /** Tokens that a context may use with this model. */
  contextLimit(session: ChatSession): number {
    return this.#deps.models.contextWindow(session.model) - ANSWER_RESERVE
  }

  async run(turnRun: TurnRun, signal: AbortSignal): Promise<TurnResult> {
    const current = rigTurn(turnRun.current)
    if (current.isAnswered) return { type: 'answered' }
    const context = this.contextOf(turnRun.session, turnRun.history, turnRun.current)
    const limit = this.contextLimit(turnRun.session)
    const { excess } = context.optimizeForLimit(limit)
    if (excess > 0) return tooLarge(excess, limit)
    return this.#drive({ turnRun, context }, signal)
  }

  async #drive({ turnRun, context }: { turnRun: TurnRun; context: ContextMap }, signal: AbortSignal): Promise<TurnResult> {
    const { turn, session, conn, ledger, recorder, history } = turnRun
    const agent = this.createAgent(conn, turn.workspaceId, turn.userId, session, context)
    const fatal = new AbortController()
    const media = this.#media(turnRun)
    const shown = await media.replay(history, turnRun.current)
    const current = rigTurn(turnRun.current, shown)
    const deps: RigTurnDeps = { ledger, recorder, services: this.#deps.services, media, mode: 'build', log: this.#deps.log, fail: (error) => fatal.abort(error) }
    const json = AgentRun.resumable({
      base: rigHistory(history, shown),
      fresh: current.messages,
      turn: turnRun.current.steps.length,
      maxTurns: session.agent.max_steps,
      pending: current.pending,
    })
    const recorded = new RecordedCalls()
    const hook = this.#commitHook(turnRun, { model: agent.model, recorded, fail: deps.fail })
    const stream = agent.resume(json, { decisions: {}, deps, hooks: [hook], onMaxTurns: 'answer', signal: AbortSignal.any([signal, fatal.signal]) })
    const translator = new RigEventTranslator(recorder)
    try {
      for await (const item of stream) recorded.reached(translator.record(item))
      return { type: 'answered' }
    } catch (error) {
      signal.throwIfAborted()
      fatal.signal.throwIfAborted()
      return failedResult(error)
    }
  }

  #media({ turn: { workspaceId }, session, conn }: TurnRun): RigMedia {
    const { blobs } = this.#deps
    return new RigMedia({ sight: rigSight(session.model), bytes: (hash) => conn.run((db) => blobs.readHash(db, { workspaceId, hash })) })
  }

  /** The seam between model and tools: a step is committed before its first tool starts, and calls that never reached a tool get their result here. */
  #commitHook({ recorder, ledger, session }: TurnRun, { model, recorded, fail }: { model: CompletionModel; recorded: RecordedCalls; fail(error: unknown): void }): AgentHook<RigTurnDeps> {
    const failing = async (work: () => Promise<void>): Promise<void> => {
      try {
        await work()
      } catch (error) {
        fail(error)
        throw error
      }
    }
    return {
      onModelTurnFinished: (_, event) =>
        failing(async () => {
          await recorded.until(event.turn)
          await recorder.commitStep(stepCommit(event, { model, recorder, cost: this.#deps.models.cost(session.model), modelId: session.model }))
        }),
      onToolResult: (context, event) =>
        failing(async () => {
          // What ran has its result already, and keeps it; an aborted run's calls are ended with their turn.
          if (event.outcome.status === 'success' || context.signal.aborted) return
          await ledger.finish(recorder.call(context.turn, event.call.id), { ok: false, error: { code: 'invalid_request', message: textOf(event) } }, null)
        }),
    }
  }
}

/** Lets the commit of a step wait until the stream's deltas of that step are recorded: the hook runs ahead of whoever reads the stream. */
class RecordedCalls {
  #turn = 0
  #waiting: { readonly turn: number; resolve(): void } | undefined

  reached(turn: number | undefined): void {
    if (turn === undefined) return
    this.#turn = turn
    if (this.#waiting !== undefined && this.#waiting.turn <= turn) this.#waiting.resolve()
  }

  async until(turn: number): Promise<void> {
    if (this.#turn >= turn) return
    await new Promise<void>((resolve) => (this.#waiting = { turn, resolve }))
    this.#waiting = undefined
  }
}

function stepCommit(event: ModelTurnFinishedEvent, of: { model: CompletionModel; recorder: TurnRun['recorder']; cost: number | null; modelId: string }): StepCommit {
  const { content, turn, identity, usage } = event
  const { provider, api, model } = of.model
  const message: Message = { role: 'assistant', content, ...(identity.messageId !== undefined && { id: identity.messageId }), origin: { provider, api, model } }
  return {
    number: turn,
    content: JSON.stringify(message),
    partIds: partIds(content, of.recorder),
    calls: content.flatMap((part) =>
      part.type === 'tool_call' ? [{ providerCallId: part.id, name: part.function.name, args: JSON.stringify(part.function.arguments), effect: findTool(part.function.name)?.effect ?? ('read' as const) }] : [],
    ),
    model: of.modelId,
    usage: usage === undefined ? null : wireUsage(usage),
    cost: of.cost,
  }
}

/** The parts that people saw as deltas, matched in order with those of the message; calls have ids of their own, the rest is not shown. */
function partIds(content: readonly AssistantContent[], recorder: TurnRun['recorder']): readonly (string | null)[] {
  const texts = [...recorder.partIds('chunk')]
  const thoughts = [...recorder.partIds('thought')]
  return content.map((part) => {
    if (part.type === 'text') return part.text === '' ? null : (texts.shift() ?? null)
    if (part.type !== 'reasoning') return null
    const isReadable = part.content.some((entry) => (entry.type === 'summary' || entry.type === 'text') && entry.text !== '')
    return isReadable ? (thoughts.shift() ?? null) : null
  })
}

function wireUsage(usage: RigUsage): Usage {
  return { input_tokens: usage.inputTokens, cached_tokens: usage.cachedInputTokens, output_tokens: usage.outputTokens, reasoning_tokens: usage.reasoningTokens }
}

/** Of each skill what it is for and where it is: the agent reads the rest when it needs it. */
function withSkills(context: ContextMap, { skills, unlisted_skills: unlisted }: ChatSession): ContextMap {
  const listed = skills.reduce(
    (map, { name, description, path }) => map.with(ContextKey.ActiveSkill(name), { content: `- ${name} (${path}): ${description}`, priority: PRIORITY.skill, isEssential: true }),
    context,
  )
  if (unlisted === 0) return listed
  return listed.with(ContextKey.ActiveSkill('…'), { content: `- ${unlisted} more, not listed here: look into /system/skills.`, priority: PRIORITY.skill, isEssential: true })
}

function storedTexts(turn: StoredTurn): readonly string[] {
  return turn.steps.flatMap((step) => [step.content, ...step.calls.map((call) => call.result ?? '')])
}

function textOf(event: ToolResultEvent): string {
  return event.outcome.content.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

function tooLarge(excess: number, limit: number): TurnResult {
  return {
    type: 'failed',
    code: 'context_too_large',
    message: `This conversation is about ${excess} tokens too large for the model (limit ${limit}). Start a new chat, or use a model with a larger context.`,
    retryable: false,
  }
}

/** How a failed run reads to people, and whether asking again can help. */
function failedResult(error: unknown): TurnResult {
  if (error instanceof NoAnswerError) return { type: 'failed', code: 'no_answer', message: error.message, retryable: false }
  if (error instanceof CompletionError) {
    // The provider counts exactly where we estimate: whoever finds out, people read the same code.
    const code = error.code === 'context_length_exceeded' ? 'context_too_large' : (error.code ?? error.kind)
    const message = `The model could not answer: ${error.message}`
    return isRetryable(error) ? { type: 'interrupted', code, message, retryAfterMs: error.retryAfterMs ?? null } : { type: 'failed', code, message, retryable: false }
  }
  if (error instanceof RigError && error.constructor !== RigError) return { type: 'failed', code: 'model_error', message: error.message, retryable: false }
  throw error
}
