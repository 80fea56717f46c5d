/** Starts the processes of the bench: the one of the servers, and one for each measurement. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { PEERS_FOLDER } from '../peers.ts'
import type { ClientName } from './bench-client.ts'
import type { MeasuredProgram } from './measured-program.ts'
import { METRICS, SCENARIOS, type Measurement, type ScenarioName } from './scenarios.ts'

/** Longest time of one measurement, in milliseconds. */
const TIME_LIMIT_MS = 600_000

const SERVERS_SCHEMA = z.object({ load: z.string(), prepared: z.string() })
const MEASUREMENT_SCHEMA = z.partialRecord(z.enum(METRICS), z.number())

export interface Servers {
  readonly load: string
  readonly prepared: string
  close(): Promise<void>
}

export async function startServers(): Promise<Servers> {
  const program = fileURLToPath(new URL('./server-process.ts', import.meta.url))
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const close = async () => {
    child.stdin.end()
    await ended
  }
  for await (const line of createInterface({ input: child.stdout })) return { ...SERVERS_SCHEMA.parse(JSON.parse(line)), close }
  throw new Error('the servers ended before they were ready')
}

export interface MeasuringOptions {
  readonly program: MeasuredProgram
  readonly servers: Servers
  readonly isQuick: boolean
  /** Ends the process that is measuring. */
  readonly signal: AbortSignal
}

/**
 * One measurement in a fresh process.
 * @throws Error with what the process printed when it fails
 */
export async function measureOnce(client: ClientName, scenario: ScenarioName, options: MeasuringOptions): Promise<Measurement> {
  const { program, servers, isQuick, signal } = options
  if (scenario === 'import') return measureImport(client, options)
  const url = servers[SCENARIOS[scenario].server]
  const stdout = await run(['--expose-gc', program.main, program.moduleOf(client), url, scenario, isQuick ? 'quick' : 'full'], { signal })
  return MEASUREMENT_SCHEMA.parse(JSON.parse(stdout))
}

/** What a program imports that uses the client with a tool. */
const IMPORTS: Readonly<Record<ClientName, readonly string[]>> = {
  ours: ['@buildscale/rig', 'zod'],
  raw: ['node:http'],
  openai: ['openai'],
  ai: ['ai', '@ai-sdk/openai', 'zod'],
  agents: ['@openai/agents', 'zod'],
  langchain: ['langchain', '@langchain/openai', 'zod'],
  pi: ['@earendil-works/pi-agent-core', '@earendil-works/pi-ai', '@earendil-works/pi-ai/api/openai-responses'],
}
const SOURCES_FOLDER = fileURLToPath(new URL('.', import.meta.url))

/** CPU time of a whole process that imports and does nothing else, less that of one that does nothing. */
async function measureImport(client: ClientName, { program, signal }: MeasuringOptions): Promise<Measurement> {
  const load = (imports: readonly string[], cwd: string) => loadingMs(imports, { cwd, signal })
  const folder = client === 'ours' || client === 'raw' ? program.folder : PEERS_FOLDER
  const importMs = (await load(IMPORTS[client], folder)) - (await load([], folder))
  return client === 'ours' ? { importMs, unbuiltImportMs: (await load(IMPORTS[client], SOURCES_FOLDER)) - (await load([], folder)) } : { importMs }
}

async function loadingMs(imports: readonly string[], { cwd, signal }: { readonly cwd: string; readonly signal: AbortSignal }): Promise<number> {
  const report = "process.on('exit', () => { const { user, system } = process.cpuUsage(); console.log((user + system) / 1000) })"
  const code = [...imports.map((name) => `import '${name}'`), report, 'process.exit(0)'].join('\n')
  return Number(await run(['--input-type=module', '-e', code], { cwd, signal }))
}

/** Nothing of the shell's settings reaches what is measured: no key, no proxy, no debugging; and what could report to others is told not to. */
async function run(args: readonly string[], { cwd, signal }: { readonly cwd?: string; readonly signal: AbortSignal }): Promise<string> {
  const { PATH = '', HOME = '' } = process.env
  const env = { PATH, HOME, LANGSMITH_TRACING: 'false', LANGCHAIN_TRACING_V2: 'false', OPENAI_AGENTS_DISABLE_TRACING: '1', DO_NOT_TRACK: '1' }
  const { stdout } = await promisify(execFile)(process.execPath, [...args], { env, signal, timeout: TIME_LIMIT_MS, ...(cwd === undefined ? {} : { cwd }) })
  return stdout
}
