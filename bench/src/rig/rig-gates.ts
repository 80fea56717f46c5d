/** The limits that the runtime is held to. Ratios within one run, except for loading and memory. Pure. */
import { PEER_NAMES, type ClientName } from './bench-client.ts'
import type { Metric, ScenarioName } from './scenarios.ts'

export interface Gate {
  readonly name: string
  readonly value: number
  readonly limit: number
  /** Which side of the limit is good. */
  readonly bound: 'at most' | 'at least'
  readonly ok: boolean
}

/** The medians of one metric. */
type Lookup = (scenario: ScenarioName, metric: Metric) => Readonly<Record<ClientName, number | null>>

/** The gates of everything that was measured; those of what was left out are not among them. */
export function rigGates(lookup: Lookup): readonly Gate[] {
  return [
    ...besideRaw(lookup),
    ...ofOurs(lookup),
    ...PEER_NAMES.flatMap((peer) => atLeast(`burst_of_${peer}_to_ours`, over(lookup('burst', 'perDelta')[peer], lookup('burst', 'perDelta').ours), 4)),
    ...PEER_NAMES.flatMap((peer) => atLeast(`step_of_${peer}_to_ours`, over(lookup('steps', 'perStepAll')[peer], lookup('steps', 'perStepAll').ours), 5)),
  ]
}

function besideRaw(lookup: Lookup): readonly Gate[] {
  const toRaw = (scenario: ScenarioName, metric: Metric) => over(lookup(scenario, metric).ours, lookup(scenario, metric).raw)
  const growth = lookup('steps', 'growthPer100')
  return [
    ...atMost('burst_to_raw', toRaw('burst', 'perDelta'), 1.4),
    ...atMost('paced_to_raw', toRaw('paced', 'perDelta'), 1.25),
    ...atMost('step_to_raw', toRaw('steps', 'perStepAll'), 1.3),
    // Without what the raw loop pays for writing its whole history anew at every step.
    ...atMost('step_of_first_100_to_raw', toRaw('steps', 'perStep100'), 1.3),
    ...atMost('parallel_call_to_raw', toRaw('parallel', 'perCall'), 2.5),
    ...atMost('growth_us_per_100_steps_above_raw', growth.ours === null || growth.raw === null ? null : growth.ours - growth.raw, 50),
    ...atMost('large_arguments_to_raw', toRaw('arguments', 'wholeMs'), 3),
  ]
}

function ofOurs(lookup: Lookup): readonly Gate[] {
  const ours = (scenario: ScenarioName, metric: Metric) => lookup(scenario, metric).ours
  return [
    ...atMost('large_arguments_4_mb_to_1_mb', over(ours('arguments', 'wholeMs'), ours('arguments', 'quarterMs')), 5),
    ...atMost('delta_of_1000_streams_to_one', over(ours('streams-1000', 'perDelta'), ours('streams-1000', 'perDeltaAlone')), 1.5),
    ...atMost('memory_after_1000_streams_to_before', over(ours('streams-1000', 'memoryAfterMb'), ours('streams-1000', 'memoryBeforeMb')), 1.1),
    ...atMost('import_ms', ours('import', 'importMs'), 110),
    ...atMost('peak_mb', ours('memory', 'peakMb'), 90),
  ]
}

function over(above: number | null, below: number | null): number | null {
  return above === null || below === null || below <= 0 ? null : above / below
}

function atMost(name: string, value: number | null, limit: number): readonly Gate[] {
  return value === null ? [] : [{ name, value: rounded(value), limit, bound: 'at most', ok: value <= limit }]
}

function atLeast(name: string, value: number | null, limit: number): readonly Gate[] {
  return value === null ? [] : [{ name, value: rounded(value), limit, bound: 'at least', ok: value >= limit }]
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
