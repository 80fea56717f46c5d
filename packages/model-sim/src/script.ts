/**
 * Scripts: what the scripted model answers, as JSON. One script serves every wire: Responses, Chat Completions, Messages.
 *
 *   { "turns": [ Turn, … ] }
 *
 * A request is answered by the first turn that still has uses left and whose `when` matches; without `when` a turn matches everything,
 * so that a plain list is served in order. A turn holds what is said, how it ends and how the bytes travel:
 *
 *   when         { contains?: text or texts, each somewhere in the JSON of the input or the messages; last_user?: text in the last user message;
 *                  model?: name; tool?: name of an offered tool; step?: tool rounds since the last user message, from 0;
 *                  wire?: "responses" | "chat" | "messages" | "embeddings" }
 *   times        how often the turn may be used: a number, 1 by default, or "always"
 *
 * Embeddings are computed, not scripted: only a turn whose `when.wire` is "embeddings" applies to them, with its `http_error` or its delivery.
 *
 * What is said:
 *   reasoning    shorthand: a reasoning item with this summary, first
 *   text         shorthand: a message, after the reasoning
 *   calls        shorthand: function calls, last: [{ name, arguments (object, or JSON text), call_id? }]
 *   output       the items in order, instead of the shorthands:
 *                { type: "text", text or deltas: […], phase?, annotations?, id? }   annotations travel as they are; on Messages they are the citations
 *                { type: "refusal", text, id? }                  on Messages a text and the stop reason "refusal"
 *                { type: "reasoning", summary?: text or texts, text?, encrypted?, redacted?, id? }   `encrypted` is the encrypted content, on Messages
 *                                                                the signature; `redacted` makes it a redacted_thinking block with this data; Chat
 *                                                                says summary and text as `reasoning_content`
 *                { type: "call", name, arguments, deltas?, call_id?, id? }
 *                { type: "item", item: {…} }                     hosted items of Responses (web_search_call, compaction, …) or content blocks of Messages
 *                                                                (server_tool_use, web_search_tool_result, …), as they are; Chat has nothing like it
 *                { type: "raw", frames: "…" }                    SSE text, sent as it is; nothing without streaming
 *                `id` is the item's id on Responses, `call_id` the call's on every wire; null leaves it out, and nothing stops two from being equal
 *   response_id  id of the whole answer; null leaves it out
 *   usage        { input_tokens?, output_tokens?, cached_tokens?, cache_write_tokens?, reasoning_tokens? }; input_tokens counts cached and
 *                cache-written ones in, Messages reports them apart
 *   unary_body   text sent in place of the JSON of an answer without streaming
 *
 * How it ends; completed unless one of these stands there:
 *   incomplete   "max_output_tokens" | "content_filter": the last item is cut off there. Chat: "length"; Messages: "max_tokens" and "refusal"
 *   failed       { code, message }: ends with `response.failed`; Chat with an `{ error }` chunk, Messages with an `error` event of the type `code`
 *   error        { code, message }: ends with a top-level `error` event; on Chat and Messages the same as `failed`
 *   cancelled    true: ends with `response.cancelled`; on Chat and Messages the same as `no_end`
 *   no_end       true: the stream ends in good order, without its terminal event
 *   finish       text said in place of the finish_reason of Chat or the stop_reason of Messages
 *
 * Habits of compatible servers, `quirks: […]`:
 *   no_usage (none anywhere, every wire); on Chat: no_done (no `[DONE]`), null_tool_calls (beside every text delta), repeat_call_ids (id and an empty
 *   name in every fragment of a call), no_call_index, object_arguments (arguments as an object, in one piece)
 *
 * How the bytes travel:
 *   http_error   { status, code?, message?, type?, body? (object or text, instead of the others), headers? }: no stream at all; with `delay_ms`
 *   delay_ms (before the headers) · first_event_delay_ms (after them) · event_delay_ms · fragments: [1, 5, 2] (sizes of successive writes)
 *   cut_after_bytes · cut_after_events, and cut_by: "close" (default) | "reset" | "end" (in good order) · stall_after_events
 *   keep_alive_ms (comment lines while a stall or first_event_delay_ms lasts)
 *   insert       [{ after_events, noise: "comment" | "ping" | "unknown" | "malformed" } | { after_events, frames: "…" }]: between the turn's own events;
 *                cut_after_events and stall_after_events count what is inserted too
 */
import { WIRE_NAMES, type WireName } from './model-question.ts'
import type { ModelAnswer } from './model-turn.ts'
import { parseAnswer } from './script-answer.ts'
import { Fields, ScriptError } from './script-fields.ts'

export interface ScriptCondition {
  readonly contains: readonly string[]
  readonly lastUser?: string
  readonly model?: string
  readonly tool?: string
  readonly step?: number
  readonly wire?: WireName
}

interface ScriptTurn {
  readonly when: ScriptCondition | undefined
  /** How often it may be used; Infinity for "always". */
  readonly times: number
  readonly answer: ModelAnswer
}

export interface Script {
  readonly turns: readonly ScriptTurn[]
}

/** @throws ScriptError naming the place in the script and what was expected there */
export function parseScript(value: unknown): Script {
  const fields = new Fields(value, 'script')
  const turns = fields.list('turns').map((turn, index) => parseTurn(new Fields(turn, `turns[${index}]`)))
  fields.end()
  return { turns }
}

function parseTurn(fields: Fields): ScriptTurn {
  const when = fields.child('when')
  const turn = { when: when && parseCondition(when), times: parseTimes(fields), answer: parseAnswer(fields) }
  fields.end()
  return turn
}

function parseCondition(fields: Fields): ScriptCondition {
  const lastUser = fields.text('last_user')
  const model = fields.text('model')
  const tool = fields.text('tool')
  const step = fields.number('step')
  const wire = fields.raw('wire') === undefined ? undefined : fields.choice('wire', WIRE_NAMES)
  const contains = fields.texts('contains') ?? []
  fields.end()
  return {
    contains,
    ...(lastUser === undefined ? {} : { lastUser }),
    ...(model === undefined ? {} : { model }),
    ...(tool === undefined ? {} : { tool }),
    ...(step === undefined ? {} : { step }),
    ...(wire === undefined ? {} : { wire }),
  }
}

function parseTimes(fields: Fields): number {
  const times = fields.raw('times')
  if (times === undefined) return 1
  if (times === 'always') return Number.POSITIVE_INFINITY
  if (typeof times === 'number' && Number.isInteger(times) && times > 0) return times
  throw new ScriptError(fields.path('times'), 'expected a positive integer or "always"')
}
