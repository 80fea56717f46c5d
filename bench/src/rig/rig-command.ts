/** `npm run bench -- rig`: reads the options, runs the bench, prints a table or JSON. */
import { parseArgs } from 'node:util'
import { missingPeers } from '../peers.ts'
import { CLIENT_NAMES, PEER_NAMES, type ClientName } from './bench-client.ts'
import { runRigBench, type RigBenchSettings } from './rig-bench.ts'
import { growth, perClient, rigReport, type Measurements, type RigReport } from './rig-report.ts'

export const RIG_HELP = `npm run bench -- rig [options]

CPU time (user and system, of the client's process) per streamed text delta and per tool step, of
  ours     an agent of @buildscale/rig
  raw      the least that can be done on node:http
  openai   the official client
  ai       the ai package with @ai-sdk/openai
each in a fresh process, after a warm-up in it, one after the other, over and over; medians are reported.

  --json              the last line is the report as JSON
  --rounds N          how often everything is measured (5)
  --deltas N          deltas of a burst (20000)
  --paced-deltas N    deltas of a paced stream, 500 a second, each a write of its own (1000)
  --steps A,B,C       numbers of tool steps (20,100,300): step_ratio_to_raw is taken at the middle one, step_growth at the last
  --window N          first and last steps that step_growth compares (20)
  --total-steps N     steps of the warm-up, and at least as many while measuring, in runs of A, B or C (600)
  --without-peers     leave out openai and ai, which need npm run bench:install`

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** @throws UsageError when the options make no sense or the peers are not installed */
export async function rigCommand(args: readonly string[]): Promise<void> {
  const { settings, isJson } = readOptions(args)
  const absent = settings.clients.some((client) => PEER_NAMES.includes(client)) ? missingPeers() : []
  if (absent.length > 0) {
    throw new UsageError(`${absent.join(', ')} ${absent.length === 1 ? 'is' : 'are'} not installed beside the bench. Run \`npm run bench:install\` first, or add --without-peers to measure ours and raw alone.`)
  }
  const measurements = await runRigBench(settings, (line) => console.error(line))
  const [short = 0, middle = short, long = middle] = settings.steps
  const report = rigReport(measurements, { ratio: middle, growth: long })
  console.log(isJson ? JSON.stringify(report) : table({ measurements, report, settings }))
}

function readOptions(args: readonly string[]): { readonly settings: RigBenchSettings; readonly isJson: boolean } {
  const values = readFlags(args)
  const steps = (values.steps ?? '20,100,300').split(',').map((text) => count('--steps', text))
  if (steps.length !== 3) throw new UsageError('--steps takes three numbers, for example 20,100,300')
  const clients: readonly ClientName[] = values['without-peers'] === true ? CLIENT_NAMES.filter((name) => !PEER_NAMES.includes(name)) : CLIENT_NAMES
  const settings = {
    clients,
    rounds: count('--rounds', values.rounds ?? '5'),
    burstDeltas: count('--deltas', values.deltas ?? '20000'),
    pacedDeltas: count('--paced-deltas', values['paced-deltas'] ?? '1000'),
    pacedPerSecond: 500,
    steps,
    window: count('--window', values.window ?? '20'),
    totalSteps: count('--total-steps', values['total-steps'] ?? '600'),
  }
  return { settings, isJson: values.json === true }
}

function readFlags(args: readonly string[]) {
  const options = {
    json: { type: 'boolean' },
    rounds: { type: 'string' },
    deltas: { type: 'string' },
    'paced-deltas': { type: 'string' },
    steps: { type: 'string' },
    window: { type: 'string' },
    'total-steps': { type: 'string' },
    'without-peers': { type: 'boolean' },
  } as const
  try {
    return parseArgs({ args: [...args], options, strict: true }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function count(flag: string, text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number > 0) return number
  throw new UsageError(`${flag} takes a positive whole number, not "${text}"`)
}

function table({ measurements, report, settings }: { readonly measurements: Measurements; readonly report: RigReport; readonly settings: RigBenchSettings }): string {
  const rows = [
    ['µs per delta, burst', ...settings.clients.map((client) => cell(report.per_delta_us.burst[client]))],
    ['µs per delta, paced', ...settings.clients.map((client) => cell(report.per_delta_us.paced[client]))],
    ...settings.steps.map((steps) => {
      const values = perClient(measurements, `steps-${steps}`)
      return [`µs per step of ${steps}`, ...settings.clients.map((client) => cell(values[client]))]
    }),
    ['last steps / first steps', ...settings.clients.map((client) => cell(growth(measurements, { work: `steps-${settings.steps.at(-1) ?? 0}`, client })))],
  ]
  const lines = [['', ...settings.clients], ...rows].map(([title = '', ...cells]) => title.padEnd(26) + cells.map((text) => text.padStart(10)).join(''))
  const { ratio_to_raw, ratio_to_ai, step_ratio_to_raw, step_growth } = report
  return `${lines.join('\n')}\n\nratio_to_raw ${cell(ratio_to_raw)}   ratio_to_ai ${cell(ratio_to_ai)}   step_ratio_to_raw ${cell(step_ratio_to_raw)}   step_growth ${cell(step_growth)}`
}

function cell(value: number | null): string {
  if (value === null) return '-'
  return value >= 100 ? value.toFixed(0) : value.toFixed(2)
}
