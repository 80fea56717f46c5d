import { describe, expect, it } from 'vitest'
import { failureOf } from './outcome.ts'
import { sendsEndlessly, startRawServer, type RawServer } from './raw-server.ts'
import { WAYS, WIRES } from './wires.ts'

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n'
const PIECE = 'x'.repeat(256 * 1024)
/** What a test may take of memory beside what the process has: the limit is 64 MiB, in units of up to two bytes, with copies on the way. */
const ROOM = 700 * 1024 * 1024

const frame = (event: object): string => `data: ${JSON.stringify(event)}\n\n`

/** By wire: what opens a call, and one piece of its arguments. */
const CALLS: Readonly<Record<string, readonly [object, object]>> = {
  responses: [
    { type: 'response.output_item.added', output_index: 0, item: { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'look' } },
    { type: 'response.function_call_arguments.delta', output_index: 0, item_id: 'fc_1', delta: PIECE },
  ],
  chat: [
    { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: 'call_1', function: { name: 'look', arguments: '{"a":"' } }] } }] },
    { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: PIECE } }] } }] },
  ],
  messages: [
    { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} } },
    { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: PIECE } },
  ],
}

/** By wire: a piece of a text, and a piece of a thought. */
const TEXTS: Readonly<Record<string, readonly object[]>> = {
  responses: [{ type: 'response.output_text.delta', output_index: 0, delta: PIECE }, { type: 'response.reasoning_summary_text.delta', output_index: 0, summary_index: 0, delta: PIECE }],
  chat: [{ choices: [{ index: 0, delta: { content: PIECE } }] }, { choices: [{ index: 0, delta: { reasoning_content: PIECE } }] }],
  messages: ['text_delta', 'thinking_delta'].map((type) => ({ type: 'content_block_delta', index: 0, delta: { type, text: PIECE, thinking: PIECE } })),
}

async function measured(server: RawServer, call: () => Promise<unknown>): Promise<string> {
  const before = process.memoryUsage().rss
  const error = await failureOf(call())
  expect(process.memoryUsage().rss - before).toBeLessThan(ROOM)
  await expect.poll(() => server.open).toBe(0)
  return `${error.kind}: ${error.message}`
}

describe.each(WAYS.filter(({ mode }) => mode.isStreaming))('$name', ({ wire, mode }) => {
  it('ends a call whose arguments do not end, at 32 MiB', async () => {
    const [opening, piece] = CALLS[wire.name] ?? []
    await using server = await startRawServer(sendsEndlessly(HEAD + frame(opening ?? {}), frame(piece ?? {})))
    const client = wire.client({ origin: server.origin })
    expect(await measured(server, () => mode.ask(client))).toBe(`response: The arguments of a tool call exceed ${32 * 1024 * 1024} characters`)
    expect(server.requests).toBe(1)
  })

  it('ends a text and a thought that do not end, at 64 MiB', async () => {
    for (const piece of TEXTS[wire.name] ?? []) {
      await using server = await startRawServer(sendsEndlessly(HEAD, frame(piece)))
      const client = wire.client({ origin: server.origin })
      expect(await measured(server, () => mode.ask(client))).toBe(`response: A text exceeds ${64 * 1024 * 1024} characters`)
    }
  })

  it('ends an event that does not end, at 64 MiB', async () => {
    await using server = await startRawServer(sendsEndlessly(`${HEAD}data: `, PIECE))
    const client = wire.client({ origin: server.origin })
    expect(await measured(server, () => mode.ask(client))).toBe(`response: An event exceeds ${64 * 1024 * 1024} characters`)
  })
})

describe.each(WIRES)('A whole answer on $name', ({ client }) => {
  it('that does not end is ended at 256 MiB', async () => {
    await using server = await startRawServer(sendsEndlessly('HTTP/1.1 200 OK\r\n\r\n', Buffer.alloc(4 * 1024 * 1024, 'x')))
    const model = client({ origin: server.origin }).completionModel('m')
    expect(await measured(server, () => model.completion({ messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] }))).toBe(`response: The answer exceeds ${256 * 1024 * 1024} bytes`)
  })
})
