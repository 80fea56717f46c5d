/** One measurement in a process of its own: `node measure-process.js <module of the client> <base URL> <scenario> <full|quick>`; prints the measurement as JSON. */
import './loopback-only.ts'
import { isBenchClientModule } from './bench-client.ts'
import { measure } from './measure.ts'
import { SCENARIO_NAMES, SCENARIOS } from './scenarios.ts'

const [path = '', url = '', wanted = '', size = ''] = process.argv.slice(2)
const name = SCENARIO_NAMES.find((known) => known === wanted)
if (name === undefined) throw new Error(`there is no scenario "${wanted}"`)
const loaded: unknown = await import(path)
if (!isBenchClientModule(loaded)) throw new Error(`${path} exports no createClient`)
const measurement = await measure(await loaded.createClient(url), size === 'quick' ? SCENARIOS[name].quick : SCENARIOS[name].work)
console.log(JSON.stringify(measurement))
// Clients keep their connections open for a while; nothing is left to wait for.
process.exit(0)
