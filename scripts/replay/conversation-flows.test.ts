import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from './json.ts'
import { makeModel } from './make-model.ts'
import { replayFile, type FileReport } from './replay-file.ts'
import { CALCULATOR, exchangeOf, RecordingFolder, recordingOf, SHELVES, WIRE, WIRES, type DraftExchange, type Said, type TestWire } from './testing/recordings.ts'

async function replay(exchanges: readonly DraftExchange[]): Promise<FileReport> {
  using folder = new RecordingFolder()
  return replayFile(folder.write('recording.yaml', recordingOf(exchanges)), 'recording.yaml', { makeModel, decodeOnly: false, timeoutMs: 5000 })
}

const adds = (id: string, x: number): Said => ({ calls: [{ id, name: 'add', arguments: { x, y: 1 } }] })
const TWICE: readonly [Said, Said, Said] = [adds('call_1', 1), adds('call_2', 2), { text: 'Three.' }]

/** A question and two turns of one call each, as conversations of growing length. */
function threeTurns(wire: TestWire): readonly [Json[], Json[], Json[]] {
  const first = [wire.user('1 + 1 + 1?')]
  const second = [...first, ...wire.assistant(TWICE[0], 1), ...wire.results([{ id: 'call_1', text: '2' }])]
  return [first, second, [...second, ...wire.assistant(TWICE[1], 2), ...wire.results([{ id: 'call_2', text: '3' }])]]
}

describe.each(WIRES)('a conversation of $name', (wire) => {
  const turns = threeTurns(wire)
  const record = (requests: readonly Record<string, Json>[], said: readonly Said[] = TWICE) => requests.map((request, index) => exchangeOf(wire, request, { said: said[index] ?? {}, number: index + 1 }))

  it('of several turns with tools is one run', async () => {
    expect(await replay(record(turns.map((conversation) => wire.request({ tools: CALCULATOR, conversation }))))).toMatchObject({ ok: true, isCallerInput: false, mismatches: [] })
  })

  it('may offer other tools in every turn', async () => {
    const tools = [CALCULATOR.slice(0, 1), CALCULATOR, [...CALCULATOR, ...SHELVES]]
    expect(await replay(record(turns.map((conversation, index) => wire.request({ tools: tools[index] ?? [], conversation }))))).toMatchObject({ ok: true, isCallerInput: true, mismatches: [] })
  })

  it('may be streamed in one turn and not in the next', async () => {
    expect(await replay(record(turns.map((conversation, index) => wire.request({ tools: CALCULATOR, conversation, isStreaming: index === 1 }))))).toMatchObject({ ok: true, mismatches: [] })
  })

  it('may go on after an error, with the same request once more', async () => {
    const [first, second, third] = record(turns.map((conversation) => wire.request({ tools: CALCULATOR, conversation })))
    if (first === undefined || second === undefined || third === undefined) throw new TypeError('Three exchanges')
    const failed = { ...second, status: 500, answer: { error: { message: 'Broken' } } }
    expect(await replay([first, failed, second, third])).toMatchObject({ ok: true, isCallerInput: true, mismatches: [] })
  })

  it('may have a question answered a second time', async () => {
    const [first, second, third] = turns.map((conversation) => wire.request({ tools: CALCULATOR, conversation }))
    if (first === undefined || second === undefined || third === undefined) throw new TypeError('Three requests')
    expect(await replay(record([first, second, third, third], [...TWICE, { text: 'It is three.' }]))).toMatchObject({ ok: true, isCallerInput: true, mismatches: [] })
  })

  it('may be left while the model still wants tools', async () => {
    expect(await replay(record(turns.slice(0, 2).map((conversation) => wire.request({ tools: CALCULATOR, conversation }))))).toMatchObject({ ok: true, mismatches: [] })
  })

  it('may go on after an answer that was cut off', async () => {
    const [first, more] = [wire.user('Tell me.'), wire.user('Go on.')]
    const stop = wire.name === 'messages' ? 'max_tokens' : 'length'
    const half: Said = { text: 'Once upon', stop }
    expect(await replay(record([wire.request({ conversation: [first] }), wire.request({ conversation: [first, ...wire.assistant(half, 1), more] })], [half, { text: ' a time.' }]))).toMatchObject({ ok: true, mismatches: [] })
  })
})

describe('a conversation of messages', () => {
  const wire = WIRE.messages

  it('goes on after an answer without content', async () => {
    const [first, second] = threeTurns(wire)
    const request = (conversation: readonly Json[]) => wire.request({ tools: CALCULATOR, conversation })
    const results = second.slice(0, -1)
    const merged = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: [{ type: 'text', text: '2' }] }, { type: 'text', text: 'Well?' }] }
    const exchanges = [request(first), request(second), request([...results, merged])].map((each, index) => exchangeOf(wire, each, { said: [TWICE[0], {}, { text: 'Two.' }][index] ?? {}, number: index + 1 }))
    expect(await replay(exchanges)).toMatchObject({ ok: true, isCallerInput: true, mismatches: [] })
  })

  it('has its marks of what is to be kept where the runtime sets them', async () => {
    const mark = { cache_control: { type: 'ephemeral' } }
    const exchanges = threeTurns(wire).map((conversation, index) => {
      const request = wire.request({ tools: CALCULATOR, conversation: conversation.map((message, place) => (place === conversation.length - 1 ? withMark(message, mark) : message)), more: { system: [{ type: 'text', text: 'Add.', ...mark }] } })
      return exchangeOf(wire, request, { said: TWICE[index] ?? {}, number: index + 1 })
    })
    expect(await replay(exchanges)).toMatchObject({ ok: true, isCallerInput: false, mismatches: [] })
  })

  it('is resumed as it is when the model paused', async () => {
    const first = [wire.user('Search long.')]
    const paused: Said = { text: 'Searching.', stop: 'pause_turn' }
    const exchanges = [first, [...first, ...wire.assistant(paused, 1)]].map((conversation, index) => exchangeOf(wire, wire.request({ conversation }), { said: [paused, { text: 'Found.' }][index] ?? {}, number: index + 1 }))
    expect(await replay(exchanges)).toMatchObject({ ok: true, mismatches: [] })
  })

  it('repeats that a tool had failed, where the caller marks it', async () => {
    const asks: Said = { calls: [{ id: 'call_s', name: 'find_shelf', arguments: { title: 'Momo' } }] }
    const first = [wire.user('Where is Momo?')]
    const failed = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_s', content: [{ type: 'text', text: 'The catalogue is down' }], is_error: true }] }
    const exchanges = [first, [...first, ...wire.assistant(asks, 1), failed]].map((conversation, index) => exchangeOf(wire, wire.request({ tools: SHELVES, conversation }), { said: [asks, { text: 'I cannot tell.' }][index] ?? {}, number: index + 1 }))
    expect(await replay(exchanges)).toMatchObject({ ok: true, isCallerInput: true, mismatches: [] })
  })
})

function withMark(message: Json, mark: JsonObject): Json {
  const { role, content } = JSON.parse(JSON.stringify(message)) as { role: string; content: JsonObject[] }
  return { role, content: content.map((block, index) => (index === content.length - 1 ? { ...block, ...mark } : block)) }
}
