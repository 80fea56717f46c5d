import { request } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { parseEvents, postTo, question, withSim, type Item, type Path } from '../test/sim-client.ts'
import type { ModelSim } from './index.ts'

const WIRES: Path[] = ['/responses', '/chat/completions', '/messages']
const TEXT = 'Grüße, 世界 🌍! '.repeat(20).trim()

interface Received {
  readonly pieces: Buffer[]
  readonly text: string
  /** Milliseconds from the request to its headers and to each piece. */
  readonly headersAfter: number
  readonly piecesAfter: number[]
  /** How it ended: in good order, or with which error. */
  readonly end: string
}

/** A streamed answer as `node:http` hands it out: a piece for each chunk. */
function receive(sim: ModelSim, path: Path, isEnough: (text: string) => boolean = () => false): Promise<Received> {
  return new Promise((done) => {
    const startedAt = performance.now()
    const headers = { 'anthropic-version': '2023-06-01' }
    const asked = request(`${sim.url}${path}`, { method: 'POST', agent: false, headers }, (reply) => {
      const pieces: Buffer[] = []
      const piecesAfter: number[] = []
      let end = 'good'
      const headersAfter = performance.now() - startedAt
      reply.on('data', (piece: Buffer) => {
        pieces.push(piece)
        piecesAfter.push(performance.now() - startedAt)
        if (isEnough(Buffer.concat(pieces).toString())) asked.destroy()
      })
      reply.on('error', (error: NodeJS.ErrnoException) => (end = error.code ?? error.message))
      reply.on('close', () => done({ pieces, text: Buffer.concat(pieces).toString(), headersAfter, piecesAfter, end }))
    })
    asked.on('error', () => undefined) // told by the reply's own error
    asked.end(JSON.stringify({ ...question(path, 'hi'), stream: true }))
  })
}

const scripted = (path: Path, turn: object): Promise<Received> => withSim({ script: { turns: [turn] } }, (sim) => receive(sim, path))

/** How the connection below HTTP came to its end. */
function socketEnd(path: Path, turn: object): Promise<string> {
  return withSim({ script: { turns: [turn] } }, (sim) => {
    const body = JSON.stringify({ ...question(path, 'hi'), stream: true })
    return new Promise((done) => {
      const socket = connect(sim.port, '127.0.0.1', () => socket.write(`POST /v1${path} HTTP/1.1\r\nhost: sim\r\nanthropic-version: 1\r\ncontent-length: ${body.length}\r\n\r\n${body}`))
      let end = 'closed'
      socket.on('error', (error: NodeJS.ErrnoException) => (end = error.code ?? error.message))
      socket.on('close', () => done(end))
      socket.resume()
    })
  })
}

/** The words that a client would have read. */
function wordsOf(text: string): string {
  return parseEvents(text).map((event) => wordOf(event)).join('')
}

function wordOf(event: Item): string {
  const chunk = event as { type?: string; delta?: string | { text?: string }; choices?: { delta?: { content?: string | null } }[] }
  if (chunk.type === 'response.output_text.delta') return String(chunk.delta)
  if (chunk.type === 'content_block_delta' && typeof chunk.delta === 'object') return chunk.delta.text ?? ''
  return chunk.choices?.[0]?.delta?.content ?? ''
}

const whole = (text: string): boolean => /response\.completed|\[DONE\]|message_stop/.test(text)

describe.each(WIRES)('on %s', (path) => {
  it('serves the bytes in fragments that split characters', async () => {
    const { pieces, text } = await scripted(path, { text: TEXT, fragments: [1, 5, 2, 13, 3, 8, 21] })
    expect(pieces.slice(0, 9).map((piece) => piece.length)).toEqual([1, 5, 2, 13, 3, 8, 21, 1, 5])
    expect(pieces.some((piece) => piece.toString().includes('\uFFFD'))).toBe(true)
    expect([wordsOf(text), whole(text)]).toEqual([TEXT, true])
  })

  it('ends in good order without its terminal event', async () => {
    const { text, end } = await scripted(path, { text: TEXT, no_end: true })
    expect([wordsOf(text), whole(text), end]).toEqual([TEXT, false, 'good'])
  })

  it('closes the connection in the middle of an event, or ends the body there in good order', async () => {
    for (const [cutBy, ending] of [['close', 'ECONNRESET'], ['end', 'good']] as const) {
      const { pieces, end } = await scripted(path, { text: TEXT, cut_after_bytes: 900, cut_by: cutBy })
      expect([cutBy, Buffer.concat(pieces).length, end]).toEqual([cutBy, 900, ending])
    }
  })

  it('resets the connection where closing would only end it', async () => {
    expect(await socketEnd(path, { text: TEXT, cut_after_events: 4, cut_by: 'close' })).toBe('closed')
    expect(await socketEnd(path, { text: TEXT, cut_after_events: 4, cut_by: 'reset' })).toBe('ECONNRESET')
  })

  it('stalls after some events, before any, and with signs of life', async () => {
    const turns = [{ text: TEXT, stall_after_events: 3 }, { text: TEXT, stall_after_events: 0, keep_alive_ms: 5 }, { text: 'next' }]
    await withSim({ script: { turns } }, async (sim) => {
      expect(parseEvents((await receive(sim, path, (text) => parseEvents(text).length === 3)).text)).toHaveLength(3)
      const alive = await receive(sim, path, (text) => text.split(': keep-alive\n\n').length > 3)
      expect(alive.text.replaceAll(': keep-alive\n\n', '')).toBe('')
      expect(wordsOf((await receive(sim, path)).text)).toBe('next')
    })
  })

  it('sends headers at once and the first event late', async () => {
    const { headersAfter, piecesAfter, text } = await scripted(path, { text: TEXT, first_event_delay_ms: 150 })
    expect(headersAfter).toBeLessThan(120)
    expect(piecesAfter[0]).toBeGreaterThan(145)
    expect(wordsOf(text)).toBe(TEXT)
  })

  it('puts comments, pings, unknown events and broken frames between the others', async () => {
    const noises = ['comment', 'ping', 'unknown', 'malformed']
    const insert = [...noises.map((noise) => ({ after_events: 2, noise })), { after_events: 99, frames: 'data: the end\n\n' }]
    const { text } = await scripted(path, { text: TEXT, insert })
    const frames = text.split('\n\n')
    const bare = (await scripted(path, { text: TEXT })).text.split('\n\n')
    expect(frames).toHaveLength(bare.length + 5)
    expect(frames[2]).toBe(': nothing new')
    expect(frames[4]).toMatch(/new/)
    expect(() => JSON.parse(frames[5]?.split('data: ')[1] ?? '{}') as unknown).toThrow(SyntaxError)
    expect(frames.at(-2)).toBe('data: the end')
  })

  it('fails in the middle of a stream after the words so far; without streaming by status or by body', async () => {
    const failed = { text: TEXT, failed: { code: 'server_error', message: 'broken' } }
    const { text, end } = await scripted(path, failed)
    expect([wordsOf(text), whole(text), end]).toEqual([TEXT, false, 'good'])
    const last = parseEvents(text).at(-1)
    expect(last).toMatchObject(
      path === '/responses'
        ? { type: 'response.failed', response: { status: 'failed', error: { code: 'server_error', message: 'broken' } } }
        : path === '/chat/completions'
          ? { error: { code: 'server_error', message: 'broken', type: 'server_error' } }
          : { type: 'error', error: { type: 'server_error', message: 'broken' }, request_id: expect.stringMatching(/^req_/) },
    )
    await withSim({ script: { turns: [failed] } }, async (sim) => {
      const reply = await postTo(sim, path, question(path, 'hi'))
      expect([reply.status, await reply.text()]).toEqual([path === '/responses' ? 200 : 500, expect.stringContaining('broken')])
    })
  })

  it('is cut off by a limit, in the wire\'s own words', async () => {
    const { text } = await scripted(path, { calls: [{ name: 'write', arguments: '{"path":"/a","content":"unfin' }], incomplete: 'max_output_tokens' })
    const terminal = path === '/responses' ? '"incomplete_details":{"reason":"max_output_tokens"}' : path === '/messages' ? '"stop_reason":"max_tokens"' : '"finish_reason":"length"'
    expect(text).toContain(terminal)
    expect(text).toContain(JSON.stringify('unfin').slice(1, -1))
  })

  it('answers HTTP errors in its own envelope, or with any body of any type', async () => {
    const turns = [
      { http_error: { status: 503, message: 'busy', headers: { 'Retry-After': '3' } } },
      { http_error: { status: 502, body: '<html>bad gateway</html>', headers: { 'Content-Type': 'text/html' } } },
      { http_error: { status: 400, body: { error: 'odd' }, headers: { 'content-type': 'text/plain' } } },
      { http_error: { status: 529, body: '' } },
    ]
    await withSim({ script: { turns } }, async (sim) => {
      const ask = async (): Promise<[number, string | null, string]> => {
        const reply = await postTo(sim, path, { ...question(path, 'hi'), stream: true })
        return [reply.status, reply.headers.get('content-type'), await reply.text()]
      }
      const first = await postTo(sim, path, question(path, 'hi'))
      expect([first.status, first.headers.get('retry-after')]).toEqual([503, '3'])
      expect(await first.json()).toEqual(
        path === '/messages' ? { type: 'error', error: { type: 'api_error', message: 'busy' }, request_id: first.headers.get('request-id') } : { error: { message: 'busy', type: 'server_error', param: null, code: null } },
      )
      expect(await ask()).toEqual([502, 'text/html', '<html>bad gateway</html>'])
      expect(await ask()).toEqual([400, 'text/plain', '{"error":"odd"}'])
      expect(await ask()).toEqual([529, 'application/json', ''])
    })
  })

  it('answers without streaming with any body, late, cut or stalled', async () => {
    const turns = [{ text: 'a', unary_body: '{"half' }, { text: TEXT, cut_after_bytes: 10 }, { text: 'a', stall_after_events: 0 }]
    await withSim({ script: { turns } }, async (sim) => {
      expect(await (await postTo(sim, path, question(path, 'hi'))).text()).toBe('{"half')
      await expect((await postTo(sim, path, question(path, 'hi'))).text()).rejects.toThrow()
      const stalled = await postTo(sim, path, question(path, 'hi'))
      const winner = await Promise.race([stalled.text(), new Promise((done) => setTimeout(() => done('silence'), 60))])
      expect([stalled.status, winner]).toEqual([200, 'silence'])
      stalled.body?.cancel().catch(() => undefined) // locked by the read above; closing the server ends both
    })
  })

  it('leaves ids out, or gives the same to two', async () => {
    const turns = [{ response_id: null, calls: [{ name: 'ls', call_id: null }] }, { response_id: 'same', calls: [{ name: 'ls', call_id: 'one' }, { name: 'ls', call_id: 'one' }] }]
    await withSim({ script: { turns } }, async (sim) => {
      const calls = async (): Promise<[unknown, unknown[]]> => {
        const body = (await (await postTo(sim, path, question(path, 'hi'))).json()) as { id?: string; output?: Item[]; content?: Item[]; choices?: { message: { tool_calls: Item[] } }[] }
        const made = body.output?.map((item) => item['call_id']) ?? body.content?.map((block) => block['id']) ?? body.choices?.[0]?.message.tool_calls.map((call) => call['id']) ?? []
        return [body.id, made]
      }
      expect([await calls(), await calls()]).toEqual([[undefined, [undefined]], ['same', ['one', 'one']]])
    })
  })

  it('tells no usage when it is told not to', async () => {
    expect((await scripted(path, { text: 'a', quirks: ['no_usage'] })).text).not.toMatch(/"(?:input|prompt|total)_tokens"/)
  })

  it('serves the load model: as many deltas as its name says, at its pace, the same bytes every time', () =>
    withSim({}, async (sim) => {
      const ask = async (model: string): Promise<string> => (await postTo(sim, path, { ...question(path, 'hi'), model, stream: true })).text()
      const fast = await ask('load:text:500')
      expect(fast.split(/output_text\.delta\n|"delta":\{"content":"[^"]|text_delta/)).toHaveLength(501)
      expect(whole(fast)).toBe(true)
      expect(await ask('load:text:500')).toBe(fast)
      const startedAt = performance.now()
      await ask('load:text:40:200')
      expect(performance.now() - startedAt).toBeGreaterThan(180)
    }))
})

describe('what one wire alone can do', () => {
  it('Responses ends cancelled', async () => {
    expect(parseEvents((await scripted('/responses', { text: 'a', cancelled: true })).text).at(-1)).toMatchObject({ type: 'response.cancelled', response: { status: 'cancelled' } })
  })

  it('Responses shows a search of the service, a compaction and reasoning word by word', async () => {
    const output = [
      { type: 'item', item: { type: 'web_search_call', action: { type: 'search', query: 'x' } } },
      { type: 'item', item: { type: 'compaction', encrypted_content: 'opaque' } },
      { type: 'reasoning', text: 'one two', id: 'rs_mine' },
      { type: 'text', text: 'done', id: null },
    ]
    const events = parseEvents((await scripted('/responses', { output })).text)
    const types = events.map((event) => event['type'])
    expect(types.slice(2, 9)).toEqual(['response.output_item.added', 'response.web_search_call.in_progress', 'response.web_search_call.searching', 'response.web_search_call.completed', 'response.output_item.done', 'response.output_item.added', 'response.output_item.done'])
    expect(events.filter((event) => event['type'] === 'response.reasoning_text.delta').map((event) => event['delta'])).toEqual(['one', ' two'])
    const { output: items } = (events.at(-1) as { response: { output: Item[] } }).response
    expect(items).toMatchObject([{ id: expect.stringMatching(/^ws_/), status: 'completed' }, { id: expect.stringMatching(/^cmp_/), encrypted_content: 'opaque' }, { id: 'rs_mine' }, { type: 'message' }])
    expect(Object.keys(items[1] ?? {})).not.toContain('status')
    expect(Object.keys(items[3] ?? {})).not.toContain('id')
    expect(events.filter((event) => event['type'] === 'response.output_text.delta').every((event) => !('item_id' in event))).toBe(true)
  })

  it('Chat streams chunk for chunk, with usage in a chunk of its own', () =>
    withSim({ script: { turns: [{ reasoning: 'Hm.', text: 'Hi there', calls: [{ name: 'ls', deltas: ['{"a"', ':1}'], arguments: {} }] }] } }, async (sim) => {
      const text = await (await postTo(sim, '/chat/completions', { ...question('/chat/completions', 'hi'), stream: true, stream_options: { include_usage: true } })).text()
      const chunks = parseEvents(text) as { id: string; object: string; usage: unknown; choices: { delta: Item; finish_reason: unknown }[] }[]
      const id = expect.stringMatching(/^call_/)
      expect(chunks.map((chunk) => chunk.choices[0]?.delta)).toEqual([
        { role: 'assistant', content: '', refusal: null },
        { reasoning_content: 'Hm.' },
        { content: 'Hi' },
        { content: ' there' },
        { tool_calls: [{ index: 0, id, type: 'function', function: { name: 'ls', arguments: '' } }] },
        { tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] },
        { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] },
        {},
        undefined,
      ])
      expect(chunks.map((chunk) => chunk.choices[0]?.finish_reason ?? null)).toEqual([null, null, null, null, null, null, null, 'tool_calls', null])
      expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null && chunk.id === chunks[0]?.id && chunk.object === 'chat.completion.chunk')).toBe(true)
      expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) as number } })
      expect(text.endsWith('\n\ndata: [DONE]\n\n')).toBe(true)
    }))

  it('Chat tells the usage of a load model to those alone who ask for it', () =>
    withSim({}, async (sim) => {
      const ask = async (more: object): Promise<string> => (await postTo(sim, '/chat/completions', { ...question('/chat/completions', 'hi'), model: 'load:text:5', stream: true, ...more })).text()
      const [without, withUsage, again] = [await ask({}), await ask({ stream_options: { include_usage: true } }), await ask({})]
      expect([without.includes('"usage"'), withUsage.includes('"prompt_tokens":100'), again === without]).toEqual([false, true, true])
    }))

  it('Chat refuses in words, and says any finish reason', () =>
    withSim({ script: { turns: [{ output: [{ type: 'refusal', text: 'No.' }] }, { text: 'x', finish: 'model_length' }, { text: 'y', incomplete: 'content_filter' }] } }, async (sim) => {
      const ask = async (): Promise<unknown> => ((await (await postTo(sim, '/chat/completions', question('/chat/completions', 'hi'))).json()) as { choices: unknown[] }).choices[0]
      expect(await ask()).toMatchObject({ finish_reason: 'stop', message: { content: null, refusal: 'No.' } })
      expect(await ask()).toMatchObject({ finish_reason: 'model_length' })
      expect(await ask()).toMatchObject({ finish_reason: 'content_filter' })
    }))

  it('Chat has the habits of compatible servers', async () => {
    const turn = { text: 'a', calls: [{ name: 'ls', arguments: { a: 1 }, call_id: 'c' }] }
    const fragments = async (quirk: string): Promise<unknown[]> => {
      const { text } = await scripted('/chat/completions', { ...turn, quirks: [quirk] })
      return parseEvents(text).map((event) => (event as { choices: { delta: Item }[] }).choices[0]?.delta['tool_calls']).filter((calls) => calls !== undefined)
    }
    expect(await fragments('null_tool_calls')).toMatchObject([null, [{ id: 'c' }], [{}]])
    expect(await fragments('repeat_call_ids')).toMatchObject([[{ id: 'c', function: { name: 'ls' } }], [{ id: 'c', function: { name: '', arguments: '{"a":1}' } }]])
    expect(JSON.stringify(await fragments('no_call_index'))).not.toContain('index')
    expect(await fragments('object_arguments')).toMatchObject([[{ function: { name: 'ls', arguments: { a: 1 } } }]])
    expect((await scripted('/chat/completions', { ...turn, quirks: ['no_done'] })).text).not.toContain('[DONE]')
  })

  it('Messages streams event for event', async () => {
    const { text } = await scripted('/messages', { reasoning: 'Hm.', text: 'Hi there', calls: [{ name: 'ls' }, { name: 'read', arguments: { a: 1 } }], usage: { output_tokens: 7, reasoning_tokens: 2 } })
    const events = parseEvents(text)
    expect(text.split('\n\n').every((frame, index) => frame === '' || frame.startsWith(`event: ${String(events[index]?.['type'])}\n`))).toBe(true)
    expect(events.map((event) => [event['type'], event['index'], event['content_block'] ?? event['delta']])).toEqual([
      ['message_start', undefined, undefined],
      ['content_block_start', 0, { type: 'thinking', thinking: '', signature: '' }],
      ['ping', undefined, undefined],
      ['content_block_delta', 0, { type: 'thinking_delta', thinking: 'Hm.' }],
      ['content_block_delta', 0, { type: 'signature_delta', signature: expect.stringMatching(/./) }],
      ['content_block_stop', 0, undefined],
      ['content_block_start', 1, { type: 'text', text: '' }],
      ['content_block_delta', 1, { type: 'text_delta', text: 'Hi' }],
      ['content_block_delta', 1, { type: 'text_delta', text: ' there' }],
      ['content_block_stop', 1, undefined],
      ['content_block_start', 2, { type: 'tool_use', id: expect.stringMatching(/^toolu_/), name: 'ls', input: {}, caller: { type: 'direct' } }],
      ['content_block_delta', 2, { type: 'input_json_delta', partial_json: '' }],
      ['content_block_stop', 2, undefined],
      ['content_block_start', 3, { type: 'tool_use', id: expect.stringMatching(/^toolu_/), name: 'read', input: {}, caller: { type: 'direct' } }],
      ['content_block_delta', 3, { type: 'input_json_delta', partial_json: '' }],
      ['content_block_delta', 3, { type: 'input_json_delta', partial_json: '{"a":1}' }],
      ['content_block_stop', 3, undefined],
      ['message_delta', undefined, { stop_reason: 'tool_use', stop_sequence: null, stop_details: null }],
      ['message_stop', undefined, undefined],
    ])
    expect(events.at(-2)).toMatchObject({ usage: { output_tokens: 7, output_tokens_details: { thinking_tokens: 2 } } })
  })

  it('Messages refuses, pauses, and ends a turn without a word', () =>
    withSim({ script: { turns: [{ output: [{ type: 'refusal', text: 'No.' }] }, { text: 'x', finish: 'pause_turn' }, {}] } }, async (sim) => {
      const ask = async (): Promise<unknown> => (await postTo(sim, '/messages', question('/messages', 'hi'))).json()
      expect(await ask()).toMatchObject({ stop_reason: 'refusal', content: [{ type: 'text', text: 'No.' }] })
      expect(await ask()).toMatchObject({ stop_reason: 'pause_turn' })
      expect(await ask()).toMatchObject({ stop_reason: 'end_turn', content: [] })
    }))

  it('each turn may be for one wire', () =>
    withSim({ script: { turns: [{ when: { wire: 'messages' }, text: 'for messages' }, { when: { wire: 'chat' }, text: 'for chat' }, { text: 'for the rest' }] } }, async (sim) => {
      const ask = async (path: Path): Promise<string> => (await postTo(sim, path, question(path, 'hi'))).text()
      expect(await ask('/responses')).toContain('for the rest')
      expect(await ask('/chat/completions')).toContain('for chat')
      expect(await ask('/messages')).toContain('for messages')
    }))

  it('Messages speaks of scripts, of load models and of unknown paths in its own envelope', () =>
    withSim({ script: { turns: [] } }, async (sim) => {
      const typeOf = async (reply: Promise<Response>): Promise<unknown> => ((await (await reply).json()) as { type: string; error: { type: string } }).error.type
      expect(await typeOf(postTo(sim, '/messages', question('/messages', 'hi')))).toBe('invalid_request_error')
      expect(await typeOf(postTo(sim, '/messages', { ...question('/messages', 'hi'), model: 'load:text:0' }))).toBe('invalid_request_error')
      const missing = fetch(`${sim.url}/messages/count_tokens`, { method: 'POST', headers: { 'anthropic-version': '2023-06-01' } })
      expect(await typeOf(missing)).toBe('not_found_error')
    }))

  it('Messages takes its key from x-api-key, and tells nobody what it was', () =>
    withSim({ apiKey: 'right' }, async (sim) => {
      const ask = async (headers: Record<string, string>): Promise<[number, string]> => {
        const reply = await fetch(`${sim.url}/messages`, { method: 'POST', body: JSON.stringify(question('/messages', 'hi')), headers: { 'anthropic-version': '2023-06-01', ...headers } })
        return [reply.status, await reply.text()]
      }
      expect(await ask({})).toEqual([401, expect.stringMatching(/authentication_error.*x-api-key header is required/)])
      expect(await ask({ 'x-api-key': 'wrong' })).toEqual([401, expect.stringMatching(/authentication_error.*invalid x-api-key/)])
      expect((await ask({ 'x-api-key': 'right' }))[0]).toBe(200)
      expect((await ask({ authorization: 'Bearer right' }))[0]).toBe(200)
      expect(JSON.stringify(sim.requests())).not.toMatch(/right|wrong/)
    }))
})
