import { createServer } from 'node:net'
import zlib from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { startWebServer } from '../../../test/support/web-server.ts'
import { parseAllowList } from './address-guard.ts'
import type { ResolveHost } from './guarded-request.ts'
import { WebClient, type WebAnswer, type WebClientDeps } from './web-client.ts'

/** Only 127.0.0.2 is allowed: what else is on loopback stands for the inner network. */
const ALLOWED = parseAllowList(['127.0.0.2']) ?? expect.unreachable()

function get(url: string, deps: Partial<WebClientDeps> = {}, maxBytes = 1024 * 1024): Promise<WebAnswer> {
  return new WebClient({ allowed: ALLOWED, ...deps }).get({ url, accept: '*/*', maxBytes, signal: new AbortController().signal })
}

const refusal = { code: 'invalid_request', message: expect.stringContaining('cannot be reached: only public addresses') as string }

describe('B14: a tool that reads the web', () => {
  it.each([
    'http://127.0.0.1/', 'http://localhost/', 'http://localhost.localdomain/', 'http://LOCALHOST/', 'http://a.localhost/', 'http://[::1]/', 'http://0.0.0.0/', 'http://[::]/', 'http://0/',
    'http://10.0.0.1/', 'http://172.16.0.1/', 'http://192.168.0.1/', 'http://100.64.0.1/', 'http://169.254.169.254/latest/meta-data/', 'http://metadata.google.internal/', 'http://[fd00:ec2::254]/', 'http://[fe80::1]/',
    'http://2130706433/', 'http://017700000001/', 'http://0x7f000001/', 'http://0177.0.0.1/', 'http://0x7f.1/', 'http://127.1/', 'http://１２７.0.0.1/', 'http://127。0。0。1/',
    'http://[::ffff:127.0.0.1]/', 'http://[::127.0.0.1]/', 'http://[64:ff9b::7f00:1]/', 'http://[2002:7f00:1::]/', 'http://224.0.0.1/', 'http://192.0.2.1/', 'http://printer/', 'http://nas.local/', 'http://8.8.8.8:22/', 'http://8.8.8.8:6379/',
  ])('refuses %s', async (url) => {
    await expect(get(url)).rejects.toMatchObject(refusal)
  })

  it.each([
    ['http://user:secret@example.com/', 'user name or a password'], ['http://127.0.0.1./', 'cannot be reached'], ['http://example.com./', 'dot'], ['file:///etc/passwd', 'not a web address'], ['ftp://example.com/', 'not a web address'],
    ['gopher://127.0.0.1/', 'not a web address'], ['data:text/html,x', 'not a web address'], ['javascript:alert(1)', 'not a web address'], ['//example.com', 'not a complete URL'], ['example.com', 'not a complete URL'], ['http://', 'not a complete URL'], ['http://[::1', 'not a complete URL'], [`http://example.com/${'x'.repeat(5000)}`, 'not a complete URL'],
  ])('refuses %s', async (url, words) => {
    const error: unknown = await get(url).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'invalid_request', message: expect.stringContaining(words) as string })
    expect(String(error)).not.toContain('secret')
  })

  it('refuses a name of which any address is not public, and says nothing about the address', async () => {
    for (const address of ['127.0.0.1', '10.1.2.3', '169.254.169.254', 'fd00::1', '::ffff:10.0.0.1']) {
      const resolve: ResolveHost = () => Promise.resolve([{ address: '127.0.0.2', family: 4 }, { address, family: address.includes(':') ? 6 : 4 }])
      const error: unknown = await get('http://inner.example.com/', { resolve }).catch((reason: unknown) => reason)
      expect(error).toMatchObject(refusal)
      expect(String(error)).not.toContain(address)
    }
  })

  it('sends no byte to a refused address, whether something listens there or not', async () => {
    await using inner = await startWebServer((_, response) => response.end('secret'))
    const refused = await get(inner.url).catch((reason: unknown) => reason)
    const { port } = inner
    const nothingThere = await get(`http://127.0.0.1:${port === 1 ? 2 : 1}/`).catch((reason: unknown) => reason)
    const words = (error: unknown): string => String(error).replaceAll(/:\d+/g, ':N')
    expect(words(refused)).toBe(words(nothingThere))
    expect(inner.requests).toEqual([])
  })

  it('is safe from DNS rebinding: what was looked up is what is connected to, and every request looks up and checks again', async () => {
    await using inner = await startWebServer((_, response) => response.end('secret of the inner network'))
    await using outer = await startWebServer((request, response) => {
      if (request.url === '/again') response.writeHead(302, { location: '/secret' })
      response.end('public')
    }, '127.0.0.2')
    let lookups = 0
    // The first answer is allowed; every later one leads inside, on the same port.
    const resolve: ResolveHost = () => Promise.resolve([{ address: lookups++ === 0 ? '127.0.0.2' : '127.0.0.1', family: 4 }])
    const first = await get(`http://rebind.example.com:${outer.port}/`, { resolve })
    expect([first.body.toString(), lookups]).toEqual(['public', 1])
    await expect(get(`http://rebind.example.com:${inner.port}/`, { resolve })).rejects.toMatchObject(refusal)
    lookups = 0
    await expect(get(`http://rebind.example.com:${outer.port}/again`, { resolve })).rejects.toMatchObject(refusal)
    expect(lookups).toBe(2)
    expect(inner.requests).toEqual([])
  })

  it.each([[301], [302], [303], [307], [308]])('refuses a redirect (%i) to an inner address', async (status) => {
    await using inner = await startWebServer((_, response) => response.end('secret'))
    const targets = [inner.url, 'http://169.254.169.254/latest', 'http://[::1]/', 'http://2130706433/', `//127.0.0.1:${inner.port}/x`, 'http://localhost/']
    await using outer = await startWebServer((request, response) => response.writeHead(status, { location: targets[Number(request.url?.slice(1))] ?? '' }).end(), '127.0.0.2')
    for (const index of targets.keys()) await expect(get(`${outer.url}/${index}`)).rejects.toMatchObject(refusal)
    await using odd = await startWebServer((request, response) => response.writeHead(status, { location: request.url === '/file' ? 'file:///etc/passwd' : 'http://user:pw@127.0.0.2/' }).end(), '127.0.0.2')
    await expect(get(`${odd.url}/file`)).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining('not a web address') as string })
    await expect(get(`${odd.url}/user`)).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining('user name') as string })
    expect(inner.requests).toEqual([])
  })

  it('follows at most 5 redirects, and tells where the answer came from', async () => {
    await using server = await startWebServer((request, response) => {
      const left = Number(request.url?.slice(1))
      if (left > 0) response.writeHead(302, { location: `/${left - 1}` })
      response.end('there')
    }, '127.0.0.2')
    expect((await get(`${server.url}/5`)).url.href).toBe(`${server.url}/0`)
    await expect(get(`${server.url}/6`)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('more than 5 times') as string })
  })

  it('asks no proxy of the environment', async () => {
    await using proxy = await startWebServer((_, response) => response.end('from the proxy'), '127.0.0.2')
    await using server = await startWebServer((_, response) => response.end('direct'), '127.0.0.2')
    const before = { ...process.env }
    Object.assign(process.env, { http_proxy: proxy.url, HTTP_PROXY: proxy.url, all_proxy: proxy.url, NODE_USE_ENV_PROXY: '1' })
    try {
      expect((await get(server.url)).body.toString()).toBe('direct')
    } finally {
      for (const name of ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'NODE_USE_ENV_PROXY']) delete process.env[name]
      Object.assign(process.env, before)
    }
    expect(proxy.requests).toEqual([])
  })
})

describe('a request to the web', () => {
  it('is a plain GET without cookies or anything that tells who asks', async () => {
    await using server = await startWebServer((_, response) => response.writeHead(200, { 'set-cookie': 'id=1' }).end('x'), '127.0.0.2')
    await get(`${server.url}/a`)
    await get(`${server.url}/b#part`)
    expect(server.requests).toEqual(['GET /a', 'GET /b'])
    expect(Object.keys(server.headers[1] ?? {}).sort()).toEqual(['accept', 'accept-encoding', 'accept-language', 'connection', 'host', 'user-agent'])
  })

  it.each([['gzip', zlib.gzipSync], ['deflate', zlib.deflateSync], ['br', zlib.brotliCompressSync]])('unpacks %s, and stops at the limit when it is a bomb', async (encoding, pack) => {
    const bomb = pack(Buffer.alloc(200 * 1024 * 1024))
    await using server = await startWebServer((request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(request.url === '/bomb' ? bomb : pack(Buffer.from('hello'))), '127.0.0.2')
    expect((await get(server.url)).body.toString()).toBe('hello')
    const memory = process.memoryUsage().rss
    const { body, isCut } = await get(`${server.url}/bomb`)
    expect([body.length, isCut]).toEqual([1024 * 1024, true])
    expect(process.memoryUsage().rss - memory).toBeLessThan(100 * 1024 * 1024)
  })

  it('reads an endless answer up to the limit', async () => {
    await using server = await startWebServer((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, 'x')));
      }
      response.on('drain', more)
      more()
    }, '127.0.0.2')
    expect(await get(server.url)).toMatchObject({ isCut: true })
  })

  it.each([
    { what: 'an encoding that nobody asked for', headers: { 'content-encoding': 'zstd' }, code: 'unsupported_media_type', words: 'not asked for' },
    { what: 'bytes that are not what they say', headers: { 'content-encoding': 'gzip' }, code: 'unavailable', words: 'packed wrongly' },
    { what: 'a huge header', headers: { 'x-large': 'x'.repeat(60_000) }, code: 'unavailable', words: 'too large a header' },
  ])('fails well on $what', async ({ headers, code, words }) => {
    await using server = await startWebServer((_, response) => response.writeHead(200, headers).end('plain text'), '127.0.0.2')
    await expect(get(server.url)).rejects.toMatchObject({ code, message: expect.stringContaining(words) as string })
  })

  it('ends when the server never answers, or never finishes', async () => {
    await using silent = await startWebServer(() => undefined, '127.0.0.2')
    await expect(get(silent.url, { times: { headersMs: 100 } })).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('did not answer in time') as string })
    await using slow = await startWebServer((_, response) => void setInterval(() => response.write('x'), 20).unref(), '127.0.0.2')
    await expect(get(slow.url, { times: { totalMs: 300 } })).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('longer than 0.3 seconds') as string })
  })

  it('fails well on what is no HTTP, and on a port where nothing is', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined).resume().end('SSH-2.0-OpenSSH\r\n'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve))
    const bound = server.address()
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0
    await expect(get(`http://127.0.0.2:${port}/`)).rejects.toMatchObject({ code: 'unavailable' })
    await new Promise((resolve) => server.close(resolve))
    await expect(get(`http://127.0.0.2:${port}/`)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('refused the connection') as string })
  })

  it('rejects with the reason of an abort', async () => {
    await using silent = await startWebServer(() => undefined, '127.0.0.2')
    const stop = new AbortController()
    const reason = new Error('stopped')
    const pending = new WebClient({ allowed: ALLOWED }).get({ url: silent.url, accept: '*/*', maxBytes: 1, signal: stop.signal })
    setTimeout(() => stop.abort(reason), 50)
    await expect(pending).rejects.toBe(reason)
  })
})
