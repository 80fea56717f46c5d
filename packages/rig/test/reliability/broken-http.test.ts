import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { NodeTransport } from '../../src/http/node-transport.ts'
import { FetchTransport } from '../../src/http/fetch-transport.ts'
import { readRefusal, type Transport } from '../../src/http/transport.ts'
import { failureOf, outcomeOf } from './outcome.ts'
import { httpAnswer, sends, sendsAndEnds, sendsEndlessly, startRawServer, type Treatment } from './raw-server.ts'
import { WAYS, WIRES } from './wires.ts'

/** What a server may do below the wire's own words; the ends are those of a whole and of a streamed answer. */
interface Break {
  readonly title: string
  readonly treat: Treatment
  readonly whole: string
  readonly streamed: string
}

const BREAKS: readonly Break[] = [
  { title: 'closes without a word', treat: (socket) => void socket.end(), whole: 'http', streamed: 'http' },
  { title: 'resets without a word', treat: (socket) => void socket.resetAndDestroy(), whole: 'http', streamed: 'http' },
  { title: 'says nothing', treat: () => undefined, whole: 'timeout', streamed: 'timeout' },
  { title: 'speaks another protocol', treat: sends('220 mail.example ESMTP\r\n'), whole: 'http', streamed: 'http' },
  { title: 'changes the protocol', treat: sends('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n'), whole: 'http', streamed: 'http' },
  { title: 'sends headers without end', treat: sendsEndlessly('HTTP/1.1 200 OK\r\n', `x-filler: ${'a'.repeat(500)}\r\n`), whole: 'http', streamed: 'http' },
  { title: 'sends a header with a forbidden character', treat: sends('HTTP/1.1 200 OK\r\nx-a: \u0001\r\ncontent-length: 2\r\n\r\n{}'), whole: 'http', streamed: 'http' },
  { title: 'sends a chunk of no size', treat: sends('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\nabc\r\n'), whole: 'http', streamed: 'truncated_stream' },
  { title: 'sends less than it announced', treat: sendsAndEnds('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"a"'), whole: 'http', streamed: 'truncated_stream' },
  { title: 'sends more than it announced', treat: sends('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}{"and":"more"}'), whole: 'response', streamed: 'truncated_stream' },
  { title: 'stops in the middle of an answer', treat: sends('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"a"'), whole: 'timeout', streamed: 'timeout' },
  { title: 'answers with nothing', treat: sends('HTTP/1.1 204 No Content\r\n\r\n'), whole: 'json', streamed: 'truncated_stream' },
  { title: 'sends the caller elsewhere', treat: sends(httpAnswer(307, '', { location: 'http://127.0.0.1:1/' })), whole: 'provider_response 307', streamed: 'provider_response 307' },
  { title: 'compresses unasked', treat: sends(httpAnswer(200, gzipSync('{"a":1}'), { 'content-encoding': 'gzip' })), whole: 'response', streamed: 'response' },
  { title: 'compresses a refusal unasked', treat: sends(httpAnswer(503, gzipSync('{"a":1}'), { 'content-encoding': 'gzip' })), whole: 'provider_response 503', streamed: 'provider_response 503' },
  { title: 'refuses in bytes that are no text', treat: sends(httpAnswer(400, Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0x00, 0xed, 0xa0, 0x80]))), whole: 'provider_response 400', streamed: 'provider_response 400' },
  { title: 'refuses and breaks off', treat: sendsAndEnds('HTTP/1.1 400 Bad\r\ncontent-length: 500\r\n\r\n{"error"'), whole: 'provider_response 400', streamed: 'provider_response 400' },
  { title: 'refuses and stops in the middle of saying why', treat: sends('HTTP/1.1 400 Bad\r\ncontent-length: 500\r\n\r\n{"error"'), whole: 'provider_response 400', streamed: 'provider_response 400' },
  { title: 'refuses and never ends saying why', treat: sendsEndlessly('HTTP/1.1 400 Bad\r\n\r\n', 'x'.repeat(65_536)), whole: 'provider_response 400', streamed: 'provider_response 400' },
  { title: 'refuses with headers of odd values', treat: sends(httpAnswer(429, '{}', { 'retry-after': '-7e999', 'retry-after-ms': 'soon', 'x-request-id': '\u00ff' })), whole: 'provider_response 429', streamed: 'provider_response 429' },
]

describe.each(WAYS)('$name', ({ wire, mode }) => {
  it.each(BREAKS)('fails with a typed error, and leaves no connection, when the server $title', async ({ treat, whole, streamed }) => {
    await using server = await startRawServer(treat)
    const client = wire.client({ origin: server.origin, retry: false, timeoutMs: 150 })
    expect(await outcomeOf(mode.ask(client))).toBe(mode.isStreaming ? streamed : whole)
  })

  it('cannot be reached where nobody listens, where no name leads, and by TLS where none is spoken', async () => {
    await using server = await startRawServer(sends('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'))
    const origins = [`http://127.0.0.1:${await closedPort()}`, 'http://nobody.invalid', server.origin.replace('http:', 'https:')]
    for (const origin of origins) expect([origin, await outcomeOf(mode.ask(wire.client({ origin, retry: false })))]).toEqual([origin, 'http'])
    expect(await outcomeOf(mode.ask(wire.client({ origin: 'not an address', retry: false })))).toBe('url')
  })

  it('reads an answer after hints that come before it', async () => {
    await using server = await startRawServer(sends(Buffer.concat([Buffer.from('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'), httpAnswer(418, '{"error":{"message":"short and stout"}}')])))
    const error = await failureOf(mode.ask(wire.client({ origin: server.origin, retry: false })))
    expect([error.kind, error.status, error.message]).toEqual(['provider_response', 418, expect.stringContaining('short and stout')])
  })

  it('ends at once when it is aborted, wherever it is', async () => {
    const places: readonly [string, Treatment][] = [
      ['before the headers', () => undefined],
      ['in an answer', sends('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"a"')],
      ['in a refusal', sends('HTTP/1.1 400 Bad\r\ncontent-length: 500\r\n\r\n{"error"')],
    ]
    for (const [place, treat] of places) {
      await using server = await startRawServer(treat)
      const controller = new AbortController()
      const call = mode.ask(wire.client({ origin: server.origin, retry: false }), { signal: controller.signal })
      setTimeout(() => controller.abort(), 30)
      expect([place, await outcomeOf(call)]).toEqual([place, mode.isAgent ? 'cancelled' : 'aborted'])
      await expect.poll(() => server.open).toBe(0)
    }
    const early = mode.ask(wire.client({ origin: 'http://127.0.0.1:1', retry: false }), { signal: AbortSignal.abort() })
    expect(await outcomeOf(early)).toBe(mode.isAgent ? 'cancelled' : 'aborted')
  })
})

describe.each(WAYS.filter(({ mode }) => !mode.isAgent))('$name, by fetch', ({ wire, mode }) => {
  it.each(BREAKS.filter(({ title }) => title !== 'compresses unasked'))('fails with a typed error when the server $title', async ({ treat, whole, streamed }) => {
    await using server = await startRawServer(treat)
    const client = wire.client({ origin: server.origin, retry: false, timeoutMs: 150, fetch })
    expect(await outcomeOf(mode.ask(client))).toBe(mode.isStreaming ? streamed : whole)
  })

  it('reads what the server compresses unasked', async () => {
    await using server = await startRawServer(sends(httpAnswer(418, gzipSync('{"error":{"message":"short and stout"}}'), { 'content-encoding': 'gzip' })))
    const error = await failureOf(mode.ask(wire.client({ origin: server.origin, retry: false, fetch })))
    expect(error.message).toContain('short and stout')
  })

  it('does not follow a redirection: another address may not get the key', async () => {
    await using other = await startRawServer(sends(httpAnswer(200, '{}')))
    await using server = await startRawServer(sends(httpAnswer(307, '', { location: `${other.origin}/v1` })))
    expect(await outcomeOf(mode.ask(wire.client({ origin: server.origin, retry: false, fetch })))).toBe('provider_response 307')
    expect(other.requests).toBe(0)
  })
})

describe.each(WIRES)('A key that no header can carry, on $name', ({ client }) => {
  it.each([['node:http', {}], ['fetch', { fetch }]])('is refused before anything is sent, by %s, and told to nobody', async (_name, options) => {
    await using server = await startRawServer(sends(httpAnswer(200, '{}')))
    const error = await failureOf(client({ origin: server.origin, apiKey: 'sk-secret\n', ...options }).completionModel('m').completion({ messages: [{ role: 'user', content: [] }, { role: 'system', content: 'x' }] }))
    expect([error.kind, server.requests]).toEqual(['request', 0])
    expect(`${error.message} ${String(error.cause)}`).not.toContain('sk-secret')
  })
})

const TRANSPORTS: readonly [string, (timeoutMs: number) => Transport][] = [
  ['node:http', (timeoutMs) => new NodeTransport({ timeoutMs })],
  ['fetch', (timeoutMs) => new FetchTransport({ fetch, timeoutMs })],
]

describe.each(TRANSPORTS)('A refusal read by %s', (_name, transport) => {
  const get = (url: string, timeoutMs = 5000) => transport(timeoutMs).send({ method: 'GET', url, headers: {}, signal: new AbortController().signal })

  it('is read to a mebibyte and no further', async () => {
    await using server = await startRawServer(sendsEndlessly('HTTP/1.1 400 Bad\r\n\r\n', 'x'.repeat(65_536)))
    expect(await readRefusal(await get(server.origin))).toHaveLength(1024 * 1024)
    await expect.poll(() => server.open).toBe(0)
  })

  it('is not waited for when it only trickles', async () => {
    await using server = await startRawServer(sendsEndlessly('HTTP/1.1 400 Bad\r\n\r\n', 'x', 10))
    expect(await readRefusal(await get(server.origin), { timeMs: 150 })).toMatch(/^x{2,}$/)
    await expect.poll(() => server.open).toBe(0)
  })
})

describe.each(TRANSPORTS)('A consumer that holds %s back', (_name, transport) => {
  it('may take longer than the other side may be silent', async () => {
    await using server = await startRawServer(sendsAndEnds(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n'), Buffer.alloc(300_000, 120)])))
    const response = await transport(80).send({ method: 'GET', url: server.origin, headers: {}, signal: new AbortController().signal })
    let size = 0
    await response.read((chunk) => {
      const isFirst = size === 0
      size += chunk.length
      return isFirst ? new Promise((resolve) => setTimeout(resolve, 300)) : undefined
    })
    expect(size).toBe(300_000)
  })
})

/** A port on which somebody has just stopped to listen. */
async function closedPort(): Promise<number> {
  const server = await startRawServer(() => undefined)
  const { port } = server
  await server[Symbol.asyncDispose]()
  const probe = connect(port, '127.0.0.1')
  await new Promise((resolve) => probe.once('error', resolve))
  return port
}
