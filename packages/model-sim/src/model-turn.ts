/** What a simulated model answers, before it becomes bytes: the one shape that scripts, the load model and the offline model share. */
import type { JsonObject } from './json.ts'

export type OutputPart =
  | { readonly type: 'text'; readonly deltas: readonly string[]; readonly phase?: string; readonly annotations?: readonly JsonObject[] }
  | { readonly type: 'refusal'; readonly deltas: readonly string[] }
  | { readonly type: 'reasoning'; readonly summary: readonly string[]; readonly text?: string; readonly encrypted?: string }
  | { readonly type: 'call'; readonly name: string; readonly deltas: readonly string[]; readonly callId?: string }
  | { readonly type: 'item'; readonly item: JsonObject }
  | { readonly type: 'raw'; readonly frames: string }

export type TurnEnd =
  | { readonly type: 'completed' }
  | { readonly type: 'incomplete'; readonly reason: string }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'error'; readonly code: string; readonly message: string }
  | { readonly type: 'missing' }

/** How the bytes travel. Times in milliseconds; a cut destroys the connection, a stall keeps it open and silent. */
export interface Delivery {
  readonly delayMs?: number
  readonly eventDelayMs?: number
  /** Sizes in bytes of successive writes, repeated to the end. */
  readonly fragments?: readonly number[]
  readonly cutAfterBytes?: number
  readonly cutAfterEvents?: number
  readonly stallAfterEvents?: number
}

export interface TurnUsage {
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly cachedTokens?: number
  readonly reasoningTokens?: number
}

export interface ModelTurn {
  readonly parts: readonly OutputPart[]
  readonly end: TurnEnd
  readonly usage?: TurnUsage
  readonly delivery: Delivery
}

export type ModelAnswer =
  | { readonly type: 'turn'; readonly turn: ModelTurn }
  | { readonly type: 'http-error'; readonly status: number; readonly body: string; readonly headers: Readonly<Record<string, string>>; readonly delayMs: number }
  | { readonly type: 'prepared'; readonly frames: readonly Buffer[]; readonly response: JsonObject; readonly eventsPerSecond: number | undefined }

/** Small pieces as a model streams them: a word each, long ones in pieces of 12 characters. Joined they are `text`. */
export function streamPieces(text: string): readonly string[] {
  return text.match(/\s*\S{1,12}|\s+/gu) ?? []
}
