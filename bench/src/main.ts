/** `npm run bench -- <name>`: what is measured, and how to ask for it. */
import { FILES_HELP, filesCommand } from './files/files-command.ts'
import { RIG_HELP, rigCommand } from './rig/rig-command.ts'
import { UsageError } from './usage-error.ts'

interface BenchCommand {
  readonly summary: string
  readonly help: string
  run(args: readonly string[]): Promise<void>
}

const COMMANDS: Readonly<Record<string, BenchCommand>> = {
  files: { summary: 'writes, searches and imports of files beside fsync, Git and ripgrep, and what 100,000 files cost beside 1,000', help: FILES_HELP, run: filesCommand },
  rig: { summary: 'CPU time of the agent runtime per streamed delta and per tool step, beside others', help: RIG_HELP, run: rigCommand },
}

function help(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(8)}${summary}`)
  return `npm run bench -- <name> [options]\n\n${lines.join('\n')}\n\nnpm run bench -- <name> --help tells more. Packages to compare with: npm run bench:install.`
}

const [name = '--help', ...args] = process.argv.slice(2)
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
try {
  if (name === '--help' || name === '-h') console.log(help())
  else if (command === undefined) throw new UsageError(`there is no bench "${name}"\n\n${help()}`)
  else if (args.includes('--help') || args.includes('-h')) console.log(command.help)
  else await command.run(args)
} catch (error) {
  console.error(`bench: ${error instanceof UsageError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
