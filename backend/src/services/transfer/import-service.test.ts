import type { ImportResult } from '@buildscale/protocol'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeTar, makeZip } from '../../../test/support/archives.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.ts'
import { AppError } from '../../errors.ts'
import { userAuthor } from '../files/author.ts'
import { FileService } from '../files/file-service.ts'
import { archiveEntries } from './archive-format.ts'
import { ImportService } from './import-service.ts'
import { TRANSFER_LIMITS, type TransferLimits } from './transfer-limits.ts'

const FILE_LIMIT = 2_000_000

let database: TestDatabase
let files: FileService
const userId = uuidv7()
const spool = mkdtempSync(join(tmpdir(), 'buildscale-import-'))
beforeAll(async () => {
  database = await createTestDatabase()
  files = new FileService({ db: database.db, journal: { changed: () => undefined }, limits: { fileBytes: FILE_LIMIT }, tempDir: spool })
  await database.db.kysely.insertInto('users').values({ id: userId, name: 'Ada', email: null }).execute()
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(spool, { recursive: true })
})

const TAR = 'application/x-tar'
const ZIP = 'application/zip'
const BOUNDARY = 'xYz'
const FORM = `multipart/form-data; boundary=${BOUNDARY}`

interface Import {
  readonly workspaceId: string
  readonly result: Promise<ImportResult>
}

async function startImport(archive: Buffer, contentType: string, limits: Partial<TransferLimits> = {}): Promise<Import> {
  const workspaceId = uuidv7()
  await database.db.kysely.insertInto('workspaces').values({ id: workspaceId, name: workspaceId, owner_id: userId, deleted_at: null }).execute()
  const all = { ...TRANSFER_LIMITS, ...limits }
  const { signal } = new AbortController()
  const entries = archiveEntries({ contentType, bytes: piecesOf(archive), signal }, { files, limits: all })
  const result = new ImportService({ db: database.db, files, limits: all }).import({ workspaceId, author: userAuthor(userId), path: '/', signal }, entries)
  result.catch(() => undefined)
  return { workspaceId, result }
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += 1_000) yield bytes.subarray(start, start + 1_000)
}

async function pathsOf(workspaceId: string): Promise<string[]> {
  return (await files.list(database.db.kysely, { workspaceId, path: '/', recursive: true, limit: 1_000 })).items.map(({ path }) => path)
}

const contentOf = async (workspaceId: string, path: string): Promise<string> => (await files.read(database.db.kysely, { workspaceId, path, maxBytes: FILE_LIMIT })).bytes.toString()
const reasons = ({ skipped }: ImportResult): Record<string, string> => Object.fromEntries(skipped.map(({ path, reason }) => [path, reason]))

function makeForm(parts: readonly { readonly name: string; readonly content: string | Buffer }[]): Buffer {
  const made = parts.map(({ name, content }) => Buffer.concat([Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="${name}"\r\nContent-Type: text/plain\r\n\r\n`), Buffer.from(content), Buffer.from('\r\n')]))
  return Buffer.concat([...made, Buffer.from(`--${BOUNDARY}--\r\n`)])
}

describe('names in an archive', () => {
  it('that could lead out of the workspace, or nowhere, are skipped with the reason; the others are taken', async () => {
    const { workspaceId, result } = await startImport(
      await makeTar([
        { name: '/etc/passwd', content: 'x' },
        { name: '../up', content: 'x' },
        { name: 'a/../../up', content: 'x' },
        { name: 'back\\slash', content: 'x' },
        { name: 'bell\u0007', content: 'x' },
        { name: 'n'.repeat(256), content: 'x' },
        { name: `${'deep/'.repeat(250)}x`, content: 'x' },
        { name: './good/./name', content: 'good' },
      ]),
      TAR,
    )
    const found = reasons(await result)
    expect(found).toMatchObject({ '/etc/passwd': 'an absolute path', '../up': expect.stringContaining('".."'), 'a/../../up': expect.stringContaining('".."'), 'back\\slash': expect.stringContaining('backslash') })
    expect(Object.keys(found)).toHaveLength(7)
    expect(await pathsOf(workspaceId)).toEqual(['/good', '/good/name'])
  })

  it('may be long and in any script', async () => {
    const long = `${'folder/'.repeat(30)}${'ü'.repeat(100)} 日本 🎉.txt`
    const { workspaceId, result } = await startImport(await makeTar([{ name: long, content: 'long' }]), TAR)
    expect(await result).toMatchObject({ imported: 1, skipped: [] })
    expect(await contentOf(workspaceId, `/${long}`)).toBe('long')
  })

  it('that come twice, also in another Unicode form, are taken once', async () => {
    const { workspaceId, result } = await startImport(await makeTar([{ name: 'é', content: '1' }, { name: 'é', content: '2' }, { name: 'a', content: '1' }, { name: 'a', content: '2' }]), TAR)
    expect(await result).toMatchObject({ imported: 2, skipped_count: 2, skipped: [{ reason: expect.stringContaining('composed form') }, { path: 'a' }] })
    expect(await contentOf(workspaceId, '/é')).toBe('1')
  })
})

describe('what is no file', () => {
  it('is skipped: links, devices, and all of .git as one', async () => {
    const { workspaceId, result } = await startImport(
      await makeTar([
        { name: 'link', type: 'symlink', linkname: '/etc/passwd' },
        { name: 'hard', type: 'link', linkname: 'good' },
        { name: 'device', type: 'character-device' },
        { name: 'pipe', type: 'fifo' },
        { name: '.git/HEAD', content: 'ref' },
        { name: '.git/config', content: 'x' },
        { name: 'sub/.git', content: 'gitdir: x' },
        { name: '.gitignore', content: 'good' },
      ]),
      TAR,
    )
    expect(reasons(await result)).toEqual({ link: 'a symbolic link', hard: 'a hard link', device: 'a special file', pipe: 'a special file', '.git': 'Git’s own data', 'sub/.git': 'Git’s own data' })
    expect(await pathsOf(workspaceId)).toEqual(['/.gitignore'])
  })

  it('does not become one: a file below a file is skipped, an empty folder stays', async () => {
    const { workspaceId, result } = await startImport(await makeTar([{ name: 'a', content: '1' }, { name: 'a/b', content: '2' }, { name: 'empty/folder/', type: 'directory' }, { name: 'empty', content: 'x' }]), TAR)
    expect(reasons(await result)).toEqual({ '/a/b': expect.stringContaining('"/a" is a file'), '/empty': expect.stringContaining('is a folder') })
    expect(await pathsOf(workspaceId)).toEqual(['/a', '/empty', '/empty/folder'])
  })
})

describe('a zip', () => {
  it('is unpacked whatever its names are written in, with its folders, stored and deflated', async () => {
    const big = randomBytes(1_500_000)
    const { workspaceId, result } = await startImport(
      makeZip([{ name: 'a/', mode: 0o040755 }, { name: 'a/ü.txt', content: 'ü', isDeflated: true }, { name: Buffer.from([0x81, 0x2e, 0x74]), content: 'cp437' }, { name: 'big.bin', content: big, isDeflated: true }]),
      ZIP,
    )
    expect(await result).toMatchObject({ imported: 3, skipped: [] })
    expect(await pathsOf(workspaceId)).toEqual(['/a', '/a/ü.txt', '/big.bin', '/ü.t'])
    expect((await files.read(database.db.kysely, { workspaceId, path: '/big.bin', maxBytes: FILE_LIMIT })).bytes.equals(big)).toBe(true)
  })

  it('gives up only the entries that are damaged, encrypted or links', async () => {
    const { workspaceId, result } = await startImport(
      makeZip([{ name: 'wrong', content: 'wrong', crc: 1 }, { name: 'secret', content: 'x', flags: 1, isDeflated: true }, { name: 'link', content: '/etc/passwd', mode: 0o120777 }, { name: '../up', content: 'x' }, { name: 'good', content: 'good' }]),
      ZIP,
    )
    expect(reasons(await result)).toEqual({ wrong: expect.stringContaining('checksum'), secret: 'it is encrypted', link: 'a symbolic link', '../up': expect.stringContaining('".."') })
    expect(await pathsOf(workspaceId)).toEqual(['/good'])
  })
})

describe('a form', () => {
  it('is taken file by file, each under its name with folders', async () => {
    const { workspaceId, result } = await startImport(makeForm([{ name: 'site/ü.html', content: '<p>' }, { name: 'empty', content: '' }, { name: 'big.bin', content: Buffer.alloc(1_200_000, 7) }]), FORM)
    expect(await result).toMatchObject({ imported: 3, skipped: [] })
    expect(await pathsOf(workspaceId)).toEqual(['/big.bin', '/empty', '/site', '/site/ü.html'])
  })

  it('without a boundary is refused', async () => {
    const { result } = await startImport(Buffer.from('x'), 'multipart/form-data')
    await expect(result).rejects.toMatchObject({ code: 'invalid_request' })
  })
})

describe('limits', () => {
  it('stop an archive with too many entries, or that unpacks to too much; what came before stays', async () => {
    const tar = await makeTar([{ name: 'a', content: 'a'.repeat(100) }, { name: 'b', content: 'b'.repeat(100) }, { name: 'c', content: 'c'.repeat(100) }])
    for (const limits of [{ entries: 2 }, { bytes: 250 }]) {
      const { workspaceId, result } = await startImport(tar, TAR, limits)
      await expect(result).rejects.toMatchObject({ code: 'payload_too_large', details: { import: { imported: 2 } } })
      expect(await pathsOf(workspaceId)).toEqual(['/a', '/b'])
    }
  })

  it('stop bombs by how much more they unpack to, in a gzip and in a zip', async () => {
    const zeros = Buffer.alloc(1_900_000)
    const limits = { ratio: 100, ratioFromBytes: 1_000_000 }
    for (const [archive, type] of [[gzipSync(await makeTar([{ name: 'zeros', content: zeros }])), 'application/gzip'], [makeZip([{ name: 'zeros', content: zeros, isDeflated: true }]), ZIP]] as const) {
      const { workspaceId, result } = await startImport(archive, type, limits)
      await expect(result).rejects.toMatchObject({ code: 'payload_too_large', message: expect.stringContaining('100 times') })
      expect(await pathsOf(workspaceId)).toEqual([])
    }
  })

  it('skip a file that is too large, alone', async () => {
    const { workspaceId, result } = await startImport(await makeTar([{ name: 'huge', content: Buffer.alloc(FILE_LIMIT + 1) }, { name: 'small', content: 's' }]), TAR)
    expect(reasons(await result)).toEqual({ huge: expect.stringContaining(`larger than ${FILE_LIMIT} bytes`) })
    expect(await pathsOf(workspaceId)).toEqual(['/small'])
  })

  it('bound what the answer names, not what it counts', async () => {
    const { result } = await startImport(await makeTar([1, 2, 3].map((number) => ({ name: `../${number}`, content: '' }))), TAR, { named: 2 })
    expect(await result).toMatchObject({ skipped_count: 3, skipped: [{ path: '../1' }, { path: '../2' }] })
  })

  it('of the workspace end an import with the reason, and what fitted stays', async () => {
    const { workspaceId, result } = await startImport(await makeTar([{ name: 'a', content: 'a' }, { name: 'b', content: 'b' }]), TAR, { batchFiles: 1 })
    await result
    await database.db.kysely.updateTable('workspaces').set({ quota_bytes: 3 }).where('id', '=', workspaceId).execute()
    const { signal } = new AbortController()
    const entries = archiveEntries({ contentType: TAR, bytes: piecesOf(await makeTar([{ name: 'c', content: 'c' }, { name: 'd', content: 'd' }])), signal }, { files, limits: TRANSFER_LIMITS })
    const service = new ImportService({ db: database.db, files, limits: { ...TRANSFER_LIMITS, batchFiles: 1 } })
    await expect(service.import({ workspaceId, author: userAuthor(userId), path: '/', signal }, entries)).rejects.toMatchObject({ code: 'insufficient_storage', details: { import: { imported: 1 } } })
    expect(await pathsOf(workspaceId)).toEqual(['/a', '/b', '/c'])
  })
})

describe('an archive that is damaged or ends early', () => {
  const content = randomBytes(3_000)
  const archives = async (): Promise<readonly (readonly [string, Buffer, string])[]> => {
    const entries = [{ name: 'a', content: 'a' }, { name: 'b', content }, { name: 'c', content: 'c' }]
    const tar = await makeTar(entries)
    return [['tar', tar.subarray(0, -512), TAR], ['gzip', gzipSync(tar), TAR], ['zip', makeZip(entries), ZIP], ['form', makeForm(entries), FORM]]
  }

  it('is an error wherever it is cut, and never a wait; only whole files are stored', { timeout: 120_000 }, async () => {
    for (const [name, archive, type] of await archives()) {
      for (let length = 0; length < archive.length - 4; length += Math.ceil(archive.length / 23)) {
        const { workspaceId, result } = await startImport(archive.subarray(0, length), type)
        const error = await result.then(() => undefined, (failure: unknown) => failure)
        expect(error instanceof AppError ? error.code : error, `${name} cut at ${length}`).toBe('invalid_request')
        for (const path of await pathsOf(workspaceId)) expect((await contentOf(workspaceId, path)) === (path === '/b' ? content.toString() : path.slice(1)), `${name} cut at ${length}`).toBe(true)
      }
    }
  })

  it('is an error when it is something else', async () => {
    for (const type of [TAR, ZIP, FORM]) {
      const { result } = await startImport(randomBytes(5_000), type)
      await expect(result, type).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining('Nothing was imported.') })
    }
  })

  it('leaves nothing of its own on the disk of the server', async () => {
    const { result } = await startImport(makeZip([{ name: 'big', content: randomBytes(1_500_000) }]).subarray(0, 1_400_000), ZIP)
    await expect(result).rejects.toMatchObject({ code: 'invalid_request' })
    expect(readdirSync(spool)).toEqual([])
  })
})
