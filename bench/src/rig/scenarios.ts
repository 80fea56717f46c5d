/** What is measured: the kinds of work, how much of each, and who takes part. No imports that cost anything: measuring processes read it too. */
import { CLIENT_NAMES, type ClientName } from './bench-client.ts'

export type Work =
  /** `repeats` streams of `deltas` each, the median of which counts, after `warmUps` such streams. */
  | { readonly type: 'text'; readonly deltas: number; readonly warmUps: number; readonly repeats: number; /** Deltas a second, one per write; undefined for a burst. */ readonly perSecond?: number }
  /** `streams` at once, of `deltas` each; beside them `singles`, one after the other, which are also the warm-up. */
  | { readonly type: 'streams'; readonly streams: number; readonly deltas: number; readonly singles: number }
  /** Runs of `steps` steps: `warmUpRuns` before anything is timed, then `runs`, the median of which counts. */
  | { readonly type: 'steps'; readonly steps: number; readonly warmUpRuns: number; readonly runs: number }
  /** One run and nothing before it. */
  | { readonly type: 'memory'; readonly steps: number }
  /** Runs of one turn with `calls` tool calls: `repeats` times `runs` of them, the median of which counts, after `warmUps` times as many. */
  | { readonly type: 'calls'; readonly calls: number; readonly runs: number; readonly warmUps: number; readonly repeats: number }
  /** Runs with one call whose arguments come in `deltas` pieces of `chars` characters; and runs with a quarter of the pieces. */
  | { readonly type: 'arguments'; readonly deltas: number; readonly chars: number; readonly runs: number }
  /** Nothing but loading the package. */
  | { readonly type: 'import' }

/** What a measurement may say. Times are CPU microseconds, unless the name says milliseconds; sizes are megabytes. */
export const METRICS = [
  'perDelta', 'perDeltaAlone', 'memoryBeforeMb', 'memoryAfterMb',
  'perStep20', 'perStep100', 'perStepAll', 'growthPer100', 'lastToFirst',
  'peakMb', 'perCall', 'wholeMs', 'quarterMs', 'oneParseMs', 'importMs', 'unbuiltImportMs',
] as const
export type Metric = (typeof METRICS)[number]
export type Measurement = Readonly<Partial<Record<Metric, number>>>

export const SCENARIO_NAMES = ['burst', 'paced', 'streams-20', 'streams-1000', 'steps', 'parallel', 'arguments', 'import', 'memory'] as const
export type ScenarioName = (typeof SCENARIO_NAMES)[number]

export interface Scenario {
  readonly title: string
  /** Which of the two servers answers: that of `model-sim`, or that of prepared-server.ts. */
  readonly server: 'load' | 'prepared'
  readonly clients: readonly ClientName[]
  readonly work: Work
  /** So little of it that it shows only that everything runs. */
  readonly quick: Work
}

export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  burst: {
    title: 'text, as fast as the line takes it',
    server: 'load',
    clients: CLIENT_NAMES,
    // Costs fall for about a hundred thousand deltas, until the compilers are done.
    work: { type: 'text', deltas: 20_000, warmUps: 5, repeats: 5 },
    quick: { type: 'text', deltas: 200, warmUps: 1, repeats: 1 },
  },
  paced: {
    title: 'text, 500 deltas a second, each a write of its own',
    server: 'load',
    clients: CLIENT_NAMES,
    work: { type: 'text', deltas: 500, warmUps: 1, repeats: 3, perSecond: 500 },
    quick: { type: 'text', deltas: 20, warmUps: 1, repeats: 1, perSecond: 500 },
  },
  'streams-20': {
    title: '20 streams at once',
    server: 'prepared',
    clients: CLIENT_NAMES,
    work: { type: 'streams', streams: 20, deltas: 1000, singles: 20 },
    quick: { type: 'streams', streams: 3, deltas: 40, singles: 2 },
  },
  'streams-1000': {
    title: '1,000 streams at once in one process',
    server: 'prepared',
    clients: CLIENT_NAMES,
    work: { type: 'streams', streams: 1000, deltas: 200, singles: 200 },
    quick: { type: 'streams', streams: 10, deltas: 40, singles: 2 },
  },
  steps: {
    title: 'tool loop, one call a step, 300 steps',
    server: 'load',
    clients: CLIENT_NAMES,
    // As with bursts, costs fall for some time: the more code there is, the longer.
    work: { type: 'steps', steps: 300, warmUpRuns: 5, runs: 5 },
    quick: { type: 'steps', steps: 5, warmUpRuns: 1, runs: 1 },
  },
  parallel: {
    title: '16 tool calls in one turn',
    server: 'prepared',
    clients: CLIENT_NAMES,
    work: { type: 'calls', calls: 16, runs: 40, warmUps: 3, repeats: 3 },
    quick: { type: 'calls', calls: 4, runs: 1, warmUps: 1, repeats: 1 },
  },
  // Peers that read unfinished arguments anew at every delta would need hours.
  arguments: {
    title: '4 MB of tool arguments in 40,000 deltas, and 1 MB in 10,000',
    server: 'prepared',
    clients: ['ours', 'raw', 'openai'],
    work: { type: 'arguments', deltas: 40_000, chars: 100, runs: 3 },
    quick: { type: 'arguments', deltas: 40, chars: 100, runs: 1 },
  },
  import: { title: 'loading the package, with zod where it is used with it', server: 'load', clients: CLIENT_NAMES, work: { type: 'import' }, quick: { type: 'import' } },
  memory: {
    title: 'peak of resident memory, one run of 300 steps from a cold start',
    server: 'load',
    clients: CLIENT_NAMES,
    work: { type: 'memory', steps: 300 },
    quick: { type: 'memory', steps: 5 },
  },
}
