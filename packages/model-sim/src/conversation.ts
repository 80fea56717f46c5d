/** A request's input as a simulated model looks at it. */
import { objectsOf, parseJson, textOf, type JsonObject } from './json.ts'
import { readCallId } from './responses/item-id.ts'
import type { ResponsesRequest } from './responses/request.ts'

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

export function readConversation(request: Pick<ResponsesRequest, 'input'>): Conversation {
  const { input } = request
  const lastUser = input.findLastIndex((item) => isUserMessage(item))
  return {
    lastUserText: messageText(input[lastUser]),
    userTurns: input.filter((item) => isUserMessage(item)).length,
    rounds: readRounds(input.slice(lastUser + 1)),
    earlier: readRounds(input.slice(0, Math.max(0, lastUser))).flat(),
  }
}

function isUserMessage(item: JsonObject): boolean {
  return item['type'] === 'message' && item['role'] === 'user'
}

function messageText(item: JsonObject | undefined): string {
  const content = item?.['content']
  return typeof content === 'string' ? content : objectsOf(content).map((part) => textOf(part['text'])).join('\n')
}

/** Calls of one answer share the first digits of their call ids; ids of other origin belong together when no output stands between them. */
function readRounds(items: readonly JsonObject[]): readonly (readonly CallResult[])[] {
  const outputs = new Map(items.filter((item) => item['type'] === 'function_call_output').map((item) => [textOf(item['call_id']), outputText(item['output'])]))
  const rounds: CallResult[][] = []
  let open: string | undefined
  for (const item of items) {
    const callId = textOf(item['call_id'])
    if (item['type'] === 'function_call_output' && open === FOREIGN) open = undefined
    if (item['type'] !== 'function_call') continue
    const answer = readCallId(callId) ?? FOREIGN
    if (answer !== open) rounds.push([])
    open = answer
    rounds.at(-1)?.push({ name: textOf(item['name']), arguments: parseJson(textOf(item['arguments'])), output: outputs.get(callId) ?? '' })
  }
  return rounds
}

const FOREIGN = 'foreign'

function outputText(output: unknown): string {
  return typeof output === 'string' ? output : objectsOf(output).map((part) => textOf(part['text'])).join('\n')
}
