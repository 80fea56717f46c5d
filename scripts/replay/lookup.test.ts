import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from './json.ts'
import { makeModel } from './make-model.ts'
import { replayFile } from './replay-file.ts'
import { exchangeOf, RecordingFolder, recordingOf, WIRE, type DraftExchange } from './testing/recordings.ts'

async function replay(exchanges: readonly DraftExchange[], decodeOnly = false) {
  using folder = new RecordingFolder()
  return replayFile(folder.write('recording.yaml', recordingOf(exchanges)), 'recording.yaml', { makeModel, decodeOnly, timeoutMs: 5000 })
}

const BOTH_MODES = [false, true]

describe('recorded embeddings', () => {
  const base64 = (vector: readonly number[]) => Buffer.from(Float32Array.from(vector).buffer).toString('base64')
  const list = (...data: readonly JsonObject[]): JsonObject => ({ object: 'list', model: 'small', data, usage: { prompt_tokens: 2, total_tokens: 2 } })
  const two = list({ object: 'embedding', index: 1, embedding: [0.5, 2] }, { object: 'embedding', index: 0, embedding: [1, 0.25] })
  const ask = (more: JsonObject = {}, answer: Json = two): DraftExchange => ({ path: '/v1/embeddings', request: { model: 'small', input: ['a shelf', 'a book'], ...more }, answer })

  it.each<[string, DraftExchange]>([
    ['without an encoding, in any order', ask()],
    ['as numbers', ask({ encoding_format: 'float' })],
    ['in base64', ask({ encoding_format: 'base64' }, list({ index: 0, embedding: base64([1, 0.25]) }, { index: 1, embedding: base64([0.1, 2]) }))],
    ['of a size that was asked for', ask({ dimensions: 2 })],
    ['that the service refuses', { ...ask({}, { error: { code: 'model_not_found', message: 'No such model' } }), status: 404 }],
    ['that come to an error after all', ask({}, { error: { code: 'overloaded', message: 'Later' } })],
    ['of which one is missing', ask({}, list({ index: 0, embedding: [1, 2] }))],
    ['of another size than was asked for', ask({ dimensions: 3 })],
  ])('are replayed: %s', async (_what, exchange) => {
    for (const decodeOnly of BOTH_MODES) expect(await replay([exchange], decodeOnly)).toMatchObject({ ok: true, isCallerInput: false, mismatches: [] })
  })

  it('fail when the request holds what the runtime cannot be told', async () => {
    expect(await replay([ask({ output_dimension: 2 })])).toMatchObject({ ok: false, mismatches: [{ exchange: 0, path: 'body.output_dimension', expected: 2 }] })
  })

  it('fail when the runtime refuses what was asked', async () => {
    expect(await replay([{ ...ask({ input: [''] }, { error: { message: 'Empty' } }), status: 400 }])).toMatchObject({ ok: false, mismatches: [{ path: 'outcome', expected: 'an error with status 400' }] })
  })

  it('may stand between the turns of a conversation', async () => {
    const chat = WIRE.chat
    const first = [chat.user('One?')]
    const second = [...first, ...chat.assistant({ text: 'One.' }, 1), chat.user('Two?')]
    const turn = (conversation: readonly Json[], text: string, number: number) => exchangeOf(chat, chat.request({ conversation }), { said: { text }, number })
    const exchanges = [turn(first, 'One.', 1), ask(), turn(second, 'Two.', 2)]
    expect(await replay(exchanges)).toMatchObject({ ok: true, mismatches: [] })
    const altered = JSON.parse(JSON.stringify(second).replace('One.', 'Won.'))
    expect(await replay([turn(first, 'One.', 1), ask(), turn(altered, 'Two.', 2)])).toMatchObject({ ok: false, mismatches: [{ exchange: 2 }] })
  })
})

describe('a recorded list of models', () => {
  const lists = (more: Partial<DraftExchange> = {}): DraftExchange => (
    { path: '/v1/models', method: 'GET', request: {}, answer: { object: 'list', data: [{ id: 'large', object: 'model' }, { id: 'small' }, { name: 'nameless' }] }, ...more }
  )

  it.each<[string, DraftExchange]>([
    ['of any server', lists()],
    ['at another address, with a query', lists({ path: '/openai/v1/models?api-version=2' })],
    ['without anything around it', lists({ answer: [{ id: 'alone' }] })],
    ['that is refused', lists({ status: 401, answer: { error: { code: 'invalid_api_key', message: 'No' } } })],
    ['of Anthropic', lists({ path: '/v1/models?limit=1000', headers: { 'anthropic-version': '2023-06-01' }, answer: { data: [{ id: 'claude', type: 'model' }], has_more: false } })],
  ])('is replayed: %s', async (_what, exchange) => {
    for (const decodeOnly of BOTH_MODES) expect(await replay([exchange], decodeOnly)).toMatchObject({ ok: true, isCallerInput: false, mismatches: [] })
  })

  it('fails when it was asked for with another query than the runtime has', async () => {
    const exchange = lists({ path: '/v1/models?limit=7', headers: { 'anthropic-version': '2023-06-01' }, answer: { data: [] } })
    expect(await replay([exchange])).toMatchObject({ ok: false, mismatches: [{ path: 'query[0]', expected: 'limit=7' }] })
  })

  it('fails when the request is one that nobody knows', async () => {
    expect(await replay([lists({ path: '/v1/images/models', method: 'POST' })])).toMatchObject({ ok: false, mismatches: [{ path: 'recording', actual: 'exchange 0: unknown wire: POST /v1/images/models' }] })
  })
})
