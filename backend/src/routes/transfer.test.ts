import type { ImportResult } from '@buildscale/protocol'
import { createHash, randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeTar, readTar } from '../../test/support/archives.ts'
import { createHttpApp, type HttpApp, type HttpRequest } from '../../test/support/http-app.ts'

let http: HttpApp
let base: string
beforeAll(async () => {
  http = await createHttpApp({ fileBytes: 3 * 1024 * 1024 })
  base = `/workspaces/${http.owner.workspaceId}`
})
afterAll(() => http[Symbol.asyncDispose]())

const call = (request: HttpRequest) => http.owner.call({ ...request, path: base + request.path })
const errorOf = (response: { json(): unknown }) => (response.json() as { error: { code: string; message: string; details?: { import?: ImportResult } } }).error
const content = (path: string) => call({ path: `/files/content?path=${encodeURIComponent(path)}` })
const importTo = (path: string, body: Buffer, headers: Record<string, string> = {}) =>
  call({ method: 'POST', path: `/import?path=${encodeURIComponent(path)}`, body, headers: { 'content-type': 'application/x-tar', ...headers } })
const exportOf = (path: string) => call({ path: `/export?path=${encodeURIComponent(path)}` })

describe('importing a tar', () => {
  it('stores files and folders below the folder that is named, in one change set', async () => {
    const big = randomBytes(2 * 1024 * 1024)
    const answer = await importTo('/in', await makeTar([{ name: 'a.txt', content: 'A' }, { name: 'deep/er/b.bin', content: big }, { name: 'empty/', type: 'directory' }, { name: 'none.txt', content: '' }]))
    expect(answer.statusCode, answer.body).toBe(200)
    const result = answer.json<ImportResult>()
    expect(result).toEqual({ imported: 3, unchanged: 0, bytes: big.length + 1, skipped_count: 0, skipped: [], change_set_id: expect.any(String) })
    expect((await content('/in/deep/er/b.bin')).rawPayload.equals(big)).toBe(true)
    const { items } = (await call({ path: '/files?path=/in&recursive=true' })).json<{ items: { path: string }[] }>()
    expect(items.map(({ path }) => path)).toEqual(['/in/a.txt', '/in/deep', '/in/deep/er', '/in/deep/er/b.bin', '/in/empty', '/in/none.txt'])
  })

  it('makes no version of bytes that are there already', async () => {
    const tar = await makeTar([{ name: 'same.txt', content: 'one' }, { name: 'other.txt', content: 'two' }])
    await importTo('/again', tar)
    const again = (await importTo('/again', gzipSync(tar), { 'content-type': 'application/gzip' })).json<ImportResult>()
    expect(again).toEqual({ imported: 0, unchanged: 2, bytes: 6, skipped_count: 0, skipped: [], change_set_id: null })
  })

  it('says what an archive that ends early has brought, and keeps it', async () => {
    const tar = await makeTar([{ name: 'whole.txt', content: 'whole' }, { name: 'cut.bin', content: randomBytes(20_000) }])
    const answer = await importTo('/cut', tar.subarray(0, 10_000))
    expect([answer.statusCode, errorOf(answer).code]).toEqual([400, 'invalid_request'])
    expect(errorOf(answer).message).toContain('1 files were imported before and stay')
    expect(errorOf(answer).details?.import).toMatchObject({ imported: 1 })
    expect((await content('/cut/whole.txt')).body).toBe('whole')
  })

  it('refuses other types', async () => {
    const answer = await importTo('/x', Buffer.from('x'), { 'content-type': 'text/plain' })
    expect([answer.statusCode, errorOf(answer).code]).toEqual([415, 'unsupported_media_type'])
  })
})

describe('exporting', () => {
  it('gives a folder as a tar that any program reads, names relative to the folder', async () => {
    const long = `${'long/'.repeat(40)}näme 🎉.txt`
    await importTo('/out', await makeTar([{ name: long, content: 'long' }, { name: 'x.txt', content: 'x' }]))
    const answer = await exportOf('/out')
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/x-tar'])
    const entries = await readTar(answer.rawPayload)
    expect(entries.find(({ name }) => name === long)?.content.toString()).toBe('long')
    expect(entries.at(-1)).toMatchObject({ name: 'x.txt', type: 'file' })
    expect(createHash('sha1').update(entries.at(-1)?.content ?? '').digest('hex')).toHaveLength(40)
  })
})
