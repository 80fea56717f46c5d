import type { Difference } from './compare-json.ts'
import type { Json, JsonObject } from './json.ts'
import { isObject, parseJson } from './json.ts'

/** A tool call as the JSON of an answer has it. */
export interface CallReading {
  /** Empty when the wire gives none. */
  readonly id: string
  readonly name: string
  readonly arguments: JsonObject
}

export interface UsageReading {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly totalTokens: number
  readonly cachedInputTokens: number
  readonly cacheCreationInputTokens: number
  readonly reasoningTokens: number
}

/** What an answer says. */
export interface AnswerReading {
  readonly text: string
  /** Summaries and thinking, joined. */
  readonly reasoning: string
  /** Encrypted and redacted reasoning. */
  readonly opaque: readonly string[]
  readonly signatures: readonly string[]
  readonly calls: readonly CallReading[]
  /** As the runtime names it; `other: …` for reasons it has no name for. */
  readonly finishReason: string | null
  readonly usage: UsageReading | null
}

/** What came back for a request. `contradictions`: where the recorded figures do not fit each other. */
export type Reading =
  | {
    readonly type: 'answer'
    readonly answer: AnswerReading
    readonly responseId: string | undefined
    /** Every id that this answer hands out. */
    readonly ids: readonly string[]
    readonly contradictions: readonly Difference[]
  }
  /** Data that no model has said. */
  | { readonly type: 'values'; readonly values: Json }
  /** The provider said no, with an HTTP status. */
  | { readonly type: 'refused'; readonly status: number; readonly body: string }
  /** The status was a success and the content an error. */
  | { readonly type: 'failed'; readonly code: string | undefined }
  /** A stream without its end. */
  | { readonly type: 'cut-off' }

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

/** The data of the events of a stream, in order. */
export function eventData(body: string): readonly string[] {
  return body.split(/\r\n\r\n|\n\n|\r\r/).flatMap((block) => {
    const lines = block.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:'))
    return lines.length === 0 ? [] : [lines.map((line) => line.slice('data:'.length).replace(/^ /, '')).join('\n')]
  })
}

/** The events of a stream that are JSON objects. */
export function eventObjects(body: string): readonly JsonObject[] {
  return eventData(body).map((data) => parseJson(data)).filter(isObject)
}

/** The arguments of a call: the object itself, or text that holds it; `undefined` when it is neither. */
export function argumentsOf(value: Json | undefined): JsonObject | undefined {
  if (value === undefined || value === null || (typeof value === 'string' && value.trim() === '')) return {}
  const parsed = typeof value === 'string' ? parseJson(value) : value
  const inner = typeof parsed === 'string' ? parseJson(parsed) : parsed
  if (inner === null) return {}
  return isObject(inner) ? inner : undefined
}

/** A call as it is written on the wire. */
interface WrittenCall {
  readonly id: string
  readonly name: string
  readonly text: Json | undefined
  readonly isCutOff: boolean
}

/** A call whose arguments make no sense is kept without any, unless the answer was cut off in the middle of it. */
export function keptCalls(calls: readonly WrittenCall[]): readonly CallReading[] {
  return calls.flatMap(({ id, name, text, isCutOff }) => {
    const parsed = argumentsOf(text)
    return parsed === undefined && isCutOff ? [] : [{ id, name, arguments: parsed ?? {} }]
  })
}

/** Providers that give a total give the sum; some count reasoning on top of it, or `audioTokens` that were heard. */
export function totalContradictions(usage: UsageReading | null, audioTokens = 0): readonly Difference[] {
  if (usage === null) return []
  const sum = usage.inputTokens + usage.outputTokens
  if ([0, usage.reasoningTokens, audioTokens].some((more) => usage.totalTokens === sum + more)) return []
  return [{ path: 'answer.usage.totalTokens', expected: sum, actual: usage.totalTokens }]
}
