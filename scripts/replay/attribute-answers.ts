import type { AssistantMessage } from '@buildscale/rig'
import { canonical } from './json.ts'
import type { ReadExchange } from './read-exchange.ts'
import type { Entry } from './recorded-request.ts'

/** The exchange that the request at `index` goes on from: the one whose conversation is the longest beginning of it. */
export function findPredecessor(exchanges: readonly ReadExchange[], index: number): number | undefined {
  const current = exchanges[index]
  if (current === undefined) return undefined
  const candidates = exchanges.slice(0, index).flatMap((earlier, place) => (isBeginning(earlier, current) ? [place] : []))
  const lengthAt = (place: number) => exchanges[place]?.request.entries.length ?? 0
  const longest = Math.max(0, ...candidates.map(lengthAt))
  const best = candidates.filter((place) => lengthAt(place) === longest)
  return best.findLast((place) => isAnswerIn(exchanges[place], current, longest)) ?? best.at(-1)
}

function isBeginning({ request, reading }: ReadExchange, { request: current }: ReadExchange): boolean {
  const { entries } = request
  return reading.type === 'answer' && request.settings.client.wire === current.settings.client.wire && request.previousResponseId === undefined
    && entries.length > 0 && entries.length < current.entries.length && entries.every(({ key }, place) => key === current.entries[place]?.key)
}

/** Whether the request repeats an id of that answer, where an answer to the first `length` entries would stand. */
function isAnswerIn(earlier: ReadExchange | undefined, { request, reader }: ReadExchange, length: number): boolean {
  if (earlier?.reading.type !== 'answer') return false
  const { ids } = earlier.reading
  const answers = reader.messages(leadingAssistant(request.entries.slice(length)))
  return answers.some((message) => message.role === 'assistant' && idsOf(message).some((id) => ids.includes(id)))
}

function leadingAssistant(entries: readonly Entry[]): readonly Entry[] {
  const end = entries.findIndex(({ role }) => role !== 'assistant')
  return end === -1 ? entries : entries.slice(0, end)
}

/** The earlier exchange whose answer `message` is, by its ids or else by what it says; `undefined` for one that the caller made up. */
export function findAnswer(
  exchanges: readonly ReadExchange[],
  { before, message }: { readonly before: number; readonly message: AssistantMessage },
): number | undefined {
  const earlier = exchanges.slice(0, before)
  const ids = idsOf(message)
  const byId = earlier.findLastIndex(({ reading }) => reading.type === 'answer' && reading.ids.some((id) => ids.includes(id)))
  const found = byId >= 0 ? byId : earlier.findLastIndex((exchange) => saysTheSame(exchange, message))
  return found < 0 ? undefined : found
}

/** An answer in the request at `index`, before which `place` entries stand, that only a later exchange gives: the exchanges are not in their order. */
export function handedOutLater(
  exchanges: readonly ReadExchange[],
  { index, message, place }: { readonly index: number; readonly message: AssistantMessage; readonly place: number },
): { readonly what: string; readonly exchange: number } | undefined {
  for (const id of idsOf(message)) {
    const exchange = exchanges.findIndex(({ reading }) => reading.type === 'answer' && reading.ids.includes(id))
    if (exchange >= index) return { what: id, exchange }
  }
  const before = exchanges[index]?.request.entries.slice(0, place) ?? []
  const isAnsweredBy = (later: ReadExchange) => later.request.entries.length === place && later.request.entries.every(({ key }, at) => key === before[at]?.key)
  const exchange = exchanges.findIndex((later, at) => at > index && isAnsweredBy(later) && saysTheSame(later, message))
  const isKnown = exchanges.slice(0, index).some((earlier) => saysTheSame(earlier, message))
  return exchange < 0 || isKnown ? undefined : { what: 'an answer', exchange }
}

/** An answer that was found in the request at `index`, before which `place` entries stand. */
interface FoundAnswer {
  readonly index: number
  readonly place: number
  readonly answered: number | undefined
}

/** Whether an answer stands behind something that it was not given to: in a history that the caller has written, in words of its own. */
export function isElsewhere(exchanges: readonly ReadExchange[], { index, place, answered }: FoundAnswer): boolean {
  const before = exchanges[index]?.request.entries[place - 1]
  const asked = answered === undefined ? undefined : exchanges[answered]?.request.entries
  return before !== undefined && asked !== undefined && !asked.some(({ key }) => key === before.key)
}

/** Whether an answer stands before what it was given to, as no caller has it. */
export function isBeforeItsQuestion(exchanges: readonly ReadExchange[], { index, place, answered }: FoundAnswer): boolean {
  const question = answered === undefined ? undefined : exchanges[answered]?.request.entries.at(-1)
  const entries = exchanges[index]?.request.entries ?? []
  const isQuestion = ({ key }: Entry) => key === question?.key
  return question !== undefined && entries.slice(place).some(isQuestion) && !entries.slice(0, place).some(isQuestion)
}

/** An earlier exchange that this one is a copy of, ids and all: no provider gives the same answer twice. */
export function findOriginal(exchanges: readonly ReadExchange[], index: number): number | undefined {
  const copy = exchanges[index]
  if (copy?.reading.type !== 'answer' || copy.reading.responseId === undefined) return undefined
  const form = ({ request, reading }: ReadExchange) => JSON.stringify([request, reading])
  const found = exchanges.slice(0, index).findIndex((earlier) => form(earlier) === form(copy))
  return found < 0 ? undefined : found
}

function idsOf({ content }: AssistantMessage): readonly string[] {
  const ids = content.flatMap((part): readonly (string | undefined)[] => {
    switch (part.type) {
      case 'text': return [part.meta?.openai?.itemId]
      case 'tool_call': return [part.provider?.callId, part.provider?.itemId]
      case 'reasoning': return [part.id, ...part.content.map((piece) => (piece.type === 'text' ? piece.signature : undefined))]
      case 'image':
      case 'provider_item': return []
    }
  })
  return ids.flatMap((id) => (id === undefined || id === '' ? [] : [id]))
}

/** Whether the answer holds what `message` says: its text, and its calls among the answer's. */
function saysTheSame({ reading }: ReadExchange, { content }: AssistantMessage): boolean {
  if (reading.type !== 'answer') return false
  const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('')
  const calls = content.flatMap((part) => (part.type === 'tool_call' ? [canonical([part.function.name, part.function.arguments])] : []))
  const given = reading.answer.calls.map((call) => canonical([call.name, call.arguments]))
  return text.length + calls.length > 0 && (text === '' || text === reading.answer.text) && calls.every((call) => given.includes(call))
}
