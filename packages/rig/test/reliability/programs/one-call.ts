/** Makes one call that is refused, and says how it ended: `node one-call.ts <wire> <origin>`. */
import { CompletionError } from '../../../src/index.ts'
import { WIRES } from '../wires.ts'

const [name, origin = ''] = process.argv.slice(2)
const wire = WIRES.find((candidate) => candidate.name === name)
const model = wire?.client({ origin, retry: false }).completionModel('test-model')
const error: unknown = await model?.completion({ messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] }).catch((reason: unknown) => reason)
process.stdout.write(`${error instanceof CompletionError ? error.kind : String(error)}\n`)
