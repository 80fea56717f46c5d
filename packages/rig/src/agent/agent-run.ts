import type { CompletionCall, FinishReason, ResponseIdentity } from '../completion/completion-event.ts'
import { textOf, Message } from '../completion/message.ts'
import type { AnyMessage, AssistantContent, AssistantMessage, MessageInput, ModelOrigin, ToolResult } from '../completion/message-types.ts'
import { addUsage, ZERO_USAGE, type Usage } from '../completion/usage.ts'
import type { PromptResponse } from './agent-event.ts'
import { toolCallsOf } from './tool-calls-of.ts'
import type { AgentRunBudgets, AgentRunJson, AgentRunState, PendingToolCall } from './agent-run-json.ts'

/** One answer of a model, as a run takes it in. */
export interface AssistantTurn extends ResponseIdentity {
  readonly content: readonly AssistantContent[]
  readonly usage?: Usage
  readonly finishReason?: FinishReason
  readonly maxTokens?: number
  readonly model?: string
  readonly origin: ModelOrigin
}

/** What has to happen next. */
export type AgentStep =
  | { readonly type: 'callModel'; readonly prompt: AnyMessage; readonly turn: number }
  | { readonly type: 'callTools'; readonly turn: number; readonly calls: readonly PendingToolCall[] }
  | { readonly type: 'done'; readonly response: PromptResponse }
  | { readonly type: 'turnLimit'; readonly maxTurns: number; readonly prompt: AnyMessage }

export interface AgentRunOptions {
  readonly maxTurns?: number
  readonly history?: readonly AnyMessage[]
}

/** What `AgentRun.resumable` needs to know of a run that ended with its process. */
export interface ResumableRun {
  readonly base: readonly AnyMessage[]
  readonly fresh: readonly AnyMessage[]
  /** 1-based number of the last model call whose answer is in `fresh`; 0 without one. */
  readonly turn: number
  readonly maxTurns: number
  /** The calls of the last answer, all of them, in call order; those with a `preresolvedResult` do not run again. */
  readonly pending?: readonly PendingToolCall[]
  readonly usage?: Usage
  readonly completionCalls?: readonly CompletionCall[]
}

export const DEFAULT_MAX_TURNS = 8

/**
 * The decisions of a run, without any I/O: ask `nextStep`, do it, feed the outcome back. `nextStep` changes nothing. Whoever drives a run
 * by hand follows the same order as `driveAgentRun`: `recordCall`, then `acceptTurn` or `retryTurn`, then `acceptToolResults`.
 */
export class AgentRun {
  readonly maxTurns: number
  readonly base: readonly AnyMessage[]
  readonly #fresh: AnyMessage[]
  #turn = 0
  #usage: Usage = ZERO_USAGE
  #completionCalls: readonly CompletionCall[] = []
  #budgets: AgentRunBudgets = { invalidToolCalls: 0 }
  #state: AgentRunState = { type: 'preparingRequest' }

  /** Without a prompt the history has to end with the message to answer; throws `TypeError` otherwise. */
  constructor(prompt: MessageInput | undefined, options: AgentRunOptions = {}) {
    const history = options.history ?? []
    const last = prompt === undefined ? history.at(-1) : Message.from(prompt)
    if (last?.role !== 'user') throw new TypeError('A run answers a user message: give a prompt, or a history that ends with one')
    this.maxTurns = options.maxTurns ?? DEFAULT_MAX_TURNS
    this.base = prompt === undefined ? history.slice(0, -1) : history
    this.#fresh = [last]
  }

  get turn(): number {
    return this.#turn
  }

  get usage(): Usage {
    return this.#usage
  }

  get completionCalls(): readonly CompletionCall[] {
    return this.#completionCalls
  }

  get invalidToolCalls(): number {
    return this.#budgets.invalidToolCalls
  }

  get outputRetries(): number {
    return this.#budgets.outputRetries ?? 0
  }

  /** The prompt and everything said since. */
  get fresh(): readonly AnyMessage[] {
    return this.#fresh
  }

  /** Everything said, the history the run began with included. */
  get messages(): readonly AnyMessage[] {
    return [...this.base, ...this.#fresh]
  }

  nextStep(): AgentStep {
    const state = this.#state
    switch (state.type) {
      case 'executingTools': return { type: 'callTools', turn: this.#turn, calls: state.calls }
      case 'done': return { type: 'done', response: this.#response(state) }
      case 'preparingRequest': return this.#turn >= this.maxTurns
        ? { type: 'turnLimit', maxTurns: this.maxTurns, prompt: this.#prompt() }
        : { type: 'callModel', turn: this.#turn + 1, prompt: this.#prompt() }
    }
  }

  /** Counts a model call that was answered, whatever becomes of the answer. */
  recordCall(turn: AssistantTurn): CompletionCall {
    this.#expect('preparingRequest')
    this.#turn++
    const call = completionCall(turn, { index: this.#completionCalls.length, turn: this.#turn })
    this.#completionCalls = [...this.#completionCalls, call]
    if (turn.usage !== undefined) this.#usage = addUsage(this.#usage, turn.usage)
    return call
  }

  /** Takes the answer in. `calls` are its tool calls, in its order; without any the run is done, with `output` or else the text of the answer. */
  acceptTurn(turn: AssistantTurn, calls: readonly PendingToolCall[], output?: string): void {
    this.#expect('preparingRequest')
    this.#pushAssistant(turn)
    this.#state = calls.length > 0
      ? { type: 'executingTools', calls }
      : { type: 'done', content: turn.content, ...(turn.finishReason === undefined ? {} : { finishReason: turn.finishReason }), ...(output === undefined ? {} : { output }) }
  }

  /** Asks again: as if the answer had not been given, or with the answer kept and `feedback` said to it. */
  retryTurn(turn: AssistantTurn, feedback?: string): void {
    this.#expect('preparingRequest')
    if (feedback === undefined) return
    this.#pushAssistant(turn)
    this.#fresh.push(Message.user(feedback))
  }

  /** Counts calls of tools that do not exist or were not allowed. */
  countInvalidToolCalls(count: number): void {
    this.#budgets = { ...this.#budgets, invalidToolCalls: this.#budgets.invalidToolCalls + count }
  }

  /** Counts an answer that is sent back because of its form. */
  countOutputRetry(): void {
    this.#budgets = { ...this.#budgets, outputRetries: this.outputRetries + 1 }
  }

  /** A model that works again may have its answer sent back again. */
  resetOutputRetries(): void {
    if (this.outputRetries > 0) this.#budgets = { ...this.#budgets, outputRetries: 0 }
  }

  /** What is known of the calls by now: changed arguments, answers that need no tool. Same calls, same order. */
  updateCalls(calls: readonly PendingToolCall[]): void {
    this.#expect('executingTools')
    this.#state = { type: 'executingTools', calls }
  }

  /** The answers to all calls, in call order: one message. Throws `TypeError` when one is missing or out of place. */
  acceptToolResults(results: readonly ToolResult[]): void {
    const { calls } = this.#expect('executingTools')
    if (results.length !== calls.length || results.some((result, index) => result.id !== calls[index]?.toolCall.id)) {
      throw new TypeError('Every call needs its result, in call order')
    }
    this.#fresh.push({ role: 'user', content: results })
    this.#state = { type: 'preparingRequest' }
  }

  toJSON(): AgentRunJson {
    return {
      version: 1,
      maxTurns: this.maxTurns,
      base: this.base,
      fresh: [...this.#fresh],
      turn: this.#turn,
      usage: this.#usage,
      completionCalls: this.#completionCalls,
      budgets: this.#budgets,
      state: this.#state,
    }
  }

  /** Throws `TypeError` for a version that this release does not know. */
  static fromJSON(json: AgentRunJson): AgentRun {
    const version: number = json.version
    if (version !== 1) throw new TypeError(`Unknown version of a run: ${version}`)
    const [first, ...rest] = json.fresh
    if (first === undefined) throw new TypeError('A run has at least its prompt in `fresh`')
    const run = new AgentRun(first, { maxTurns: json.maxTurns, history: json.base })
    run.#fresh.push(...rest)
    run.#turn = json.turn
    run.#usage = json.usage
    run.#completionCalls = json.completionCalls
    run.#budgets = json.budgets
    run.#state = json.state
    return run
  }

  /** The JSON of a run whose process died, from what was stored of it. Throws `TypeError` when calls and last answer do not fit together. */
  static resumable({ base, fresh, turn, maxTurns, pending = [], usage = ZERO_USAGE, completionCalls = [] }: ResumableRun): AgentRunJson {
    const asked = toolCallsOf(fresh.at(-1))
    if (asked.length !== pending.length || asked.some((call, index) => call.id !== pending[index]?.toolCall.id)) {
      throw new TypeError('The pending calls must be those of the last assistant message, all of them, in its order')
    }
    const state: AgentRunState = pending.length === 0 ? { type: 'preparingRequest' } : { type: 'executingTools', calls: pending }
    return { version: 1, maxTurns, base, fresh, turn, usage, completionCalls, budgets: { invalidToolCalls: 0 }, state }
  }

  #prompt(): AnyMessage {
    const last = this.#fresh.at(-1)
    if (last === undefined) throw new TypeError('A run has at least its prompt')
    return last
  }

  /** An empty answer is not kept: providers refuse it when it is replayed. */
  #pushAssistant({ content, messageId, responseId, origin }: AssistantTurn): void {
    if (content.length === 0) return
    const ids = { ...(messageId === undefined ? {} : { id: messageId }), ...(responseId === undefined ? {} : { responseId }) }
    const message: AssistantMessage = { role: 'assistant', content, ...ids, origin }
    this.#fresh.push(message)
  }

  #response({ content, finishReason, output }: Extract<AgentRunState, { type: 'done' }>): PromptResponse {
    const text = textOf(content)
    return {
      output: output ?? text,
      text,
      content,
      usage: this.#usage,
      usageComplete: this.#completionCalls.every((call) => call.usage !== undefined),
      messages: [...this.#fresh],
      completionCalls: this.#completionCalls,
      ...(finishReason === undefined ? {} : { finishReason }),
    }
  }

  #expect<T extends AgentRunState['type']>(type: T): Extract<AgentRunState, { type: T }> {
    const state = this.#state
    if (!isState(state, type)) throw new TypeError(`The run is at "${state.type}", not at "${type}"`)
    return state
  }
}

function isState<T extends AgentRunState['type']>(state: AgentRunState, type: T): state is Extract<AgentRunState, { type: T }> {
  return state.type === type
}

function completionCall(turn: AssistantTurn, place: { readonly index: number; readonly turn: number }): CompletionCall {
  const { messageId, responseId, providerRequestId, usage, finishReason, maxTokens, model } = turn
  return {
    ...place,
    ...(messageId === undefined ? {} : { messageId }),
    ...(responseId === undefined ? {} : { responseId }),
    ...(providerRequestId === undefined ? {} : { providerRequestId }),
    ...(usage === undefined ? {} : { usage }),
    ...(finishReason === undefined ? {} : { finishReason }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(model === undefined ? {} : { model }),
  }
}
