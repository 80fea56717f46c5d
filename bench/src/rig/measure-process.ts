/** One measurement in a process of its own: `node measure-process.ts <module of the client> <base URL> <work as JSON>`; prints the measurement as JSON. */
import { isBenchClientModule } from './bench-client.ts'
import { measure } from './measure.ts'
import { parseWork } from './work.ts'

const [path = '', url = '', work = ''] = process.argv.slice(2)
const loaded: unknown = await import(path)
if (!isBenchClientModule(loaded)) throw new Error(`${path} exports no createClient`)
const measurement = await measure(await loaded.createClient(url), parseWork(work))
console.log(JSON.stringify(measurement))
// Clients keep their connections open for a while; nothing is left to wait for.
process.exit(0)
