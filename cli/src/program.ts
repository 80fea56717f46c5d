import { Command, CommanderError } from 'commander'
import { EXIT } from './cli-error.ts'
import { chat, type ChatOptions } from './commands/chat.ts'
import { agents, type AgentsOptions, type DefinitionsOptions, skills } from './commands/definitions.ts'
import { doctor, type DoctorOptions } from './commands/doctor.ts'
import { exportFolder, type ExportOptions } from './commands/export.ts'
import { diff, type DiffOptions, history, type HistoryOptions } from './commands/history.ts'
import { importFolder, type ImportOptions } from './commands/import.ts'
import { login } from './commands/login.ts'
import { rewind, type RewindOptions } from './commands/rewind.ts'
import { run, type RunOptions } from './commands/run.ts'
import { search, type SearchOptions } from './commands/search.ts'
import { trashEmpty, trashList, type TrashOptions, trashPurge, trashRestore } from './commands/trash.ts'
import { userAdd, type UserAddOptions } from './commands/user.ts'
import { workspaceCreate, workspaceDelete, workspaceList, workspaceQuota, workspaceRename } from './commands/workspace.ts'
import { connect, explain } from './connect.ts'
import type { Terminal } from './terminal.ts'

const AGENT_OPTION = ['--agent <name>', 'who answers; buildscale agents lists them'] as const
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
  for (const add of [addServe, addRun, addChat, addDefinitions, addImport, addExport, addSearch, addHistory, addTrash, addWorkspaces, addPeople, addDoctor]) add(program, terminal, finish)
  return program
}

function addRun(program: Command, terminal: Terminal, finish: (exitCode: number) => void): void {
  program
    .command('run')
    .description('give an agent a goal and follow it to its end')
    .argument('<goal>', 'what the agent shall do')
    .option(...AGENT_OPTION)
    .option('--model <id>', 'provider:model; that of the agent or the server when left out')
    .option(...WORKSPACE_OPTION)
    .option('--json', 'print each event as one line of JSON, the result last')
    .addHelpText('after', RUN_HELP)
    .action(async (goal: string, options: RunOptions) => finish(await run(connect(terminal), goal, options)))
}

function addServe(program: Command): void {
  program
    .command('serve')
    .description('the server in one process, what npm start runs')
    .addHelpText('after', SERVE_HELP)
    .action(async () => {
      // Only this command needs the backend; loading it would make every other one slow.
      const { serve } = await import('./serve.ts')
      await serve()
    })
}

function addChat(program: Command, terminal: Terminal, finish: (exitCode: number) => void): void {
  program
    .command('chat')
    .description('talk with an agent, message by message')
    .option('--chat <id>', 'continue this chat')
    .option(...AGENT_OPTION)
    .option('--model <id>', 'provider:model; that of the agent or the server when left out')
    .option(...WORKSPACE_OPTION)
    .addHelpText('after', CHAT_HELP)
    .action(async (options: ChatOptions) => finish(await chat(connect(terminal), options)))
}

function addDefinitions(program: Command, terminal: Terminal, finish: (exitCode: number) => void): void {
  program
    .command('agents')
    .description('list the agents of a workspace; exits 1 if a file of them is broken')
    .option('--eject <name>', 'write a built-in agent as a file, to start from')
    .option(...WORKSPACE_OPTION)
    .option('--json', 'print them as JSON')
    .addHelpText('after', AGENTS_HELP)
    .action(async (options: AgentsOptions) => finish(await agents(connect(terminal), options)))
  program
    .command('skills')
    .description('list the skills of a workspace; exits 1 if a file of them is broken')
    .option(...WORKSPACE_OPTION)
    .option('--json', 'print them as JSON')
    .action(async (options: DefinitionsOptions) => finish(await skills(connect(terminal), options)))
}

function addSearch(program: Command, terminal: Terminal, finish: (exitCode: number) => void): void {
  program
    .command('search')
    .description('search the files of a workspace by words, by meaning, or with a regular expression')
    .argument('<words>', 'what to look for')
    .option('--mode <modes>', 'text, semantic, regex, or several with commas', 'text,semantic')
    .option('--path <path>', 'the folder or file to search in', '/')
    .option('--limit <n>', 'hits at most, up to 100', '20')
    .option(...WORKSPACE_OPTION)
    .option('--json', 'print the whole answer as JSON')
    .addHelpText('after', SEARCH_HELP)
    .action(async (words: string, options: SearchOptions) => finish(await search(connect(terminal), words, options)))
}

function addImport(program: Command, terminal: Terminal, finish: (exitCode: number) => void): void {
  program
    .command('import')
    .description('store the files of a folder, or of an archive, in a workspace')
    .argument('<dir>', 'a folder on this machine, or a .tar, .tar.gz, .tgz or .zip; what it contains is stored')
    .option('--to <path>', 'the folder of the workspace', '/')
    .option('--gitignore', 'leave out what the .gitignore files say')
    .option(...WORKSPACE_OPTION)
    .addHelpText('after', IMPORT_HELP)
    .action(async (directory: string, options: ImportOptions) => finish(await importFolder(connect(terminal), directory, options)))
}

function addTrash(program: Command, terminal: Terminal, finish: (exitCode: number) => void): void {
  const trash = program.command('trash').description('what was removed, and the way back').addHelpText('after', TRASH_HELP)
  trash
    .command('list')
    .description('what was removed, the latest first')
    .option('--json', 'print the entries as JSON')
    .option(...WORKSPACE_OPTION)
    .action(async (options: TrashOptions) => finish(await trashList(connect(terminal), options)))
  trash
    .command('restore')
    .description('put a file back, or a folder with what was removed with it')
    .argument('<path or id>')
    .option('--to <path>', 'put it here instead of where it was')
    .option(...WORKSPACE_OPTION)
    .action(async (what: string, options: TrashOptions) => finish(await trashRestore(connect(terminal), what, options)))
  trash
    .command('purge')
    .description('remove something for good, with every version')
    .argument('<path or id>')
    .option('--yes', 'it is meant')
    .option(...WORKSPACE_OPTION)
    .action(async (what: string, options: TrashOptions) => finish(await trashPurge(connect(terminal), what, options)))
  trash
    .command('empty')
    .description('remove everything in the trash for good')
    .option('--yes', 'it is meant')
    .option(...WORKSPACE_OPTION)
    .action(async (options: TrashOptions) => finish(await trashEmpty(connect(terminal), options)))
}

function addWorkspaces(program: Command, terminal: Terminal, finish: (exitCode: number) => void): void {
  const workspace = program.command('workspace').description('the workspaces of this server').addHelpText('after', WORKSPACE_HELP)
  workspace
    .command('list')
    .description('your workspaces, with what they store')
    .option('--json', 'print them as JSON')
    .action(async (options: { json?: boolean }) => finish(await workspaceList(connect(terminal), options)))
  workspace
    .command('create')
    .description('make a workspace; prints its id')
    .argument('<name>')
    .action(async (name: string) => finish(await workspaceCreate(connect(terminal), name)))
  workspace
    .command('rename')
    .argument('<id or name>')
    .argument('<new name>')
    .action(async (of: string, name: string) => finish(await workspaceRename(connect(terminal), of, name)))
  workspace
    .command('quota')
    .description('what a workspace may store, versions and trash included; the local owner only')
    .argument('<id or name>')
    .argument('<size>', 'a number of bytes, 500M, 10G, or none')
    .action(async (of: string, size: string) => finish(await workspaceQuota(connect(terminal), of, size)))
  workspace
    .command('delete')
    .description('delete a workspace with everything in it')
    .argument('<id or name>')
    .option('--yes', 'it is meant')
    .action(async (of: string, options: { yes?: boolean }) => finish(await workspaceDelete(connect(terminal), of, options)))
}

function addHistory(program: Command, terminal: Terminal, finish: (exitCode: number) => void): void {
  program
    .command('history')
    .description('the versions of a file: when, how large, by whom, in which turn')
    .argument('<path>', 'a file of the workspace')
    .option(...WORKSPACE_OPTION)
    .option('--json', 'print the versions as JSON')
    .addHelpText('after', '\nExample:\n  buildscale history /notes.md')
    .action(async (path: string, options: HistoryOptions) => finish(await history(connect(terminal), path, options)))
  program
    .command('diff')
    .description('what changed between two versions of a file')
    .argument('<path>', 'a file of the workspace')
    .option('--from <version>', 'the older one; the one before --to when left out')
    .option('--to <version>', 'the newer one; the latest when left out')
    .option(...WORKSPACE_OPTION)
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', '\nExamples:\n  buildscale diff /notes.md\n  buildscale diff /notes.md --from 1 --to 3 | patch -p1')
    .action(async (path: string, options: DiffOptions) => finish(await diff(connect(terminal), path, options)))
  program
    .command('rewind')
    .description('bring files back to what they were; shows what that changes, and does it with --yes')
    .option('--to-seq <seq>', 'to this seq of the journal')
    .option('--before-turn <id>', 'to right before this turn')
    .option('--path <path...>', 'only what is or was at or below these paths')
    .option('--yes', 'do it')
    .option(...WORKSPACE_OPTION)
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', '\nExamples:\n  buildscale rewind --to-seq 17\n  buildscale rewind --before-turn 0198c5f4-2f5b-7c3e-9d1a-5b1f0c7a1e42 --path /src --yes')
    .action(async (options: RewindOptions) => finish(await rewind(connect(terminal), options)))
}

function addExport(program: Command, terminal: Terminal, finish: (exitCode: number) => void): void {
  program
    .command('export')
    .description('write the files of a workspace as a tar')
    .option('--path <path>', 'the folder or file of the workspace', '/')
    .option('-o, --output <file>', 'where the archive goes; stdout when left out')
    .option(...WORKSPACE_OPTION)
    .addHelpText('after', EXPORT_HELP)
    .action(async (options: ExportOptions) => finish(await exportFolder(connect(terminal), options)))
}

function addPeople(program: Command, terminal: Terminal, finish: (exitCode: number) => void): void {
  program
    .command('login')
    .description('print a link that signs a browser in')
    .addHelpText('after', '\nExample:\n  buildscale login')
    .action(async () => finish(await login(connect(terminal))))
  program
    .command('user')
    .description('users of this server')
    .command('add')
    .description('add a user with a token of their own; the local owner only')
    .argument('<name>')
    .option('--workspace <id or name>', 'make the user a member of this workspace')
    .option('--role <role>', 'viewer, editor (when left out), admin or owner')
    .option('--json', 'print {"user_id", "token"}')
    .addHelpText('after', USER_ADD_HELP)
    .action(async (name: string, options: UserAddOptions) => finish(await userAdd(connect(terminal), name, options)))
}

function addDoctor(program: Command, terminal: Terminal, finish: (exitCode: number) => void): void {
  program
    .command('doctor')
    .description('compare database and mirror; exits 0 only if they agree')
    .option('--repair', 'make the mirror what the database says')
    .option('--deep', 'compare the bytes of every file too')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', '\nExamples:\n  buildscale doctor\n  buildscale doctor --deep --repair')
    .action(async (options: DoctorOptions) => finish(await doctor(connect(terminal), options)))
}

const SERVE_HELP = `
It is set up by the environment: PORT, HOST, BUILDSCALE_DATA_DIR, DATABASE_URL, OPENAI_API_KEY …

Examples:
  buildscale serve
  PORT=4000 BUILDSCALE_DATA_DIR=./data buildscale serve`

const CHAT_HELP = `
Examples:
  buildscale chat
  buildscale chat --chat 0198c5f4-2f5b-7c3e-9d1a-5b1f0c7a1e42
  echo "list the files" | buildscale chat`

const AGENTS_HELP = `
Examples:
  buildscale agents
  buildscale agents --eject reviewer
  buildscale run --agent reviewer "review /notes.md"`

const IMPORT_HELP = `
Everything but .git, symbolic links and special files; what was left out is counted and named. Importing again stores only what changed.

Examples:
  buildscale import .
  buildscale import ./site --to /site --gitignore
  buildscale import site.tar.gz --to /site`

const EXPORT_HELP = `
Examples:
  buildscale export -o workspace.tar
  buildscale export --path /site | tar -x -C ./site`

const TRASH_HELP = `
Examples:
  buildscale trash list
  buildscale trash restore /notes.md
  buildscale trash restore /notes.md --to /old-notes.md
  buildscale trash purge /secret.txt --yes`

const WORKSPACE_HELP = `
Examples:
  buildscale workspace list
  buildscale workspace create research
  buildscale workspace quota research 10G`

const SEARCH_HELP = `
Prints path, line number and line. "In quotes": words next to each other; -word: without it; OR: either.
Exit codes: 0 found, 1 nothing found or an error, 2 usage.

Examples:
  buildscale search "user name"
  buildscale search '"next to each other" -draft' --path /docs
  buildscale search "how are files kept" --mode semantic --json
  buildscale search "TODO|FIXME" --mode regex`

const USER_ADD_HELP = `
Examples:
  buildscale user add ada
  buildscale user add ada --workspace main --role viewer --json`

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
