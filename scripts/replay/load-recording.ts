import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { isList, isObject, objectAt, type Json, type JsonObject } from './json.ts'

/** One request and its answer, as they went over the wire. */
export interface Exchange {
  readonly request: {
    readonly method: string
    readonly path: string
    /** Sorted, so that two of them compare as text. */
    readonly query: readonly (readonly [string, string])[]
    /** By name in lower case. */
    readonly headers: ReadonlyMap<string, string>
    readonly body: string
  }
  readonly answer: {
    readonly status: number
    readonly headers: ReadonlyMap<string, string>
    readonly body: string
  }
}

/** A file that is no recording; the message says why. */
export class RecordingError extends Error {}

/** The exchanges of a file, in order. Throws `RecordingError`. */
export function loadRecording(path: string): readonly Exchange[] {
  return parseRecording(readFileSync(path, 'utf8'))
}

/** The exchanges of a recording: YAML 1.2, one document per exchange. Throws `RecordingError`. */
export function parseRecording(text: string): readonly Exchange[] {
  // A lone empty document is not given as a list.
  const documents = [...parseAllDocuments(text, { version: '1.2' })]
  const exchanges = documents.flatMap((document, index) => {
    const [problem] = document.errors
    if (problem !== undefined) throw new RecordingError(`not YAML: ${problem.message.split('\n')[0] ?? ''}`)
    const value: unknown = document.toJS()
    return value === null || value === undefined ? [] : [exchangeOf(value, index)]
  })
  if (exchanges.length === 0) throw new RecordingError('holds no exchange')
  return exchanges
}

function exchangeOf(value: unknown, index: number): Exchange {
  if (!isObject(value) || !isObject(value['when']) || !isObject(value['then'])) throw new RecordingError(`document ${index} has no "when" and "then"`)
  const { when, then } = { when: objectAt(value, 'when'), then: objectAt(value, 'then') }
  const { path, method = 'POST' } = when
  const { status } = then
  if (typeof path !== 'string' || typeof method !== 'string') throw new RecordingError(`document ${index}: the request has no path`)
  if (typeof status !== 'number') throw new RecordingError(`document ${index}: the answer has no status`)
  const address = new URL(path, 'http://recorded')
  return {
    request: {
      method: method.toUpperCase(),
      path: address.pathname,
      query: [...address.searchParams, ...pairs(when['query_param'] ?? when['query'])].toSorted((left, right) => (left.join('=') < right.join('=') ? -1 : 1)),
      headers: headersOf(when),
      body: bodyOf(when['body']),
    },
    answer: { status, headers: headersOf(then), body: bodyOf(then['body']) },
  }
}

function headersOf(part: JsonObject): ReadonlyMap<string, string> {
  return new Map(pairs(part['header'] ?? part['headers']).map(([name, value]) => [name.toLowerCase(), value]))
}

/** Names and values, written as a list of `{name, value}` or as a map. */
function pairs(value: Json | undefined): readonly (readonly [string, string])[] {
  if (isList(value)) return value.filter(isObject).map((entry) => [String(entry['name']), String(entry['value'])] as const)
  return isObject(value) ? Object.entries(value).map(([name, entry]) => [name, isList(entry) ? entry.join(', ') : String(entry)] as const) : []
}

function bodyOf(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
