/** `npm run bench -- rig`: reads the options, runs the bench, prints a table or JSON. */
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { missingPeers } from '../peers.ts'
import { untilStopped } from '../until-stopped.ts'
import { UsageError } from '../usage-error.ts'
import { CLIENT_NAMES, PEER_NAMES, type ClientName } from './bench-client.ts'
import { runRigBench, type RigBenchSettings } from './rig-bench.ts'
import { rigReport } from './rig-report.ts'
import { rigTable } from './rig-table.ts'
import { SCENARIO_NAMES, SCENARIOS, type ScenarioName } from './scenarios.ts'

export const RIG_HELP = `npm run bench -- rig [options]

CPU time (user and system, of the client's process) and memory of
  ours       an agent of @buildscale/rig
  raw        the least that can be done on node:http
  openai     the official client, without an agent
  ai         the ai package with @ai-sdk/openai
  agents     @openai/agents
  langchain  langchain with @langchain/openai
  pi         @earendil-works/pi-agent-core
each in a fresh process, after a warm-up in it, one after the other, over and over; medians are reported, and whether ours keeps its limits.
The servers are on this machine, in a process of their own; nothing else is ever reached.

Scenarios:
${SCENARIO_NAMES.map((name) => `  ${name.padEnd(14)}${SCENARIOS[name].title}`).join('\n')}

  --rounds N          how often everything is measured (5)
  --peer-rounds N     in how many of them the other packages take part (2)
  --only A,B          these scenarios alone
  --no-peers          ours and raw alone; the others need npm run bench:install
  --json              the last line is the report as JSON
  --gate              end with exit code 1 when a limit is not kept
  --quick             next to no work: shows that everything runs, not how fast it is`

interface RigOptions {
  readonly settings: RigBenchSettings
  readonly isJson: boolean
  readonly isGate: boolean
}

/** @throws UsageError when the options make no sense or the peers are not installed; Error when a measurement fails */
export async function rigCommand(args: readonly string[]): Promise<void> {
  const { settings, isJson, isGate } = readOptions(args)
  const absent = settings.clients.some((client) => PEER_NAMES.includes(client)) ? missingPeers() : []
  if (absent.length > 0) {
    throw new UsageError(`${absent.join(', ')} ${absent.length === 1 ? 'is' : 'are'} not installed beside the bench. Run \`npm run bench:install\` first, or add --no-peers to measure ours and raw alone.`)
  }
  const loadBefore = loadavg()
  const measurements = await untilStopped((signal) => runRigBench(settings, { progress: (line) => console.error(line), signal }))
  const report = rigReport(measurements)
  const machine = { node: process.version, cpus: availableParallelism(), load_before: loadBefore, load_after: loadavg() }
  console.log(isJson ? JSON.stringify({ machine, rounds: settings.rounds, is_quick: settings.isQuick, ...report }) : rigTable(report, settings.clients))
  if (settings.isQuick) console.error('With --quick the figures say nothing: there was next to no work.')
  if (isGate && report.gates.some(({ ok }) => !ok)) process.exitCode = 1
}

function readOptions(args: readonly string[]): RigOptions {
  const values = readFlags(args)
  const withoutPeers = values['no-peers'] === true || values['without-peers'] === true
  const clients: readonly ClientName[] = withoutPeers ? CLIENT_NAMES.filter((name) => !PEER_NAMES.includes(name)) : CLIENT_NAMES
  const settings = {
    scenarios: values.only === undefined ? SCENARIO_NAMES : values.only.split(',').map((name) => scenarioNamed(name)),
    clients,
    rounds: count('--rounds', values.rounds ?? '5'),
    peerRounds: count('--peer-rounds', values['peer-rounds'] ?? '2'),
    isQuick: values.quick === true,
  }
  return { settings, isJson: values.json === true, isGate: values.gate === true }
}

function readFlags(args: readonly string[]) {
  const options = {
    rounds: { type: 'string' },
    'peer-rounds': { type: 'string' },
    only: { type: 'string' },
    'no-peers': { type: 'boolean' },
    'without-peers': { type: 'boolean' },
    json: { type: 'boolean' },
    gate: { type: 'boolean' },
    quick: { type: 'boolean' },
  } as const
  try {
    return parseArgs({ args: [...args], options, strict: true }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function scenarioNamed(text: string): ScenarioName {
  const name = SCENARIO_NAMES.find((known) => known === text.trim())
  if (name === undefined) throw new UsageError(`there is no scenario "${text}"; there are ${SCENARIO_NAMES.join(', ')}`)
  return name
}

function count(flag: string, text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number > 0) return number
  throw new UsageError(`${flag} takes a positive whole number, not "${text}"`)
}
