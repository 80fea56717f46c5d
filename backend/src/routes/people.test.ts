import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHttpApp, type HttpApp } from '../../test/support/http-app.ts'

let http: HttpApp
beforeAll(async () => {
  http = await createHttpApp()
})
afterAll(() => http[Symbol.asyncDispose]())

const errorOf = (response: { json(): unknown }) => (response.json() as { error: { code: string; message: string; request_id: string; details?: { fields: unknown } } }).error

describe('errors', () => {
  it('have one body for everything, unknown addresses included, with the id that the header and the log have', async () => {
    const response = await http.anonymous({ path: '/nothing-here' })
    expect(response.statusCode).toBe(404)
    expect(errorOf(response)).toEqual({ code: 'not_found', message: 'There is nothing at this address.', request_id: response.headers['x-request-id'] })
    expect(http.logged.some((line) => line.includes(String(response.headers['x-request-id'])))).toBe(true)
  })

  it('say which methods an address has', async () => {
    const response = await http.owner.call({ method: 'PATCH', path: '/users' })
    expect([response.statusCode, response.headers.allow, errorOf(response).code]).toEqual([405, 'POST', 'method_not_allowed'])
    const content = await http.owner.call({ method: 'POST', path: `/workspaces/${http.owner.workspaceId}/files/content` })
    expect([content.statusCode, content.headers.allow]).toEqual([405, 'GET, HEAD, PUT'])
  })

  it('name every bad field of query and body', async () => {
    const body = await http.owner.call({ method: 'POST', path: '/users', body: { name: '', email: 'nobody', rank: 1 } })
    expect(body.statusCode).toBe(400)
    expect(errorOf(body).details?.fields).toMatchObject([
      { in: 'body', field: 'name' },
      { in: 'body', field: 'email' },
      { in: 'body', field: 'rank', message: 'is not a known field' },
    ])
    expect(errorOf(body).message).toMatch(/body\.name.*body\.email.*body\.rank/)
    const query = await http.owner.call({ path: '/tokens?limit=0&page=2&cursor=a&cursor=b' })
    expect(errorOf(query).details?.fields).toMatchObject([{ field: 'limit' }, { field: 'cursor' }, { field: 'page' }])
  })

  it.each([
    ['broken JSON', '{"name":'],
    ['broken UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    ['a body that is no object', '[]'],
  ])('answer 400 to %s', async (_what, body) => {
    const response = await http.owner.call({ method: 'POST', path: '/users', body, headers: { 'content-type': 'application/json' } })
    expect([response.statusCode, errorOf(response).code]).toEqual([400, 'invalid_request'])
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])('answer 415 to a body of type %s', async (type) => {
    const response = await http.owner.call({ method: 'POST', path: '/users', body: '{"name":"x"}', headers: { 'content-type': type } })
    expect([response.statusCode, errorOf(response).code]).toEqual([415, 'unsupported_media_type'])
  })

  it('answer 415 to a compressed body and 413 to one over 2 MiB', async () => {
    const compressed = await http.owner.call({ method: 'POST', path: '/users', body: { name: 'x' }, headers: { 'content-encoding': 'gzip' } })
    expect([compressed.statusCode, errorOf(compressed).code]).toEqual([415, 'unsupported_media_type'])
    const large = await http.owner.call({ method: 'POST', path: '/users', body: { name: 'x'.repeat(2 * 1024 * 1024) } })
    expect([large.statusCode, errorOf(large).code]).toEqual([413, 'payload_too_large'])
  })

  it.each(['/workspaces/%zz', '/workspaces/not-an-id', `/workspaces/${'a'.repeat(600)}`, '/tokens/1'])('answer with a body of ours to the odd address %s', async (path) => {
    const response = await http.owner.call({ path, method: path.startsWith('/tokens') ? 'DELETE' : 'GET' })
    expect(response.statusCode).toBe(path.includes('%zz') ? 400 : 404)
    expect(errorOf(response).request_id).toBe(response.headers['x-request-id'])
  })

  it('of our own making stay inside: the client gets a sentence, the log the reason', async () => {
    await using broken = await createHttpApp({ deps: { models: () => Promise.reject(new Error('password=hunter2')) } })
    const response = await broken.owner.call({ path: '/models' })
    expect([response.statusCode, errorOf(response).code]).toEqual([500, 'internal'])
    expect(response.body).not.toContain('hunter2')
    expect(broken.logged.some((line) => line.includes('hunter2') && line.includes(errorOf(response).request_id))).toBe(true)
  })
})

describe('the system', () => {
  it('is healthy without a sign-in', async () => {
    expect((await http.anonymous({ path: '/health' })).json()).toEqual({ status: 'ok', version: '0.0.0-test' })
    expect((await http.anonymous({ path: '/health', method: 'HEAD' })).statusCode).toBe(200)
  })

  it('says which part is not ready', async () => {
    expect((await http.anonymous({ path: '/ready' })).statusCode).toBe(200)
    const parts = { database: { ok: true }, mirror: { ok: false, detail: 'catching up' } }
    await using behind = await createHttpApp({ deps: { ready: () => Promise.resolve(parts) } })
    const response = await behind.anonymous({ path: '/ready' })
    expect([response.statusCode, response.json()]).toEqual([503, { status: 'unavailable', parts }])
  })

  it('lets the local owner alone run the doctor', async () => {
    const guest = await http.addUser('patient')
    expect((await guest.call({ method: 'POST', path: '/doctor', body: {} })).statusCode).toBe(403)
    expect((await http.owner.call({ method: 'POST', path: '/doctor' })).json()).toEqual({ ok: true, workspaces: [] })
  })
})

describe('signing in', () => {
  it('is needed, with a token that works', async () => {
    for (const headers of [{}, { authorization: 'Bearer bs_wrong' }, { authorization: `Basic ${http.owner.token}` }, { cookie: 'buildscale_session=wrong' }]) {
      const response = await http.anonymous({ path: '/me', headers })
      expect([response.statusCode, errorOf(response).code, response.headers['www-authenticate']]).toEqual([401, 'unauthenticated', 'Bearer'])
    }
    expect((await http.owner.call({ path: '/me' })).json()).toMatchObject({ user: { id: http.owner.id }, workspaces: [{ name: 'main', role: 'owner' }] })
  })

  /** A browser that followed a sign-in link. */
  async function browser() {
    const { code } = (await http.owner.call({ method: 'POST', path: '/session/code' })).json<{ code: string }>()
    const response = await http.anonymous({ method: 'POST', path: '/session', body: { code } })
    const cookie = String(response.headers['set-cookie'])
    return { code, response, cookie, headers: { cookie: cookie.split(';')[0] ?? '' } }
  }

  it('works once with a code from a link, and sets a cookie that scripts cannot read', async () => {
    const { code, response, cookie, headers } = await browser()
    expect(response.json()).toMatchObject({ user: { id: http.owner.id } })
    expect(cookie).toMatch(/^buildscale_session=[\w-]{43}; HttpOnly; SameSite=Lax; Path=\/; Max-Age=\d+$/)
    expect((await http.anonymous({ path: '/me', headers })).json()).toMatchObject({ user: { id: http.owner.id } })
    const again = await http.anonymous({ method: 'POST', path: '/session', body: { code } })
    expect([again.statusCode, errorOf(again).code]).toEqual([401, 'unauthenticated'])
  })

  it('gives links to the address under which the server was asked', async () => {
    const made = (await http.owner.call({ method: 'POST', path: '/session/code', headers: { host: 'localhost:4321' } })).json<{ url: string; code: string; expires_at: string }>()
    expect(made.url).toBe(`http://localhost:4321/sign-in#code=${made.code}`)
    expect(Date.parse(made.expires_at) - Date.now()).toBeGreaterThan(9 * 60_000)
  })

  it('by cookie changes things only with the header that other sites cannot send', async () => {
    const { headers } = await browser()
    const body = { name: 'by cookie' }
    const without = await http.anonymous({ method: 'POST', path: '/workspaces', body, headers })
    expect([without.statusCode, errorOf(without).code]).toEqual([403, 'forbidden'])
    expect((await http.anonymous({ method: 'POST', path: '/workspaces', body, headers: { ...headers, 'x-buildscale': '1' } })).statusCode).toBe(201)
  })

  it('by cookie is refused to pages of another origin', async () => {
    const { headers } = await browser()
    const from = (origin: string) => http.anonymous({ method: 'POST', path: '/workspaces', body: { name: origin }, headers: { ...headers, 'x-buildscale': '1', host: 'localhost:80', origin } })
    expect((await from('http://evil.example')).statusCode).toBe(403)
    expect((await from('null')).statusCode).toBe(403)
    const same = await http.anonymous({ method: 'POST', path: '/workspaces', body: { name: 'same' }, headers: { ...headers, 'x-buildscale': '1', host: 'localhost:3000', origin: 'http://localhost:3000' } })
    expect(same.statusCode).toBe(201)
  })

  it('ends with the session', async () => {
    const { headers } = await browser()
    const out = await http.anonymous({ method: 'DELETE', path: '/session', headers: { ...headers, 'x-buildscale': '1' } })
    expect([out.statusCode, out.body]).toEqual([204, ''])
    expect(String(out.headers['set-cookie'])).toContain('Max-Age=0')
    expect((await http.anonymous({ path: '/me', headers })).statusCode).toBe(401)
  })

  it('is refused under a host name that is not ours', async () => {
    const response = await http.owner.call({ path: '/me', headers: { host: 'rebound.example' } })
    expect([response.statusCode, errorOf(response).code]).toEqual([403, 'forbidden'])
  })

  it('leaves no secret in the log', async () => {
    const { code, headers } = await browser()
    await http.owner.call({ path: `/me?token=${http.owner.token}` })
    const log = http.logged.join('\n')
    for (const secret of [code, headers.cookie.split('=')[1] ?? '-', http.owner.token]) expect(log).not.toContain(secret)
  })
})

describe('users and tokens', () => {
  it('are added by the local owner alone', async () => {
    const guest = await http.addUser('guest')
    expect((await guest.call({ method: 'POST', path: '/users', body: { name: 'x' } })).statusCode).toBe(403)
    expect((await guest.call({ method: 'POST', path: '/tokens', body: { name: 'x', user_id: http.owner.id } })).statusCode).toBe(403)
    expect((await http.owner.call({ method: 'POST', path: '/tokens', body: { name: 'x', user_id: uuidv7() } })).statusCode).toBe(404)
  })

  it('are made once per Idempotency-Key, the token shown again to who made it', async () => {
    const headers = { 'idempotency-key': 'one' }
    const users = await Promise.all([1, 2].map(() => http.owner.call({ method: 'POST', path: '/users', body: { name: 'twin' }, headers })))
    expect(users.map(({ statusCode }) => statusCode)).toEqual([201, 201])
    expect(users[0]?.json()).toEqual(users[1]?.json())
    const tokens = await Promise.all([1, 2].map(() => http.owner.call({ method: 'POST', path: '/tokens', body: { name: 'twin' }, headers })))
    expect(tokens[0]?.json()).toEqual(tokens[1]?.json())
    const other = await http.owner.call({ method: 'POST', path: '/tokens', body: { name: 'other' }, headers })
    expect([other.statusCode, errorOf(other).code]).toEqual([409, 'conflict'])
    const malformed = await http.owner.call({ method: 'POST', path: '/tokens', body: { name: 'x' }, headers: { 'idempotency-key': 'a b' } })
    expect([malformed.statusCode, errorOf(malformed).message]).toEqual([400, expect.stringContaining('Idempotency-Key')])
  })

  it('are listed without secrets and revoked by their owner', async () => {
    const guest = await http.addUser('revoker')
    const { items } = (await guest.call({ path: '/tokens' })).json<{ items: { id: string }[] }>()
    expect(Object.keys(items[0] ?? {}).sort()).toEqual(['created_at', 'expires_at', 'id', 'last_used_at', 'name', 'user_id'])
    expect((await http.owner.call({ method: 'DELETE', path: `/tokens/${items[0]?.id}` })).statusCode).toBe(404)
    expect((await guest.call({ method: 'DELETE', path: `/tokens/${items[0]?.id}` })).statusCode).toBe(204)
    expect((await guest.call({ path: '/me' })).statusCode).toBe(401)
  })
})

it('sends headers that keep browsers from misusing an answer', async () => {
  const { headers } = await http.owner.call({ path: '/me' })
  expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' })
  expect(headers['content-security-policy']).toContain("default-src 'none'")
})
