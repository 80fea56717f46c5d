import type { CompletionModel, CompletionResponse } from '@buildscale/rig'
import { describe, expect, it } from 'vitest'
import { isList, isObject, type Json, type JsonObject } from './json.ts'
import { makeModel, type MakeModel } from './make-model.ts'
import { replayFile, type FileReport } from './replay-file.ts'
import { CALCULATOR, exchangeOf, RecordingFolder, recordingOf, SHELVES, WIRE, WIRES, type DraftExchange, type Said, type TestWire } from './testing/recordings.ts'

interface Options {
  readonly decodeOnly?: boolean
  readonly makeModel?: MakeModel
  readonly timeoutMs?: number
}

async function replay(recording: string | readonly DraftExchange[], options: Options = {}): Promise<FileReport> {
  using folder = new RecordingFolder()
  const path = folder.write('recording.yaml', typeof recording === 'string' ? recording : recordingOf(recording))
  return replayFile(path, 'recording.yaml', { makeModel, decodeOnly: false, timeoutMs: 10_000, ...options })
}

const ADDS: Said = { thinking: 'Two tools.', text: 'I will add – überlegt.', calls: [{ id: 'call_a', name: 'add', arguments: { x: 2, y: 3 } }, { id: 'call_b', name: 'notify', arguments: { msg: 'added' } }] }
const RESULTS = [{ id: 'call_a', text: '5' }, { id: 'call_b', text: 'sent: added' }]
const CONCLUDES: Said = { text: 'It is 5. 東京' }
const SYSTEM = 'Calculate.'

/** A question, two calls, their results, an answer. */
function toolRun(wire: TestWire, isStreaming = false): [DraftExchange, DraftExchange] {
  const question = wire.user('What is 2 + 3?')
  const common = { system: SYSTEM, tools: CALCULATOR, isStreaming }
  return [
    exchangeOf(wire, wire.request({ ...common, conversation: [question] }), { said: ADDS, number: 1 }),
    exchangeOf(wire, wire.request({ ...common, conversation: [question, ...wire.assistant(ADDS, 1), ...wire.results(RESULTS)] }), { said: CONCLUDES, number: 2 }),
  ]
}

function conversationOf({ request }: DraftExchange): Json[] {
  const list = request['input'] ?? request['messages']
  if (!isList(list)) throw new TypeError('No conversation')
  return [...list]
}

/** The exchange with another conversation; the system text of a chat is a part of it. */
function withConversation(exchange: DraftExchange, conversation: readonly Json[]): DraftExchange {
  const field = 'input' in exchange.request ? 'input' : 'messages'
  return { ...exchange, request: { ...exchange.request, [field]: conversation } }
}

/** The exchange after a change of the text of its request. */
function changed(exchange: DraftExchange, from: string, to: string): DraftExchange {
  const text = JSON.stringify(exchange.request)
  if (!text.includes(from)) throw new TypeError(`The request holds no ${from}`)
  const request: Record<string, Json> = JSON.parse(text.replaceAll(from, to))
  return { ...exchange, request }
}

describe.each(WIRES)('a recording of $name', (wire) => {
  it.each([false, true])('is replayed by an agent that runs the tools itself, streamed: %s', async (isStreaming) => {
    expect(await replay(toolRun(wire, isStreaming))).toEqual({ file: 'recording.yaml', ok: true, isCallerInput: false, exchanges: 2, mismatches: [] })
    expect(await replay(toolRun(wire, isStreaming), { decodeOnly: true })).toMatchObject({ ok: true, exchanges: 2, mismatches: [] })
  })

  it('fails when a later request names a call that was not handed out', async () => {
    const [first, second] = toolRun(wire)
    const { ok, mismatches } = await replay([first, changed(second, '"call_a"', '"call_x"')])
    expect(ok).toBe(false)
    expect(mismatches).toEqual(expect.arrayContaining([expect.objectContaining({ exchange: 1, path: expect.stringMatching(/^body\..*id$/), expected: 'call_x', actual: 'call_a' })]))
  })

  it('fails when an item of the answer is missing in the next request', async () => {
    const [first, second] = toolRun(wire)
    const { text: _missing, ...silent } = ADDS
    const conversation = conversationOf(second)
    const start = conversation.findIndex((entry) => JSON.stringify(entry).includes('2 + 3')) + 1
    const without = [...conversation.slice(0, start), ...wire.assistant(silent, 1), ...wire.results(RESULTS)]
    expect(await replay([first, withConversation(second, without)])).toMatchObject({ ok: false, mismatches: expect.arrayContaining([expect.objectContaining({ exchange: 1 })]) })
  })

  it('fails when the whole answer is missing in a later request', async () => {
    const [hello, more] = [wire.user('Hello'), wire.user('And now?')]
    const first = exchangeOf(wire, wire.request({ conversation: [hello] }), { said: { text: 'Hi.' }, number: 1 })
    const second = (conversation: readonly Json[]) => exchangeOf(wire, wire.request({ conversation }), { said: CONCLUDES, number: 2 })
    expect(await replay([first, second([hello, ...wire.assistant({ text: 'Hi.' }, 1), more])])).toMatchObject({ ok: true, isCallerInput: true })
    expect(await replay([first, second([hello, more])])).toMatchObject({ ok: false })
  })

  it('fails when exchanges are in the wrong order', async () => {
    const [first, second] = toolRun(wire)
    const { ok, mismatches } = await replay([second, first])
    expect(ok).toBe(false)
    expect(mismatches).toEqual(expect.arrayContaining([expect.objectContaining({ exchange: 0, actual: expect.stringContaining('only handed out by exchange 1') })]))
  })

  it('fails when results are in another order than their calls', async () => {
    const [first, second] = toolRun(wire)
    const question = wire.user('What is 2 + 3?')
    const request = wire.request({ system: SYSTEM, tools: CALCULATOR, conversation: [question, ...wire.assistant(ADDS, 1), ...wire.results(RESULTS.toReversed())] })
    expect(await replay([first, { ...second, request }])).toMatchObject({ ok: false })
  })

  it('fails when a tool that is known is recorded with another result', async () => {
    const [first, second] = toolRun(wire)
    expect(await replay([first, changed(second, '"5"', '"6"')])).toMatchObject({ ok: false, mismatches: [expect.objectContaining({ exchange: 1, expected: '6', actual: '5' })] })
  })

  it('fails when an exchange is left over', async () => {
    const [first, second] = toolRun(wire)
    expect(await replay([first, second, second])).toMatchObject({ ok: false, mismatches: expect.arrayContaining([expect.objectContaining({ exchange: 2, path: 'request' })]) })
    expect(await replay([first, first])).toMatchObject({ ok: false })
    const asked = withConversation(second, [...conversationOf(second), ...wire.assistant(CONCLUDES, 2), ...wire.results([{ id: 'call_z', text: 'unasked' }])])
    expect(await replay([first, second, asked])).toMatchObject({ ok: false })
  })

  it('takes from a later request what only the caller can know, and says so', async () => {
    const [first, second] = toolRun(wire)
    const conversation = [...conversationOf(second), ...wire.assistant(CONCLUDES, 2), wire.user('Thank you. And 1 + 1?')]
    const third = exchangeOf(wire, withConversation(second, conversation).request, { said: { text: 'Two.' }, number: 3 })
    expect(await replay([first, second, third])).toMatchObject({ ok: true, isCallerInput: true })
    const other = changed(second, '"Calculate."', '"Be brief."')
    expect(await replay([first, other])).toMatchObject({ ok: true, isCallerInput: true })
    expect(await replay([first, changed(other, '"call_a"', '"call_x"')])).toMatchObject({ ok: false })
  })

  it('runs tools that nobody knows by what they said, and says so', async () => {
    const asks: Said = { calls: [{ id: 'call_s', name: 'find_shelf', arguments: { title: 'Momo' } }] }
    const question = wire.user('Where is Momo?')
    const [first, second] = [
      exchangeOf(wire, wire.request({ tools: SHELVES, conversation: [question] }), { said: asks, number: 1 }),
      exchangeOf(wire, wire.request({ tools: SHELVES, conversation: [question, ...wire.assistant(asks, 1), ...wire.results([{ id: 'call_s', text: 'Shelf 12' }])] }), { said: { text: 'On 12.' }, number: 2 }),
    ]
    expect(await replay([first, second])).toMatchObject({ ok: true, isCallerInput: true })
    expect(await replay([first, changed(second, '"call_s"', '"call_t"')])).toMatchObject({ ok: false })
  })

  it('takes a call that was not run for the decision of a hook', async () => {
    const [first, second] = toolRun(wire)
    expect(await replay([first, changed(second, 'sent: added', 'Skipped: nobody is to be told')])).toMatchObject({ ok: true, isCallerInput: true })
  })

  it('takes answers from the runtime where the caller has put a request together', async () => {
    const [first, second] = toolRun(wire)
    const conversation = [...wire.assistant({ calls: ADDS.calls ?? [] }, 1), ...wire.results(RESULTS), wire.user('Use the results.')]
    const raw = { ...second, request: wire.request({ system: 'Be brief.', conversation }) }
    expect(await replay([first, raw])).toMatchObject({ ok: true, isCallerInput: true })
    const { mismatches } = await replay([first, changed(raw, '"call_b"', '"call_y"')])
    expect(mismatches).toContainEqual(expect.objectContaining({ expected: 'call_y', actual: 'call_b' }))
  })

  it('fails when a request that the caller has put together lacks a call or a result', async () => {
    const [first, second] = toolRun(wire)
    const [asked, results] = [wire.assistant({ calls: ADDS.calls ?? [] }, 1), wire.results(RESULTS)]
    const raw = (conversation: readonly Json[]) => ({ ...second, request: wire.request({ conversation: [...conversation, wire.user('Use the results.')] }) })
    expect(await replay([first, raw([...asked, ...results])])).toMatchObject({ ok: true })
    expect(await replay([first, raw(results)])).toMatchObject({ ok: false })
    expect(await replay([first, raw(asked)])).toMatchObject({ ok: false })
    expect(await replay([first, raw([...results, ...asked])])).toMatchObject({ ok: false })
  })

  it('takes the answer to a call of a tool that does not exist from a hook', async () => {
    const asks: Said = { calls: [{ id: 'call_q', name: 'multiply', arguments: { x: 2 } }] }
    const question = wire.user('What is 2 * 3?')
    const request = (conversation: readonly Json[]) => wire.request({ tools: CALCULATOR, conversation: [question, ...conversation] })
    const first = exchangeOf(wire, request([]), { said: asks, number: 1 })
    const second = exchangeOf(wire, request([...wire.assistant(asks, 1), ...wire.results([{ id: 'call_q', text: 'No such tool; add instead.' }])]), { said: { text: 'Six.' }, number: 2 })
    expect(await replay([first, second])).toMatchObject({ ok: true, isCallerInput: true })
  })

  it('goes on from the last answer of a run without what led to it, when the caller does', async () => {
    const [first, second] = toolRun(wire)
    const conversation = [wire.user('What is 2 + 3?'), ...wire.assistant(CONCLUDES, 2), wire.user('And 1 + 1?')]
    const third = exchangeOf(wire, wire.request({ system: SYSTEM, tools: CALCULATOR, conversation }), { said: { text: 'Two.' }, number: 3 })
    expect(await replay([first, second, third])).toMatchObject({ ok: true, isCallerInput: true })
  })

  it('begins with the history that its first request holds', async () => {
    const conversation = [wire.user('Where is Momo?'), ...wire.assistant({ text: 'On shelf 12.' }, 7), wire.user('And who wrote it?')]
    expect(await replay([exchangeOf(wire, wire.request({ conversation }), { said: { text: 'Michael Ende.' }, number: 8 })])).toMatchObject({ ok: true, isCallerInput: false })
  })

  it('may hold several conversations, side by side and one inside the other', async () => {
    const [first, second] = toolRun(wire)
    const rename = (text: string) => text.replaceAll(/call_([ab])\b/g, 'other_$1').replaceAll('2 + 3', '2 + 3 again').replaceAll(/(resp_|msg_|rs_|chatcmpl-|signed |sealed )(\d)/g, '$19$2')
    const [third, fourth] = [first, second].map((exchange): DraftExchange => JSON.parse(rename(JSON.stringify(exchange))))
    if (third === undefined || fourth === undefined) throw new TypeError('Two exchanges')
    expect(await replay([first, third, second, fourth])).toMatchObject({ ok: true, isCallerInput: false })
    expect(await replay([first, third, fourth, second])).toMatchObject({ ok: true, isCallerInput: false })
    expect(await replay([first, third, changed(fourth, '"other_a"', '"other_z"'), second])).toMatchObject({ ok: false })
  })

  it.each([404, 500])('ends with the error of the provider: %i', async (status) => {
    const exchange = { ...exchangeOf(wire, wire.request({ conversation: [wire.user('Hi')] }), { said: {}, number: 1 }), status, answer: { error: { type: 'not_found_error', code: 'gone', message: 'No such model' } } }
    expect(await replay([exchange])).toMatchObject({ ok: true })
    expect(await replay([exchange], { decodeOnly: true })).toMatchObject({ ok: true })
  })

  it('shows a stream without its end as such', async () => {
    const exchange = exchangeOf(wire, wire.request({ conversation: [wire.user('Hi')], isStreaming: true }), { said: { text: 'Hello there' }, number: 1 })
    expect(await replay([{ ...exchange, answer: String(exchange.answer).slice(0, 300) }])).toMatchObject({ ok: true })
  })

  it('fails when its figures contradict each other', async () => {
    const [exchange] = toolRun(wire, true)
    const answer = String(exchange.answer).replaceAll('"total_tokens":25', '"total_tokens":26').replace('"usage":{"output_tokens":5}', '"usage":{"input_tokens":7,"output_tokens":5}')
    const { mismatches } = await replay([{ ...exchange, answer }], { decodeOnly: true })
    expect(mismatches).toMatchObject([{ path: expect.stringContaining('answer.usage.') }])
  })

  it.each([
    ['counts wrongly', 'usage', (response: CompletionResponse) => ({ ...response, usage: { ...response.usage, outputTokens: response.usage.outputTokens + 1 } })],
    ['loses text', 'text', (response: CompletionResponse) => ({ ...response, choice: response.choice.map((part) => (part.type === 'text' ? { ...part, text: part.text.slice(1) } : part)) })],
    ['loses a call', 'calls', (response: CompletionResponse) => ({ ...response, choice: response.choice.filter((part) => part.type !== 'tool_call' || part.id !== 'call_b') })],
    ['loses reasoning', 'reasoning', (response: CompletionResponse) => ({ ...response, choice: response.choice.filter((part) => part.type !== 'reasoning') })],
    ['misreads the end', 'finishReason', (response: CompletionResponse) => ({ ...response, finishReason: 'length' as const })],
  ])('notices a runtime that %s', async (_defect, part, spoil) => {
    const spoilt: MakeModel = (settings, origin) => spoiltModel(makeModel(settings, origin), spoil)
    for (const decodeOnly of [false, true]) {
      const { ok, mismatches } = await replay(toolRun(wire), { makeModel: spoilt, decodeOnly })
      expect(ok).toBe(false)
      expect(mismatches.some(({ path }) => path.startsWith(`answer.${part}`))).toBe(true)
    }
  })

  it('is given up when nothing goes on, instead of waiting for ever', async () => {
    const stuck: MakeModel = (settings, origin) => ({ ...spoiltModel(makeModel(settings, origin), (response) => response), completion: () => new Promise(() => undefined) })
    for (const decodeOnly of [false, true]) {
      const { ok, mismatches } = await replay(toolRun(wire), { makeModel: stuck, timeoutMs: 100, decodeOnly })
      expect(ok).toBe(false)
      expect(mismatches).toContainEqual(expect.objectContaining({ actual: 'nothing went on for 100 ms' }))
    }
  })
})

/** A model whose whole answers come out wrong. */
function spoiltModel(model: CompletionModel, spoil: (response: CompletionResponse) => CompletionResponse): CompletionModel {
  const { provider, api, model: id, capabilities } = model
  return {
    provider,
    api,
    model: id,
    capabilities,
    completion: async (request, options) => spoil(await model.completion(request, options)),
    stream: (request, options) => model.stream(request, options),
    completionRequest: (prompt) => model.completionRequest(prompt),
  }
}

describe('a conversation that the server keeps', () => {
  const wire = WIRE.responses
  const first = exchangeOf(wire, wire.request({ conversation: [wire.user('Remember: blue.')], more: { store: true } }), { said: { text: 'Noted.' }, number: 1 })
  const second = exchangeOf(wire, wire.request({ conversation: [wire.user('Which colour?')], more: { store: true, previous_response_id: 'resp_1' } }), { said: { text: 'Blue.' }, number: 2 })

  it('goes on from the response that the runtime was given', async () => {
    expect(await replay([first, second])).toMatchObject({ ok: true, isCallerInput: true })
  })

  it('fails when it goes on from another one', async () => {
    expect(await replay([first, changed(second, 'resp_1', 'resp_9')])).toMatchObject({ ok: false, mismatches: [{ exchange: 1, path: 'body.previous_response_id', expected: 'resp_9', actual: 'resp_1' }] })
  })
})

describe('a text that the caller repeats without its id', () => {
  const wire = WIRE.responses
  const hello = wire.user('Hello')
  const first = exchangeOf(wire, wire.request({ conversation: [hello] }), { said: { text: 'Hi.' }, number: 1 })
  const followUp = (assistant: JsonObject) => exchangeOf(wire, wire.request({ conversation: [hello, assistant, wire.user('And?')] }), { said: { text: 'So.' }, number: 2 })

  it('is what the caller says that the model said', async () => {
    expect(await replay([first, followUp({ type: 'message', role: 'assistant', content: 'Hi.' })])).toMatchObject({ ok: true, isCallerInput: true })
  })

  it('has to be what the model said', async () => {
    expect(await replay([first, followUp({ type: 'message', role: 'assistant', content: 'Hi!' })])).toMatchObject({ ok: false })
    expect(await replay([first, followUp({ type: 'message', role: 'assistant', id: 'msg_9', status: 'completed', content: [{ type: 'output_text', text: 'Hi.' }] })])).toMatchObject({ ok: false })
  })
})

describe('a file that is no recording', () => {
  it.each([
    ['when: {a: [', 'not YAML'],
    ['', 'holds no exchange'],
    ['just: words', 'has no "when" and "then"'],
    [recordingOf([{ path: '/v1/teapot', request: { model: 'm' }, answer: {} }]), 'unknown wire: POST /v1/teapot'],
    [recordingOf([{ path: '/v1/responses', request: {}, answer: {} }]).replace(String.raw`"{}"`, '"words"'), 'not a JSON object'],
  ])('fails with its reason: %j', async (text, reason) => {
    const { ok, mismatches } = await replay(text)
    expect(ok).toBe(false)
    expect(mismatches).toMatchObject([{ path: 'recording', actual: expect.stringContaining(reason) }])
  })
})

it('compares the headers that name versions and trial features', async () => {
  const wire = WIRE.messages
  const exchange = exchangeOf(wire, wire.request({ conversation: [wire.user('Hi')] }), { said: { text: 'Hi.' }, number: 1 })
  expect(await replay([{ ...exchange, headers: { 'anthropic-version': '2023-06-01', 'anthropic-beta': 'one,two' } }])).toMatchObject({ ok: true })
  expect(await replay([{ ...exchange, headers: { accept: 'text/plain' } }])).toMatchObject({ ok: false, mismatches: [{ path: 'headers.accept' }] })
})

it('asks for the form of the answer with the schema that was recorded', async () => {
  const schema = { type: 'object', title: 'Book', properties: { title: { type: 'string' }, author: { type: 'string' } }, required: ['title', 'author'], additionalProperties: false }
  const forms = {
    responses: { text: { format: { type: 'json_schema', name: 'Book', schema, strict: true } } },
    chat: { response_format: { type: 'json_schema', json_schema: { name: 'Book', schema, strict: true } } },
    messages: { output_config: { format: { type: 'json_schema', schema } } },
  }
  for (const wire of WIRES) {
    const exchange = exchangeOf(wire, wire.request({ conversation: [wire.user('A book?')], more: forms[wire.name] }), { said: { text: '{"title":"Momo"}' }, number: 1 })
    expect(await replay([exchange])).toMatchObject({ ok: true, mismatches: [] })
  }
})

it('passes an answer that was cut off before it said anything', async () => {
  const wire = WIRE.chat
  const exchange = exchangeOf(wire, wire.request({ conversation: [wire.user('Think.')], more: { max_tokens: 3 } }), { said: { stop: 'length' }, number: 1 })
  expect(isObject(exchange.answer)).toBe(true)
  expect(await replay([exchange])).toMatchObject({ ok: true })
})
