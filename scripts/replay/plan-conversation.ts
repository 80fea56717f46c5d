import type { AssistantMessage, Message, UserMessage } from '@buildscale/rig'
import { findAnswer, findOriginal, findPredecessor, handedOutLater, isBeforeItsQuestion, isElsewhere } from './attribute-answers.ts'
import { canonical, parseJson } from './json.ts'
import type { ReadExchange } from './read-exchange.ts'
import type { Entry, Lookup, RecordedRequest, Settings } from './recorded-request.ts'
import { unansweredCall } from './unanswered-calls.ts'

/** What the messages of a run are made of. Everything that names an exchange comes from the runtime, never from the recording. */
export type Piece =
  /** What only the caller can know. */
  | { readonly type: 'recorded'; readonly messages: readonly Message[] }
  /** The messages that the runtime sent in that exchange, with its answer or without. */
  | { readonly type: 'conversation'; readonly exchange: number; readonly withAnswer: boolean }
  /** The results of the calls of that answer, as the runtime has them. */
  | { readonly type: 'results'; readonly exchange: number }
  /** The parts of that answer that the caller has chosen to send; `isRetold`: in words of the caller's own. */
  | { readonly type: 'selected'; readonly exchange: number; readonly chosen: AssistantMessage; readonly isRetold: boolean }
  | { readonly type: 'selected-results'; readonly exchange: number; readonly chosen: UserMessage }

/** Exchanges that the runtime has to produce without further help, one after the other. */
export interface PlannedRun {
  readonly exchanges: readonly number[]
  readonly isStreaming: boolean
  readonly settings: Settings
  readonly pieces: readonly Piece[]
  /** The exchange whose response the server goes on from, or the id that the caller has for one. */
  readonly previousResponse: number | string | undefined
  /** `agent`: the runtime runs the tools and goes on by itself; `model`: one call. */
  readonly mode: 'agent' | 'model'
  readonly isCallerInput: boolean
  /** What is asked in place of a model. */
  readonly lookup?: Lookup
}

/** A request that nothing in the recording leads to. */
export interface PlanProblem {
  readonly exchange: number
  readonly reason: string
}

export interface Plan {
  readonly runs: readonly PlannedRun[]
  readonly problems: readonly PlanProblem[]
}

interface RunDraft {
  readonly exchanges: number[]
  readonly settings: Settings
  readonly isStreaming: boolean
  readonly pieces: readonly Piece[]
  readonly previousResponse: number | string | undefined
  readonly isCallerInput: boolean
  readonly lookup?: Lookup
}

/** What a caller adds to a conversation. */
interface Appendix {
  readonly index: number
  readonly predecessor: number
  readonly added: readonly Piece[]
  readonly withAnswer: boolean
}

/** Splits the exchanges of a recording into runs of the runtime. */
export function planConversation(exchanges: readonly ReadExchange[]): Plan {
  const planner = new Planner(exchanges)
  for (const index of exchanges.keys()) planner.add(index)
  return planner.plan()
}

class Planner {
  readonly #exchanges: readonly ReadExchange[]
  readonly #runs: RunDraft[] = []
  readonly #problems: PlanProblem[] = []

  constructor(exchanges: readonly ReadExchange[]) {
    this.#exchanges = exchanges
  }

  plan(): Plan {
    return { runs: this.#runs.map((run) => ({ ...run, mode: this.#modeOf(run) })), problems: this.#problems }
  }

  add(index: number): void {
    const exchange = this.#exchanges[index]
    if (exchange === undefined) return
    const { request } = exchange
    if (request.lookup !== undefined) {
      this.#runs.push(draft(request, { exchanges: [index], pieces: [], previousResponse: undefined, isCallerInput: false }))
      return
    }
    const original = findOriginal(this.#exchanges, index)
    if (original !== undefined) {
      this.#problems.push({ exchange: index, reason: `nothing leads to this request: with its answer it is a copy of exchange ${original}` })
      return
    }
    const incomplete = unansweredCall(exchange)
    if (incomplete !== undefined) this.#problems.push({ exchange: index, reason: `the request cannot have been sent like this: ${incomplete}` })
    if (request.previousResponseId !== undefined) return this.#continueOnServer(index, exchange)
    const predecessor = findPredecessor(this.#exchanges, index)
    if (predecessor === undefined) return this.#begin(index, exchange)
    this.#continue(index, { exchange, predecessor })
  }

  /** The server has the rest: only what is new is sent, and the id comes from the runtime. */
  #continueOnServer(index: number, exchange: ReadExchange): void {
    const { request, reader } = exchange
    const answered = this.#previousResponse(index, exchange)
    const results = leading(request.entries, 'result')
    const rest = request.entries.slice(results.length)
    const own: readonly Piece[] = answered === undefined ? [{ type: 'recorded', messages: reader.messages(results) }] : [{ type: 'results', exchange: answered }]
    this.#runs.push(draft(request, {
      exchanges: [index],
      pieces: [...(results.length === 0 ? [] : own), ...this.#tail(index, rest)],
      previousResponse: answered ?? request.previousResponseId,
      isCallerInput: true,
    }))
  }

  /** The exchange that the request goes on from; `undefined` when it names a response that was never handed out, and rightly so. */
  #previousResponse(index: number, { request, reading }: ReadExchange): number | undefined {
    const named = this.#exchanges.findIndex((other) => other.reading.type === 'answer' && other.reading.responseId === request.previousResponseId)
    if (named >= 0 && named < index) return named
    if (named >= 0) this.#problems.push({ exchange: index, reason: `the request goes on from a response that is only handed out by exchange ${named}` })
    const last = this.#exchanges.slice(0, index).findLastIndex((other) => other.reading.type === 'answer')
    // No provider goes on from a response that it does not know, except from one that is older than the recording.
    const isUnknown = named < 0 && (reading.type === 'refused' || last < 0)
    return isUnknown || last < 0 ? undefined : last
  }

  #begin(index: number, { request }: ReadExchange): void {
    const pieces = this.#tail(index, request.entries)
    const isCallerInput = pieces.some(({ type }) => type !== 'recorded')
    this.#runs.push(draft(request, { exchanges: [index], pieces, previousResponse: undefined, isCallerInput }))
  }

  #continue(index: number, { exchange: { request, reader }, predecessor }: { readonly exchange: ReadExchange; readonly predecessor: number }): void {
    const before = this.#exchanges[predecessor]
    if (before === undefined) return
    const added = request.entries.slice(before.request.entries.length)
    const said = leading(added, 'assistant')
    if (this.#isOtherAnswer(said, { predecessor, index })) return this.#append(request, { index, predecessor, added: this.#tail(index, added), withAnswer: false })
    const results = leading(added.slice(said.length), 'result')
    const rest = added.slice(said.length + results.length)
    const hasCalls = before.reading.type === 'answer' && before.reading.answer.calls.length > 0
    const isOwnText = isCallersText(said, before)
    if (rest.length === 0 && !isOwnText && isSameSetting(before.request, request) && !isPaused(before)) {
      const run = this.#runs.find(({ exchanges }) => exchanges.at(-1) === predecessor)
      if (!hasCalls) {
        this.#problems.push({ exchange: index, reason: 'nothing leads to this request: it adds nothing to a conversation that had ended' })
        return
      }
      if (run !== undefined) {
        run.exchanges.push(index)
        return
      }
      // The conversation has gone on already, and was answered otherwise: the caller asks once more.
    }
    const ownResults: readonly Piece[] = hasCalls ? [{ type: 'results', exchange: predecessor }] : [{ type: 'recorded', messages: reader.messages(results) }]
    const ownText: readonly Piece[] = isOwnText ? [{ type: 'recorded', messages: reader.messages(said) }] : []
    this.#append(request, { index, predecessor, added: [...ownText, ...(results.length === 0 ? [] : ownResults), ...this.#tail(index, rest)], withAnswer: !isOwnText })
  }

  /** A new run after a conversation that the runtime has led so far. */
  #append(request: RecordedRequest, { index, predecessor, added, withAnswer }: Appendix): void {
    const pieces: readonly Piece[] = [{ type: 'conversation', exchange: predecessor, withAnswer }, ...added]
    this.#runs.push(draft(request, { exchanges: [index], pieces, previousResponse: undefined, isCallerInput: true }))
  }

  /** Whether the caller went on from another answer than the one to these messages: from the last one of a run, without what led to it. */
  #isOtherAnswer(said: readonly Entry[], { predecessor, index }: { readonly predecessor: number; readonly index: number }): boolean {
    const [message] = this.#exchanges[index]?.reader.messages(said) ?? []
    if (message?.role !== 'assistant') return false
    const answered = findAnswer(this.#exchanges.slice(predecessor, predecessor + 1), { before: 1, message })
    if (answered !== undefined) return false
    return findAnswer(this.#exchanges, { before: index, message }) !== undefined
  }

  /** Entries that the caller has put together: answers among them still come from the runtime, with the results of their calls. */
  #tail(index: number, entries: readonly Entry[]): readonly Piece[] {
    const reader = this.#exchanges[index]?.reader
    if (reader === undefined || entries.length === 0) return []
    const pieces: Piece[] = []
    let answered: number | undefined
    let place = (this.#exchanges[index]?.request.entries.length ?? 0) - entries.length
    for (const group of groups(entries)) {
      const messages = reader.messages(group)
      const [first] = messages
      if (group[0]?.role === 'assistant' && first?.role === 'assistant') {
        answered = findAnswer(this.#exchanges, { before: index, message: first })
        this.#checkOrder(index, { message: first, place, answered })
        const isRetold = isElsewhere(this.#exchanges, { index, place, answered })
        pieces.push(answered === undefined ? { type: 'recorded', messages } : { type: 'selected', exchange: answered, chosen: first, isRetold })
      } else if (group[0]?.role === 'result' && first?.role === 'user' && answered !== undefined) {
        pieces.push({ type: 'selected-results', exchange: answered, chosen: first })
      } else pieces.push({ type: 'recorded', messages })
      place += group.length
    }
    return pieces
  }

  #checkOrder(index: number, answer: { readonly message: AssistantMessage; readonly place: number; readonly answered: number | undefined }): void {
    const later = handedOutLater(this.#exchanges, { index, ...answer })
    if (later !== undefined) this.#problems.push({ exchange: index, reason: `the request holds ${later.what}, which is only handed out by exchange ${later.exchange}` })
    if (!isBeforeItsQuestion(this.#exchanges, { index, ...answer })) return
    this.#problems.push({ exchange: index, reason: `in the request the answer of exchange ${answer.answered ?? index} stands before what it was given to` })
  }

  /** An agent where the runtime has something to do by itself; a single call where it would do more than was recorded. */
  #modeOf({ exchanges, settings }: RunDraft): 'agent' | 'model' {
    const [first] = exchanges
    const last = exchanges.at(-1)
    if (first === undefined || last === undefined) return 'model'
    const lastEntry = this.#exchanges[first]?.request.entries.at(-1)
    if (lastEntry?.role !== 'user' && lastEntry?.role !== 'result') return 'model'
    if (exchanges.length > 1) return 'agent'
    const reading = this.#exchanges[last]?.reading
    const hasCalls = reading?.type === 'answer' && reading.answer.calls.length > 0
    if (hasCalls) return this.#needsResults(last) ? 'agent' : 'model'
    return settings.outputSchema === undefined ? 'agent' : 'model'
  }

  #needsResults(exchange: number): boolean {
    return this.#runs.some(({ pieces }) => pieces.some((piece) => (piece.type === 'results' || piece.type === 'selected-results') && piece.exchange === exchange))
  }
}

function draft({ settings, isStreaming, lookup }: RecordedRequest, parts: Pick<RunDraft, 'exchanges' | 'pieces' | 'previousResponse' | 'isCallerInput'>): RunDraft {
  return { settings, isStreaming, ...(lookup === undefined ? {} : { lookup }), ...parts }
}

function leading(entries: readonly Entry[], role: Entry['role']): readonly Entry[] {
  const end = entries.findIndex((entry) => entry.role !== role)
  return end === -1 ? entries : entries.slice(0, end)
}

/** Neighbours of one role together. */
function groups(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const found: Entry[][] = []
  for (const entry of entries) {
    const last = found.at(-1)
    if (last !== undefined && last[0]?.role === entry.role) last.push(entry)
    else found.push([entry])
  }
  return found
}

function isSameSetting(left: RecordedRequest, right: RecordedRequest): boolean {
  const form = ({ settings, isStreaming }: RecordedRequest) => canonical(parseJson(JSON.stringify({ settings, isStreaming })) ?? null)
  return form(left) === form(right)
}

/** Whether the provider wants to be asked again to go on by itself. */
function isPaused({ reading }: ReadExchange): boolean {
  return reading.type === 'answer' && reading.answer.finishReason === 'other: pause_turn'
}

/** The text of the answer, as only a caller writes it, or one in place of an answer that says nothing. */
function isCallersText(said: readonly Entry[], { reading }: ReadExchange): boolean {
  if (said.length === 0 || reading.type !== 'answer') return false
  // A model that was cut off before it said anything is quoted by nobody.
  if (reading.answer.text === '' && reading.answer.calls.length === 0) return said.every(({ raw }) => !('id' in raw))
  if (!said.every(({ isCallersOwn }) => isCallersOwn === true)) return false
  return said.map(({ raw }) => raw['content']).join('') === reading.answer.text
}
