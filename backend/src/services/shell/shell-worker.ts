/** The thread in which one script runs. It has no environment, no network and no file but those that the server answers for; it is ended from outside. */
import { Bash, type BashOptions, type CommandName, defineCommand, getCommandNames } from 'just-bash'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { readMirrorFile, type StoredFile } from './shell-content.ts'
import { ShellFileSystem } from './shell-file-system.ts'
import { planChanges } from './shell-plan.ts'
import type { FolderFacts, ShellEnd, ShellJob, ShellOutput, ToHost, ToWorker } from './shell-protocol.ts'
import { ShellTree } from './shell-tree.ts'
import { StreamCapture } from './stream-capture.ts'
import { withStreams } from './stream-redirects.ts'
import { WrittenFiles } from './written-files.ts'

/** What the interpreter itself bounds; time, memory and files are bounded around it. */
const LIMITS: BashOptions['executionLimits'] = {
  maxCommandCount: 1_000_000,
  maxLoopIterations: 1_000_000,
  maxAwkIterations: 1_000_000,
  maxSedIterations: 1_000_000,
  maxJqIterations: 1_000_000,
  maxCallDepth: 200,
  maxSourceBytes: 1024 * 1024,
  maxStringLength: 32 * 1024 * 1024,
  maxOutputSize: 32 * 1024 * 1024,
  maxLiveBytes: 128 * 1024 * 1024,
  maxBraceExpansionResults: 100_000,
  maxArchiveBytes: 64 * 1024 * 1024,
  maxArchiveCompressedBytes: 32 * 1024 * 1024,
  maxArchiveEntries: 10_000,
}
/** The database command brings a WebAssembly heap that nothing bounds. */
const LEFT_OUT: ReadonlySet<string> = new Set(['sqlite3', 'python', 'python3', 'js-exec', 'node', 'curl'])
/** Where the script's streams go, command by command: what was printed is known even when the script is ended in the middle. */
const STREAMS = { stdout: '/dev/.stdout', stderr: '/dev/.stderr' }
/** How often the server hears what has been printed. */
const REPORT_MS = 200
/** Exit codes of the interpreter's own limits: out of time, too much of something. */
const LIMIT_CODES: ReadonlySet<number> = new Set([124, 126])
const LIMIT_SENTENCE = /limit exceeded|exceeded maximum|exceeded execution deadline|exceeded its execution deadline|maximum .*exceeded|execution aborted|increase executionLimits/

/** Questions to the server, answered by number. */
class Host {
  readonly #port: MessagePort
  readonly #waiting = new Map<number, PromiseWithResolvers<FolderFacts | Uint8Array>>()
  #last = 0

  constructor(port: MessagePort) {
    this.#port = port
    port.on('message', (message: ToWorker) => {
      const waiting = this.#waiting.get(message.id)
      this.#waiting.delete(message.id)
      if (message.type === 'answer') waiting?.resolve(message.value)
      else waiting?.reject(new Error('EIO: the workspace could not be read, read'))
    })
  }

  async facts(type: 'list' | 'below', path: string): Promise<FolderFacts> {
    const answer = await this.#ask((id) => ({ type, id, path }))
    return answer instanceof Uint8Array ? { entries: [], isDeep: true } : answer
  }

  async content({ hash, size }: StoredFile): Promise<Uint8Array> {
    const answer = await this.#ask((id) => ({ type: 'content', id, hash, size }))
    return answer instanceof Uint8Array ? answer : new Uint8Array()
  }

  send(message: ToHost): void {
    this.#port.postMessage(message)
  }

  #ask(question: (id: number) => ToHost): Promise<FolderFacts | Uint8Array> {
    const id = ++this.#last
    const waiting = Promise.withResolvers<FolderFacts | Uint8Array>()
    this.#waiting.set(id, waiting)
    this.send(question(id))
    return waiting.promise
  }
}

/** Both streams of the script, reported now and then. */
class Streams {
  readonly stdout = new StreamCapture()
  readonly stderr = new StreamCapture()
  readonly #report: (output: ShellOutput) => void
  #reportedAt = 0

  constructor(report: (output: ShellOutput) => void) {
    this.#report = report
  }

  get output(): ShellOutput {
    return { stdout: this.stdout.part(), stderr: this.stderr.part() }
  }

  add(to: StreamCapture, bytes: Uint8Array): void {
    to.add(bytes)
    const now = Date.now()
    if (now - this.#reportedAt < REPORT_MS) return
    this.#reportedAt = now
    this.#report(this.output)
  }
}

async function run(job: ShellJob, host: Host): Promise<void> {
  const streams = new Streams((output) => host.send({ type: 'output', output }))
  const tree = new ShellTree({ list: (path) => host.facts('list', path), below: (path) => host.facts('below', path) })
  const readStored = async (file: StoredFile): Promise<Uint8Array> => (await readMirrorFile(job.mirror, file)) ?? host.content(file)
  const written = new WrittenFiles({ limits: job.limits, readStored })
  const devices = new Map([
    ['/dev/null', () => undefined],
    [STREAMS.stdout, (bytes: Uint8Array) => streams.add(streams.stdout, bytes)],
    [STREAMS.stderr, (bytes: Uint8Array) => streams.add(streams.stderr, bytes)],
  ])
  const end = await runToEnd(async () => {
    const result = await execute(job, new ShellFileSystem({ tree, written, devices }))
    streams.stdout.add(Buffer.from(result.stdout))
    const reason = LIMIT_CODES.has(result.exitCode) ? (limitReached(Buffer.from(result.stderr)) ?? limitReached(streams.stderr.end)) : undefined
    if (reason !== undefined) return { type: 'stopped', reason }
    streams.stderr.add(Buffer.from(result.stderr))
    return { type: 'exited', exitCode: result.exitCode, plan: await planChanges(tree, (node) => written.readWithHash(node)) }
  })
  host.send({ type: 'end', output: streams.output, end })
}

/** What a redirection cannot write to ends the whole script: the interpreter has no answer to it. */
async function runToEnd(work: () => Promise<ShellEnd>): Promise<ShellEnd> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && /^E[A-Z]+: /.test(error.message)) return { type: 'stopped', reason: error.message }
    throw error
  }
}

type Executed = Awaited<ReturnType<Bash['exec']>>

function execute({ command, cwd, stdin, limits }: ShellJob, fs: ShellFileSystem): Promise<Executed> {
  const shell = new Bash({ fs, cwd, commands: COMMANDS, customCommands: MISSING, env: { HOME: '/', USER: 'user', PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' }, executionLimits: { ...LIMITS, maxExecutionTimeMs: limits.timeMs } })
  shell.registerTransformPlugin({ name: 'streams', transform: ({ ast }) => ({ ast: withStreams(ast, STREAMS) }) })
  return shell.exec(command, { stdin, rawScript: true })
}

/** The interpreter's own sentence about a limit, the last thing that it prints. */
function limitReached(printed: Uint8Array): string | undefined {
  const last = Buffer.from(printed).toString('utf8').trim().split('\n').at(-1) ?? ''
  return LIMIT_SENTENCE.test(last) ? last.replace(/^bash: /, '').replace(/, increase executionLimits.*$/, '') : undefined
}

const isCommand = (name: string): name is CommandName => !LEFT_OUT.has(name)
const COMMANDS = getCommandNames().filter(isCommand)
/** The interpreter would explain how to configure it. */
const MISSING = [...LEFT_OUT].map((name) => defineCommand(name, () => Promise.resolve({ stdout: '', stderr: `bash: ${name}: command not found\n`, exitCode: 127 })))

if (parentPort === null) throw new Error('this is the beginning of a worker thread')
const job: ShellJob = workerData
await run(job, new Host(parentPort))
