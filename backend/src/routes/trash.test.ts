import { sql } from 'kysely'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHttpApp, type HttpApp, type HttpRequest } from '../../test/support/http-app.ts'

let http: HttpApp
beforeAll(async () => void (http = await createHttpApp()))
afterAll(() => http[Symbol.asyncDispose]())

interface Entry {
  readonly id: string
  readonly path: string
  readonly hash: string | null
  readonly version: number | null
}

/** A workspace of its own for each test. */
async function newWorkspace(): Promise<Workspace> {
  const { id } = (await http.owner.call({ method: 'POST', path: '/workspaces', body: { name: crypto.randomUUID() } })).json<{ id: string }>()
  return new Workspace(id)
}

class Workspace {
  readonly id: string

  constructor(id: string) {
    this.id = id
  }

  call({ path, ...request }: HttpRequest, call = http.owner.call) {
    return call({ ...request, path: `/workspaces/${this.id}${path}` })
  }

  async put(path: string, body: string | Buffer): Promise<Entry> {
    const response = await this.call({ method: 'PUT', path: `/files/content?path=${encodeURIComponent(path)}`, body })
    expect(response.statusCode, response.body).toBeLessThan(300)
    return response.json<{ file: Entry }>().file
  }

  async remove(path: string): Promise<void> {
    expect((await this.call({ method: 'DELETE', path: `/files?path=${encodeURIComponent(path)}` })).statusCode).toBe(204)
  }

  async trash(query = ''): Promise<Entry[]> {
    return (await this.call({ path: `/trash${query}` })).json<{ items: Entry[] }>().items
  }

  async paths(): Promise<string[]> {
    return (await this.call({ path: '/files?recursive=true&limit=1000' })).json<{ items: Entry[] }>().items.map(({ path }) => path)
  }

  async text(path: string, version?: number): Promise<string> {
    return (await this.call({ path: `/files/content?path=${encodeURIComponent(path)}${version === undefined ? '' : `&version=${version}`}` })).body
  }

  restore(fileId: string, body: object = {}) {
    return this.call({ method: 'POST', path: `/trash/${fileId}/restore`, body })
  }

  async storedBytes(): Promise<number> {
    return (await this.call({ path: '' })).json<{ stored_bytes: number }>().stored_bytes
  }

  /** Kind and path of every change, in order. */
  async journal(): Promise<string[]> {
    const { rows } = await sql<{ kind: string; path: string }>`
      SELECT kind, coalesce(to_path, from_path) AS path FROM changes WHERE workspace_id = ${this.id}::uuid ORDER BY seq`.execute(http.database.db.kysely)
    return rows.map(({ kind, path }) => `${kind} ${path}`)
  }
}

const error = (response: { json<T>(): T }): { code: string; message: string } => response.json<{ error: { code: string; message: string } }>().error

describe('the trash', () => {
  it('lists what was removed, the latest first, and a folder once for all that went with it', async () => {
    const workspace = await newWorkspace()
    for (const path of ['/a.txt', '/docs/one.md', '/docs/deep/two.md']) await workspace.put(path, path)
    await workspace.remove('/a.txt')
    await workspace.remove('/docs')
    expect((await workspace.trash()).map(({ path }) => path)).toEqual(['/docs', '/a.txt'])
  })

  it('gives a file back with its id and every version, and the journal says so', async () => {
    const workspace = await newWorkspace()
    const { id } = await workspace.put('/a.txt', 'one')
    await workspace.put('/a.txt', 'two')
    await workspace.remove('/a.txt')
    expect((await workspace.restore(id)).json()).toMatchObject({ file: { id, path: '/a.txt', version: 2 } })
    expect([await workspace.text('/a.txt'), await workspace.text('/a.txt', 1)]).toEqual(['two', 'one'])
    expect(await workspace.trash()).toEqual([])
    expect((await workspace.journal()).at(-1)).toBe('restored /a.txt')
  })

  it('gives a folder back with exactly what was removed together with it', async () => {
    const workspace = await newWorkspace()
    for (const path of ['/docs/earlier.md', '/docs/one.md', '/docs/deep/two.md']) await workspace.put(path, path)
    await workspace.remove('/docs/earlier.md')
    await workspace.remove('/docs')
    const [docs, earlier] = await workspace.trash()
    expect([docs?.path, earlier?.path]).toEqual(['/docs', '/docs/earlier.md'])
    expect((await workspace.restore(docs?.id ?? '')).statusCode).toBe(200)
    expect(await workspace.paths()).toEqual(['/docs', '/docs/deep', '/docs/deep/two.md', '/docs/one.md'])
    expect((await workspace.trash()).map(({ path }) => path)).toEqual(['/docs/earlier.md'])
  })

  it('makes the folders anew that are gone, for a file out of a removed folder', async () => {
    const workspace = await newWorkspace()
    const { id } = await workspace.put('/docs/deep/two.md', 'two')
    await workspace.remove('/docs')
    expect((await workspace.restore(id)).json()).toMatchObject({ file: { path: '/docs/deep/two.md' } })
    expect(await workspace.paths()).toEqual(['/docs', '/docs/deep', '/docs/deep/two.md'])
  })

  it('never puts a file over another one, but to a path of your choice', async () => {
    const workspace = await newWorkspace()
    const { id } = await workspace.put('/a.txt', 'old')
    await workspace.remove('/a.txt')
    await workspace.put('/a.txt', 'new')
    const refused = await workspace.restore(id)
    expect(refused.statusCode).toBe(409)
    expect(error(refused).message).toContain('"to"')
    expect((await workspace.restore(id, { to: '/back/a.txt' })).json()).toMatchObject({ file: { id, path: '/back/a.txt' } })
    expect([await workspace.text('/a.txt'), await workspace.text('/back/a.txt')]).toEqual(['new', 'old'])
  })

  it('refuses to restore what is not in it, twice the same, or below a file', async () => {
    const workspace = await newWorkspace()
    const { id } = await workspace.put('/a.txt', 'a')
    expect((await workspace.restore(id)).statusCode).toBe(404)
    await workspace.remove('/a.txt')
    await workspace.put('/file', 'file')
    expect((await workspace.restore(id, { to: '/file/a.txt' })).statusCode).toBe(409)
    expect((await workspace.restore(id, { to: '/../a.txt' })).statusCode).toBe(400)
    expect((await workspace.restore(id)).statusCode).toBe(200)
    expect((await workspace.restore(id)).statusCode).toBe(404)
  })

  it('pages through many removals without losing or repeating one', async () => {
    const workspace = await newWorkspace()
    for (let index = 0; index < 7; index += 1) {
      await workspace.put(`/${index}.txt`, 'x')
      await workspace.remove(`/${index}.txt`)
    }
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { items: Entry[]; next_cursor: string | null } = (await workspace.call({ path: `/trash?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}` })).json()
      seen.push(...page.items.map(({ path }) => path))
      cursor = page.next_cursor
    }
    expect(seen).toEqual(['/6.txt', '/5.txt', '/4.txt', '/3.txt', '/2.txt', '/1.txt', '/0.txt'])
    expect((await workspace.call({ path: '/trash?cursor=nonsense' })).statusCode).toBe(400)
  })

  it('tells apart two generations of a folder that were removed one after the other', async () => {
    const workspace = await newWorkspace()
    await workspace.put('/docs/a.md', 'first')
    await workspace.remove('/docs')
    await workspace.put('/docs/a.md', 'second')
    await workspace.remove('/docs')
    const [second, first] = await workspace.trash()
    await workspace.restore(first?.id ?? '', { to: '/first' })
    await workspace.restore(second?.id ?? '')
    expect([await workspace.text('/first/a.md'), await workspace.text('/docs/a.md')]).toEqual(['first', 'second'])
  })
})

describe('purging', () => {
  it('B22: removes every byte: rows, versions and stored content, and nothing that another file still names', async () => {
    const workspace = await newWorkspace()
    const large = Buffer.alloc(1_500_000, 'large')
    const { id } = await workspace.put('/secret.bin', large)
    await workspace.put('/secret.bin', 'second')
    await workspace.put('/other.txt', 'second')
    await workspace.remove('/secret.bin')
    const before = await workspace.storedBytes()
    expect((await workspace.call({ method: 'DELETE', path: `/trash/${id}` })).statusCode).toBe(204)
    expect(await workspace.trash()).toEqual([])
    expect((await workspace.restore(id)).statusCode).toBe(404)
    const { rows } = await sql<{ hash: Buffer; chunks: number }>`
      SELECT b.hash, (SELECT count(*) FROM blob_chunks c WHERE c.workspace_id = b.workspace_id)::int AS chunks FROM blobs b WHERE b.workspace_id = ${workspace.id}::uuid`.execute(http.database.db.kysely)
    expect(rows).toEqual([{ hash: createHash('sha256').update('second').digest(), chunks: 0 }])
    expect(before - (await workspace.storedBytes())).toBe(large.length)
    expect(await workspace.text('/other.txt')).toBe('second')
    expect((await workspace.journal()).at(-1)).toBe('purged /secret.bin')
  })

  it('takes a folder with what went with it, and leaves what was removed from it before', async () => {
    const workspace = await newWorkspace()
    for (const path of ['/docs/earlier.md', '/docs/one.md']) await workspace.put(path, path)
    await workspace.remove('/docs/earlier.md')
    await workspace.remove('/docs')
    const [docs, earlier] = await workspace.trash()
    expect((await workspace.call({ method: 'DELETE', path: `/trash/${docs?.id}` })).statusCode).toBe(204)
    expect((await workspace.trash()).map(({ path }) => path)).toEqual(['/docs/earlier.md'])
    expect((await workspace.restore(earlier?.id ?? '')).json()).toMatchObject({ file: { path: '/docs/earlier.md' } })
  })

  it('does not touch a file that is in the tree', async () => {
    const workspace = await newWorkspace()
    const { id } = await workspace.put('/a.txt', 'a')
    expect((await workspace.call({ method: 'DELETE', path: `/trash/${id}` })).statusCode).toBe(404)
    expect(await workspace.text('/a.txt')).toBe('a')
  })

  it('empties the trash, however much is in it', async () => {
    const workspace = await newWorkspace()
    for (let index = 0; index < 600; index += 1) await workspace.put(`/many/${index}.txt`, `text ${index}`)
    await workspace.put('/kept.txt', 'kept')
    await workspace.remove('/many')
    expect((await workspace.call({ method: 'DELETE', path: '/trash' })).statusCode).toBe(204)
    expect([await workspace.trash(), await workspace.storedBytes()]).toEqual([[], 4])
  })

  it('is for admins: an editor may remove and restore, not purge', async () => {
    const workspace = await newWorkspace()
    const editor = await http.addUser('editor')
    await workspace.call({ method: 'PUT', path: `/members/${editor.id}`, body: { role: 'editor' } })
    const { id } = await workspace.put('/a.txt', 'a')
    await workspace.remove('/a.txt')
    expect((await workspace.call({ method: 'DELETE', path: `/trash/${id}` }, editor.call)).statusCode).toBe(403)
    expect((await workspace.call({ method: 'DELETE', path: '/trash' }, editor.call)).statusCode).toBe(403)
    expect((await workspace.call({ method: 'POST', path: `/trash/${id}/restore`, body: {} }, editor.call)).statusCode).toBe(200)
  })
})

describe('copying', () => {
  const copy = (workspace: Workspace, from: string, to: string) => workspace.call({ method: 'POST', path: '/files/copy', body: { from, to } })

  it('makes a new file at version 1 with the same bytes, stored once', async () => {
    const workspace = await newWorkspace()
    const original = await workspace.put('/a.txt', 'one')
    await workspace.put('/a.txt', 'two')
    const before = await workspace.storedBytes()
    const { file } = (await copy(workspace, '/a.txt', '/deep/b.txt')).json<{ file: Entry }>()
    expect(file).toMatchObject({ path: '/deep/b.txt', version: 1 })
    expect(file.id).not.toBe(original.id)
    await workspace.put('/a.txt', 'three')
    expect([await workspace.text('/deep/b.txt'), before]).toEqual(['two', 6])
  })

  it('copies a folder with everything in it, one change per file and folder', async () => {
    const workspace = await newWorkspace()
    for (const path of ['/docs/one.md', '/docs/deep/two.md']) await workspace.put(path, path)
    await workspace.call({ method: 'POST', path: '/files/folder', body: { path: '/docs/empty' } })
    const before = (await workspace.journal()).length
    expect((await copy(workspace, '/docs', '/copy')).statusCode).toBe(200)
    expect((await workspace.paths()).filter((path) => path.startsWith('/copy'))).toEqual(['/copy', '/copy/deep', '/copy/deep/two.md', '/copy/empty', '/copy/one.md'])
    expect(await workspace.text('/copy/deep/two.md')).toBe('/docs/deep/two.md')
    expect((await workspace.journal()).slice(before)).toEqual(['created /copy', 'created /copy/deep', 'created /copy/deep/two.md', 'created /copy/empty', 'created /copy/one.md'])
  })

  it('never overwrites, and copies nothing into itself', async () => {
    const workspace = await newWorkspace()
    await workspace.put('/docs/one.md', 'one')
    await workspace.put('/b.txt', 'b')
    for (const [from, to] of [['/docs', '/b.txt'], ['/docs', '/docs'], ['/docs', '/docs/again'], ['/b.txt', '/b.txt/x'], ['/', '/x'], ['/docs', '/']] as const) {
      expect((await copy(workspace, from, to)).statusCode, `${from} ${to}`).toBe(409)
    }
    expect((await copy(workspace, '/none', '/x')).statusCode).toBe(404)
    expect((await copy(workspace, '/docs', `/${'x'.repeat(250)}/${'y'.repeat(250)}/${'z'.repeat(250)}/${'a'.repeat(250)}/${'b'.repeat(16)}`)).statusCode).toBe(400)
    expect(await workspace.paths()).toEqual(['/b.txt', '/docs', '/docs/one.md'])
  })

  it('answers a repeat under the same key with the first copy', async () => {
    const workspace = await newWorkspace()
    await workspace.put('/a.txt', 'a')
    const send = () => workspace.call({ method: 'POST', path: '/files/copy', body: { from: '/a.txt', to: '/b.txt' }, headers: { 'idempotency-key': 'once' } })
    const first = (await send()).json()
    expect((await send()).json()).toEqual(first)
  })
})

describe('quotas', () => {
  const setQuota = (workspace: Workspace, quota_bytes: number | null) => workspace.call({ method: 'PATCH', path: '', body: { quota_bytes } })

  it('count every version and what is in the trash, and equal bytes once', async () => {
    const workspace = await newWorkspace()
    await workspace.put('/a.txt', '12345')
    await workspace.put('/a.txt', '1234567')
    await workspace.put('/b.txt', '12345')
    expect(await workspace.storedBytes()).toBe(12)
    await workspace.remove('/a.txt')
    expect(await workspace.storedBytes()).toBe(12)
  })

  it('refuse what would be too much, small or large, saying how much there is and what to do; and nothing is left of it', async () => {
    const workspace = await newWorkspace()
    expect((await setQuota(workspace, 1_000)).json()).toMatchObject({ quota_bytes: 1_000 })
    await workspace.put('/a.txt', 'x'.repeat(900))
    for (const size of [101, 3_000_000]) {
      const refused = await workspace.call({ method: 'PUT', path: '/files/content?path=/new/b.bin', body: Buffer.alloc(size, 7) })
      expect([refused.statusCode, error(refused).code]).toEqual([507, 'insufficient_storage'])
      expect(error(refused).message).toMatch(/may hold 1,000 bytes.*Purge/)
    }
    expect([await workspace.paths(), await workspace.storedBytes()]).toEqual([['/a.txt'], 900])
    const { rows } = await sql<{ n: number }>`SELECT count(*)::int AS n FROM blobs WHERE workspace_id = ${workspace.id}::uuid`.execute(http.database.db.kysely)
    expect(rows[0]?.n).toBe(1)
  })

  it('let the same bytes in again, and more after a purge or under a larger quota', async () => {
    const workspace = await newWorkspace()
    await setQuota(workspace, 1_000)
    const { id } = await workspace.put('/a.txt', 'x'.repeat(1_000))
    await workspace.put('/b.txt', 'x'.repeat(1_000))
    await workspace.remove('/b.txt')
    await workspace.remove('/a.txt')
    expect((await workspace.call({ method: 'PUT', path: '/files/content?path=/c.txt', body: 'c' })).statusCode).toBe(507)
    await workspace.call({ method: 'DELETE', path: `/trash/${id}` })
    // The other file in the trash still names those bytes.
    expect(await workspace.storedBytes()).toBe(1_000)
    await workspace.call({ method: 'DELETE', path: '/trash' })
    await workspace.put('/c.txt', 'c'.repeat(1_000))
    await setQuota(workspace, null)
    await workspace.put('/d.txt', 'd')
    expect(await workspace.storedBytes()).toBe(1_001)
  })

  it('are the local owner’s to set, not the owner’s of the workspace', async () => {
    const person = await http.addUser('tenant')
    const { id } = (await person.call({ method: 'POST', path: '/workspaces', body: { name: 'theirs' } })).json<{ id: string }>()
    expect((await person.call({ method: 'PATCH', path: `/workspaces/${id}`, body: { quota_bytes: null } })).statusCode).toBe(403)
    expect((await person.call({ method: 'PATCH', path: `/workspaces/${id}`, body: { name: 'renamed' } })).json()).toMatchObject({ name: 'renamed' })
  })
})

describe('tags', () => {
  const setTags = (workspace: Workspace, path: string, tags: readonly string[]) => workspace.call({ method: 'PUT', path: `/files/tags?path=${path}`, body: { tags } })

  it('are kept in lower case, once each and in order, and replaced as a whole', async () => {
    const workspace = await newWorkspace()
    await workspace.put('/a.txt', 'a')
    expect((await setTags(workspace, '/a.txt', [' Draft ', 'draft', 'Über', 'b'])).json()).toEqual({ path: '/a.txt', tags: ['b', 'draft', 'über'] })
    await setTags(workspace, '/a.txt', ['b', 'new'])
    expect((await workspace.call({ path: '/files/tags?path=/a.txt' })).json()).toEqual({ path: '/a.txt', tags: ['b', 'new'] })
  })

  it('find files by path, with their counts, and none that is in the trash', async () => {
    const workspace = await newWorkspace()
    for (const path of ['/b.txt', '/a.txt', '/gone.txt']) {
      await workspace.put(path, path)
      await setTags(workspace, path, ['todo', path.slice(1, 2)])
    }
    await workspace.remove('/gone.txt')
    await workspace.call({ method: 'POST', path: '/files/move', body: { from: '/b.txt', to: '/c.txt' } })
    expect((await workspace.call({ path: '/tags/TODO' })).json<{ items: Entry[] }>().items.map(({ path }) => path)).toEqual(['/a.txt', '/c.txt'])
    expect((await workspace.call({ path: '/tags' })).json()).toEqual({ items: [{ tag: 'a', files: 1 }, { tag: 'b', files: 1 }, { tag: 'todo', files: 2 }], next_cursor: null })
    const page = (await workspace.call({ path: '/tags/todo?limit=1' })).json<{ next_cursor: string }>()
    expect((await workspace.call({ path: `/tags/todo?limit=1&cursor=${page.next_cursor}` })).json<{ items: Entry[] }>().items.map(({ path }) => path)).toEqual(['/c.txt'])
  })

  it('come back with a restored file and go with a purged one', async () => {
    const workspace = await newWorkspace()
    const { id } = await workspace.put('/a.txt', 'a')
    await setTags(workspace, '/a.txt', ['x'])
    await workspace.remove('/a.txt')
    await workspace.restore(id)
    expect((await workspace.call({ path: '/files/tags?path=/a.txt' })).json()).toMatchObject({ tags: ['x'] })
    await workspace.remove('/a.txt')
    await workspace.call({ method: 'DELETE', path: `/trash/${id}` })
    expect((await workspace.call({ path: '/tags' })).json()).toEqual({ items: [], next_cursor: null })
  })

  it('refuse blank, long and too many ones, a viewer, and a file that is not there', async () => {
    const workspace = await newWorkspace()
    await workspace.put('/a.txt', 'a')
    for (const tags of [[' '], ['x'.repeat(51)], ['a\nb'], Array.from({ length: 51 }, (_, index) => `t${index}`)]) expect((await setTags(workspace, '/a.txt', tags)).statusCode).toBe(400)
    expect((await setTags(workspace, '/none', ['a'])).statusCode).toBe(404)
    expect((await setTags(workspace, '/', ['a'])).statusCode).toBe(409)
    const viewer = await http.addUser('viewer of tags')
    await workspace.call({ method: 'PUT', path: `/members/${viewer.id}`, body: { role: 'viewer' } })
    expect((await workspace.call({ method: 'PUT', path: '/files/tags?path=/a.txt', body: { tags: [] } }, viewer.call)).statusCode).toBe(403)
  })
})
