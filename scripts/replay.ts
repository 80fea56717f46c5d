/** `npm run replay -- <folder>`: recorded exchanges with model providers, replayed against the runtime. */
import { replayCommand } from './replay/command-line.ts'
import { makeModel } from './replay/make-model.ts'

process.exitCode = await replayCommand(process.argv.slice(2), { write: (line) => console.log(line), complain: (line) => console.error(line), makeModel })
