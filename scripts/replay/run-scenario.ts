import type { ToolResult, Usage } from '@buildscale/rig'
import { checkAnswer, checkFailure, checkRequest, checkValues, describe } from './check-exchange.ts'
import { compareJson, type Difference } from './compare-json.ts'
import { ExchangeGate } from './exchange-gate.ts'
import { executeLookup } from './execute-lookup.ts'
import { executeRun, type RunOutcome, type TurnState } from './execute-run.ts'
import type { AnswerReading, UsageReading } from './independent-reading.ts'
import type { RecordedResults } from './known-tools.ts'
import type { Exchange } from './load-recording.ts'
import type { MakeModel } from './make-model.ts'
import { planConversation, type Plan, type PlannedRun } from './plan-conversation.ts'
import type { ReadExchange } from './read-exchange.ts'
import { RecordingServer, type ReceivedRequest } from './recording-server.ts'
import { resolvePieces } from './resolve-pieces.ts'
import { Watchdog } from './watchdog.ts'

/** A difference, and the exchange where it is. */
export interface Mismatch extends Difference {
  readonly exchange: number
}

export interface ScenarioResult {
  /** Whether something came from the recording that only the caller can know. */
  readonly isCallerInput: boolean
  readonly mismatches: readonly Mismatch[]
}

export interface ScenarioOptions {
  readonly makeModel: MakeModel
  /** The longest time, in milliseconds, in which nothing goes on. */
  readonly timeoutMs: number
}

/** Has the runtime do what was recorded, against the recording, and compares every request and every answer. */
export async function runScenario(exchanges: readonly Exchange[], read: readonly ReadExchange[], options: ScenarioOptions): Promise<ScenarioResult> {
  const scenario = new Scenario(exchanges, read, options)
  return scenario.run()
}

class Scenario {
  readonly #exchanges: readonly Exchange[]
  readonly #read: readonly ReadExchange[]
  readonly #options: ScenarioOptions
  readonly #plan: Plan
  readonly #gate: ExchangeGate
  readonly #results: RecordedResults
  readonly #states: readonly PromiseWithResolvers<TurnState | undefined>[]
  readonly #requests = new Map<number, ReceivedRequest>()
  readonly #answers = new Map<number, AnswerReading>()
  readonly #mismatches: Mismatch[] = []
  readonly #watchdog: Watchdog

  constructor(exchanges: readonly Exchange[], read: readonly ReadExchange[], options: ScenarioOptions) {
    this.#exchanges = exchanges
    this.#read = read
    this.#options = options
    this.#plan = planConversation(read)
    this.#gate = new ExchangeGate(exchanges.length)
    this.#results = recordedResults(read)
    this.#states = exchanges.map(() => Promise.withResolvers())
    this.#watchdog = new Watchdog(options.timeoutMs)
    this.#watchdog.signal.addEventListener('abort', () => this.#gate.close(), { once: true })
  }

  async run(): Promise<ScenarioResult> {
    const { runs, problems } = this.#plan
    for (const { exchange, reason } of problems) this.#report(exchange, [{ path: 'request', expected: 'a request that the runtime makes', actual: reason }])
    this.#giveUp(problems.map(({ exchange }) => exchange).filter((exchange) => !runs.some(({ exchanges }) => exchanges.includes(exchange))))
    await using server = await RecordingServer.start({
      exchanges: this.#exchanges,
      next: () => this.#gate.arrived(),
      received: (exchange, request) => this.#received(exchange, request),
    })
    const outcomes = Promise.all(runs.map(async (run) => this.#do(run, server.origin)))
    const isStuck = await this.#watchdog.watch(outcomes)
    if (isStuck) this.#report(Math.max(0, ...this.#requests.keys()), [{ path: 'run', expected: 'an end', actual: `nothing went on for ${this.#options.timeoutMs} ms` }])
    const isCallerInput = isStuck ? false : (await outcomes).some(Boolean)
    this.#checkRequests()
    const mismatches = this.#mismatches.toSorted((left, right) => left.exchange - right.exchange)
    return { isCallerInput: isCallerInput || runs.some((run) => run.isCallerInput), mismatches }
  }

  /** One run from its history to the comparison of what came of it; gives whether it needed results from the recording. */
  async #do(run: PlannedRun, origin: string): Promise<boolean> {
    const { exchanges, settings } = run
    try {
      const { messages, params } = await resolvePieces(run, { stateOf: (exchange) => this.#stateOf(exchange), results: this.#results })
      const outcome = run.lookup === undefined
        ? await executeRun({
          run,
          model: this.#options.makeModel(settings, origin),
          messages,
          params,
          gate: this.#gate,
          results: this.#results,
          signal: this.#watchdog.signal,
          settled: (exchange, state) => this.#states[exchange]?.resolve(state),
          answered: (exchange, answer) => this.#answers.set(exchange, answer),
        })
        : await executeLookup({ lookup: run.lookup, settings, origin, signal: this.#watchdog.signal }, { gate: this.#gate, exchange: exchanges[0] ?? 0 })
      this.#watchdog.alive()
      this.#check(run, outcome)
      return outcome.isCallerInput
    } catch (error) {
      this.#report(exchanges[0] ?? 0, [{ path: 'run', expected: 'a run', actual: describe(error) }])
      return false
    } finally {
      this.#giveUp(exchanges)
    }
  }

  async #stateOf(exchange: number): Promise<TurnState> {
    const state = await this.#states[exchange]?.promise
    if (state === undefined) throw new Error(`it builds on exchange ${exchange}, of which the runtime made nothing`)
    return state
  }

  #giveUp(exchanges: readonly number[]): void {
    for (const exchange of exchanges) this.#states[exchange]?.resolve(undefined)
    this.#gate.abandon(exchanges)
  }

  #received(exchange: number | undefined, request: ReceivedRequest): void {
    this.#watchdog.alive()
    if (exchange !== undefined) this.#requests.set(exchange, request)
    else this.#report(this.#exchanges.length - 1, [{ path: 'request', expected: 'no further request', actual: `${request.method} ${request.path}` }])
  }

  #check(run: PlannedRun, { end, streamedTexts }: RunOutcome): void {
    const answered = run.exchanges.filter((exchange) => this.#answers.has(exchange))
    for (const exchange of answered) this.#checkAnswer(exchange, streamedTexts.get(exchange) ?? (run.isStreaming ? '' : undefined))
    if (end.type === 'failed') {
      const broken = run.exchanges[answered.length] ?? run.exchanges.at(-1) ?? 0
      const reading = this.#read[broken]?.reading
      if (reading !== undefined) this.#report(broken, checkFailure(reading, end.error))
      return
    }
    const last = run.exchanges.at(-1) ?? 0
    const reading = this.#read[last]?.reading
    if (reading !== undefined && end.type === 'values') this.#report(last, checkValues(reading, end.values))
    if (reading?.type !== 'answer' || end.type === 'values') return
    if (end.type === 'turn-limit') {
      if (reading.answer.calls.length === 0) this.#report(last, [{ path: 'outcome', expected: 'an answer', actual: 'more calls of tools' }])
    } else this.#report(last, [...compareJson(reading.answer.text, end.text, 'outcome.text'), ...this.#checkUsage(run, end.usage)])
  }

  #checkAnswer(exchange: number, streamedText: string | undefined): void {
    const [reading, answer] = [this.#read[exchange]?.reading, this.#answers.get(exchange)]
    if (reading !== undefined && answer !== undefined) this.#report(exchange, checkAnswer(reading, answer, streamedText))
  }

  /** The usage of a run is the sum over its answers. */
  #checkUsage({ exchanges }: PlannedRun, { toolUsePromptTokens: _notRecorded, ...actual }: Usage): readonly Difference[] {
    const parts = exchanges.flatMap((exchange) => {
      const reading = this.#read[exchange]?.reading
      return reading?.type === 'answer' && reading.answer.usage !== null ? [reading.answer.usage] : []
    })
    const sum = (key: keyof UsageReading) => parts.reduce((total, usage) => total + usage[key], 0)
    const expected = {
      inputTokens: sum('inputTokens'),
      outputTokens: sum('outputTokens'),
      totalTokens: sum('totalTokens'),
      cachedInputTokens: sum('cachedInputTokens'),
      cacheCreationInputTokens: sum('cacheCreationInputTokens'),
      reasoningTokens: sum('reasoningTokens'),
    }
    return compareJson(expected, actual, 'outcome.usage')
  }

  #checkRequests(): void {
    for (const [index, exchange] of this.#exchanges.entries()) {
      const received = this.#requests.get(index)
      const isExplained = this.#mismatches.some((mismatch) => mismatch.exchange === index)
      const { method, path } = exchange.request
      if (received !== undefined) this.#report(index, checkRequest(exchange, received))
      else if (!isExplained) this.#report(index, [{ path: 'request', expected: `${method} ${path}`, actual: 'never sent' }])
    }
  }

  #report(exchange: number, differences: readonly Difference[]): void {
    this.#mismatches.push(...differences.map((difference) => ({ exchange, ...difference })))
  }
}

/** The results of tools that the requests hold, by the id of their call: the first of each. */
function recordedResults(read: readonly ReadExchange[]): RecordedResults {
  const found = new Map<string, ToolResult>()
  for (const { request, reader } of read) {
    const results = request.entries.filter(({ role }) => role === 'result')
    for (const part of reader.messages(results).flatMap((message) => (message.role === 'user' ? message.content : []))) {
      if (part.type === 'tool_result' && !found.has(part.id)) found.set(part.id, part)
    }
  }
  return found
}
