/** The command: reads its arguments, starts the server, says where it is, ends on SIGTERM or SIGINT. */
import { readFile } from 'node:fs/promises'
import { HELP, parseCommandLine, UsageError, type CommandLine } from './command-line.ts'
import { parseScript } from './script.ts'
import { ScriptError } from './script-fields.ts'
import { startModelSim } from './start-model-sim.ts'

try {
  const command = parseCommandLine(process.argv.slice(2))
  if (command.type === 'help') console.log(HELP)
  else await serve(command)
} catch (error) {
  const isUsage = error instanceof UsageError || error instanceof ScriptError
  console.error(`buildscale-model-sim: ${error instanceof Error ? error.message : String(error)}${isUsage ? '\nSee buildscale-model-sim --help.' : ''}`)
  process.exitCode = isUsage ? 2 : 1
}

async function serve(command: CommandLine): Promise<void> {
  const { port, host, mode, models, apiKey, eventDelayMs } = command
  const script = command.script === undefined ? undefined : await loadScript(command.script)
  const sim = await startModelSim({
    port,
    host,
    eventDelayMs,
    ...(mode === undefined ? {} : { mode }),
    ...(models === undefined ? {} : { models }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(script === undefined ? {} : { script }),
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void sim.close().then(() => process.exit(0)))
  console.log(`model-sim is ready at ${sim.url}`)
}

/** @throws UsageError when the file cannot be read or is not JSON; ScriptError when it is no script */
async function loadScript(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`cannot read the script ${path}: ${error instanceof Error ? error.message : String(error)}`)
  })
  try {
    const value: unknown = JSON.parse(text)
    parseScript(value)
    return value
  } catch (error) {
    if (error instanceof ScriptError) throw error
    throw new UsageError(`the script ${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}
