import type { AssistantContent, CompletionResponse, FinishReason, Usage } from '@buildscale/rig'
import type { AnswerReading, CallReading } from './independent-reading.ts'
import { isObject, parseJson, type JsonObject } from './json.ts'

/** An answer as the runtime has understood it. */
export interface DecodedTurn {
  readonly content: readonly AssistantContent[]
  readonly usage: Usage | undefined
  readonly finishReason: FinishReason | undefined
}

/** A whole response as a turn. */
export function turnOf({ choice, usage, usageKnown, finishReason }: CompletionResponse): DecodedTurn {
  return { content: choice, usage: usageKnown ? usage : undefined, finishReason }
}

/** What the runtime made of an answer, in the terms of the independent reading. */
export function answerOf({ content, usage, finishReason }: DecodedTurn): AnswerReading {
  const reasoning = content.flatMap((part) => (part.type === 'reasoning' ? part.content : []))
  return {
    text: content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    reasoning: reasoning.map((entry) => (entry.type === 'text' || entry.type === 'summary' ? entry.text : '')).join(''),
    opaque: reasoning.flatMap((entry) => (entry.type === 'encrypted' || entry.type === 'redacted' ? [entry.data] : [])),
    signatures: reasoning.flatMap((entry) => (entry.type === 'text' && entry.signature !== undefined ? [entry.signature] : [])),
    calls: content.flatMap(callsOf),
    finishReason: finishReason === undefined ? null : typeof finishReason === 'string' ? finishReason : `other: ${finishReason.other}`,
    usage: usage === undefined ? null : usageOf(usage),
  }
}

function callsOf(part: AssistantContent): readonly CallReading[] {
  if (part.type !== 'tool_call') return []
  return [{ id: part.provider?.callId ?? '', name: part.function.name, arguments: part.function.arguments }]
}

function usageOf({ toolUsePromptTokens: _notInRecordings, ...usage }: Usage) {
  return usage
}

/** An answer as plain JSON, to be compared. */
export function answerJson(answer: AnswerReading): JsonObject {
  const json = parseJson(JSON.stringify(answer))
  return isObject(json) ? json : {}
}
