/** Changes files without end, with their mirror, until it is killed: `node mirror-crash-program.ts <data dir> <workspace id>`, database in DATABASE_URL. */
import { createDb } from '../../src/db/db.ts'
import { DiskMirrorService } from '../../src/mirror/disk-mirror-service.ts'
import { userAuthor } from '../../src/services/files/author.ts'
import type { ChangeSet } from '../../src/services/files/change-set.ts'
import { DiskEditService } from '../../src/services/files/disk-edit-service.ts'
import { FileService } from '../../src/services/files/file-service.ts'
import { moveFile, removeFile, writeFile } from '../../src/services/files/file-tree.ts'
import { JournalFeed } from '../../src/services/files/journal-feed.ts'
import { silentLog } from './silent-log.ts'

const [, , dataDir = '', workspaceId = ''] = process.argv
const db = createDb({ type: 'url', url: process.env['DATABASE_URL'] ?? '' }, { log: silentLog, maxConnections: 3 })
const limits = { fileBytes: 1e9 }
const journal = new JournalFeed()
const files = new FileService({ db, journal, limits })
const mirror = new DiskMirrorService({ db, dataDir, log: silentLog, importer: new DiskEditService({ files, limits }) })
journal.onChanged(({ workspaceId: id, seq }) => mirror.changed(id, seq))
const pick = (): string => ['/a', '/a/b', '/c'][Math.floor(Math.random() * 3)] ?? '/a'

async function step(set: ChangeSet, number: number): Promise<void> {
  const action = Math.random()
  if (action < 0.6) await writeFile(set, { path: `${pick()}/${number % 9}.txt`, content: Buffer.from(`content ${number} `.repeat(50)) })
  else if (action < 0.85) await moveFile(set, { from: pick(), to: action < 0.75 ? pick() : `/c/m${number}` })
  else await removeFile(set, { path: pick(), recursive: true })
}

process.stdout.write('started\n')
for (let number = Date.now(); ; number += 1) {
  // Refused steps (nothing there, a taken place) are part of the noise.
  await files.change({ workspaceId, author: userAuthor('01890000-0000-7000-8000-000000000000') }, (set) => step(set, number)).catch(() => undefined)
}
