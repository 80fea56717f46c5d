import { type ImportProgress, tarHeader, tarPadding, TAR_END } from '@buildscale/protocol'
import { type BuildScaleClient, createClient, SdkError } from '@buildscale/sdk'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeTar, readTar } from './support/archives.ts'
import { type RunningApp, startApp } from './support/running-app.ts'
import { startServerProcess, temporaryDataDir } from './support/server-process.ts'
import { createTestDatabase } from './support/test-database.ts'

describe('over the network', () => {
  let app: RunningApp
  beforeAll(async () => {
    app = await startApp()
  })
  afterAll(() => app[Symbol.asyncDispose]())

  const files = () => app.client.files(app.workspaceId)
  const many = (count: number) => makeTar(Array.from({ length: count }, (_, index) => ({ name: `many/${index}.txt`, content: `file ${index}` })))

  it('an import tells how far it is while the archive is still being sent', async () => {
    const archive = await many(1_200)
    const told: ImportProgress[] = []
    const first = Promise.withResolvers<undefined>()
    const body = ReadableStream.from(
      (async function* () {
        yield archive.subarray(0, 700 * 1_024)
        await first.promise // the second half is only sent when the first has been told of
        yield archive.subarray(700 * 1_024)
      })(),
    )
    const result = await files().import(body, {
      onProgress: (progress) => {
        told.push(progress)
        first.resolve(undefined)
      },
    })
    expect(told[0]).toEqual({ imported: 500, unchanged: 0, bytes: expect.any(Number), skipped_count: 0 })
    expect(result).toMatchObject({ imported: 1_200, skipped: [] })
    const changes = await app.database.db.kysely.selectFrom('changes').select('change_set_id').distinct().where('workspace_id', '=', app.workspaceId).execute()
    expect(changes).toEqual([{ change_set_id: result.change_set_id }])
  })

  it('an import that fails ends its events with the error', async () => {
    const archive = new Uint8Array(await many(3))
    const failure = await files().import(archive.slice(0, 2_100), { path: '/cut', onProgress: () => undefined }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(SdkError)
    expect(failure).toMatchObject({ code: 'invalid_request', status: 400, details: { import: { imported: 2 } }, requestId: expect.any(String) })
  })

  it('a client that goes away in the middle leaves whole files and no error in the log; sending it again completes it', async () => {
    const archive = await many(1_200)
    const leave = new AbortController()
    const body = ReadableStream.from(
      (async function* () {
        yield archive.subarray(0, 700 * 1_024)
        await new Promise((resolve) => leave.signal.addEventListener('abort', resolve))
      })(),
    )
    const logged = app.logged.length
    await expect(files().import(body, { path: '/left', onProgress: () => leave.abort(new Error('enough')), signal: leave.signal })).rejects.toThrow('enough')
    const again = await files().import(new Uint8Array(archive), { path: '/left' })
    expect(again.imported + again.unchanged).toBe(1_200)
    expect(again.unchanged).toBeGreaterThanOrEqual(500)
    expect(app.logged.slice(logged).filter((line) => (JSON.parse(line) as { level: number }).level >= 50)).toEqual([])
  })

  it('an export that nobody reads to its end leaves the server as it was', async () => {
    await files().put('/big.bin', new Uint8Array(8 * 1024 * 1024))
    const reader = (await files().export('/big.bin')).getReader()
    await reader.read()
    await reader.cancel()
    const head = await fetch(`${app.url}/api/v1/workspaces/${app.workspaceId}/export`, { method: 'HEAD', headers: { authorization: `Bearer ${app.token}` } })
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([200, 'application/x-tar', ''])
    expect((await readTar(await collect(await files().export('/big.bin')))).map(({ name, content }) => [name, content.length])).toEqual([['big.bin', 8 * 1024 * 1024]])
  })

  it('who only reads may export but not import, and strangers see nothing', async () => {
    const reader = await app.addPerson('Rea')
    const theirs = reader.client.files(app.workspaceId)
    await expect(theirs.export()).rejects.toMatchObject({ code: 'not_found' })
    await expect(theirs.import(new Uint8Array(await many(1)))).rejects.toMatchObject({ code: 'not_found' })
    await app.client.workspaces.setMember(app.workspaceId, { userId: reader.userId, role: 'viewer' })
    await expect(theirs.import(new Uint8Array(await many(1)), { onProgress: () => undefined })).rejects.toMatchObject({ code: 'forbidden' })
    expect(await collect(await theirs.export('/cut'))).toBeInstanceOf(Buffer)
  })

  it('B17: what goes in by import comes out by export byte for byte: JSON, CRLF, no newline at the end, binary, BOM, emoji names, mixed case', async () => {
    const contents: Readonly<Record<string, Buffer>> = {
      'a.json': Buffer.from('{"b":1,  "a":[1.0,2e3]}\r\n'),
      'crlf.txt': Buffer.from('one\r\ntwo\r\n'),
      'no-newline.txt': Buffer.from('the end'),
      'binary.bin': Buffer.from(Uint8Array.from({ length: 512 }, (_, index) => index % 256)),
      'bom.csv': Buffer.from('\ufeffa;b\n'),
      'empty': Buffer.alloc(0),
      '🎉 party/ünïcode 日本.md': Buffer.from('# 🎉\n'),
      'README.md': Buffer.from('upper'),
      'readme.md': Buffer.from('lower'),
      'src/__tests__/[id].tsx': Buffer.from('x'),
      'c++/.hidden': Buffer.from('\0\0'),
    }
    await files().import(new Uint8Array(await makeTar(Object.entries(contents).map(([name, content]) => ({ name, content })))), { path: '/b17' })
    for (const [name, content] of Object.entries(contents)) expect(Buffer.from(await (await files().content(`/b17/${name}`)).bytes()).equals(content), name).toBe(true)
    const archive = await collect(await files().export('/b17'))
    const exported = (await readTar(archive)).filter(({ type }) => type === 'file')
    expect(Object.fromEntries(exported.map(({ name, content }) => [name, content]))).toEqual(contents)
    const again = await files().import(new Uint8Array(archive), { path: '/b17' })
    expect(again).toMatchObject({ imported: 0, unchanged: Object.keys(contents).length, skipped: [], change_set_id: null })
  })
})

const MEGABYTE = 1024 * 1024
const SIZE = 100 * MEGABYTE
/** What a server may need more than before, however large the file is. */
const GROWTH_LIMIT = 64 * MEGABYTE

describe('100 MB', () => {
  it('B29: are uploaded, downloaded, imported and exported with bounded memory of the server', { timeout: 240_000 }, async () => {
    using data = temporaryDataDir()
    await using database = await createTestDatabase()
    await using server = await startServerProcess({ dataDir: data.path, env: database.env })
    const client = createClient({ url: server.url, token: server.token })
    const { workspaces } = await client.me()
    const transfer = new Transfer(client, workspaces[0]?.id ?? '')
    // Whatever is loaded, compiled or set aside once is not what this is about, but what grows with the size.
    await transfer.all(32 * MEGABYTE, 'warm')
    const before = residentBytes(server.pid)
    using peak = new Peak(server.pid)
    await transfer.all(SIZE, 'large')
    expect(Math.round((peak.bytes - before) / MEGABYTE), 'MB more than before').toBeLessThan(GROWTH_LIMIT / MEGABYTE)
  })
})

/** Every way in and out, checked by the hash of the bytes. */
class Transfer {
  readonly #files: ReturnType<BuildScaleClient['files']>

  constructor(client: BuildScaleClient, workspaceId: string) {
    this.#files = client.files(workspaceId)
  }

  async all(size: number, name: string): Promise<void> {
    const hash = await hashOf(ReadableStream.from(bytesOf(size, 1)))
    expect((await this.#files.put(`/${name}.bin`, ReadableStream.from(bytesOf(size, 1)))).version.hash).toBe(hash)
    const { stream } = await this.#files.content(`/${name}.bin`)
    expect(await hashOf(stream)).toBe(hash)
    const other = await hashOf(ReadableStream.from(bytesOf(size, 2)))
    expect(await this.#files.import(ReadableStream.from(tarOf(`${name}-2.bin`, size)), { onProgress: () => undefined })).toMatchObject({ imported: 1, bytes: size })
    const imported = await this.#files.content(`/${name}-2.bin`)
    expect(await hashOf(imported.stream)).toBe(other)
    expect(await hashOf(await this.#files.export(`/${name}-2.bin`))).toBe(await hashOf(ReadableStream.from(exported(imported.size ?? 0, `${name}-2.bin`, await this.#mtimeOf(`/${name}-2.bin`)))))
  }

  async #mtimeOf(path: string): Promise<Date> {
    const { items } = await this.#files.versions(path)
    return new Date(items[0]?.created_at ?? 0)
  }
}

/** Bytes that no compression makes small, the same for the same seed. */
function* bytesOf(size: number, seed: number): Generator<Uint8Array, void, undefined> {
  for (let index = 0; index * MEGABYTE < size; index += 1) {
    const block = createHash('sha256').update(`${seed}:${index}`).digest()
    yield new Uint8Array(Buffer.alloc(MEGABYTE, block))
  }
}

function* tarOf(name: string, size: number): Generator<Uint8Array, void, undefined> {
  yield* exported(size, name, new Date(0))
}

function* exported(size: number, name: string, modifiedAt: Date): Generator<Uint8Array, void, undefined> {
  yield tarHeader({ name, type: 'file', size, modifiedAt })
  yield* bytesOf(size, 2)
  yield tarPadding(size)
  yield TAR_END
}

async function hashOf(stream: ReadableStream<Uint8Array> | null): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of stream ?? []) hash.update(piece)
  return hash.digest('hex')
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(stream))
}

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

/** The most memory of a process while this lives, looked at fifty times a second. */
class Peak implements Disposable {
  bytes = 0
  readonly #timer: NodeJS.Timeout

  constructor(pid: number) {
    this.#timer = setInterval(() => (this.bytes = Math.max(this.bytes, residentBytes(pid))), 20)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
