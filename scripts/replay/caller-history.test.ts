import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from './json.ts'
import { makeModel } from './make-model.ts'
import { replayFile } from './replay-file.ts'
import { CALCULATOR, exchangeOf, RecordingFolder, recordingOf, WIRE, WIRES, type DraftExchange, type Said } from './testing/recordings.ts'

async function replay(exchanges: readonly DraftExchange[]) {
  using folder = new RecordingFolder()
  return replayFile(folder.write('recording.yaml', recordingOf(exchanges)), 'recording.yaml', { makeModel, decodeOnly: false, timeoutMs: 5000 })
}

/** The conversation with every `from` in it written as `to`. */
function altered(conversation: readonly Json[], from: string, to: string): Json[] {
  const text = JSON.stringify(conversation)
  if (!text.includes(from)) throw new TypeError(`There is no ${from} to alter`)
  return JSON.parse(text.replaceAll(from, to))
}

describe.each(WIRES)('a history that the caller has written, on $name', (wire) => {
  const added: Said = { calls: [{ id: 'call_1', name: 'add', arguments: { x: 1, y: 1 } }] }
  const asked: Said = wire.name === 'messages' ? { ...added, text: 'I add.' } : added
  const first = exchangeOf(wire, wire.request({ tools: CALCULATOR, conversation: [wire.user('1 + 1?')] }), { said: asked, number: 1 })
  /** The call as somebody writes it who knows of its id and of nothing else that came with it. */
  const quoted = wire.name === 'messages' ? { ...asked, text: 'Let me see.' } : asked
  const call = wire.assistant(quoted, 1).map((item) => withoutItemId(item))
  const history = [wire.user('My name is Momo.'), wire.user('Now add one and one.'), ...call, ...wire.results([{ id: 'call_1', text: '2' }]), wire.user('What came of it?')]
  const second = (conversation: readonly Json[]) => exchangeOf(wire, wire.request({ tools: CALCULATOR, conversation }), { said: { text: 'Two, Momo.' }, number: 2 })

  it('is sent as it was written, with the calls and results of the runtime', async () => {
    expect(await replay([first, second(history)])).toMatchObject({ ok: true, isCallerInput: true, mismatches: [] })
  })

  it.each([
    ['another tool was called', '"name":"add"', '"name":"notify"'],
    ['the call has other arguments', wire.name === 'messages' ? '"x":1' : String.raw`\"x\":1`, wire.name === 'messages' ? '"x":5' : String.raw`\"x\":5`],
    ['the result is another one', '"2"', '"3"'],
  ])('fails when %s', async (_what, from, to) => {
    expect(await replay([first, second(altered(history, from, to))])).toMatchObject({ ok: false })
  })

  it('fails when the words of the model are altered behind what it was asked', async () => {
    const said: Said = { text: 'One and one is two.' }
    const answered = exchangeOf(wire, wire.request({ conversation: [wire.user('1 + 1?')] }), { said, number: 1 })
    const followUp = (text: string) => exchangeOf(wire, wire.request({ conversation: [wire.user('1 + 1?'), ...wire.assistant({ text }, 1), wire.user('Sure?')] }), { said: { text: 'Sure.' }, number: 2 })
    expect(await replay([answered, followUp('One and one is two.')])).toMatchObject({ ok: true })
    expect(await replay([answered, followUp('One and one is three.')])).toMatchObject({ ok: false })
  })

  it('fails when an answer stands before what it was given to', async () => {
    const [question, next] = [wire.user('1 + 1?'), wire.user('Sure?')]
    const answer = wire.assistant({ text: 'Two.' }, 1)
    const answered = exchangeOf(wire, wire.request({ conversation: [question] }), { said: { text: 'Two.' }, number: 1 })
    const followUp = (conversation: readonly Json[]) => exchangeOf(wire, wire.request({ conversation }), { said: { text: 'Sure.' }, number: 2 })
    expect(await replay([answered, followUp([question, ...answer, next])])).toMatchObject({ ok: true })
    const { ok, mismatches } = await replay([answered, followUp([...answer, question, next])])
    expect(ok).toBe(false)
    expect(mismatches[0]).toMatchObject({ exchange: 1, path: 'request', actual: expect.stringContaining('stands before what it was given to') })
  })

  it('may have a text in place of an answer that says nothing', async () => {
    const cut: Said = { text: '', stop: wire.name === 'messages' ? 'max_tokens' : 'length' }
    const empty = exchangeOf(wire, wire.request({ conversation: [wire.user('Say hello.')] }), { said: cut, number: 1 })
    const cutOff: DraftExchange = wire.name === 'responses'
      ? { ...empty, answer: { id: 'resp_1', status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, output: [], usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } } }
      : empty
    const words: readonly Json[] = wire.name === 'responses' ? [{ type: 'message', role: 'assistant', content: 'Hello.' }] : wire.assistant({ text: 'Hello.' }, 1)
    const followUp = exchangeOf(wire, wire.request({ conversation: [wire.user('Say hello.'), ...words, wire.user('Again.')] }), { said: { text: 'Hello.' }, number: 2 })
    expect(await replay([cutOff, followUp])).toMatchObject({ ok: true, isCallerInput: true, mismatches: [] })
    const said = exchangeOf(wire, wire.request({ conversation: [wire.user('Say hello.')] }), { said: { text: 'Good day.' }, number: 1 })
    expect(await replay([said, followUp])).toMatchObject({ ok: false })
  })
})

describe('a response that the caller names', () => {
  const wire = WIRE.responses
  const request = wire.request({ conversation: [wire.user('And?')], more: { previous_response_id: 'resp_old' } })
  const refused: DraftExchange = { path: wire.path, request, status: 400, answer: { error: { code: 'previous_response_not_found', message: 'No such response', type: 'invalid_request_error' } } }
  const earlier = exchangeOf(wire, wire.request({ conversation: [wire.user('Hello')] }), { said: { text: 'Hi.' }, number: 1 })

  it('may be one that nobody knows, when the provider says so', async () => {
    expect(await replay([refused])).toMatchObject({ ok: true, isCallerInput: true, mismatches: [] })
    expect(await replay([earlier, refused])).toMatchObject({ ok: true, mismatches: [] })
  })

  it('may be older than the recording', async () => {
    expect(await replay([exchangeOf(wire, request, { said: { text: 'So.' }, number: 2 })])).toMatchObject({ ok: true, isCallerInput: true, mismatches: [] })
  })

  it('fails when nobody handed it out and the provider went on from it all the same', async () => {
    expect(await replay([earlier, exchangeOf(wire, request, { said: { text: 'So.' }, number: 2 })])).toMatchObject({ ok: false, mismatches: [{ exchange: 1, path: 'body.previous_response_id', expected: 'resp_old', actual: 'resp_1' }] })
  })

  it('fails when it is only handed out later', async () => {
    const [first, later] = [exchangeOf(wire, request, { said: { text: 'So.' }, number: 2 }), { ...earlier, answer: JSON.parse(JSON.stringify(earlier.answer).replaceAll('resp_1', 'resp_old')) }]
    expect(await replay([first, later])).toMatchObject({ ok: false })
  })
})

function withoutItemId(item: Json): Json {
  const { id: _id, ...rest } = JSON.parse(JSON.stringify(item)) as JsonObject
  return rest
}
