/** Embeds what is pending until it is killed: `node embedding-program.ts <base URL of an embedding server>`, database in DATABASE_URL. */
import { randomUUID } from 'node:crypto'
import { createDb } from '../../src/db/db.ts'
import { RigEmbedder } from '../../src/services/chat/rig-embedder.ts'
import { EmbeddingWorker } from '../../src/services/search/meaning/embedding-worker.ts'
import { silentLog } from './silent-log.ts'

const [, , offlineUrl = ''] = process.argv
const db = createDb({ type: 'url', url: process.env['DATABASE_URL'] ?? '' }, { log: silentLog, maxConnections: 3 })
const embedder = RigEmbedder.fromSettings({ model: undefined, providers: { openai: undefined, anthropic: undefined, openrouter: undefined, ollama: undefined }, offlineUrl })
new EmbeddingWorker({ db, embedder, nodeId: randomUUID(), log: silentLog, times: { leaseMs: 1_500, batchMs: 1_000 } }).start()
process.stdout.write('started\n')
setInterval(() => undefined, 1_000)
