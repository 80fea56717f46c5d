import type { Change, FileBlame, FileDiff, RewindResult } from '@buildscale/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHttpApp, type HttpApp } from '../../test/support/http-app.ts'

let app: HttpApp
beforeAll(async () => void (app = await createHttpApp()))
afterAll(() => app[Symbol.asyncDispose]())

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const
type Method = (typeof METHODS)[number]

/** A workspace of its own for each test. */
async function workspace() {
  const { id } = (await app.owner.call({ method: 'POST', path: '/workspaces', body: { name: `w${Math.random()}` } })).json<{ id: string }>()
  const call = (line: `${Method} ${string}`, body?: unknown, headers: Record<string, string> = {}) => {
    const [method, path] = [METHODS.find((name) => line.startsWith(name)), line.slice(line.indexOf('/'))]
    return app.owner.call({ path: `/workspaces/${id}${path}`, headers, ...(method !== undefined && { method }), ...(body !== undefined && { body }) })
  }
  return {
    id,
    call,
    put: (path: string, text: string) => call(`PUT /files/content?path=${encodeURIComponent(path)}`, text),
    text: async (path: string) => (await call(`GET /files/content?path=${encodeURIComponent(path)}`)).body,
    seq: async () => (await app.owner.call({ path: `/workspaces/${id}` })).json<{ change_seq: number }>().change_seq,
    rewind: async (body: object, headers?: Record<string, string>) => (await call('POST /rewind', body, headers)).json<RewindResult>(),
  }
}

const codeOf = (response: { json<T>(): T }): string => response.json<{ error: { code: string } }>().error.code

describe('the history of a file', () => {
  it('B28: lists versions, gives the content of any, tells the difference of two, and restores one', async () => {
    const { call, put, text } = await workspace()
    for (const content of ['one\n', 'one\ntwo\n', 'two\n']) await put('/f.txt', content)
    const { items } = (await call('GET /files/versions?path=/f.txt')).json<{ items: { number: number }[] }>()
    expect(items.map(({ number }) => number)).toEqual([3, 2, 1])
    expect((await call('GET /files/content?path=/f.txt&version=2')).body).toBe('one\ntwo\n')
    expect((await call('GET /files/diff?path=/f.txt&from=1&to=3')).json<FileDiff>()).toEqual({
      binary: false,
      path: '/f.txt',
      from: 1,
      to: 3,
      diff: '--- a/f.txt\tversion 1\n+++ b/f.txt\tversion 3\n@@ -1,1 +1,1 @@\n-one\n+two\n',
      added: 1,
      removed: 1,
      minimal: true,
    })
    expect((await call('POST /files/restore', { path: '/f.txt', version: 1 })).json()).toMatchObject({ file: { version: 4 } })
    expect(await text('/f.txt')).toBe('one\n')
  })

  it('compares the latest version with the one before, the first with nothing, and any two in either direction', async () => {
    const { call, put } = await workspace()
    await put('/f', 'a\n')
    expect((await call('GET /files/diff?path=/f')).json<FileDiff>()).toMatchObject({ from: 0, to: 1, added: 1, removed: 0 })
    await put('/f', 'b\n')
    expect((await call('GET /files/diff?path=/f')).json<FileDiff>()).toMatchObject({ from: 1, to: 2, added: 1, removed: 1 })
    expect((await call('GET /files/diff?path=/f&from=2&to=1')).json<FileDiff>()).toMatchObject({ diff: expect.stringContaining('-b\n+a\n') as string })
  })

  it('says of bytes that they are binary, and refuses folders, unknown versions and paths', async () => {
    const { call, put } = await workspace()
    await put('/b', 'text')
    await call('PUT /files/content?path=/b', Buffer.from([0, 1, 255]))
    expect((await call('GET /files/diff?path=/b')).json()).toEqual({ binary: true, path: '/b', from: 1, to: 2 })
    await put('/folder/x', 'x')
    expect(codeOf(await call('GET /files/diff?path=/folder'))).toBe('conflict')
    expect(codeOf(await call('GET /files/diff?path=/b&from=7'))).toBe('not_found')
    expect(codeOf(await call('GET /files/diff?path=/none'))).toBe('not_found')
    expect(codeOf(await call('GET /files/diff?path=/b&from=0'))).toBe('invalid_request')
    expect(codeOf(await call('GET /files/diff?path=/../b'))).toBe('invalid_request')
  })

  it('refuses to compare what is too large', async () => {
    const { call, put } = await workspace()
    await put('/large', 'x'.repeat(8 * 1024 * 1024 + 1))
    await put('/large', 'small')
    const response = await call('GET /files/diff?path=/large')
    expect(codeOf(response)).toBe('payload_too_large')
    expect(response.body).toContain('8 MiB')
  })

  it('tells which version each line came in with', async () => {
    const { call, put } = await workspace()
    await put('/f', 'a\nb\n')
    await put('/f', 'a\nB\n')
    const { ranges } = (await call('GET /files/blame?path=/f')).json<FileBlame>()
    expect(ranges.map(({ line, version, author }) => [line, version, author])).toEqual([[1, 1, { kind: 'user', id: app.owner.id }], [2, 2, { kind: 'user', id: app.owner.id }]])
  })
})

describe('the journal', () => {
  it('is read in pages after a seq, oldest first', async () => {
    const { call, put } = await workspace()
    await put('/folder/f', '1')
    await put('/folder/f', '2')
    await call('POST /files/move', { from: '/folder/f', to: '/g' })
    await call('DELETE /files?path=/g')
    const page = async (query: string) => (await call(`GET /changes${query}`)).json<{ items: Change[]; next_cursor: string | null }>()
    const first = await page('?limit=3')
    expect(first.items.map(({ seq, kind, path, from_path, version }) => [seq, kind, path, from_path, version])).toEqual([
      [1, 'created', '/folder', null, null],
      [2, 'created', '/folder/f', null, 1],
      [3, 'updated', '/folder/f', null, 2],
    ])
    expect(first.items[0]).toMatchObject({ file_type: 'folder', author: { kind: 'user', id: app.owner.id }, turn_id: null, tool_call_id: null })
    const second = await page(`?limit=3&cursor=${first.next_cursor ?? ''}`)
    expect(second.items.map(({ seq, kind, path, from_path }) => [seq, kind, path, from_path])).toEqual([
      [4, 'moved', '/g', '/folder/f'],
      [5, 'deleted', '/g', null],
    ])
    expect(second.next_cursor).toBeNull()
    expect((await page('?after=4')).items.map(({ seq }) => seq)).toEqual([5])
    expect((await page('?after=99')).items).toEqual([])
    expect(codeOf(await call('GET /changes?after=-1'))).toBe('invalid_request')
  })
})

describe('going back', () => {
  it('previews exactly what it then does, and is undone by going back once more', async () => {
    const { call, put, text, seq, rewind } = await workspace()
    await put('/a/kept', '1')
    await put('/a/edited', 'before')
    await put('/a/removed', 'gone?')
    await put('/b', 'moved')
    const then = await seq()
    await put('/a/edited', 'after')
    await call('DELETE /files?path=/a/removed')
    await call('POST /files/move', { from: '/b', to: '/c/b' })
    await put('/new', 'new')
    const after = await seq()
    const preview = await rewind({ to_seq: then, dry_run: true })
    expect(preview).toMatchObject({ to_seq: then, dry_run: true, change_seq: after, change_set_id: null, left: [] })
    expect(preview.changes.map(({ kind, path, from_path, version, size }) => [kind, path, from_path, version, size])).toEqual([
      ['updated', '/a/edited', null, 1, 6],
      ['restored', '/a/removed', null, 1, 5],
      ['moved', '/b', '/c/b', null, null],
      ['deleted', '/c', null, null, null],
      ['deleted', '/new', null, null, null],
    ])
    expect(await seq()).toBe(after)
    const done = await rewind({ to_seq: then })
    expect(done.changes).toEqual(preview.changes)
    expect(done.change_seq).toBe(await seq())
    expect([await text('/a/edited'), await text('/a/removed'), await text('/b')]).toEqual(['before', 'gone?', 'moved'])
    const { items } = (await call(`GET /changes?after=${after}`)).json<{ items: Change[] }>()
    expect(new Set(items.map(({ change_set_id }) => change_set_id))).toEqual(new Set([done.change_set_id]))
    await rewind({ to_seq: after })
    expect([await text('/a/edited'), await text('/c/b'), await text('/new')]).toEqual(['after', 'moved', 'new'])
    expect((await call('GET /files/versions?path=/a/edited')).json<{ items: { number: number }[] }>().items.map(({ number }) => number)).toEqual([4, 3, 2, 1])
  })

  it('does nothing, and writes nothing, when all is as it was', async () => {
    const { put, seq, rewind } = await workspace()
    await put('/f', '1')
    await put('/f', '2')
    await put('/f', '1')
    expect(await rewind({ to_seq: 2 })).toMatchObject({ changes: [{ kind: 'updated', version: 2 }] })
    const now = await seq()
    expect(await rewind({ to_seq: 2 })).toMatchObject({ changes: [], change_set_id: null, change_seq: now })
    expect(await seq()).toBe(now)
  })

  it('of the paths that are named only, with the folders that they need', async () => {
    const { call, put, text, seq, rewind } = await workspace()
    await put('/docs/a', '1')
    await put('/other', '1')
    const then = await seq()
    await put('/docs/a', '2')
    await put('/other', '2')
    await call('DELETE /files?path=/docs')
    expect((await rewind({ to_seq: then, paths: ['docs/a'] })).changes.map(({ kind, path }) => [kind, path])).toEqual([['restored', '/docs'], ['restored', '/docs/a']])
    expect([await text('/docs/a'), await text('/other')]).toEqual(['1', '2'])
  })

  it('leaves a file where it is when something outside of the named paths stands in its place, and says so', async () => {
    const { call, put, text, seq, rewind } = await workspace()
    await put('/inbox/f', 'the file')
    const then = await seq()
    await call('POST /files/move', { from: '/inbox/f', to: '/docs/f' })
    await put('/inbox/f', 'another one')
    const done = await rewind({ to_seq: then, paths: ['/docs'] })
    expect(done.left).toEqual([{ file_id: expect.any(String) as string, path: '/inbox/f', reason: 'occupied' }])
    expect(done.changes).toEqual([])
    expect([await text('/docs/f'), await text('/inbox/f')]).toEqual(['the file', 'another one'])
  })

  it('moves the files of a folder back although another folder of that name was made since', async () => {
    const { call, put, text, seq, rewind } = await workspace()
    await put('/docs/f', 'the file')
    const then = await seq()
    await call('POST /files/move', { from: '/docs', to: '/moved' })
    await put('/docs/g', 'made since')
    const done = await rewind({ to_seq: then, paths: ['/moved'] })
    expect(done.left).toEqual([])
    expect(done.changes.map(({ kind, path }) => [kind, path])).toEqual([['moved', '/docs/f'], ['deleted', '/moved']])
    expect([await text('/docs/f'), await text('/docs/g')]).toEqual(['the file', 'made since'])
  })

  it('says of purged files that they cannot come back, and brings back the rest', async () => {
    const { call, put, text, seq, rewind } = await workspace()
    await put('/d/purged', 'secret')
    await put('/kept', '1')
    const then = await seq()
    await put('/kept', '2')
    await call('DELETE /files?path=/d')
    const [trashed] = (await call('GET /trash')).json<{ items: { id: string }[] }>().items
    expect((await call(`DELETE /trash/${trashed?.id ?? ''}`)).statusCode).toBe(204)
    const preview = await rewind({ to_seq: then, dry_run: true })
    expect(preview.left).toEqual([{ file_id: expect.any(String) as string, path: '/d/purged', reason: 'purged' }])
    const done = await rewind({ to_seq: then })
    expect(done.left).toEqual(preview.left)
    expect(done.changes.map(({ kind, path }) => [kind, path])).toEqual([['created', '/d'], ['updated', '/kept']])
    expect(await text('/kept')).toBe('1')
  })

  it('happens once per idempotency key, and not at all when the workspace has moved on since the preview', async () => {
    const { put, text, seq, rewind, call } = await workspace()
    await put('/f', '1')
    const then = await seq()
    await put('/f', '2')
    const { change_seq: seen } = await rewind({ to_seq: then, dry_run: true })
    await put('/f', '3')
    const late = await call('POST /rewind', { to_seq: then, if_seq: seen })
    expect([late.statusCode, codeOf(late)]).toEqual([412, 'version_mismatch'])
    expect(await text('/f')).toBe('3')
    const first = await rewind({ to_seq: then }, { 'idempotency-key': 'once' })
    await put('/f', '4')
    expect(await rewind({ to_seq: then }, { 'idempotency-key': 'once' })).toEqual(first)
    expect(await text('/f')).toBe('4')
  })

  it('refuses a state that is not reached yet, two targets or none, unknown turns, and viewers', async () => {
    const { id, call, put, seq } = await workspace()
    await put('/f', '1')
    const refusal = async (body: object) => codeOf(await call('POST /rewind', body))
    expect(await refusal({ to_seq: (await seq()) + 1 })).toBe('conflict')
    expect(await refusal({})).toBe('invalid_request')
    expect(await refusal({ to_seq: 0, before_turn: id })).toBe('invalid_request')
    expect(await refusal({ to_seq: -1 })).toBe('invalid_request')
    expect(await refusal({ before_turn: id })).toBe('not_found')
    expect(await refusal({ to_seq: 0, paths: ['../x'] })).toBe('invalid_request')
    const viewer = await app.addUser('viewer')
    await call(`PUT /members/${viewer.id}`, { role: 'viewer' })
    const asViewer = (body: object) => viewer.call({ method: 'POST', path: `/workspaces/${id}/rewind`, body })
    expect((await asViewer({ to_seq: 0, dry_run: true })).statusCode).toBe(200)
    expect((await asViewer({ to_seq: 0 })).statusCode).toBe(403)
  })
})
