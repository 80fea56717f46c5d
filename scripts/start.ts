/** `npm start`: builds the web page when needed, then becomes the server. */
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runServer } from '../backend/src/main.ts'
import { buildWeb } from './build-web.ts'

try {
  await buildWeb(dirname(dirname(fileURLToPath(import.meta.url))))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
await runServer()
// Sockets that clients keep open must not keep the process.
process.exit()
