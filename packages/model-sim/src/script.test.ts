import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { functionTools, parseEvents, post, streamEvents, user, withSim, type Item } from '../test/sim-client.ts'
import { startModelSim, type ModelSim } from './index.ts'

const HELLO = { model: 'gpt-4o', input: 'hi' }

describe('which turn answers', () => {
  it('serves a plain list in order and says so when it is used up', () =>
    withSim({ script: { turns: [{ text: 'one' }, { text: 'two' }] } }, async (sim) => {
      expect([await said(sim, HELLO), await said(sim, HELLO)]).toEqual(['one', 'two'])
      const reply = await post(sim, HELLO)
      expect([reply.status, await reply.json()]).toEqual([400, { error: expect.objectContaining({ code: 'script_exhausted', message: expect.stringMatching(/2 turns, 2 answers/) }) }])
    }))

  it('serves several conversations by what they contain', () =>
    withSim({ script: { turns: [{ when: { contains: 'about "cats"' }, text: 'miaow' }, { when: { last_user: 'dogs' }, text: 'woof', times: 2 }, { text: 'who?' }] } }, async (sim) => {
      const ask = (text: string): Promise<string> => said(sim, { model: 'gpt-4o', input: [user(text)] })
      expect([await ask('dogs'), await ask('about "cats"'), await ask('more dogs'), await ask('dogs again')]).toEqual(['woof', 'miaow', 'woof', 'who?'])
    }))

  it('serves by step, as often as asked, so that an interrupted loop gets the same answer again', () =>
    withSim({ script: { turns: [{ when: { step: 0, tool: 'ls' }, times: 'always', calls: [{ name: 'ls', call_id: 'call_1' }] }, { when: { step: 1, model: 'gpt-4o' }, times: 'always', text: 'done' }] } }, async (sim) => {
      const first = { model: 'gpt-4o', input: [user('go')], tools: functionTools('ls') }
      const second = { ...first, input: [user('go'), { type: 'function_call', call_id: 'call_1', name: 'ls', arguments: '{}' }, { type: 'function_call_output', call_id: 'call_1', output: 'x' }] }
      expect([await said(sim, first), await said(sim, first), await said(sim, second), await said(sim, second)]).toEqual(['ls', 'ls', 'done', 'done'])
    }))
})

describe('what a turn says', () => {
  it('refuses in words', () =>
    withSim({ script: { turns: [{ output: [{ type: 'refusal', text: 'No, thank you.' }] }] } }, async (sim) => {
      const events = await streamEvents(sim, HELLO)
      expect(events.map((event) => event['type'])).toContain('response.refusal.done')
      expect(events.at(-1)).toMatchObject({ response: { output: [{ content: [{ type: 'refusal', refusal: 'No, thank you.' }] }] } })
    }))

  it('carries phase, annotations, reasoning text, hosted items and raw frames', () =>
    withSim(
      {
        script: {
          turns: [
            {
              output: [
                { type: 'reasoning', summary: [], text: 'thinking aloud', encrypted: 'opaque' },
                { type: 'item', item: { type: 'web_search_call', action: { type: 'search', query: 'x' } } },
                { type: 'raw', frames: 'data: {"type":"keepalive"}\n\n' },
                { type: 'text', deltas: ['a', 'b'], phase: 'commentary', annotations: [{ type: 'url_citation', url: 'https://example.org' }] },
              ],
            },
          ],
        },
      },
      async (sim) => {
        const types = (await streamEvents(sim, HELLO)).map((event) => event['type'])
        expect(types).toEqual(expect.arrayContaining(['response.reasoning_text.delta', 'keepalive', 'response.output_text.annotation.added']))
        expect(sim.requests()).toHaveLength(1)
      },
    ))

  it('ends incomplete in the middle of arguments, with usage and without their `done`', () =>
    withSim({ script: { turns: [{ calls: [{ name: 'write', arguments: '{"path":"/a","content":"unfin' }], incomplete: 'max_output_tokens', usage: { output_tokens: 16, cached_tokens: 5 } }] } }, async (sim) => {
      const events = await streamEvents(sim, { ...HELLO, tools: functionTools('write') })
      expect(events.map((event) => event['type'])).not.toContain('response.function_call_arguments.done')
      expect(events.at(-1)).toMatchObject({
        type: 'response.incomplete',
        response: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, output: [{ status: 'incomplete' }], usage: { output_tokens: 16, input_tokens_details: { cached_tokens: 5 } } },
      })
    }))

  it('ends failed, with an error event, or without any end', () =>
    withSim({ script: { turns: [{ text: 'a', failed: { code: 'server_error', message: 'broken' } }, { text: 'b', error: { code: 'overloaded', message: 'busy' } }, { text: 'c', no_end: true }] } }, async (sim) => {
      const last = async (): Promise<Item | undefined> => (await streamEvents(sim, HELLO)).at(-1)
      expect(await last()).toMatchObject({ type: 'response.failed', response: { status: 'failed', error: { code: 'server_error', message: 'broken' } } })
      expect(await last()).toMatchObject({ type: 'error', code: 'overloaded', message: 'busy' })
      expect(await last()).toMatchObject({ type: 'response.output_item.done' })
    }))

  it('answers HTTP errors with their own status, headers and body', () =>
    withSim({ script: { turns: [{ http_error: { status: 503, body: '<html>busy</html>', headers: { 'retry-after': '3', 'content-type': 'text/html' } } }, { http_error: { status: 500, message: 'oh' } }] } }, async (sim) => {
      const first = await post(sim, { ...HELLO, stream: true })
      expect([first.status, first.headers.get('retry-after'), first.headers.get('content-type'), await first.text()]).toEqual([503, '3', 'text/html', '<html>busy</html>'])
      expect(await (await post(sim, HELLO)).json()).toEqual({ error: { message: 'oh', type: 'server_error', param: null, code: null } })
    }))
})

describe('how the bytes travel', () => {
  const TEXT = 'Grüße, 世界 🌍! '.repeat(20)

  it('in fragments that split characters, the same bytes', () =>
    withSim({ script: { turns: [{ text: TEXT, fragments: [1, 5, 2, 13, 3, 8, 21] }, { text: TEXT }] } }, async (sim) => {
      const { pieces } = await readStream(sim)
      expect(pieces.slice(0, 9).map((piece) => piece.length)).toEqual([1, 5, 2, 13, 3, 8, 21, 1, 5])
      expect(pieces.some((piece) => piece.toString().includes('\uFFFD'))).toBe(true)
      const whole = await streamEvents(sim, HELLO)
      const delta = (events: Item[]): string => events.filter((event) => event['type'] === 'response.output_text.delta').map((event) => event['delta']).join('')
      expect(delta(parseEvents(Buffer.concat(pieces).toString()))).toBe(TEXT)
      expect(delta(whole)).toBe(TEXT)
    }))

  it('cut after a number of bytes or events, all before it delivered', () =>
    withSim({ script: { turns: [{ text: TEXT, cut_after_bytes: 3000 }, { text: TEXT, cut_after_events: 6 }] } }, async (sim) => {
      const first = await readStream(sim)
      const second = await readStream(sim)
      expect([first.isCut, Buffer.concat(first.pieces).length]).toEqual([true, 3000])
      expect([second.isCut, parseEvents(Buffer.concat(second.pieces).toString()).length]).toEqual([true, 6])
    }))

  it('late, and with pauses between events', () =>
    withSim({ script: { turns: [{ text: 'a', delay_ms: 80 }, { text: 'a b c', event_delay_ms: 20 }] } }, async (sim) => {
      const startedAt = performance.now()
      await streamEvents(sim, HELLO)
      const between = performance.now()
      const events = await streamEvents(sim, HELLO)
      expect(between - startedAt).toBeGreaterThan(75)
      expect(performance.now() - between).toBeGreaterThan((events.length - 1) * 18)
    }))

  it('stalls until the client goes, then serves the next', () =>
    withSim({ script: { turns: [{ text: 'a', stall_after_events: 3 }, { text: 'next' }] } }, async (sim) => {
      const abort = new AbortController()
      const reply = await fetch(`${sim.url}/responses`, { method: 'POST', body: JSON.stringify({ ...HELLO, stream: true }), signal: abort.signal })
      const first = await reply.body?.getReader().read()
      expect(parseEvents(Buffer.from(first?.value ?? []).toString())).toHaveLength(3)
      abort.abort()
      expect(await said(sim, HELLO)).toBe('next')
    }))

  it('closes with a stream still open', async () => {
    const sim = await startModelSim({ script: { turns: [{ text: 'a', stall_after_events: 3 }] } })
    const reply = await post(sim, { ...HELLO, stream: true })
    await sim.close()
    await expect(reply.text()).rejects.toThrow()
  })
})

describe('a script that makes no sense is refused with the place and the reason', () => {
  it.each([
    [[], 'script: expected an object'],
    [{ turns: 'x' }, 'script.turns: expected a list'],
    [{ turns: [{ txt: 'hi' }] }, 'turns[0].txt: is not a known field here'],
    [{ turns: [{ text: 5 }] }, 'turns[0].text: expected text'],
    [{ turns: [{}, { output: [{ type: 'image' }] }] }, 'turns[1].output[0].type: expected one of "text"'],
    [{ turns: [{ calls: [{ arguments: {} }] }] }, 'turns[0].calls[0].name: is missing'],
    [{ turns: [{ text: 'a', output: [] }] }, 'turns[0].output: cannot stand beside'],
    [{ turns: [{ http_error: { status: 200 } }] }, 'turns[0].http_error.status: expected an HTTP status'],
    [{ turns: [{ fragments: [0] }] }, 'turns[0].fragments: expected a list of positive integers'],
    [{ turns: [{ times: 0 }] }, 'turns[0].times: expected a positive integer or "always"'],
    [{ turns: [{ no_end: true, incomplete: 'max_output_tokens' }] }, 'a turn ends in one way'],
    [{ turns: [{ when: { contain: 'x' } }] }, 'turns[0].when.contain: is not a known field here; known are last_user'],
  ])('%j', async (script, message) => {
    await expect(startModelSim({ script })).rejects.toThrow(message)
  })
})

/** The words of an answer, or the names of its calls. */
async function said(sim: ModelSim, body: object): Promise<string> {
  const { output } = (await (await post(sim, body)).json()) as { output: { name?: string; content?: { text: string }[] }[] }
  return output.map((item) => item.name ?? item.content?.map((part) => part.text).join('')).join(' ')
}

/** A streamed answer as `node:http` hands it out: a piece for each chunk. */
function readStream(sim: ModelSim): Promise<{ pieces: Buffer[]; isCut: boolean }> {
  return new Promise((done, failed) => {
    const asked = request(`${sim.url}/responses`, { method: 'POST', agent: false }, (reply) => {
      const pieces: Buffer[] = []
      reply.on('data', (piece: Buffer) => pieces.push(piece))
      reply.on('error', () => undefined) // the cut is what `complete` tells below
      reply.on('close', () => done({ pieces, isCut: !reply.complete }))
    })
    asked.on('error', failed)
    asked.end(JSON.stringify({ ...HELLO, stream: true }))
  })
}
