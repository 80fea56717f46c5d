/** What a simulated model answers, before it becomes bytes: the one shape that scripts, the load model and the offline model share. */
import type { JsonObject } from './json.ts'

/** An id that a script chooses; null leaves the field out. */
export type ChosenId = string | null

export type OutputPart =
  | { readonly type: 'text'; readonly deltas: readonly string[]; readonly phase?: string; readonly annotations?: readonly JsonObject[]; readonly id?: ChosenId }
  | { readonly type: 'refusal'; readonly deltas: readonly string[]; readonly id?: ChosenId }
  | { readonly type: 'reasoning'; readonly summary: readonly string[]; readonly text?: string; readonly encrypted?: string; readonly redacted?: string; readonly id?: ChosenId }
  | { readonly type: 'call'; readonly name: string; readonly deltas: readonly string[]; readonly callId?: ChosenId; readonly id?: ChosenId }
  | { readonly type: 'item'; readonly item: JsonObject }
  | { readonly type: 'raw'; readonly frames: string }

export type TurnEnd =
  | { readonly type: 'completed' }
  | { readonly type: 'incomplete'; readonly reason: string }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'error'; readonly code: string; readonly message: string }
  | { readonly type: 'cancelled' }
  | { readonly type: 'missing' }

export const NOISE_KINDS = ['comment', 'ping', 'unknown', 'malformed'] as const
/** comment: a line that every client skips · ping: the wire's own sign of life · unknown: an event type that nobody knows · malformed: half a JSON value. */
export type NoiseKind = (typeof NOISE_KINDS)[number]

export interface InsertedFrames {
  /** How many of the turn's own events come before. */
  readonly afterEvents: number
  readonly content: { readonly type: 'noise'; readonly kind: NoiseKind } | { readonly type: 'raw'; readonly frames: string }
}

export const CUT_KINDS = ['close', 'reset', 'end'] as const
/** close: the connection is closed in the middle of the body · reset: it is reset · end: the body ends in good order, only too early. */
export type CutKind = (typeof CUT_KINDS)[number]

/** How the bytes travel. Times in milliseconds; a stall keeps the connection open and silent. */
export interface Delivery {
  /** Before the headers. */
  readonly delayMs?: number
  /** Between the headers and the first event. */
  readonly firstEventDelayMs?: number
  readonly eventDelayMs?: number
  /** Pause between comment lines while a stall or a first-event delay lasts; none without it. */
  readonly keepAliveMs?: number
  /** Sizes in bytes of successive writes, repeated to the end. */
  readonly fragments?: readonly number[]
  readonly cutAfterBytes?: number
  readonly cutAfterEvents?: number
  readonly cutBy?: CutKind
  readonly stallAfterEvents?: number
  readonly inserts?: readonly InsertedFrames[]
}

export interface TurnUsage {
  /** All of them, those read from and written to a cache included. */
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly cachedTokens?: number
  readonly cacheWriteTokens?: number
  readonly reasoningTokens?: number
}

export const QUIRKS = ['no_usage', 'no_done', 'null_tool_calls', 'repeat_call_ids', 'no_call_index', 'object_arguments'] as const
/** Habits of servers that are compatible, more or less; script.ts says what each does. */
export type Quirk = (typeof QUIRKS)[number]

export interface ModelTurn {
  readonly parts: readonly OutputPart[]
  readonly end: TurnEnd
  readonly usage?: TurnUsage
  /** Said in place of the wire's own finish or stop reason. */
  readonly finish?: string
  /** Id of the whole answer. */
  readonly responseId?: ChosenId
  readonly quirks?: readonly Quirk[]
  /** Sent in place of the JSON of an answer without streaming. */
  readonly unaryBody?: string
  readonly delivery: Delivery
}

export interface HttpErrorAnswer {
  readonly type: 'http-error'
  readonly status: number
  /** Sent as it is, instead of the wire's own envelope with the fields below. */
  readonly body: string | undefined
  readonly message: string
  readonly errorType: string | undefined
  readonly code: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly delayMs: number
}

export type ModelAnswer =
  | { readonly type: 'turn'; readonly turn: ModelTurn }
  | HttpErrorAnswer
  | { readonly type: 'prepared'; readonly frames: readonly Buffer[]; readonly body: Buffer; readonly eventsPerSecond: number | undefined }

/** Small pieces as a model streams them: a word each, long ones in pieces of 12 characters. Joined they are `text`. */
export function streamPieces(text: string): readonly string[] {
  return text.match(/\s*\S{1,12}|\s+/gu) ?? []
}

/** `{ [key]: id }`, without the key when a script leaves the id out. */
export function idField(key: string, chosen: { readonly id: ChosenId | undefined; readonly otherwise: string }): JsonObject {
  const { id, otherwise } = chosen
  return id === null ? {} : { [key]: id ?? otherwise }
}

/** Reasoning on the wires that know one text for it. */
export function reasoningWords(part: Extract<OutputPart, { type: 'reasoning' }>): string {
  return [...part.summary, ...(part.text === undefined ? [] : [part.text])].join('\n')
}
