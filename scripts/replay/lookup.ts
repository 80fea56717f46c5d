import { isList, isObject, numberAt, parseJson, stringAt, type Json, type JsonObject } from './json.ts'
import { isSuccess, type Reading } from './independent-reading.ts'
import type { Exchange } from './load-recording.ts'
import type { ClientSettings, Lookup, RecordedRequest, RequestReader } from './recorded-request.ts'

/** A lookup that was recorded, its answer and where it went. */
export interface ReadLookup {
  readonly request: RecordedRequest
  readonly reading: Reading
  readonly reader: RequestReader
}

/** There is nothing to read: a lookup has no conversation. */
const NO_CONVERSATION: RequestReader = {
  read: () => { throw new TypeError('A lookup has no conversation') },
  messages: () => [],
}

/** What the end of a path asks for; `undefined` when it is no lookup. */
export function lookupPath({ method, path }: Exchange['request']): '/embeddings' | '/models' | undefined {
  if (method === 'POST' && path.endsWith('/embeddings')) return '/embeddings'
  return method === 'GET' && path.endsWith('/models') ? '/models' : undefined
}

/** Understands a lookup. Without a request the number of texts is what the answer shows. */
export function readLookup({ request, answer }: Exchange, client: Pick<ClientSettings, 'basePath' | 'query' | 'headers'>): ReadLookup {
  const parsed = parseJson(request.body)
  const body = isObject(parsed) ? parsed : {}
  const json = parseJson(answer.body)
  const lookup: Lookup = request.method === 'GET' ? { type: 'models' } : embeddingsOf(body, json)
  const reading: Reading = isSuccess(answer.status) ? readAnswer(lookup, json) : { type: 'refused', status: answer.status, body: answer.body }
  const settings = { model: stringAt(body, 'model') ?? '', tools: [], hostedTools: [], params: {}, client: { ...client, wire: clientOf(lookup, client) } }
  return { request: { isStreaming: false, settings, entries: [], lookup }, reading, reader: NO_CONVERSATION }
}

/** Whose client asks: only Anthropic's names a version. */
function clientOf({ type }: Lookup, { headers }: Pick<ClientSettings, 'headers'>): ClientSettings['wire'] {
  if (type === 'embeddings') return 'responses'
  return 'anthropic-version' in headers ? 'messages' : 'chat'
}

function embeddingsOf(body: JsonObject, answer: Json | undefined): Lookup {
  const { input, encoding_format: format } = body
  const ndims = numberAt(body, 'dimensions')
  const given = typeof input === 'string' ? [input] : isList(input) ? input.filter((text) => typeof text === 'string') : undefined
  return {
    type: 'embeddings',
    texts: given ?? vectorList(answer).map((_, index) => String(index)),
    ...(ndims === undefined ? {} : { ndims }),
    encodingFormat: format === 'base64' || format === 'float' ? format : 'omit',
  }
}

function vectorList(answer: Json | undefined): readonly Json[] {
  return isObject(answer) && isList(answer['data']) ? answer['data'] : []
}

function readAnswer(lookup: Lookup, answer: Json | undefined): Reading {
  if (isObject(answer) && isObject(answer['error'])) return { type: 'failed', code: stringAt(answer['error'], 'code') ?? stringAt(answer['error'], 'type') }
  const values = lookup.type === 'models' ? modelIds(answer) : vectorsOf(lookup, answer)
  return values === undefined ? { type: 'failed', code: undefined } : { type: 'values', values }
}

/** Together answers with the bare list. */
function modelIds(answer: Json | undefined): Json | undefined {
  const list = isObject(answer) ? answer['data'] : answer
  return isList(list) ? list.filter(isObject).flatMap((model) => stringAt(model, 'id') || []) : undefined
}

/** The vectors in the order of their texts; `undefined` when one is missing or has another size than was asked for. */
function vectorsOf({ texts, ndims }: Extract<Lookup, { type: 'embeddings' }>, answer: Json | undefined): Json | undefined {
  const items = vectorList(answer)
  const vectors = texts.map((_, place) => {
    const item = items.find((candidate, index) => isObject(candidate) && (numberAt(candidate, 'index') ?? index) === place)
    return isObject(item) ? numbersOf(item['embedding']) : undefined
  })
  const known = vectors.filter((vector) => vector !== undefined)
  const size = ndims ?? known[0]?.length
  const isWhole = items.length === texts.length && known.length === texts.length && known.every(({ length }) => length > 0 && length === size)
  return isWhole ? known : undefined
}

/** Numbers, or the bytes of as many 32-bit floats, the lowest byte first. */
function numbersOf(embedding: Json | undefined): readonly number[] | undefined {
  if (isList(embedding)) {
    const numbers = embedding.filter((value) => typeof value === 'number')
    return numbers.length === embedding.length ? numbers : undefined
  }
  if (typeof embedding !== 'string') return undefined
  const bytes = Uint8Array.from(atob(embedding), (character) => character.charCodeAt(0))
  const view = new DataView(bytes.buffer)
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => view.getFloat32(index * 4, true))
}
