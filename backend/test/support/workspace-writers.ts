/**
 * Four writers at a time on one workspace, with its mirror, until they are killed or have done their share:
 * `node workspace-writers.ts <data dir> <workspace id> <log file> <seed> <round> <operations>`, database in DATABASE_URL.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDb } from '../../src/db/db.ts'
import { AppError } from '../../src/errors.ts'
import { DiskMirrorService } from '../../src/mirror/disk-mirror-service.ts'
import { readChangeSeq } from '../../src/repositories/change-repository.ts'
import { userAuthor } from '../../src/services/files/author.ts'
import type { ChangeSet } from '../../src/services/files/change-set.ts'
import { DiskEditService } from '../../src/services/files/disk-edit-service.ts'
import { FileService } from '../../src/services/files/file-service.ts'
import { createFolder, moveFile, removeFile, restoreFromTrash, restoreVersion, writeFile } from '../../src/services/files/file-tree.ts'
import { JournalFeed } from '../../src/services/files/journal-feed.ts'
import { RewindService } from '../../src/services/files/rewind-service.ts'
import { listTrash } from '../../src/services/files/trash.ts'
import { pick, randomFolder, randomNumbers, randomPath } from './random-numbers.ts'
import { silentLog } from './silent-log.ts'
import { contentOf, type Operation } from './workspace-operations.ts'

const [, , dataDir = '', workspaceId = '', logFile = '', seed = '1', round = '0', share = '100'] = process.argv
const db = createDb({ type: 'url', url: process.env['DATABASE_URL'] ?? '' }, { log: silentLog, maxConnections: 8 })
const limits = { fileBytes: 1e9 }
const journal = new JournalFeed()
const files = new FileService({ db, journal, limits, tempDir: join(dataDir, 'spool') })
const mirror = new DiskMirrorService({ db, dataDir, log: silentLog, importer: new DiskEditService({ files, limits }), times: { everyMs: 1_000, pollMs: 500 } })
journal.onChanged(({ workspaceId: id, seq }) => mirror.changed(id, seq))
const rewinds = new RewindService({ db, files })

let left = Number(share)

async function choose(random: () => number, id: string): Promise<Operation> {
  const kind = random()
  if (kind < 0.45) return { type: 'write', path: randomPath(random), text: random() < 0.1 ? 'the same again' : `written by ${id}`, ...(random() < 0.01 && { bytes: 1_500_000 }) }
  if (kind < 0.5) return { type: 'folder', path: randomFolder(random) }
  if (kind < 0.7) return { type: 'move', from: random() < 0.3 ? randomFolder(random) : randomPath(random), to: random() < 0.3 ? randomFolder(random) : randomPath(random) }
  if (kind < 0.82) return { type: 'delete', path: random() < 0.15 ? randomFolder(random) : randomPath(random) }
  if (kind < 0.9) return { type: 'version', path: randomPath(random), version: 1 + Math.floor(random() * 4) }
  if (kind < 0.97) return trashed(random, id)
  const head = (await readChangeSeq(db.kysely, workspaceId)) ?? 0
  return { type: 'rewind', toSeq: Math.max(0, head - Math.floor(random() * 40)) }
}

async function trashed(random: () => number, id: string): Promise<Operation> {
  const { items } = await listTrash(db.kysely, { workspaceId, limit: 10 })
  return items.length === 0 ? { type: 'write', path: randomPath(random), text: `written by ${id}` } : { type: 'untrash', fileId: pick(random, items).id }
}

async function apply(set: ChangeSet, operation: Operation): Promise<unknown> {
  switch (operation.type) {
    case 'write':
      return writeFile(set, { path: operation.path, content: contentOf(operation) })
    case 'folder':
      return createFolder(set, operation.path)
    case 'move':
      return moveFile(set, operation)
    case 'delete':
      return removeFile(set, { path: operation.path, recursive: true })
    case 'version':
      return restoreVersion(set, operation)
    case 'untrash':
      return restoreFromTrash(set, operation)
    case 'rewind':
      return rewinds.within(set, { workspaceId, toSeq: operation.toSeq })
  }
}

async function writer(number: number): Promise<void> {
  const random = randomNumbers(Number(seed) * 1_000 + Number(round) * 10 + number)
  for (let step = 0; left > 0; step += 1) {
    left -= 1
    const id = `00000000-0000-7000-8000-${round.padStart(4, '0')}${String(number).padStart(2, '0')}${String(step).padStart(6, '0')}`
    const operation = await choose(random, id)
    appendFileSync(logFile, `${JSON.stringify({ id, operation })}\n`)
    const ended = await files.change({ workspaceId, author: userAuthor(id) }, (set) => apply(set, operation)).then(({ changes }) => changes.at(-1)?.seq ?? null, refusalCode)
    appendFileSync(logFile, `${JSON.stringify({ id, ended })}\n`)
  }
}

function refusalCode(error: unknown): string {
  if (error instanceof AppError && error.code !== 'internal' && error.code !== 'unavailable') return error.code
  throw error
}

await files.clearSpool()
await mirror.start()
process.stdout.write('started\n')
await Promise.all([0, 1, 2, 3].map(writer))
await mirror.waitFor(workspaceId, { timeoutMs: 20_000 })
await mirror.close()
await db.close()
