/** From measurements to the figures that are reported. Pure. */
import type { ClientName } from './bench-client.ts'
import type { Measurement } from './measure.ts'

/** One kind of work; `steps` by how many. */
export type WorkName = 'burst' | 'paced' | `steps-${number}`

/** Every round's measurement of every client at every work. */
export type Measurements = ReadonlyMap<WorkName, ReadonlyMap<ClientName, readonly Measurement[]>>

/** CPU microseconds; null for a client that was left out. */
export type PerClient = Readonly<Record<ClientName, number | null>>

export interface RigReport {
  readonly per_delta_us: { readonly burst: PerClient; readonly paced: PerClient }
  /** At the middle number of steps, 100 by default. */
  readonly per_step_us: PerClient
  readonly ratio_to_raw: number | null
  readonly ratio_to_ai: number | null
  readonly step_ratio_to_raw: number | null
  readonly step_growth: number | null
}

export interface ReportSteps {
  /** Number of steps at which `step_ratio_to_raw` is taken. */
  readonly ratio: number
  /** Number of steps at which `step_growth` is taken. */
  readonly growth: number
}

export function rigReport(measurements: Measurements, steps: ReportSteps): RigReport {
  const burst = perClient(measurements, 'burst')
  const perStep = perClient(measurements, `steps-${steps.ratio}`)
  return {
    per_delta_us: { burst, paced: perClient(measurements, 'paced') },
    per_step_us: perStep,
    ratio_to_raw: ratio(burst.ours, burst.raw),
    ratio_to_ai: ratio(burst.ai, burst.ours),
    step_ratio_to_raw: ratio(perStep.ours, perStep.raw),
    step_growth: ratio(growth(measurements, { work: `steps-${steps.growth}`, client: 'ours' }), growth(measurements, { work: `steps-${steps.growth}`, client: 'raw' })),
  }
}

/** Medians over the rounds. */
export function perClient(measurements: Measurements, work: WorkName): PerClient {
  const of = (client: ClientName): number | null => rounded(median(found(measurements, { work, client }).map((one) => one.perUnit)))
  return { ours: of('ours'), raw: of('raw'), openai: of('openai'), ai: of('ai') }
}

/** How much dearer the last steps are than the first: the median of the last over the median of the first. */
export function growth(measurements: Measurements, place: { readonly work: WorkName; readonly client: ClientName }): number | null {
  const rounds = found(measurements, place)
  return ratio(median(rounds.map((one) => one.last)), median(rounds.map((one) => one.first)))
}

function found(measurements: Measurements, { work, client }: { readonly work: WorkName; readonly client: ClientName }): readonly Measurement[] {
  return measurements.get(work)?.get(client) ?? []
}

/** The middle value, of an even number the mean of the two; null of nothing. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2
}

function ratio(above: number | null, below: number | null): number | null {
  return above === null || below === null || below === 0 ? null : rounded(above / below)
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1000) / 1000
}
