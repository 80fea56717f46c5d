/** What a request asks, whichever wire it came over: all that a simulated model looks at. */
export const WIRE_NAMES = ['responses', 'chat', 'messages', 'embeddings'] as const
export type WireName = (typeof WIRE_NAMES)[number]

export type ConversationEntry =
  | { readonly type: 'user'; readonly text: string }
  | {
      readonly type: 'call'
      readonly callId: string
      readonly name: string
      /** A value, or its JSON text. */
      readonly arguments: unknown
      /** What the calls of one answer share; calls without it belong together when no result stands between them. */
      readonly answer: string | undefined
    }
  | { readonly type: 'result'; readonly callId: string; readonly output: string }

export interface ModelQuestion {
  readonly wire: WireName
  readonly model: string
  readonly entries: readonly ConversationEntry[]
  /** Names of the functions that may be called. */
  readonly tools: readonly string[]
  readonly mayCallTools: boolean
  /** The conversation as it came, for whoever looks for words in it. */
  readonly input: unknown
}
