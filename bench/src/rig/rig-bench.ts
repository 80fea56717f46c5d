/** CPU time and memory of our runtime beside a raw loop on the same transport and other packages. */
import type { ClientName } from './bench-client.ts'
import { makeMeasuredProgram } from './measured-program.ts'
import { measureOnce, startServers, type MeasuringOptions } from './measuring.ts'
import { SCENARIOS, type Measurement, type ScenarioName } from './scenarios.ts'

export interface RigBenchSettings {
  readonly scenarios: readonly ScenarioName[]
  readonly clients: readonly ClientName[]
  readonly rounds: number
  /** Peers take part in the first so many rounds: most are far off, and slow. */
  readonly peerRounds: number
  readonly isQuick: boolean
}

/** Every round's measurement of every client in every scenario. */
export type Measurements = ReadonlyMap<ScenarioName, ReadonlyMap<ClientName, readonly Measurement[]>>

export interface Watching {
  progress(line: string): void
  /** Ends everything. */
  readonly signal: AbortSignal
}

/**
 * Runs everything: in each round every scenario, in each scenario every client in turn, each in a fresh process.
 * @throws Error when a measuring process fails, with what it printed
 */
export async function runRigBench(settings: RigBenchSettings, { progress, signal }: Watching): Promise<Measurements> {
  const results = new Map<ScenarioName, Map<ClientName, Measurement[]>>()
  const program = await makeMeasuredProgram()
  try {
    const servers = await startServers()
    try {
      const options: MeasuringOptions = { program, servers, isQuick: settings.isQuick, signal }
      for (const { round, scenario, client } of planOf(settings)) {
        const startedAt = performance.now()
        const measurement = await measureOnce(client, scenario, options)
        record(results, { scenario, client, measurement })
        progress(progressLine({ round, scenario, client, measurement, seconds: (performance.now() - startedAt) / 1000 }, settings))
      }
    } finally {
      await servers.close()
    }
  } finally {
    program.remove()
  }
  return results
}

interface Turn {
  readonly round: number
  readonly scenario: ScenarioName
  readonly client: ClientName
}

/** The order of measurements. Another client begins in each round, so that none always runs on the machine that the same neighbour has left warm. */
export function planOf({ scenarios, clients, rounds, peerRounds }: RigBenchSettings): readonly Turn[] {
  return Array.from({ length: rounds }, (_, index) => index + 1).flatMap((round) =>
    scenarios.flatMap((scenario) => {
      const present = clients.filter((client) => SCENARIOS[scenario].clients.includes(client) && (client === 'ours' || client === 'raw' || round <= peerRounds))
      const first = round % present.length
      return [...present.slice(first), ...present.slice(0, first)].map((client) => ({ round, scenario, client }))
    }),
  )
}

function record(results: Map<ScenarioName, Map<ClientName, Measurement[]>>, entry: { readonly scenario: ScenarioName; readonly client: ClientName; readonly measurement: Measurement }): void {
  const ofScenario = results.get(entry.scenario) ?? new Map<ClientName, Measurement[]>()
  results.set(entry.scenario, ofScenario)
  ofScenario.set(entry.client, [...(ofScenario.get(entry.client) ?? []), entry.measurement])
}

function progressLine({ round, scenario, client, measurement, seconds }: Turn & { readonly measurement: Measurement; readonly seconds: number }, { rounds }: RigBenchSettings): string {
  const values = Object.entries(measurement).map(([metric, value]) => `${metric} ${value.toFixed(2)}`)
  return `round ${round}/${rounds}  ${scenario.padEnd(12)}  ${client.padEnd(9)}  ${seconds.toFixed(1).padStart(5)} s  ${values.join('  ')}`
}
