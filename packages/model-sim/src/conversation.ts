/** A question's conversation as a simulated model looks at it. */
import { parseJson } from './json.ts'
import type { ConversationEntry, ModelQuestion } from './model-question.ts'

export interface CallResult {
  readonly name: string
  readonly arguments: unknown
  readonly output: string
}

export interface Conversation {
  /** Text of the last user message; empty when there is none. */
  readonly lastUserText: string
  /** How many user messages there are. */
  readonly userTurns: number
  /** Tool rounds since the last user message: calls of one answer, with their results, in call order. */
  readonly rounds: readonly (readonly CallResult[])[]
  /** Calls of earlier turns, oldest first. */
  readonly earlier: readonly CallResult[]
}

export function readConversation({ entries }: Pick<ModelQuestion, 'entries'>): Conversation {
  const lastUser = entries.findLastIndex((entry) => entry.type === 'user')
  const last = entries[lastUser]
  return {
    lastUserText: last?.type === 'user' ? last.text : '',
    userTurns: entries.filter((entry) => entry.type === 'user').length,
    rounds: readRounds(entries.slice(lastUser + 1)),
    earlier: readRounds(entries.slice(0, Math.max(0, lastUser))).flat(),
  }
}

const FOREIGN = 'foreign'

function readRounds(entries: readonly ConversationEntry[]): readonly (readonly CallResult[])[] {
  const outputs = new Map(entries.flatMap((entry) => (entry.type === 'result' ? [[entry.callId, entry.output] as const] : [])))
  const rounds: CallResult[][] = []
  let open: string | undefined
  for (const entry of entries) {
    if (entry.type === 'result' && open === FOREIGN) open = undefined
    if (entry.type !== 'call') continue
    const answer = entry.answer ?? FOREIGN
    if (answer !== open) rounds.push([])
    open = answer
    const given = typeof entry.arguments === 'string' ? parseJson(entry.arguments) : entry.arguments
    rounds.at(-1)?.push({ name: entry.name, arguments: given, output: outputs.get(entry.callId) ?? '' })
  }
  return rounds
}
