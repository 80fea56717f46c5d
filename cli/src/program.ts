import { Command, CommanderError } from 'commander'
import { EXIT } from './cli-error.ts'
import { run, type RunOptions } from './commands/run.ts'
import { connect, explain } from './connect.ts'
import type { Terminal } from './terminal.ts'

const WORKSPACE_OPTION = ['--workspace <id or name>', 'the workspace to work in', 'main'] as const

/** Runs the command line `args` (without node and script) and resolves to the exit code. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode: number = EXIT.done
  const finish = (code: number): void => void (exitCode = code)
  try {
    await buildProgram(terminal, finish).parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has printed its message; help and version are no failures, everything else of its is a usage error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    const { message, exitCode: code } = explain(error)
    terminal.err(`${terminal.style('red', 'error:')} ${message}\n`)
    return code
  }
}

function buildProgram(terminal: Terminal, finish: (exitCode: number) => void): Command {
  const program = new Command('buildscale')
    .description('Talk to a BuildScale server: agents that work on versioned files.')
    .exitOverride()
    .showHelpAfterError('(buildscale --help shows what there is)')
    .addHelpText('after', ENVIRONMENT_HELP)
  addRun(program, terminal, finish)
  return program
}

function addRun(program: Command, terminal: Terminal, finish: (exitCode: number) => void): void {
  program
    .command('run')
    .description('give an agent a goal and follow it to its end')
    .argument('<goal>', 'what the agent shall do')
    .option('--model <id>', 'provider:model; the default of the server when left out')
    .option(...WORKSPACE_OPTION)
    .option('--json', 'print each event as one line of JSON, the result last')
    .addHelpText('after', RUN_HELP)
    .action(async (goal: string, options: RunOptions) => finish(await run(connect(terminal), goal, options)))
}

const RUN_HELP = `
The answer goes to stdout as it streams; thoughts and tool calls go to stderr. Ctrl-C stops the turn on the server.
Exit codes: 0 done, 1 error, 2 usage, 3 stopped, 4 waits for a person.

Examples:
  buildscale run "list the files"
  buildscale run "summarise /README.md into /notes.md" --workspace docs
  buildscale run "what is in /data.csv?" --json | tail -n 1`

const ENVIRONMENT_HELP = `
Environment:
  BUILDSCALE_URL       where the server is (default http://127.0.0.1:$PORT, PORT 3000)
  BUILDSCALE_TOKEN     an API token (default: the token that a local server leaves in its data directory)
  BUILDSCALE_DATA_DIR  the data directory of the local server
  NO_COLOR             no colours`
