/** The measuring inside one process: user and system CPU time around the same work, after a warm-up. */
import type { BenchClient, LookupArguments } from './bench-client.ts'

export type Work =
  | { readonly type: 'text'; readonly deltas: number; /** Deltas a second, one per write; undefined for a burst. */ readonly perSecond?: number }
  /**
   * Runs of `steps` steps each. `window`: how many steps at the start and at the end of a run are timed apart. `total`: steps that are made as a
   * warm-up, and again, at least, while measuring: one short run takes too little time for an honest figure, and compilers need a while to settle.
   */
  | { readonly type: 'steps'; readonly steps: number; readonly window: number; readonly total: number }

export interface Measurement {
  /** CPU microseconds per delta or per step. */
  readonly perUnit: number
  /** CPU microseconds per step among the first and among the last `window` steps; zero for text. */
  readonly first: number
  readonly last: number
}

const WARM_UP_DELTAS = 10_000

/** @throws Error when a client did not do all of the work */
export function measure(client: BenchClient, work: Work): Promise<Measurement> {
  return work.type === 'text' ? measureText(client, work) : measureSteps(client, work)
}

async function measureText(client: BenchClient, { deltas, perSecond }: Extract<Work, { type: 'text' }>): Promise<Measurement> {
  // The warm-up is of the same kind: a burst and a paced stream take different paths through every client.
  const warmUp = Math.min(deltas, perSecond === undefined ? WARM_UP_DELTAS : Math.ceil(perSecond / 2))
  expectCount(await client.streamText(textModel(warmUp, perSecond)), warmUp)
  const before = process.cpuUsage()
  expectCount(await client.streamText(textModel(deltas, perSecond)), deltas)
  return { perUnit: microseconds(process.cpuUsage(before)) / deltas, first: 0, last: 0 }
}

async function measureSteps(client: BenchClient, { steps, window, total }: Extract<Work, { type: 'steps' }>): Promise<Measurement> {
  expectCount(await client.runSteps(`load:steps:${total}`, lookUp), total)
  const runs: Measurement[] = []
  for (let made = 0; made < total; made += steps) runs.push(await measureRun(client, { steps, window }))
  return { perUnit: mean(runs.map((run) => run.perUnit)), first: mean(runs.map((run) => run.first)), last: mean(runs.map((run) => run.last)) }
}

async function measureRun(client: BenchClient, { steps, window }: { readonly steps: number; readonly window: number }): Promise<Measurement> {
  // The time is read whenever a tool runs, once a step; marks[n] is the CPU time spent up to the call of step n.
  const marks = [microseconds(process.cpuUsage())]
  const made = await client.runSteps(`load:steps:${steps}`, (given) => {
    marks.push(microseconds(process.cpuUsage()))
    return lookUp(given)
  })
  const end = microseconds(process.cpuUsage())
  expectCount(made, steps)
  const between = (from: number, to: number): number => ((marks[to] ?? 0) - (marks[from] ?? 0)) / (to - from)
  return { perUnit: (end - (marks[0] ?? 0)) / steps, first: between(0, window), last: between(steps - window, steps) }
}

function lookUp({ path }: LookupArguments): string {
  return `${path} holds ${path.length * 7} lines, most of them about how files are kept as versions and never lost.`
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function textModel(deltas: number, perSecond: number | undefined): string {
  return perSecond === undefined ? `load:text:${deltas}` : `load:text:${deltas}:${perSecond}`
}

function microseconds({ user, system }: NodeJS.CpuUsage): number {
  return user + system
}

function expectCount(found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`expected ${wanted} deltas or steps, got ${found}`)
}
