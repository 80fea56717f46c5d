import { createHash, randomBytes } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHttpApp, type HttpApp, type HttpRequest } from '../../test/support/http-app.ts'

const LIMIT = 3 * 1024 * 1024

let http: HttpApp
let base: string
beforeAll(async () => {
  http = await createHttpApp({ fileBytes: LIMIT })
  base = `/workspaces/${http.owner.workspaceId}`
})
afterAll(() => http[Symbol.asyncDispose]())

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')
const codeOf = (response: { json(): unknown }) => (response.json() as { error: { code: string } }).error.code
const call = (request: HttpRequest) => http.owner.call({ ...request, path: base + request.path })
const at = (path: string) => `/files/content?path=${encodeURIComponent(path)}`
const put = (path: string, body: Buffer | string, headers: Record<string, string> = {}) => call({ method: 'PUT', path: at(path), body, headers })
const get = (path: string, headers: Record<string, string> = {}) => call({ path: at(path), headers })

describe('file content', () => {
  it('comes back byte for byte, whatever the content type of the upload said', async () => {
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'image/png']) {
      const bytes = randomBytes(1000)
      const stored = await put(`/bytes/${type}.bin`, bytes, { 'content-type': type })
      expect(stored.statusCode).toBe(201)
      const back = await get(`/bytes/${type}.bin`)
      expect(back.rawPayload.equals(bytes)).toBe(true)
      expect([back.headers.etag, back.headers['content-length']]).toEqual([`"${sha256(bytes)}"`, '1000'])
    }
  })

  it('is created with its parents, then gets versions, and an equal upload gives none', async () => {
    const first = await put('/a/b/c.txt', 'one')
    expect(first.statusCode).toBe(201)
    expect(first.json()).toMatchObject({ file: { path: '/a/b/c.txt', version: 1, size: 3, hash: sha256('one') }, version: { number: 1, author: { kind: 'user', id: http.owner.id } }, unchanged: false })
    const second = await put('/a/b/c.txt', 'two')
    expect([second.statusCode, second.headers.etag]).toEqual([200, `"${sha256('two')}"`])
    expect((await put('/a/b/c.txt', 'two')).json()).toMatchObject({ version: { number: 2 }, unchanged: true })
    expect((await call({ path: `${at('/a/b/c.txt')}&version=1` })).body).toBe('one')
    expect((await call({ path: `${at('/a/b/c.txt')}&version=9` })).statusCode).toBe(404)
  })

  it('may be empty', async () => {
    expect((await put('/empty.txt', '')).statusCode).toBe(201)
    const back = await get('/empty.txt')
    expect([back.statusCode, back.headers['content-length'], back.body]).toEqual([200, '0', ''])
  })

  it('keeps odd names exact', async () => {
    for (const name of ['/ü b+c&d=e%20#?.txt', '/日本.md', '/-rf', "/'quote\".txt", '/--pre=sh']) {
      await put(name, name)
      expect((await get(name)).body).toBe(name)
    }
  })

  it('is not sent again to who has it', async () => {
    await put('/known.txt', 'known')
    const tag = `"${sha256('known')}"`
    const again = await get('/known.txt', { 'if-none-match': `"other", ${tag}` })
    expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', tag])
    expect((await get('/known.txt', { 'if-none-match': '"other"' })).statusCode).toBe(200)
  })

  it('is sent in parts', async () => {
    const bytes = randomBytes(700_000)
    await put('/range.bin', bytes)
    const part = await get('/range.bin', { range: 'bytes=262100-262200' })
    expect([part.statusCode, part.headers['content-range'], part.headers['content-length']]).toEqual([206, 'bytes 262100-262200/700000', '101'])
    expect(part.rawPayload.equals(bytes.subarray(262_100, 262_201))).toBe(true)
    expect((await get('/range.bin', { range: 'bytes=-5' })).rawPayload.equals(bytes.subarray(-5))).toBe(true)
    const after = await get('/range.bin', { range: 'bytes=700000-' })
    expect([after.statusCode, after.headers['content-range'], codeOf(after)]).toEqual([416, 'bytes */700000', 'range_not_satisfiable'])
    expect((await get('/range.bin', { range: 'bytes=0-1', 'if-range': '"changed"' })).statusCode).toBe(200)
  })

  it('answers HEAD with the headers alone', async () => {
    await put('/head.txt', 'twelve bytes')
    const head = await call({ method: 'HEAD', path: at('/head.txt') })
    expect([head.statusCode, head.headers['content-length'], head.headers.etag, head.body]).toEqual([200, '12', `"${sha256('twelve bytes')}"`, ''])
  })

  it('cannot script our origin', async () => {
    await put('/page.html', '<script>alert(1)</script>')
    const { headers } = await get('/page.html')
    expect(headers['content-security-policy']).toMatch(/^sandbox;/)
    expect(headers['content-disposition']).toMatch(/^attachment/)
    expect(headers['x-content-type-options']).toBe('nosniff')
  })

  it('of a folder, below a file or of nothing is refused', async () => {
    await put('/plain.txt', 'x')
    await call({ method: 'POST', path: '/files/folder', body: { path: '/folder' } })
    const refused = [await get('/folder'), await get('/'), await put('/folder', 'x'), await put('/plain.txt/below', 'x'), await get('/nothing')]
    expect(refused.map((response) => [response.statusCode, codeOf(response)])).toEqual([...Array<unknown>(4).fill([409, 'conflict']), [404, 'not_found']])
  })

  it.each(['/../etc/passwd', '/a/../../b', '/nul\u0000', '/back\\slash', `/${'x'.repeat(256)}`, `/${'long/'.repeat(300)}`])('under the path %j is refused in every route', async (path) => {
    const query = encodeURIComponent(path)
    const responses = [
      await get(path),
      await put(path, 'x'),
      await call({ path: `/files?path=${query}` }),
      await call({ path: `/files/versions?path=${query}` }),
      await call({ method: 'DELETE', path: `/files?path=${query}` }),
      await call({ method: 'POST', path: '/files/folder', body: { path } }),
      await call({ method: 'POST', path: '/files/move', body: { from: '/plain.txt', to: path } }),
      await call({ method: 'POST', path: '/files/move', body: { from: path, to: '/x' } }),
      await call({ method: 'POST', path: '/files/restore', body: { path, version: 1 } }),
    ]
    expect(responses.map((response) => [response.statusCode, codeOf(response)])).toEqual(Array(9).fill([400, 'invalid_request']))
  })
})

describe('preconditions', () => {
  it('let a write through only on the version that the client knows', async () => {
    await put('/shared.txt', 'one')
    const tag = `"${sha256('one')}"`
    expect((await put('/shared.txt', 'two', { 'if-match': tag })).statusCode).toBe(200)
    const late = await put('/shared.txt', 'three', { 'if-match': tag })
    expect([late.statusCode, codeOf(late)]).toEqual([412, 'version_mismatch'])
    expect((await get('/shared.txt')).body).toBe('two')
    expect((await put('/none.txt', 'x', { 'if-match': '*' })).statusCode).toBe(412)
  })

  it('let one of many clients create a file', async () => {
    const tries = await Promise.all(['1', '2', '3', '4'].map((text) => put('/race.txt', text, { 'if-none-match': '*' })))
    expect(tries.map(({ statusCode }) => statusCode).sort()).toEqual([201, 412, 412, 412])
  })

  it('hold for deletes too', async () => {
    await put('/doomed.txt', 'x')
    const path = '/files?path=/doomed.txt'
    expect((await call({ method: 'DELETE', path, headers: { 'if-match': '"other"' } })).statusCode).toBe(412)
    expect((await call({ method: 'DELETE', path, headers: { 'if-match': `"${sha256('x')}"` } })).statusCode).toBe(204)
  })
})

describe('the tree', () => {
  it('is listed, folders first, page by page', async () => {
    for (const name of ['b.txt', 'a.txt', 'sub/inner.txt']) await put(`/list/${name}`, 'x')
    const names = (response: { json(): unknown }) => (response.json() as { items: { name: string }[] }).items.map(({ name }) => name)
    expect(names(await call({ path: '/files?path=/list' }))).toEqual(['sub', 'a.txt', 'b.txt'])
    expect(names(await call({ path: '/files?path=/list&recursive=true' }))).toContain('inner.txt')
    const first = await call({ path: '/files?path=/list&limit=2' })
    const { next_cursor: cursor } = first.json<{ next_cursor: string }>()
    expect([...names(first), ...names(await call({ path: `/files?path=/list&limit=2&cursor=${encodeURIComponent(cursor)}` }))]).toEqual(['sub', 'a.txt', 'b.txt'])
    expect(names(await call({ path: '/files?path=/list/a.txt' }))).toEqual(['a.txt'])
    expect((await call({ path: '/files?path=/missing' })).statusCode).toBe(404)
    expect((await call({ path: '/files?recursive=maybe' })).statusCode).toBe(400)
  })

  it('changes by folder, move, restore and delete, and the mirror hears of each change', async () => {
    const before = http.mirrored.length
    expect((await call({ method: 'POST', path: '/files/folder', body: { path: '/projects/deep' } })).json()).toMatchObject({ file: { path: '/projects/deep', file_type: 'folder' } })
    await put('/projects/old.txt', 'one')
    await put('/projects/old.txt', 'two')
    expect((await call({ method: 'POST', path: '/files/move', body: { from: '/projects/old.txt', to: '/projects/deep/new.txt' } })).json()).toMatchObject({ file: { path: '/projects/deep/new.txt' } })
    expect((await call({ method: 'POST', path: '/files/restore', body: { path: '/projects/deep/new.txt', version: 1 } })).json()).toMatchObject({ file: { version: 3, hash: sha256('one') } })
    const versions = (await call({ path: '/files/versions?path=/projects/deep/new.txt' })).json<{ items: { number: number }[] }>()
    expect(versions.items.map(({ number }) => number)).toEqual([3, 2, 1])
    expect((await call({ method: 'DELETE', path: '/files?path=/projects' })).statusCode).toBe(204)
    expect((await call({ path: '/files?path=/projects' })).statusCode).toBe(404)
    expect((await call({ method: 'DELETE', path: '/files?path=/projects' })).statusCode).toBe(404)
    const seqs = http.mirrored.slice(before).map(({ seq }) => seq)
    expect(seqs).toHaveLength(6)
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
  })

  it('changes once per Idempotency-Key', async () => {
    await put('/once.txt', 'x')
    const move = (from: string) => call({ method: 'POST', path: '/files/move', body: { from, to: '/moved.txt' }, headers: { 'idempotency-key': 'move' } })
    const [first, repeat] = await Promise.all([move('/once.txt'), move('/once.txt')])
    expect([first.statusCode, repeat.statusCode]).toEqual([200, 200])
    expect(repeat.json()).toEqual(first.json())
    expect((await move('/other.txt')).statusCode).toBe(409)
  })
})

describe('roles', () => {
  it('let a viewer read and nothing else', async () => {
    const viewer = await http.addUser('viewer')
    await http.owner.call({ method: 'PUT', path: `${base}/members/${viewer.id}`, body: { role: 'viewer' } })
    await put('/seen.txt', 'seen')
    expect((await viewer.call({ path: base + at('/seen.txt') })).body).toBe('seen')
    const refused = [
      await viewer.call({ method: 'PUT', path: base + at('/seen.txt'), body: 'x' }),
      await viewer.call({ method: 'DELETE', path: `${base}/files?path=/seen.txt` }),
      await viewer.call({ method: 'POST', path: `${base}/files/folder`, body: { path: '/x' } }),
      await viewer.call({ method: 'POST', path: `${base}/files/move`, body: { from: '/seen.txt', to: '/x' } }),
      await viewer.call({ method: 'POST', path: `${base}/files/restore`, body: { path: '/seen.txt', version: 1 } }),
      await viewer.call({ method: 'POST', path: `${base}/tools/write`, body: { args: { path: '/x', content: 'x' } } }),
    ]
    expect(refused.map((response) => [response.statusCode, codeOf(response)])).toEqual(Array(6).fill([403, 'forbidden']))
    expect((await viewer.call({ method: 'POST', path: `${base}/tools/ls`, body: { args: {} } })).json()).toMatchObject({ ok: true })
  })
})

describe('tools by hand', () => {
  const run = (name: string, args: unknown, headers: Record<string, string> = {}) => call({ method: 'POST', path: `/tools/${name}`, body: { args }, headers })

  it('are listed with the schema of their arguments', async () => {
    const { items } = (await call({ path: '/tools' })).json<{ items: { name: string; effect: string; parameters: { type: string } }[] }>()
    expect(items.map(({ name }) => name)).toEqual(expect.arrayContaining(['ls', 'read', 'write', 'edit', 'grep']))
    expect(items.every(({ parameters }) => parameters.type === 'object')).toBe(true)
  })

  it('read and write as a model would, versions naming the person', async () => {
    expect((await run('write', { path: '/by-tool.txt', content: 'hello' })).json()).toMatchObject({ ok: true })
    expect((await get('/by-tool.txt')).body).toBe('hello')
    expect((await run('read', { path: '/by-tool.txt' })).json()).toMatchObject({ ok: true })
    expect((await call({ path: '/files/versions?path=/by-tool.txt' })).json()).toMatchObject({ items: [{ author: { kind: 'user', id: http.owner.id }, tool_call_id: null }] })
  })

  it('answer 200 with the text that a model would read when they refuse, bad arguments included', async () => {
    for (const [name, args] of [['read', { path: '/missing' }], ['read', { pth: '/x' }], ['write', null], ['ls', { path: '/../etc' }]] as const) {
      const response = await run(name, args)
      expect([response.statusCode, response.json()]).toEqual([200, { ok: false, error: { code: expect.any(String) as unknown, message: expect.any(String) as unknown } }])
    }
  })

  it('answer 404 to an unknown name', async () => {
    expect((await run('format_disk', {})).statusCode).toBe(404)
    expect((await run('toString', {})).statusCode).toBe(404)
  })

  it('happen once per Idempotency-Key, even where a second time would be refused', async () => {
    const write = () => run('write', { path: '/keyed.txt', content: 'once' }, { 'idempotency-key': 'tool' })
    const answers = [...(await Promise.all([write(), write()])), await write()].map((response) => response.json<unknown>())
    expect(answers[0]).toMatchObject({ ok: true })
    expect(answers).toEqual([answers[0], answers[0], answers[0]])
  })
})

describe('over a real connection', () => {
  let port: number
  beforeAll(async () => {
    await http.app.listen({ host: '127.0.0.1', port: 0 })
    port = (http.app.server.address() as AddressInfo).port
  })

  /** Sends pieces without a Content-Length; resolves with the answer even when the server does not want all of them. */
  function upload(path: string, pieces: readonly Buffer[], headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({ port, method: 'PUT', path: `/api/v1${base}${at(path)}`, headers: { authorization: `Bearer ${http.owner.token}`, ...headers } }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }))
      })
      outgoing.on('error', reject)
      for (const piece of pieces) outgoing.write(piece)
      outgoing.end()
    })
  }

  it('takes an upload of unknown length and any type, and streams it back', async () => {
    const pieces = Array.from({ length: 40 }, () => randomBytes(70_000))
    expect((await upload('/streamed.bin', pieces)).status).toBe(201)
    const back = await fetch(`http://127.0.0.1:${port}/api/v1${base}${at('/streamed.bin')}`, { headers: { authorization: `Bearer ${http.owner.token}` } })
    expect(sha256(Buffer.from(await back.arrayBuffer()))).toBe(sha256(Buffer.concat(pieces)))
  })

  it('tells a client that its upload is too large, announced or not, and stores nothing', async () => {
    const pieces = Array.from({ length: 8 }, () => Buffer.alloc(512 * 1024))
    const silent = await upload('/huge.bin', pieces)
    expect([silent.status, JSON.parse(silent.body)]).toMatchObject([413, { error: { code: 'payload_too_large' } }])
    const announced = await upload('/huge.bin', pieces, { 'content-length': String(4 * 1024 * 1024) })
    expect(announced.status).toBe(413)
    expect((await get('/huge.bin')).statusCode).toBe(404)
  })

  it('stores nothing of an upload that broke off', async () => {
    const outgoing = httpRequest({ port, method: 'PUT', path: `/api/v1${base}${at('/broken.bin')}`, headers: { authorization: `Bearer ${http.owner.token}`, 'content-length': '2000000' } })
    const failed = new Promise((resolve) => outgoing.on('error', resolve))
    await new Promise((resolve) => outgoing.write(Buffer.alloc(1_500_000), resolve))
    outgoing.destroy(new Error('cable pulled'))
    await failed
    await expect.poll(() => http.logged.some((line) => line.includes('/files/content') && line.includes('"method":"PUT"') && !/"status":(200|201|413)/.test(line))).toBe(true)
    expect((await get('/broken.bin')).statusCode).toBe(404)
  })

  it('answers what is no HTTP with a body of ours', async () => {
    const { connect } = await import('node:net')
    const socket = connect(port, '127.0.0.1')
    socket.write('NONSENSE\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text).toMatch(/^HTTP\/1\.1 400/)
    expect(text).toContain('"code":"invalid_request"')
  })
})

it('answers 404 for a workspace that does not exist', async () => {
  expect((await http.owner.call({ path: `/workspaces/${uuidv7()}/files` })).statusCode).toBe(404)
})
