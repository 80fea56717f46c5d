/** Reads what one turn of a script answers. */
import { isObject, type JsonObject } from './json.ts'
import { CUT_KINDS, NOISE_KINDS, QUIRKS, streamPieces, type ChosenId, type Delivery, type HttpErrorAnswer, type InsertedFrames, type ModelAnswer, type OutputPart, type TurnEnd, type TurnUsage } from './model-turn.ts'
import { ScriptError, type Fields } from './script-fields.ts'

/** The part of a turn that says what is answered and how it travels; `when` and `times` are read elsewhere. */
export function parseAnswer(fields: Fields): ModelAnswer {
  const error = fields.child('http_error')
  const delivery = parseDelivery(fields)
  if (error !== undefined) return parseHttpError(error, delivery.delayMs ?? 0)
  const usage = fields.child('usage')
  const finish = fields.text('finish')
  const responseId = parseId(fields, 'response_id')
  const unaryBody = fields.text('unary_body')
  const quirks = fields.choices('quirks', QUIRKS)
  const turn = {
    parts: parseParts(fields),
    end: parseEnd(fields),
    delivery,
    quirks,
    ...(usage === undefined ? {} : { usage: parseUsage(usage) }),
    ...(finish === undefined ? {} : { finish }),
    ...(responseId === undefined ? {} : { responseId }),
    ...(unaryBody === undefined ? {} : { unaryBody }),
  }
  return { type: 'turn', turn }
}

function parseHttpError(fields: Fields, delayMs: number): HttpErrorAnswer {
  const status = fields.number('status')
  if (status === undefined || status < 400 || status > 599) throw new ScriptError(fields.path('status'), 'expected an HTTP status from 400 to 599')
  const given = fields.raw('body')
  const answer = {
    status,
    message: fields.text('message') ?? `The script answers with status ${status}.`,
    errorType: fields.text('type'),
    code: fields.text('code') ?? null,
    body: given === undefined || typeof given === 'string' ? given : JSON.stringify(given),
    headers: fields.textRecord('headers'),
    delayMs,
  }
  return fields.closed({ type: 'http-error', ...answer })
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
      return fields.closed({ type, deltas: streamPieces(fields.requiredText('text')), ...chosenId(fields) })
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
  return fields.closed({ type: 'text', deltas, ...(phase === undefined ? {} : { phase }), ...(notes.length === 0 ? {} : { annotations: notes }), ...chosenId(fields) })
}

function parseReasoning(fields: Fields): OutputPart {
  const summary = fields.texts('summary') ?? []
  const text = fields.text('text')
  const encrypted = fields.text('encrypted')
  const redacted = fields.text('redacted')
  return fields.closed({
    type: 'reasoning',
    summary,
    ...(text === undefined ? {} : { text }),
    ...(encrypted === undefined ? {} : { encrypted }),
    ...(redacted === undefined ? {} : { redacted }),
    ...chosenId(fields),
  })
}

function parseCall(fields: Fields): OutputPart {
  fields.raw('type')
  const name = fields.requiredText('name')
  const callId = parseId(fields, 'call_id')
  const given = fields.raw('arguments') ?? {}
  const text = typeof given === 'string' ? given : JSON.stringify(given)
  const deltas = fields.texts('deltas') ?? (text.match(/.{1,8}/gsu) ?? [])
  return fields.closed({ type: 'call', name, deltas, ...(callId === undefined ? {} : { callId }), ...chosenId(fields) })
}

function parseEnd(fields: Fields): TurnEnd {
  const reason = fields.text('incomplete')
  const failed = fields.child('failed')
  const error = fields.child('error')
  const isCancelled = fields.raw('cancelled') === true
  const isMissing = fields.raw('no_end') === true
  if ([reason !== undefined, failed !== undefined, error !== undefined, isCancelled, isMissing].filter(Boolean).length > 1) {
    throw new ScriptError(fields.path('incomplete'), 'a turn ends in one way: "incomplete", "failed", "error", "cancelled" or "no_end"')
  }
  if (reason !== undefined) return { type: 'incomplete', reason }
  if (failed !== undefined) return failed.closed({ type: 'failed', code: failed.requiredText('code'), message: failed.requiredText('message') })
  if (error !== undefined) return error.closed({ type: 'error', code: error.requiredText('code'), message: error.requiredText('message') })
  if (isCancelled) return { type: 'cancelled' }
  return { type: isMissing ? 'missing' : 'completed' }
}

function parseUsage(fields: Fields): TurnUsage {
  const read = {
    inputTokens: fields.number('input_tokens'),
    outputTokens: fields.number('output_tokens'),
    cachedTokens: fields.number('cached_tokens'),
    cacheWriteTokens: fields.number('cache_write_tokens'),
    reasoningTokens: fields.number('reasoning_tokens'),
  }
  return fields.closed(withoutAbsent(read))
}

function parseDelivery(fields: Fields): Delivery {
  const fragments = fields.numbers('fragments')
  const inserts = fields.children('insert')?.map((insert) => parseInsert(insert))
  const cutBy = fields.raw('cut_by') === undefined ? undefined : fields.choice('cut_by', CUT_KINDS)
  const read = {
    delayMs: fields.number('delay_ms'),
    firstEventDelayMs: fields.number('first_event_delay_ms'),
    eventDelayMs: fields.number('event_delay_ms'),
    keepAliveMs: fields.number('keep_alive_ms'),
    cutAfterBytes: fields.number('cut_after_bytes'),
    cutAfterEvents: fields.number('cut_after_events'),
    stallAfterEvents: fields.number('stall_after_events'),
  }
  return { ...withoutAbsent(read), ...(fragments === undefined ? {} : { fragments }), ...(cutBy === undefined ? {} : { cutBy }), ...(inserts === undefined ? {} : { inserts }) }
}

function parseInsert(fields: Fields): InsertedFrames {
  const afterEvents = fields.number('after_events') ?? 0
  const frames = fields.text('frames')
  if (frames === undefined) return fields.closed({ afterEvents, content: { type: 'noise', kind: fields.choice('noise', NOISE_KINDS) } })
  return fields.closed({ afterEvents, content: { type: 'raw', frames } })
}

function chosenId(fields: Fields): { readonly id?: ChosenId } {
  const id = parseId(fields, 'id')
  return id === undefined ? {} : { id }
}

/** Text, or null for an id that is left out. */
function parseId(fields: Fields, key: string): ChosenId | undefined {
  return fields.raw(key) === null ? null : fields.text(key)
}

function withoutAbsent(values: Readonly<Record<string, number | undefined>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])))
}
