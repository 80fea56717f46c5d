import { Message, type AssistantContent, type AssistantMessage, type TextPart, type ToolResult, type UserMessage } from '@buildscale/rig'
import type { TurnState } from './execute-run.ts'
import { canonical, type JsonObject } from './json.ts'
import type { RecordedResults } from './known-tools.ts'
import type { Piece, PlannedRun } from './plan-conversation.ts'

/** What is known of the exchanges before a run. */
export interface ResolveOptions {
  /** Waits until it is known what came of an exchange. Throws when nothing did. */
  readonly stateOf: (exchange: number) => Promise<TurnState>
  readonly results: RecordedResults
}

/** The messages of a run without its system text, and its parameters. Throws when an exchange that it builds on came to nothing. */
export async function resolvePieces(run: PlannedRun, options: ResolveOptions): Promise<{ readonly messages: readonly Message[]; readonly params: JsonObject }> {
  const messages: Message[] = []
  for (const piece of run.pieces) messages.push(...await resolvePiece(piece, options))
  const { previousResponse, settings: { params } } = run
  if (previousResponse === undefined) return { messages, params }
  if (typeof previousResponse === 'string') return { messages, params: { ...params, previous_response_id: previousResponse } }
  const { responseId = '' } = await options.stateOf(previousResponse)
  return { messages, params: { ...params, previous_response_id: responseId } }
}

async function resolvePiece(piece: Piece, { stateOf, results }: ResolveOptions): Promise<readonly Message[]> {
  if (piece.type === 'recorded') return piece.messages
  const state = await stateOf(piece.exchange)
  const { messages, assistant } = state
  switch (piece.type) {
    case 'conversation': return piece.withAnswer && assistant !== undefined ? [...messages, assistant] : messages
    case 'results': return [state.results ?? resultsByHand(assistant, results)]
    case 'selected': return [assistant === undefined ? piece.chosen : selectParts(assistant, piece)]
    case 'selected-results': return [selectResults(state, piece.chosen)]
  }
}

/** The results of calls that the runtime did not run: those that were recorded. */
function resultsByHand(assistant: AssistantMessage | undefined, results: RecordedResults): UserMessage {
  const calls = (assistant?.content ?? []).filter((part) => part.type === 'tool_call')
  return {
    role: 'user',
    content: calls.flatMap((call) => {
      const { content = '', isError = false } = results.get(call.provider?.callId ?? call.id) ?? {}
      return Message.toolResult(call, content, { isError }).content
    }),
  }
}

/** The parts that the caller has chosen to send, as the runtime has them. */
function selectParts(assistant: AssistantMessage, { chosen, isRetold }: Extract<Piece, { type: 'selected' }>): AssistantMessage {
  const left = [...assistant.content]
  const content = chosen.content.map((part) => {
    if (isCallersText(part, assistant) || (isRetold && isNewText(part, assistant))) return part
    const kin = left.filter(({ type }) => type === part.type)
    const found = kin.find((own) => sayingOf(own) === sayingOf(part)) ?? kin[0]
    if (found === undefined) return part
    left.splice(left.indexOf(found), 1)
    return isRetold ? retold(found, part) : found
  })
  const { id, ...rest } = assistant
  const keepsId = id !== undefined && content.every((part) => !isCallersText(part, assistant))
  return { ...rest, content, ...(keepsId ? { id } : {}) }
}

/** Text that the answer does not hold, without the id of any item. */
function isNewText(part: AssistantContent, { content }: AssistantMessage): boolean {
  return part.type === 'text' && part.meta?.openai?.itemId === undefined && !content.some((own) => own.type === 'text' && own.text === part.text)
}

/** The runtime's call as the caller has put it down: with what is the call, without what else came with it. */
function retold(own: AssistantContent, part: AssistantContent): AssistantContent {
  if (own.type !== 'tool_call' || part.type !== 'tool_call' || own.provider === undefined) return own
  const { additionalParams, ...call } = own
  const { callId, itemId } = own.provider
  return {
    ...call,
    provider: { callId, ...(itemId === undefined || part.provider?.itemId === undefined ? {} : { itemId }) },
    ...(additionalParams === undefined || part.additionalParams === undefined ? {} : { additionalParams }),
  }
}

/** Text without the id that the runtime has for it was written by the caller. */
function isCallersText(part: AssistantContent, { content }: AssistantMessage): boolean {
  const hasItem = (text: TextPart) => text.meta?.openai?.itemId !== undefined
  return part.type === 'text' && !hasItem(part) && content.some((own) => own.type === 'text' && hasItem(own))
}

function sayingOf(part: AssistantContent): string {
  switch (part.type) {
    case 'text': return part.text
    case 'tool_call': return canonical([part.function.name, part.function.arguments])
    case 'reasoning': return part.id ?? part.content.map((entry) => ('text' in entry ? entry.text : entry.data)).join('')
    case 'provider_item': return canonical(part.raw)
    case 'image': return ''
  }
}

/** The chosen results with the ids of the runtime's calls, and with what the runtime's tools said. */
function selectResults({ assistant, results }: TurnState, chosen: UserMessage): UserMessage {
  const calls = (assistant?.content ?? []).filter((part) => part.type === 'tool_call')
  const content = chosen.content.map((part, index) => {
    if (part.type !== 'tool_result') return part
    const call = calls.find(({ provider }) => provider?.callId === part.id) ?? calls[index]
    if (call === undefined) return part
    const own = results?.content.find((result): result is ToolResult => result.type === 'tool_result' && result.id === call.id)
    return own ?? { ...part, id: call.id, name: call.function.name, ...(call.provider === undefined ? {} : { provider: call.provider }) }
  })
  return { role: 'user', content }
}
