import { describe, expect, it } from 'vitest'
import { FIXTURE_TOKEN, FixtureServer } from '../test/support/fixture-server.ts'
import { createClient } from './buildscale-client.ts'
import { paginate } from './paginate.ts'
import { SdkError } from './sdk-error.ts'

function clientOf(server: FixtureServer) {
  return createClient({ url: server.url, token: FIXTURE_TOKEN })
}

describe('the client', () => {
  it('stores bytes and gives back the same bytes, with hash and type', async () => {
    await using server = await FixtureServer.start()
    const files = clientOf(server).files(server.main.id)
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)

    const stored = await files.put('/dir with space/ä.bin', bytes)
    const content = await files.content('/dir with space/ä.bin')

    expect(stored).toMatchObject({ file: { path: '/dir with space/ä.bin', size: 256 }, version: { number: 1 }, unchanged: false })
    expect(content).toMatchObject({ hash: stored.version.hash, mime: 'application/octet-stream', size: 256 })
    expect(await content.bytes()).toEqual(bytes)
  })

  it('reads an older version of a file', async () => {
    await using server = await FixtureServer.start()
    const files = clientOf(server).files(server.main.id)
    await files.put('/a.md', 'one')
    await files.put('/a.md', 'two')
    expect(await (await files.content('/a.md', { version: 1 })).text()).toBe('one')
    expect((await files.versions('/a.md')).items.map(({ number }) => number)).toEqual([2, 1])
  })

  it('sends the guards of a write as the server wants them', async () => {
    await using server = await FixtureServer.start()
    await clientOf(server).files(server.main.id).put('/a', 'x', { ifHash: 'abc' })
    await clientOf(server).files(server.main.id).put('/b', 'x', { ifMissing: true })
    expect(server.requests.map(({ headers }) => [headers['if-match'], headers['if-none-match']])).toEqual([['"abc"', undefined], [undefined, '*']])
  })

  it('walks through all pages of a list', async () => {
    await using server = await FixtureServer.start()
    for (let index = 0; index < 25; index += 1) server.main.put(`/f${index}.txt`, Buffer.from('x'))
    const files = clientOf(server).files(server.main.id)
    const all = await Array.fromAsync(paginate((cursor) => files.list('/', { limit: 10, cursor })))
    expect(all.length).toBe(25)
    expect(server.requests.length).toBe(3)
  })

  it('fails with the code, status, message and request id that the server sent', async () => {
    await using server = await FixtureServer.start()
    const error: unknown = await clientOf(server).files(server.main.id).content('/missing').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(SdkError)
    expect(error).toMatchObject({ code: 'not_found', status: 404, message: 'No such file', requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string })
  })

  it('says unavailable, and why, when nothing answers', async () => {
    const server = await FixtureServer.start()
    const client = clientOf(server)
    await server[Symbol.asyncDispose]()
    await expect(client.health()).rejects.toMatchObject({ code: 'unavailable', status: 0, message: expect.stringContaining('ECONNREFUSED') as string })
  })

  it('says so when something else than BuildScale answers', async () => {
    const fetch = (): Promise<Response> => Promise.resolve(new Response('<html>hello</html>'))
    await expect(createClient({ url: 'http://proxy.test', fetch }).health()).rejects.toMatchObject({ code: 'invalid_response' })
    const broken = (): Promise<Response> => Promise.resolve(new Response('Bad gateway', { status: 502 }))
    await expect(createClient({ url: 'http://proxy.test', fetch: broken }).health()).rejects.toMatchObject({ code: 'unavailable', status: 502 })
  })

  it('answers ready with the parts also when the server is not', async () => {
    await using server = await FixtureServer.start()
    server.workspaces.length = 0
    expect(await clientOf(server).ready()).toEqual({ status: 'unavailable', parts: { database: { ok: false, detail: 'no answer' } } })
  })

  it('signs requests with the token, or as a browser whose cookie does', async () => {
    await using server = await FixtureServer.start()
    await clientOf(server).health()
    await createClient({ url: `${server.url}/` }).health()
    expect(server.requests.map(({ headers }) => [headers.authorization, headers['x-buildscale']])).toEqual([[`Bearer ${FIXTURE_TOKEN}`, undefined], [undefined, '1']])
  })

  it('sends an idempotency key with what creates', async () => {
    await using server = await FixtureServer.start()
    await clientOf(server).chats(server.main.id).create({ title: 'x' }, { idempotencyKey: 'once' })
    expect(server.requests[0]?.headers['idempotency-key']).toBe('once')
  })

  it('rejects with the reason of the caller’s signal', async () => {
    await using server = await FixtureServer.start()
    await expect(clientOf(server).health({ signal: AbortSignal.abort(new Error('changed my mind')) })).rejects.toThrow('changed my mind')
  })

  it('gives a failed tool as an answer', async () => {
    await using server = await FixtureServer.start()
    expect(await clientOf(server).tools(server.main.id).run('read', { path: '/nope' })).toEqual({ ok: false, error: { code: 'not_found', message: 'No such file' } })
  })
})
