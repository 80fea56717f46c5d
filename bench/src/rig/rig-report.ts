/** From measurements to the figures that are reported. Pure. */
import { CLIENT_NAMES, type ClientName } from './bench-client.ts'
import type { Measurements } from './rig-bench.ts'
import { rigGates, type Gate } from './rig-gates.ts'
import { METRICS, SCENARIO_NAMES, type Metric, type ScenarioName } from './scenarios.ts'

/** Medians over the rounds; null for a client that was left out. */
export type PerClient = Readonly<Record<ClientName, number | null>>

export interface ScenarioReport {
  /** Times are CPU microseconds, unless the name says milliseconds; sizes are megabytes. */
  readonly values: Readonly<Partial<Record<Metric, PerClient>>>
  /** The scenario's main value of each client over that of the raw loop, and over ours. */
  readonly ratio_to_raw: PerClient
  readonly ratio_to_ours: PerClient
}

export interface RigReport {
  readonly scenarios: Readonly<Partial<Record<ScenarioName, ScenarioReport>>>
  readonly gates: readonly Gate[]
  /** The shortest summary: bursts, steps of a run of 300, and how much dearer the last steps are than the first beside the raw loop's. */
  readonly per_delta_us: { readonly burst: PerClient; readonly paced: PerClient }
  readonly per_step_us: PerClient
  readonly ratio_to_raw: number | null
  readonly ratio_to_ai: number | null
  readonly step_ratio_to_raw: number | null
  readonly step_growth: number | null
}

/** What a client's cost is in a scenario. */
export const MAIN_METRICS: Readonly<Record<ScenarioName, Metric>> = {
  burst: 'perDelta',
  paced: 'perDelta',
  'streams-20': 'perDelta',
  'streams-1000': 'perDelta',
  steps: 'perStepAll',
  parallel: 'perCall',
  arguments: 'wholeMs',
  import: 'importMs',
  memory: 'peakMb',
}

export function rigReport(measurements: Measurements): RigReport {
  const burst = perClient(measurements, 'burst', 'perDelta')
  const perStep = perClient(measurements, 'steps', 'perStepAll')
  const growth = perClient(measurements, 'steps', 'lastToFirst')
  return {
    scenarios: Object.fromEntries(SCENARIO_NAMES.filter((name) => measurements.has(name)).map((name) => [name, scenarioReport(measurements, name)])),
    gates: rigGates((scenario, metric) => perClient(measurements, scenario, metric)),
    per_delta_us: { burst, paced: perClient(measurements, 'paced', 'perDelta') },
    per_step_us: perStep,
    ratio_to_raw: ratio(burst.ours, burst.raw),
    ratio_to_ai: ratio(burst.ai, burst.ours),
    step_ratio_to_raw: ratio(perStep.ours, perStep.raw),
    step_growth: ratio(growth.ours, growth.raw),
  }
}

function scenarioReport(measurements: Measurements, scenario: ScenarioName): ScenarioReport {
  const metrics = METRICS.filter((metric) => CLIENT_NAMES.some((client) => valuesOf(measurements, { scenario, metric, client }).length > 0))
  const main = perClient(measurements, scenario, MAIN_METRICS[scenario])
  return {
    values: Object.fromEntries(metrics.map((metric) => [metric, perClient(measurements, scenario, metric)])),
    ratio_to_raw: forEach((client) => ratio(main[client], main.raw)),
    ratio_to_ours: forEach((client) => ratio(main[client], main.ours)),
  }
}

/** Medians over the rounds. */
export function perClient(measurements: Measurements, scenario: ScenarioName, metric: Metric): PerClient {
  return forEach((client) => rounded(median(valuesOf(measurements, { scenario, metric, client }))))
}

function valuesOf(measurements: Measurements, { scenario, metric, client }: { readonly scenario: ScenarioName; readonly metric: Metric; readonly client: ClientName }): readonly number[] {
  return (measurements.get(scenario)?.get(client) ?? []).flatMap((one) => one[metric] ?? [])
}

function forEach(value: (client: ClientName) => number | null): PerClient {
  return {
    ours: value('ours'),
    raw: value('raw'),
    openai: value('openai'),
    ai: value('ai'),
    agents: value('agents'),
    langchain: value('langchain'),
    pi: value('pi'),
  }
}

/** The middle value, of an even number the mean of the two; null of nothing. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2
}

function ratio(above: number | null, below: number | null): number | null {
  return above === null || below === null || below <= 0 ? null : rounded(above / below)
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1000) / 1000
}
