/**
 * Scripts: what the scripted model answers, as JSON.
 *
 *   { "turns": [ Turn, … ] }
 *
 * A request is answered by the first turn that still has uses left and whose `when` matches; without `when` a turn matches everything,
 * so that a plain list is served in order. A turn holds what is said, how it ends and how the bytes travel:
 *
 *   when         { contains?: text or texts, each somewhere in the input's JSON; last_user?: text in the last user message;
 *                  model?: name; tool?: name of an offered tool; step?: tool rounds since the last user message, from 0 }
 *   times        how often the turn may be used: a number, 1 by default, or "always"
 *   reasoning    shorthand: a reasoning item with this summary, first
 *   text         shorthand: a message, after the reasoning
 *   calls        shorthand: function calls, last: [{ name, arguments (object, or JSON text), call_id? }]
 *   output       the items in order, instead of the shorthands: { type: "text", text or deltas: […], phase?, annotations? } | { type: "refusal", text }
 *                | { type: "reasoning", summary: text or texts, text?, encrypted? } | { type: "call", name, arguments, call_id?, deltas? }
 *                | { type: "item", item: {…} } (hosted items) | { type: "raw", frames: "…" } (SSE text, sent as it is)
 *   incomplete   "max_output_tokens" | "content_filter": the last item is cut off there
 *   failed       { code, message }: ends with `response.failed`
 *   error        { code, message }: ends with a top-level `error` event
 *   no_end       true: the stream ends without its terminal event
 *   usage        { input_tokens?, output_tokens?, cached_tokens?, reasoning_tokens? }
 *   http_error   { status, code?, message?, type?, body? (object or text, instead of the others), headers? }: no stream at all
 *   delay_ms · event_delay_ms · fragments: [1, 5, 2] · cut_after_bytes · cut_after_events · stall_after_events
 */
import { isObject, type JsonObject } from './json.ts'
import { streamPieces, type Delivery, type ModelAnswer, type OutputPart, type TurnEnd, type TurnUsage } from './model-turn.ts'
import { Fields, ScriptError } from './script-fields.ts'

export interface ScriptCondition {
  readonly contains: readonly string[]
  readonly lastUser?: string
  readonly model?: string
  readonly tool?: string
  readonly step?: number
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
  const contains = fields.texts('contains') ?? []
  fields.end()
  return {
    contains,
    ...(lastUser === undefined ? {} : { lastUser }),
    ...(model === undefined ? {} : { model }),
    ...(tool === undefined ? {} : { tool }),
    ...(step === undefined ? {} : { step }),
  }
}

function parseTimes(fields: Fields): number {
  const times = fields.raw('times')
  if (times === undefined) return 1
  if (times === 'always') return Number.POSITIVE_INFINITY
  if (typeof times === 'number' && Number.isInteger(times) && times > 0) return times
  throw new ScriptError(fields.path('times'), 'expected a positive integer or "always"')
}

function parseAnswer(fields: Fields): ModelAnswer {
  const error = fields.child('http_error')
  const delivery = parseDelivery(fields)
  if (error !== undefined) return { ...parseHttpError(error), delayMs: delivery.delayMs ?? 0 }
  const usage = fields.child('usage')
  return { type: 'turn', turn: { parts: parseParts(fields), end: parseEnd(fields), ...(usage === undefined ? {} : { usage: parseUsage(usage) }), delivery } }
}

function parseHttpError(fields: Fields): { type: 'http-error'; status: number; body: string; headers: Readonly<Record<string, string>> } {
  const status = fields.number('status')
  if (status === undefined || status < 400 || status > 599) throw new ScriptError(fields.path('status'), 'expected an HTTP status from 400 to 599')
  const message = fields.text('message') ?? `The script answers with status ${status}.`
  const standard = { error: { message, type: fields.text('type') ?? (status >= 500 ? 'server_error' : 'invalid_request_error'), param: null, code: fields.text('code') ?? null } }
  const body = fields.raw('body') ?? standard
  const headers = fields.textRecord('headers')
  fields.end()
  return { type: 'http-error', status, body: typeof body === 'string' ? body : JSON.stringify(body), headers }
}

function parseParts(fields: Fields): readonly OutputPart[] {
  const shorthands: OutputPart[] = []
  const reasoning = fields.texts('reasoning')
  const text = fields.text('text')
  if (reasoning !== undefined) shorthands.push({ type: 'reasoning', summary: reasoning })
  if (text !== undefined) shorthands.push({ type: 'text', deltas: streamPieces(text) })
  for (const call of fields.children('calls') ?? []) shorthands.push(parseCall(call))
  const output = fields.children('output')
  if (output === undefined) return shorthands
  if (shorthands.length > 0) throw new ScriptError(fields.path('output'), 'cannot stand beside "reasoning", "text" or "calls"; list every item in "output"')
  return output.map((part) => parsePart(part))
}

const PART_TYPES = ['text', 'refusal', 'reasoning', 'call', 'item', 'raw'] as const

function parsePart(fields: Fields): OutputPart {
  const type = fields.choice('type', PART_TYPES)
  switch (type) {
    case 'text':
      return parseText(fields)
    case 'refusal':
      return fields.closed({ type, deltas: streamPieces(fields.requiredText('text')) })
    case 'reasoning':
      return parseReasoning(fields)
    case 'call':
      return parseCall(fields)
    case 'item':
      return fields.closed({ type, item: fields.object('item') })
    case 'raw':
      return fields.closed({ type, frames: fields.requiredText('frames') })
  }
}

function parseText(fields: Fields): OutputPart {
  const phase = fields.text('phase')
  const deltas = fields.texts('deltas') ?? streamPieces(fields.requiredText('text'))
  const annotations = fields.raw('annotations')
  const notes: readonly JsonObject[] = Array.isArray(annotations) ? annotations.filter(isObject) : []
  return fields.closed({ type: 'text', deltas, ...(phase === undefined ? {} : { phase }), ...(notes.length === 0 ? {} : { annotations: notes }) })
}

function parseReasoning(fields: Fields): OutputPart {
  const summary = fields.texts('summary') ?? []
  const text = fields.text('text')
  const encrypted = fields.text('encrypted')
  return fields.closed({ type: 'reasoning', summary, ...(text === undefined ? {} : { text }), ...(encrypted === undefined ? {} : { encrypted }) })
}

function parseCall(fields: Fields): OutputPart {
  fields.raw('type')
  const name = fields.requiredText('name')
  const callId = fields.text('call_id')
  const given = fields.raw('arguments') ?? {}
  const text = typeof given === 'string' ? given : JSON.stringify(given)
  const deltas = fields.texts('deltas') ?? (text.match(/.{1,8}/gsu) ?? [])
  return fields.closed({ type: 'call', name, deltas, ...(callId === undefined ? {} : { callId }) })
}

function parseEnd(fields: Fields): TurnEnd {
  const reason = fields.text('incomplete')
  const failed = fields.child('failed')
  const error = fields.child('error')
  const isMissing = fields.raw('no_end') === true
  if ([reason !== undefined, failed !== undefined, error !== undefined, isMissing].filter(Boolean).length > 1) {
    throw new ScriptError(fields.path('incomplete'), 'a turn ends in one way: "incomplete", "failed", "error" or "no_end"')
  }
  if (reason !== undefined) return { type: 'incomplete', reason }
  if (failed !== undefined) return failed.closed({ type: 'failed', code: failed.requiredText('code'), message: failed.requiredText('message') })
  if (error !== undefined) return error.closed({ type: 'error', code: error.requiredText('code'), message: error.requiredText('message') })
  return { type: isMissing ? 'missing' : 'completed' }
}

function parseUsage(fields: Fields): TurnUsage {
  const read = { inputTokens: fields.number('input_tokens'), outputTokens: fields.number('output_tokens'), cachedTokens: fields.number('cached_tokens'), reasoningTokens: fields.number('reasoning_tokens') }
  return fields.closed(withoutAbsent(read))
}

function parseDelivery(fields: Fields): Delivery {
  const fragments = fields.numbers('fragments')
  const read = {
    delayMs: fields.number('delay_ms'),
    eventDelayMs: fields.number('event_delay_ms'),
    cutAfterBytes: fields.number('cut_after_bytes'),
    cutAfterEvents: fields.number('cut_after_events'),
    stallAfterEvents: fields.number('stall_after_events'),
  }
  return { ...withoutAbsent(read), ...(fragments === undefined ? {} : { fragments }) }
}

function withoutAbsent(values: Readonly<Record<string, number | undefined>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])))
}
