import { startModelSim } from '@buildscale/model-sim'
import { describe, expect, it } from 'vitest'
import { outcomeOf } from './outcome.ts'
import { QUICK_RETRY, WAYS, type Mode } from './wires.ts'

/** A fault of a provider, and what becomes of a call that meets it every time. */
interface Fault {
  readonly title: string
  readonly turn: object
  /** Which modes it concerns: all of them unless given. */
  readonly only?: 'streaming' | 'whole'
  /** The end of the call, by wire where they differ. */
  readonly end: string | Readonly<Record<string, string>>
  /** How many requests the provider gets; one unless given. */
  readonly requests?: number | Readonly<Record<string, number>>
}

const SPEECH = 'A sentence that takes more than one delta to be said.'

const REFUSALS: readonly Fault[] = [
  { title: 'a request that is refused', turn: { http_error: { status: 400, code: 'invalid_value' } }, end: 'provider_response 400' },
  { title: 'a key that is refused', turn: { http_error: { status: 401 } }, end: 'provider_response 401' },
  { title: 'too much of everything', turn: { http_error: { status: 413 } }, end: 'provider_response 413' },
  ...[408, 409, 429, 500, 502, 503, 504, 529].map((status): Fault => ({ title: `status ${status}, again and again`, turn: { http_error: { status } }, end: `provider_response ${status}`, requests: 3 })),
  { title: 'an account without money', turn: { http_error: { status: 429, code: 'insufficient_quota' } }, end: 'provider_response 429', requests: { responses: 1, chat: 1, messages: 3 } },
  { title: 'a server that forbids another attempt', turn: { http_error: { status: 503, headers: { 'x-should-retry': 'false' } } }, end: 'provider_response 503' },
  { title: 'a server that asks for another attempt', turn: { http_error: { status: 400, headers: { 'x-should-retry': 'true' } } }, end: 'provider_response 400', requests: 3 },
  { title: 'a pause that nobody waits for', turn: { http_error: { status: 429, headers: { 'retry-after': '3600' } } }, end: 'provider_response 429' },
  { title: 'a pause in milliseconds', turn: { http_error: { status: 429, headers: { 'retry-after-ms': '3', 'retry-after': '3600' } } }, end: 'provider_response 429', requests: 3 },
]

const BODIES: readonly Fault[] = [
  ['JSON that is called text', { body: { error: { message: 'No.' } }, headers: { 'content-type': 'text/plain' } }],
  ['a page of HTML', { body: '<html><body><h1>502 Bad Gateway</h1></body></html>', headers: { 'content-type': 'text/html' } }],
  ['nothing', { body: '' }],
  ['JSON that breaks off', { body: '{"error":{"mess' }],
  ['a JSON list', { body: '[1,2]' }],
  ['an error that is a string', { body: { error: 'No.' } }],
  ['an error of wrong types', { body: { error: { message: 7, code: [], type: {} } } }],
  ['five megabytes', { body: 'x'.repeat(5_000_000) }],
].map(([title, error]) => ({ title: `a refusal whose body is ${String(title)}`, turn: { http_error: { status: 422, ...Object(error) } }, end: 'provider_response 422' }))

const CUTS: readonly Fault[] = ['close', 'reset'].flatMap((by): readonly Fault[] => [
  { title: `a connection that ends by ${by} before the first event`, only: 'streaming', turn: { text: SPEECH, cut_after_bytes: 3, cut_by: by }, end: 'truncated_stream', requests: 3 },
  { title: `a connection that ends by ${by} in the middle of the answer`, only: 'streaming', turn: { text: SPEECH, cut_after_events: 8, cut_by: by }, end: 'truncated_stream' },
  { title: `a whole answer that ends by ${by}`, only: 'whole', turn: { text: SPEECH, cut_after_bytes: 40, cut_by: by }, end: 'http', requests: 3 },
])

const STREAMS: readonly Fault[] = [
  ...CUTS,
  { title: 'an answer that ends in good order, too early', only: 'streaming', turn: { text: SPEECH, cut_after_events: 8, cut_by: 'end' }, end: 'truncated_stream' },
  { title: 'a whole answer that ends in good order, too early', only: 'whole', turn: { text: SPEECH, cut_after_bytes: 40, cut_by: 'end' }, end: 'json' },
  { title: 'an answer without its last event', only: 'streaming', turn: { text: SPEECH, no_end: true }, end: 'truncated_stream' },
  { title: 'an answer of nothing but its beginning', only: 'streaming', turn: { no_end: true }, end: 'truncated_stream', requests: 3 },
  { title: 'an answer that stops coming', only: 'streaming', turn: { text: SPEECH, stall_after_events: 8 }, end: 'timeout' },
  { title: 'an answer that never begins', only: 'streaming', turn: { text: SPEECH, stall_after_events: 0 }, end: 'timeout', requests: 3 },
  { title: 'headers that never come', turn: { text: SPEECH, delay_ms: 20_000 }, end: 'timeout', requests: 3 },
  { title: 'a call that breaks off', only: 'streaming', turn: { calls: [{ name: 'look', arguments: { place: 'Rome' } }], cut_after_events: 5 }, end: 'truncated_stream' },
  { title: 'an overload that is told in the stream', only: 'streaming', turn: { failed: { code: 'overloaded_error', message: 'Too much.' } }, end: 'provider_response', requests: 3 },
  { title: 'an overload that is told after the first words', only: 'streaming', turn: { text: SPEECH, failed: { code: 'overloaded_error', message: 'Too much.' } }, end: 'provider_response' },
  { title: 'a refusal that is told in the stream', only: 'streaming', turn: { failed: { code: 'invalid_prompt', message: 'No.' } }, end: 'provider_response' },
  { title: 'an error event', only: 'streaming', turn: { text: SPEECH, error: { code: 'server_error', message: 'Oh.' } }, end: 'provider_response' },
  {
    title: 'an answer that somebody else cancelled',
    only: 'streaming',
    turn: { text: SPEECH, cancelled: true },
    end: { responses: 'provider_response', chat: 'truncated_stream', messages: 'truncated_stream' },
  },
  { title: 'an answer that is not JSON', only: 'whole', turn: { unary_body: 'I am a teapot.' }, end: 'json' },
  { title: 'an answer of nothing', only: 'whole', turn: { unary_body: '' }, end: 'json' },
  { title: 'an answer that is a JSON list', only: 'whole', turn: { unary_body: '[]' }, end: 'json' },
  { title: 'an answer that is another kind of object', only: 'whole', turn: { unary_body: '{"hello":"world"}' }, end: 'response' },
]

const concerns = ({ only }: Fault, { isStreaming }: Mode): boolean => only === undefined || (only === 'streaming') === isStreaming

function byWire<T extends string | number>(value: T | Readonly<Record<string, T>>, wire: string): T | undefined {
  return typeof value === 'object' ? value[wire] : value
}

describe.each(WAYS)('$name', ({ wire, mode }) => {
  it.each([...REFUSALS, ...BODIES, ...STREAMS].filter((fault) => concerns(fault, mode)))('fails in the documented way, and as often as the policy says, at $title', async (fault) => {
    const sim = await startModelSim({ script: { turns: [{ times: 'always', ...fault.turn }] }, models: 'any' })
    try {
      const client = wire.client({ origin: sim.origin, retry: QUICK_RETRY, timeoutMs: 400, idleTimeoutMs: 150 })
      const end = await outcomeOf(mode.ask(client))
      expect([end, sim.requests().length]).toEqual([byWire(fault.end, wire.name), byWire(fault.requests ?? 1, wire.name)])
    } finally {
      await sim.close()
    }
  })

  it('asks again after failures that pass, and gives the answer once', async () => {
    const passing = mode.isStreaming ? [{ http_error: { status: 503 } }, { text: SPEECH, cut_after_bytes: 3, cut_by: 'reset' }] : [{ http_error: { status: 503 } }, { text: SPEECH, cut_after_bytes: 30, cut_by: 'reset' }]
    const sim = await startModelSim({ script: { turns: [...passing, { text: SPEECH }] }, models: 'any' })
    try {
      const said: string[] = []
      const seen = (item: { readonly type: string }) => void ('text' in item && typeof item.text === 'string' && item.type === 'text' && said.push(item.text))
      expect(await mode.ask(wire.client({ origin: sim.origin, retry: QUICK_RETRY }), { seen })).toBe(SPEECH)
      expect([said.join(''), sim.requests().length]).toEqual([mode.isStreaming ? SPEECH : '', 3])
    } finally {
      await sim.close()
    }
  })

  it('asks once when retries are switched off', async () => {
    const sim = await startModelSim({ script: { turns: [{ times: 'always', http_error: { status: 503 } }] }, models: 'any' })
    try {
      expect(await outcomeOf(mode.ask(wire.client({ origin: sim.origin, retry: false })))).toBe('provider_response 503')
      expect(sim.requests()).toHaveLength(1)
    } finally {
      await sim.close()
    }
  })

  it.runIf(mode.isStreaming)('gives the answer through comments, pings, unknown events, broken frames and any cut of the bytes', async () => {
    const insert = ['comment', 'ping', 'unknown', 'malformed'].flatMap((noise) => [{ after_events: 1, noise }, { after_events: 4, noise }])
    const sim = await startModelSim({ script: { turns: [{ text: SPEECH, insert, fragments: [1, 7, 3, 64, 2] }] }, models: 'any' })
    try {
      const types: string[] = []
      const answer = await mode.ask(wire.client({ origin: sim.origin, retry: false }), { seen: ({ type }) => types.push(type) })
      expect([answer, types.filter((type) => type === 'warning').length]).toEqual([SPEECH, 2])
    } finally {
      await sim.close()
    }
  })
})
