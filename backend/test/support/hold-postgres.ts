/** A program of its own that starts the embedded server on the directories given as arguments and holds it until it is killed. For tests that kill it. */
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts'
import { silentLog } from './silent-log.ts'

const [, , dataDir = '', runtimeDir = ''] = process.argv
const postgres = await startEmbeddedPostgres({ dataDir, runtimeDir, log: silentLog })
process.stdout.write(`${postgres.pid}\n`)
setInterval(() => undefined, 60_000)
