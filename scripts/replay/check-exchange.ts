import { CompletionError, EmbeddingError, MaxTurnsError, NoAnswerError } from '@buildscale/rig'
import { answerJson } from './answer-record.ts'
import { ABSENT, compareJson, type Difference } from './compare-json.ts'
import type { AnswerReading, Reading } from './independent-reading.ts'
import { parseJson, type Json } from './json.ts'
import type { Exchange } from './load-recording.ts'
import type { ReceivedRequest } from './recording-server.ts'

/** Headers that are compared when they were recorded. */
const RECORDED_HEADERS = ['accept', 'content-type', 'anthropic-version']
/** Headers that are compared whether they were recorded or not. */
const ALL_HEADERS = ['anthropic-beta']

/** A request without content has no form, and takes any answer that it gets. */
const FORM_HEADERS = ['accept', 'content-type']

/** Kinds of errors that an answer with a status of success may end in. */
const FAILED_ANSWERS: readonly string[] = ['provider_response', 'response', 'json']

/** In what a request differs from the recorded one. */
export function checkRequest({ request }: Exchange, received: ReceivedRequest): readonly Difference[] {
  const isCompared = (name: string) => request.headers.has(name) && !(request.method === 'GET' && FORM_HEADERS.includes(name))
  const headers = [...RECORDED_HEADERS.filter(isCompared), ...ALL_HEADERS]
  const query = (pairs: Exchange['request']['query']) => pairs.map(([name, value]) => `${name}=${value}`)
  return [
    ...compareJson(request.method, received.method, 'method'),
    ...compareJson(request.path, received.path, 'path'),
    ...compareJson(query(request.query), query(received.query), 'query'),
    ...headers.flatMap((name) => compareJson(headerOf(request.headers, name), headerOf(received.headers, name), `headers.${name}`)),
    ...compareJson(parseJson(request.body) ?? request.body, parseJson(received.body) ?? received.body, 'body'),
  ]
}

function headerOf(headers: ReadonlyMap<string, string>, name: string): string | undefined {
  const value = headers.get(name)
  return name === 'content-type' ? value?.replace(/;.*$/, '').trim() : value
}

/** In what the runtime's understanding of data differs from what the answer says. */
export function checkValues(reading: Reading, values: Json): readonly Difference[] {
  if (reading.type === 'values') return compareJson(reading.values, values, 'values')
  return [{ path: 'values', expected: reading.type === 'answer' ? 'an answer' : expectedFailure(reading), actual: values }]
}

/** In what the runtime's understanding of an answer differs from what it says. */
export function checkAnswer(reading: Reading, answer: AnswerReading, streamedText: string | undefined): readonly Difference[] {
  if (reading.type === 'values') return [{ path: 'answer', expected: 'data', actual: answerJson(answer) }]
  if (reading.type !== 'answer') return [{ path: 'answer', expected: expectedFailure(reading), actual: answerJson(answer) }]
  const expected = reading.answer
  // A call without an id on the wire gets one of the runtime's own.
  const calls = answer.calls.map((call, index) => (expected.calls[index]?.id === '' ? { ...call, id: '' } : call))
  return [
    ...compareJson(answerJson(expected), answerJson({ ...answer, calls }), 'answer'),
    ...(streamedText === undefined ? [] : compareJson(expected.text, streamedText, 'answer.streamedText')),
    ...reading.contradictions,
  ]
}

/** In what the error of a call differs from what the answer says. */
export function checkFailure(reading: Reading, error: unknown): readonly Difference[] {
  if (reading.type === 'answer') return isExpectedEnd(reading.answer, error) ? [] : [{ path: 'outcome', expected: 'an answer', actual: describe(error) }]
  if (reading.type === 'values') return [{ path: 'outcome', expected: 'data', actual: describe(error) }]
  // Vectors that make no sense.
  if (error instanceof EmbeddingError && reading.type === 'failed' && reading.code === undefined) return []
  if (!(error instanceof CompletionError)) return [{ path: 'outcome', expected: expectedFailure(reading), actual: describe(error) }]
  switch (reading.type) {
    case 'refused': return [
      ...compareJson('provider_response', error.kind, 'error.kind'),
      ...compareJson(reading.status, error.status, 'error.status'),
      ...compareJson(parseJson(reading.body) ?? reading.body, parseJson(error.bodyText ?? '') ?? error.bodyText, 'error.body'),
    ]
    case 'cut-off': return compareJson('truncated_stream', error.kind, 'error.kind')
    case 'failed': return [
      ...(FAILED_ANSWERS.includes(error.kind) ? [] : [{ path: 'error.kind', expected: 'provider_response', actual: error.kind }]),
      ...(reading.code === undefined ? [] : compareJson(reading.code, error.code ?? ABSENT, 'error.code')),
    ]
  }
}

/** A run ends with an error when the model was cut off before it said anything, or wants more tools than were recorded. */
function isExpectedEnd({ text, calls, finishReason }: AnswerReading, error: unknown): boolean {
  if (error instanceof MaxTurnsError) return calls.length > 0
  return error instanceof NoAnswerError && text === '' && calls.length === 0 && (finishReason === 'length' || finishReason === 'content_filter')
}

function expectedFailure(reading: Exclude<Reading, { type: 'answer' | 'values' }>): Json {
  switch (reading.type) {
    case 'refused': return `an error with status ${reading.status}`
    case 'failed': return `an error${reading.code === undefined ? '' : ` with code ${reading.code}`}`
    case 'cut-off': return 'an error: the stream has no end'
  }
}

export function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
